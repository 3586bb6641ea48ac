package lowerqdq

import (
	"encoding/binary"
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// layer is a Conv of counts with weights of 8 bits. All quantities of an output channel are
// in units of the scale of its weights.
type layer struct {
	conv          *graph.Node
	dims          []int64
	weights       []int64
	scale, sums   []float64 // by output channel; sums of the magnitudes of weights
	theta, starts []int64   // of a neuron that works in integers; starts is the bias
	source        source
}

// layers finds the Convs that work in integers, and says why others behind spikes do not.
func (l *lowering) layers(c *passes.Context) error {
	reasons := map[*graph.Node]string{}
	for n := range c.Model.Graph.Nodes() {
		k := l.neurons[n]
		if k == nil {
			continue
		}
		conv := k.X.Producer()
		if conv == nil || !conv.Is("Conv") || !sole(k.X) || !l.areCounts(conv.Input(0)) {
			continue
		}
		var err error
		if k.layer, reasons[conv], err = layerOf(conv, k); err != nil {
			return err
		}
		l.convs[conv] = k.layer != nil
	}
	for n := range c.Model.Graph.Nodes() {
		if n.Is("Conv") && lastLayer(n) && l.areCounts(n.Input(0)) {
			y, _, err := fewBits(n)
			if err != nil {
				return err
			}
			if y != nil {
				l.last[n.Output(0).Uses()[0].Node], l.convs[n] = y, true
			}
		}
		if !n.Is("Conv") && !n.Is("ConvTranspose") || l.convs[n] || n.Region != graph.SpikingRegion ||
			spiking.WithoutSpikes(n.Input(0)) || lastLayer(n) {
			continue
		}
		why := reasons[n]
		if why == "" {
			why = "it is no Conv of spike counts that one neuron alone reads"
		}
		c.Notef(n, "works on floats: %s", why)
	}
	return nil
}

// lastLayer reports whether an output neuron reads n.
func lastLayer(n *graph.Node) bool {
	y := n.Output(0)
	return sole(y) && op.IsNeuron(y.Uses()[0].Node) && spiking.IsOutput(y.Uses()[0].Node)
}

// areCounts reports whether v is spikes of neurons whose counts are uint8, joined perhaps.
func (l *lowering) areCounts(v *graph.Value) bool {
	n := v.Producer()
	if n == nil || !n.Is("Concat") {
		return n != nil && l.neurons[n] != nil && v == n.Output(op.NeuronY)
	}
	for _, u := range n.Inputs() {
		if !l.areCounts(u) {
			return false
		}
	}
	return true
}

// finer is how many units of a potential or a level are one of a weight: execution in
// integers rounds them to that.
const finer = 256

// fewBits takes the weights of a Conv of counts as integers of 8 bits, or says why it does
// not.
func fewBits(conv *graph.Node) (*layer, string, error) {
	amplitude, ok := spiking.Amplitudes(conv.Input(0))
	t := op.Constant(conv.Input(1))
	if !ok || t == nil || conv.Input(2) != nil {
		return nil, "its weights are computed, or the channels of its input are not known", nil
	}
	xs, err := t.Float32s()
	if err != nil {
		return nil, "", op.Wrap(conv, err)
	}
	layout, err := op.LayoutOf(conv, t.Dims)
	if err != nil {
		return nil, "", err
	}
	q, err := weights.Quantise(layout, xs, amplitude, 8)
	if err != nil {
		return nil, "", op.Wrap(conv, err)
	}
	y := &layer{conv: conv, dims: t.Dims, scale: q.Scale, sums: make([]float64, layout.Out), source: source{layout, xs, amplitude}}
	for i, x := range xs {
		in, out := layout.Channel(i)
		w := float64(float64(x)*float64(amplitude[in])) / q.Scale[out]
		if math.Abs(w-float64(q.Integers[i])) > onGrid {
			return nil, "its weights are not of 8 bits, run quantise-weights first", nil
		}
		y.weights = append(y.weights, int64(q.Integers[i]))
		y.sums[out] += math.Abs(w)
	}
	return y, "", nil
}

// layerOf brings a Conv of counts and its neuron into integers, or says why it does not.
func layerOf(conv *graph.Node, k *neuron) (*layer, string, error) {
	y, why, err := fewBits(conv)
	if y == nil {
		return nil, why, err
	}
	for out, scale := range y.scale {
		if y.sums[out] == 0 {
			scale = at(k.theta, out) // any will do
		}
		level, odd := exact.OddMultiple(at(k.theta, out), scale)
		if !odd || level > math.MaxInt32 {
			return nil, fmt.Sprintf("the threshold of channel %d is %g units of its weights, want an odd number of them; "+
				"run quantise-weights behind the passes that change weights or thresholds", out, at(k.theta, out)/scale), nil
		}
		start := k.start(out, level)
		if math.Abs(start)+y.sums[out]*mostCount > math.MaxInt32 {
			return nil, fmt.Sprintf("sums of channel %d leave 32 bits", out), nil
		}
		y.theta, y.starts = append(y.theta, int64(level)), append(y.starts, int64(start))
	}
	return y, "", nil
}

// onGrid is how far from a whole number the rounding of float32 may leave a weight.
const onGrid = 1e-3

// start is the bias of a channel whose threshold is theta units.
func (k *neuron) start(channel int, theta float64) float64 {
	units := func(x float64) float64 { return math.Round(float64(x * finer * theta)) } // of x thresholds
	p := units(float64(k.V0) + float64(float64(k.Timesteps)*at(k.bias, channel))/at(k.theta, channel))
	if k.alpha != nil {
		p += units(1) - units(at(k.alpha, channel))
	}
	return math.Floor(p/finer) - (theta-1)/2
}

// integer makes the neuron's Conv one of integers, in its place.
func (l *lowering) integer(k *neuron) {
	y := k.layer
	scales := make([]float32, len(y.theta))
	for out, theta := range y.theta {
		scales[out] = float32(1 / float64(theta))
	}
	l.spendParameters(k)
	l.readCounts(y, scales)
	y.conv.SetInput(2, l.constant(y.conv, "bias", graph.Int32, scales, []int64{int64(len(y.starts))}, y.starts))
}

// readCounts makes a layer's Conv one of counts and of weights of 8 bits, in its place.
func (l *lowering) readCounts(y *layer, scales []float32) {
	n := y.conv
	w := n.Input(1)
	l.Spend(w)
	n.SetInput(0, l.dequantise(n, "counts", l.countsOf(n.Input(0)), []float32{1}))
	n.SetInput(1, l.constant(n, "weight", graph.Int8, scales, y.dims, y.weights))
	l.state(y, w, n.Input(1).Producer().Input(0))
}

// constant is integers, dequantised by a scale for each index along axis 0.
func (l *lowering) constant(n *graph.Node, role string, d graph.DType, scales []float32, dims, list []int64) *graph.Value {
	s, zero := l.grid(n, role+".scale", scales, d)
	axis := graph.Attrs{{Name: "axis", Value: graph.Int(0)}}
	return l.Node(n, role, "DequantizeLinear", axis, l.integers(n, role+".integers", d, dims, list), s, zero)
}

// countsOf is the uint8 value that stands for v.
func (l *lowering) countsOf(v *graph.Value) *graph.Value {
	if c := l.counts[v]; c != nil {
		return c
	}
	concat := v.Producer()
	in := concat.Inputs()
	for i, u := range in {
		in[i] = l.countsOf(u)
	}
	if l.onlyCounts(v) {
		for i, u := range in {
			concat.SetInput(i, u)
		}
		l.counts[v] = v
	} else {
		l.counts[v] = l.Node(concat, "counts", "Concat", concat.Attrs, in...)
	}
	return l.counts[v]
}

// grid adds the scales and the zero points, all 0, of a quantisation: one, or one for each
// channel.
func (l *lowering) grid(n *graph.Node, role string, scales []float32, d graph.DType) (scale, zero *graph.Value) {
	dims := []int64{int64(len(scales))}
	if len(scales) == 1 {
		dims = []int64{}
	}
	return spiking.Parameter(n, role, dims, scales), l.integers(n, role+".zero", d, dims, make([]int64, len(scales)))
}

// integers adds an initializer of an integer type, to which the list has been limited.
func (l *lowering) integers(n *graph.Node, role string, d graph.DType, dims, list []int64) *graph.Value {
	size := d.Bits() / 8
	data := make([]byte, 0, len(list)*size)
	for _, x := range list {
		data = binary.LittleEndian.AppendUint64(data, uint64(x))[:len(data)+size]
	}
	t, err := graph.NewTensor(d, dims, data)
	if err != nil {
		panic(err) // dims are those of list
	}
	g := n.Graph()
	return g.AddInitializer(g.FreshName(n.Label()+"."+role), t)
}
