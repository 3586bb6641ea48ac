package train

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
)

// A rounding rounds the weights of a convolution of spikes: of each output channel the
// weights times the amplitudes of their inputs are whole multiples of one scale, the largest
// of them most, as the pass quantise-weights has them, and biases follow. Layers read what is rounded; gradients
// pass straight through to what is trained.
type rounding struct {
	w           *Param
	reader      *neuronLayer   // the hidden neuron that alone reads the layer; nil for none
	sources     []*neuronLayer // whose spikes the layer reads, channel after channel
	group, out  int
	taps        int
	transposed  bool
	lockstep    bool
	most, steps float64   // the largest weight in units; T
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
		r := &rounding{w: p, reader: n.hiddenReader(node.Output(0)), sources: sources, transposed: !conv, lockstep: n.Schedule == op.Lockstep,
			most: float64(int(1)<<(n.options.WeightBits-1) - 1), steps: float64(n.Timesteps)}
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

// hiddenReader is the neuron that alone reads a value, and whose spikes are not only
// read out; nil where there is none.
func (n *Net) hiddenReader(v *graph.Value) *neuronLayer {
	if v.IsOutput() || v.NumUses() != 1 {
		return nil
	}
	for _, l := range n.neurons {
		if l.node != v.Uses()[0].Node {
			continue
		}
		for _, u := range l.node.Output(op.NeuronY).Uses() {
			if !u.Node.IsSpiking("CPM") && !u.Node.IsSpiking("Decode") {
				return l
			}
		}
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

// refresh rounds what the layers read of the weights, after the neurons have theirs. It
// reports whether the reader has another bias now.
func (r *rounding) refresh() (moved bool) {
	at := 0
	for _, l := range r.sources {
		for _, theta := range l.emits {
			r.gain[at] = float64(theta)
			at++
		}
	}
	clear(r.scale)
	for k := 0; k*r.taps < len(r.w.elems); k++ {
		in, out := r.channels(k)
		for _, x := range r.w.elems[k*r.taps:][:r.taps] {
			r.scale[out] = max(r.scale[out], math.Abs(float64(x)*r.gain[in])/r.most)
		}
	}
	for k := 0; k*r.taps < len(r.w.elems); k++ {
		in, out := r.channels(k)
		s, gain := r.scale[out], r.gain[in]
		if s == 0 || gain == 0 {
			continue
		}
		unit, ws := r.aligned(out)/gain, r.w.elems[k*r.taps:][:r.taps]
		for i, x := range ws {
			ws[i] = float32(math.RoundToEven(float64(x)*gain/s) * unit)
		}
	}
	return r.reader != nil && r.settle()
}

// settle moves the bias of the reader as the pass does, so that no sum of weights comes near a
// level: in lock-step to a multiple of the scale, of two phases so that over all steps, with the
// initial potential and less the level of the post step, it is half a unit more than one.
func (r *rounding) settle() (moved bool) {
	l := r.reader
	if l.bias == nil || len(l.bias.elems) != r.out || len(l.bias.value.Uses()) != 1 {
		return false
	}
	for c, b := range l.bias.elems {
		theta, unit := float64(l.theta1[c]), r.aligned(c)
		if b == 0 || r.scale[c] == 0 || theta/unit < leastLevel || math.IsInf(theta, 1) {
			continue
		}
		slack := exact.Slack(theta / unit)
		if r.lockstep {
			want := math.Round(float64(b) / unit)
			if exact.Apart(math.Round(theta/unit), float64(l.start)) && math.Abs(float64(b)/unit-want) >= slack {
				l.bias.elems[c], moved = float32(want*unit), true
			}
			continue
		}
		start := (float64(l.start) - r.alpha(c)) * theta
		have := (float64(r.steps*float64(b)) + start) / unit
		if want := math.Floor(have) + 0.5; math.Abs(have-want) >= slack {
			l.bias.elems[c], moved = float32((float64(want*unit)-start)/r.steps), true
		}
	}
	return moved
}

// alpha is that of an output channel of the reader, 0 for an IF.
func (r *rounding) alpha(out int) float64 {
	if a := elems(r.reader.beta, r.reader.fixed.alpha); a != nil {
		return float64(a[min(out, len(a)-1)])
	}
	return 0
}

// leastLevel is the least threshold in units of the scale that aligned changes.
const leastLevel = 8

// aligned is the scale of an output channel, moved to suit the threshold of the reader.
func (r *rounding) aligned(out int) float64 {
	s := r.scale[out]
	if r.reader == nil {
		return s
	}
	theta := float64(r.reader.theta1[out])
	level := theta / s
	if level < leastLevel || math.IsInf(level, 1) {
		return s
	}
	if !r.lockstep {
		return theta / (2*math.Floor(level/2) + 1)
	}
	if whole, ok := exact.Level(theta, s, float64(r.reader.start)); ok {
		return theta / whole
	}
	return s
}

// channels are those of the taps k.
func (r *rounding) channels(k int) (in, out int) {
	inner, outer := len(r.gain)/r.group, r.out/r.group
	if r.transposed { // [in][out of a group]
		in, out = k/outer, k%outer
		return in, in/inner*outer + out
	}
	out, in = k/inner, k%inner // [out][in of a group]
	return out/outer*inner + in, out
}
