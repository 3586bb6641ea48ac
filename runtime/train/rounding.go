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
// of them most, as the pass quantise-weights has them, and thresholds and biases follow. Layers read what is rounded; gradients
// pass straight through to what is trained.
type rounding struct {
	w           *Param
	readers     []*neuronLayer // the hidden neurons that alone read the layer, or its negative
	sources     []*neuronLayer // whose spikes the layer reads, channel after channel
	group, out  int
	taps        int
	transposed  bool
	lockstep    bool
	most        float64 // the largest weight in units
	steps       int
	scale, gain []float64 // of output and of input channels
	unit        []float64 // scale, moved to suit the thresholds of the readers
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
		r := &rounding{w: p, readers: n.hiddenReaders(node.Output(0)), sources: sources, transposed: !conv, lockstep: n.Schedule == op.Lockstep,
			most: float64(int(1)<<(n.options.WeightBits-1) - 1), steps: n.Timesteps}
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
		r.scale, r.gain, r.unit = make([]float64, r.out), make([]float64, in), make([]float64, r.out)
		n.follow(r)
		n.roundings = append(n.roundings, r)
	}
	return nil
}

// hiddenReaders lists the neurons that alone read a value, or its negative, and whose spikes are
// not only read out; none where something else reads it.
func (n *Net) hiddenReaders(v *graph.Value) (list []*neuronLayer) {
	if v.IsOutput() {
		return nil
	}
	for _, u := range v.Uses() {
		var some []*neuronLayer
		if u.Node.Is("Neg") {
			some = n.hiddenReaders(u.Node.Output(0))
		} else if l := n.neuronOf(u.Node); l != nil && u.Index == op.NeuronX && readOn(u.Node) {
			some = []*neuronLayer{l}
		}
		if len(some) == 0 {
			return nil
		}
		list = append(list, some...)
	}
	return list
}

func (n *Net) neuronOf(node *graph.Node) *neuronLayer {
	for _, l := range n.neurons {
		if l.node == node {
			return l
		}
	}
	return nil
}

// readOn reports whether a neuron's spikes are not only read out.
func readOn(neuron *graph.Node) bool {
	for _, u := range neuron.Output(op.NeuronY).Uses() {
		if !u.Node.IsSpiking("CPM") && !u.Node.IsSpiking("Decode") {
			return true
		}
	}
	return false
}

// follow makes the thresholds of all readers but the first follow the rounding, also where they are
// not trained.
func (n *Net) follow(r *rounding) {
	for i, l := range r.readers {
		v := l.node.Input(op.NeuronTheta)
		if i == 0 || l.theta != nil || len(l.fixed.theta) != r.out || !v.IsConstant() || v.NumUses() != 1 {
			continue
		}
		n.following = append(n.following, following{l, v, l.fixed.theta})
		l.fixed.theta = slices.Clone(l.fixed.theta)
	}
}

// A following is a neuron layer whose thresholds follow a rounding, and are not trained.
type following struct {
	layer *neuronLayer
	value *graph.Value // the thresholds
	given []float32    // as Compile found them
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
// tells the readers that have another threshold or bias now.
func (r *rounding) refresh() (moved []*neuronLayer) {
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
	copy(r.unit, r.scale)
	driven := make([]bool, r.out)
	for _, l := range r.readers {
		if r.settle(l, driven) {
			moved = append(moved, l)
		}
	}
	for k := 0; k*r.taps < len(r.w.elems); k++ {
		in, out := r.channels(k)
		s, gain := r.scale[out], r.gain[in]
		if s == 0 || gain == 0 {
			continue
		}
		unit, ws := r.unit[out]/gain, r.w.elems[k*r.taps:][:r.taps]
		for i, x := range ws {
			ws[i] = float32(math.RoundToEven(float64(x)*gain/s) * unit)
		}
	}
	return moved
}

// settle moves the units to suit the thresholds of a reader, and its biases, as the pass does; where the
// units suit another and driven is set, it moves the thresholds.
func (r *rounding) settle(l *neuronLayer, driven []bool) (moved bool) {
	v := l.node.Input(op.NeuronTheta)
	thetas := elems(l.theta, l.fixed.theta)
	follows := v.IsConstant() && v.NumUses() == 1 && len(thetas) == r.out
	var biases []float32
	if l.bias != nil && len(l.bias.elems) == r.out && len(l.bias.value.Uses()) == 1 {
		biases = l.bias.elems
	}
	for c, unit := range r.unit {
		var bias float32
		if biases != nil {
			bias = biases[c]
		}
		if r.scale[c] == 0 || driven[c] && !follows {
			continue
		}
		e := exact.Neuron{Lockstep: r.lockstep, Timesteps: r.steps, V0: float64(l.start), Alpha: l.alphaOf(c)}
		s, ok := e.Settle(l.theta1[c], bias, unit, driven[c])
		if !ok {
			continue
		}
		if s.Theta != l.theta1[c] {
			thetas[c], l.theta1[c], l.emits[c], moved = s.Theta, s.Theta, s.Theta, true
		}
		if s.Bias != bias {
			biases[c], moved = s.Bias, true
		}
		r.unit[c], driven[c] = s.Unit, true
	}
	return moved
}

// alphaOf is alpha of a channel, 0 for an IF.
func (l *neuronLayer) alphaOf(c int) float64 {
	if a := elems(l.beta, l.fixed.alpha); a != nil {
		return float64(a[min(c, len(a)-1)])
	}
	return 0
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
