package train

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// A rounding rounds the weights of a convolution of spikes: of each output channel the
// weights times the amplitudes of their inputs are whole multiples of one scale, the largest
// of them most. Layers read what is rounded; gradients pass straight through to what is
// trained.
type rounding struct {
	w           *Param
	sources     []*neuronLayer // whose spikes the layer reads, channel after channel
	group, out  int
	taps        int
	transposed  bool
	most        float64
	scale, gain []float64 // of output and of input channels
}

// bindRoundings finds the layers whose weights are rounded: convolutions of spikes with
// weights of their own.
func (n *Net) bindRoundings() error {
	if n.options.WeightBits == 0 {
		return nil
	}
	for node := range n.model.Graph.Nodes() {
		conv := node.Is("Conv")
		if !conv && !node.Is("ConvTranspose") || n.values[node.Input(0)] == nil {
			continue
		}
		p := n.index[node.Input(1)]
		sources := n.spikeSources(node.Input(0))
		if p == nil || sources == nil || len(p.value.Uses()) != 1 {
			continue
		}
		r := &rounding{w: p, sources: sources, transposed: !conv, most: float64(int(1)<<(n.options.WeightBits-1) - 1)}
		group, err := groupOf(node)
		if err != nil {
			return err
		}
		dims := p.value.Const.Dims
		r.group, r.taps = group, len(p.elems)/max(int(dims[0]*dims[1]), 1)
		if r.out = int(dims[0]); r.transposed {
			r.out = int(dims[1]) * group
		}
		in := 0
		for _, l := range sources {
			in += l.out.channels()
		}
		r.scale, r.gain = make([]float64, r.out), make([]float64, in)
		n.roundings = append(n.roundings, r)
	}
	return nil
}

func groupOf(node *graph.Node) (int, error) {
	if node.Is("Conv") {
		c, err := op.ConvOf(node)
		return int(c.Group), err
	}
	c, err := op.ConvTransposeOf(node)
	return int(c.Group), err
}

// spikeSources lists the neurons whose spikes a value holds, those that Concat joins in their
// order; nil where it holds anything else. AveragePool gives all spikes the same new
// amplitude, which no rounding depends on.
func (n *Net) spikeSources(v *graph.Value) (list []*neuronLayer) {
	x, node := n.values[v], v.Producer()
	switch {
	case x != nil && x.neuron != nil:
		return []*neuronLayer{x.neuron}
	case node == nil:
		return nil
	case node.Is("AveragePool"):
		p, err := op.PoolOf(node)
		pads := slices.ContainsFunc(p.Pads, func(x int64) bool { return x != 0 })
		if err != nil || p.AutoPad != op.NotSet || p.CeilMode || pads && !p.CountPad {
			return nil
		}
		return n.spikeSources(node.Input(0))
	case node.Is("Concat"):
		c, err := op.ConcatOf(node)
		if err != nil || c.Axis != 1 && c.Axis != -3 {
			return nil
		}
		for _, u := range node.Inputs() {
			some := n.spikeSources(u)
			if some == nil {
				return nil
			}
			list = append(list, some...)
		}
	}
	return list
}

// refresh rounds what the layers read of the weights, after the neurons have theirs.
func (r *rounding) refresh() {
	at := 0
	for _, l := range r.sources {
		for _, theta := range l.emits {
			r.gain[at] = float64(theta)
			at++
		}
	}
	clear(r.scale)
	for i, x := range r.w.elems {
		in, out := r.channels(i)
		r.scale[out] = max(r.scale[out], math.Abs(float64(x)*r.gain[in])/r.most)
	}
	for i, x := range r.w.elems {
		in, out := r.channels(i)
		if s := r.scale[out]; s > 0 && r.gain[in] > 0 {
			r.w.elems[i] = float32(math.Round(float64(x)*r.gain[in]/s) * s / r.gain[in])
		}
	}
}

// channels are those of a weight.
func (r *rounding) channels(i int) (in, out int) {
	k := i / r.taps
	inner, outer := len(r.gain)/r.group, r.out/r.group
	if r.transposed { // [in][out of a group]
		in, out = k/outer, k%outer
		return in, in/inner*outer + out
	}
	out, in = k/inner, k%inner // [out][in of a group]
	return out/outer*inner + in, out
}
