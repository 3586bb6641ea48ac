// Package cost counts the multiply-accumulates of a network before it runs, by its
// inferred shapes: for one pixel of its output, whatever the resolution of each layer.
package cost

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
)

// MACs is the multiply-accumulates of a network for one pixel of its output; of a spiking
// one for a single slice. What conversion added, the convolutions of CPM, does not count.
type MACs struct {
	Layers map[*graph.Node]float64 // layers of the main graph
	Total  float64
	Driven float64 // of layers that spikes drive
	// Currents is those of layers that read what other layers give, with no activation in
	// between, which varies over time: they multiply in full at every step.
	Currents float64
}

// SpikeShare is the share of the multiply-accumulates that spikes drive, which take
// additions in their place; the rest is computed as in the ANN.
func (c MACs) SpikeShare() float64 {
	if c.Total == 0 {
		return 0
	}
	return c.Driven / c.Total
}

// CurrentShare is the share of the multiply-accumulates of layers that read currents.
func (c MACs) CurrentShare() float64 {
	if c.Total == 0 {
		return 0
	}
	return c.Currents / c.Total
}

// side is the height and width of the image that counts are made for where a model leaves
// them open: a multiple of all strides and factors that occur, so large that borders do not
// matter.
const side = 10080

// Of counts the layers of a model. ok is false where shapes cannot be inferred, or the
// output has no pixels.
func Of(m *graph.Model) (c MACs, ok bool) {
	sized := m.Clone()
	for _, v := range sized.Graph.Inputs() {
		v.Type.Shape = withSizes(infer.Input(v))
	}
	originals := slices.Collect(m.Graph.Nodes())
	i := 0
	for n := range sized.Graph.Nodes() {
		if op.Lookup(n.Op()) != nil {
			forget(n)
		}
	}
	if infer.Model(sized) != nil || len(sized.Graph.Outputs()) == 0 {
		return c, false
	}
	pixels, known := pixelsOf(sized.Graph.Outputs()[0].Type.Shape)
	if !known || pixels == 0 {
		return c, false
	}
	c.Layers = map[*graph.Node]float64{}
	timed := map[*graph.Value]bool{}
	for n := range sized.Graph.Nodes() {
		driven, currents := markTimed(n, timed)
		if macs, ok := layer(n, driven || currents); ok {
			macs /= pixels
			c.Layers[originals[i]] = macs
			c.Total += macs
			if driven {
				c.Driven += macs
			}
			if currents {
				c.Currents += macs
			}
		}
		i++
	}
	return c, true
}

// withSizes puts numbers for what a shape leaves open: one image of side by side pixels.
func withSizes(shape graph.Shape) graph.Shape {
	sized := slices.Clone(shape)
	for i, d := range sized {
		if _, known := d.Size(); !known {
			sized[i] = graph.Known(side)
		}
		if i == 0 && len(sized) > 1 {
			sized[i] = graph.Known(1)
		}
	}
	return sized
}

// forget drops the shapes of what n makes, those declared included: they may be names.
func forget(n *graph.Node) {
	for _, v := range n.Outputs() {
		if v != nil {
			v.Type.Shape = nil
		}
	}
}

// pixelsOf is the pixels of one image [N,C,H,W], or [N,H,W,C] where the last dimension is
// the small one.
func pixelsOf(shape graph.Shape) (float64, bool) {
	dims, known := shape.Sizes()
	if !known || len(dims) < 3 {
		return 0, false
	}
	space := dims[2:]
	if len(dims) == 4 && dims[3] <= 4 && dims[1] > dims[3] {
		space = dims[1:3]
	}
	return product(space), true
}

// markTimed notes which results of n have time, with true for those that are made of spikes
// alone, and reports whether n reads nothing else over time, or currents. What a layer gives
// is a current. That of an encoding is the same at every step: who reads it alone runs once.
func markTimed(n *graph.Node, timed map[*graph.Value]bool) (driven, currents bool) {
	reads, encoded := 0, true
	for _, v := range n.Inputs() {
		spikes, has := timed[v]
		if v == nil || !has {
			continue
		}
		reads++
		currents = currents || !spikes
		encoded = encoded && !spikes && v.Producer().IsSpiking("Encode")
	}
	driven = reads > 0 && !currents
	readout := n.IsSpiking("CPM") || n.IsSpiking("Decode")
	for i, v := range n.Outputs() {
		switch {
		case v == nil || readout || op.IsNeuron(n) && i != op.NeuronY:
		case op.IsNeuron(n):
			timed[v] = true
		case reads > 0 || n.IsSpiking("Encode"):
			timed[v] = driven && !weighted(n)
		}
	}
	return driven, currents && !encoded
}

// weighted reports whether n multiplies by weights.
func weighted(n *graph.Node) bool {
	_, ok := op.ProductOf(n)
	return ok
}

// layer is the multiply-accumulates of n for one image and one slice. Convolutions, and
// what is timed, have one image or slice for each index of the first axis.
func layer(n *graph.Node, timed bool) (float64, bool) {
	f, ok := op.ProductOf(n)
	if !ok || n.IsSpiking("CPM") {
		return 0, false
	}
	in := make([][]int64, n.NumInputs())
	for i, v := range n.Inputs() {
		dims, known := sizes(v)
		if !known && (i == f.X || i == f.W || n.Is("Einsum")) {
			return 0, false
		}
		in[i] = dims
	}
	y, known := sizes(n.Output(0))
	if !known || len(in) <= max(f.X, f.W) {
		return 0, false
	}
	macs := f.MACs(n, in, y)
	conv := n.Is("Conv") || n.Is("ConvTranspose") || n.Is("ConvInteger") || n.Is("QLinearConv") || n.Is("DeformConv")
	if (timed || conv) && len(y) > 0 && y[0] > 0 {
		macs /= float64(y[0])
	}
	return macs, true
}

func sizes(v *graph.Value) ([]int64, bool) {
	if v == nil {
		return nil, false
	}
	if v.Const != nil && v.Type.Shape == nil {
		return v.Const.Dims, true
	}
	return v.Type.Shape.Sizes()
}

func product(dims []int64) float64 {
	p := 1.0
	for _, d := range dims {
		p *= float64(d)
	}
	return p
}
