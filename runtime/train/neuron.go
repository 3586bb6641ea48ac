package train

import (
	"spikingir/graph"
	"spikingir/graph/op"
	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

// A neuronLayer is an IF or MPRN population.
type neuronLayer struct {
	node  *graph.Node
	index int // among the net's neurons
	x     *value
	out   *value
	vres  *value // nil when nobody reads it
	// steady: x is one slice, the current of every main step (direct encoding).
	steady bool

	bias, theta, beta, v0 *Param // nil where they are not trained
	fixed                 struct{ bias, theta, alpha []float32 }
	start                 float32

	kernel population
	theta1 []float32 // the thresholds of all channels
	// emits is the amplitudes of all channels: the thresholds, but 0 for an infinite
	// one, which nobody reaches.
	emits []float32
}

// A population is what neurons compute with: a kernel.Neuron, whose methods
// these are, but in tests of gradients, which put smooth neurons in its place.
type population interface {
	Set(p kernel.NeuronParams)
	Period() int
	Forward(out kernel.NeuronTrace, current []float32, steps kernel.NeuronSteps)
	Backward(g kernel.NeuronGrad, potential []float32, steps kernel.NeuronSteps)
	RateForward(out, x []float32, steps kernel.NeuronSteps)
	RateBackward(g kernel.RateGrad, x []float32, steps kernel.NeuronSteps)
}

// neuronState is a worker's part of a neuronLayer.
type neuronState struct {
	u       []float32 // potentials before the spike; in modes of one slice the mean current
	feature []float32 // gradient by the mean amplitude; nil for none
	counts  []float32 // spikes of each neuron, when wanted
	// amplitudes is the sum of each channel's mean amplitudes in modes of one slice, once
	// somebody has asked.
	amplitudes []float32
}

func (s *neuronState) reset(w *Worker) {
	w.put(s.u)
	w.put(s.feature)
	w.put(s.counts)
	w.put(s.amplitudes)
	*s = neuronState{}
}

func (n *Net) bindNeuron(node *graph.Node) (layer, error) {
	s, err := op.NeuronOf(node)
	if err != nil {
		return nil, err
	}
	if s.Timesteps == 0 {
		return nil, op.Errorf(node, "has no timesteps; convert the model with -T first")
	}
	if op.IsGraded(node) {
		return nil, op.Errorf(node, "a spike of a %s has several values, which cannot be trained, want IF or MPRN: convert with another recipe to fine-tune", node.Op().Type)
	}
	x, err := n.of(node, op.NeuronX)
	if err != nil {
		return nil, err
	}
	if len(x.dims) != 4 {
		return nil, op.Errorf(node, "current has dimensions %v, want [N,C,H,W]", x.dims)
	}
	l := &neuronLayer{node: node, index: len(n.neurons), x: x, start: s.V0}
	if e := n.encoded(x); e != nil {
		l.x, l.steady = e, true
	}
	if err := l.parameters(n, s); err != nil {
		return nil, err
	}
	l.out = n.add(s.Y, x.dims, true)
	l.out.neuron = l
	l.out.dense = wantsAmplitudes(s.Y)
	l.out.grad = l.x.grad || l.bias != nil || l.theta != nil || l.beta != nil || l.v0 != nil
	if s.VRes != nil && len(s.VRes.Uses()) > 0 {
		l.vres = n.add(s.VRes, x.dims, false)
		l.vres.grad = l.out.grad
	}
	n.neurons = append(n.neurons, l)
	return l, nil
}

// encoded is the analog value that x repeats, nil where x is no Encode's.
func (n *Net) encoded(x *value) *value {
	if p := x.of.Producer(); p != nil && p.IsSpiking("Encode") {
		return n.values[p.Input(0)]
	}
	return nil
}

// wantsAmplitudes reports whether some reader of spikes cannot do with bits.
func wantsAmplitudes(v *graph.Value) bool {
	for _, u := range v.Uses() {
		if w := u.Node.Input(1); !(u.Node.Is("Conv") && u.Index == 0 && w != nil && w.IsInitializer()) {
			return true
		}
	}
	return v.IsOutput()
}

// parameters finds bias, threshold, beta and initial potential.
func (l *neuronLayer) parameters(n *Net, s op.Neuron) (err error) {
	c, node := l.x.channels(), l.node
	if l.fixed.theta, err = n.constant(node, op.NeuronTheta, c); err != nil {
		return err
	}
	if s.Bias != nil {
		if l.fixed.bias, err = n.constant(node, op.NeuronBias, c); err != nil {
			return err
		}
		l.bias = n.param(node, op.NeuronBias, Bias)
	}
	if s.Alpha != nil {
		if l.fixed.alpha, err = n.constant(node, op.NeuronAlpha, c); err != nil {
			return err
		}
		l.beta = n.param(node, op.NeuronAlpha, Beta)
	}
	if n.options.TrainThresholds {
		l.theta = n.param(node, op.NeuronTheta, Threshold)
	}
	if n.options.TrainV0 {
		l.v0 = n.enter(&Param{Name: s.Y.Name() + ".v0", Role: V0, node: node, Data: []float32{s.V0}, elems: []float32{s.V0}})
	}
	k := kernel.NewNeuron(kernel.NeuronParams{Theta: spread(l.fixed.theta, c)})
	k.Surrogate = surrogateKernels[n.options.Surrogate]
	k.Slope = float32(n.options.slope())
	k.DetachReset = !n.options.ResetGradient
	l.kernel = k
	return nil
}

// spread repeats one number for c channels.
func spread(x []float32, c int) []float32 {
	if len(x) != 1 || c == 1 {
		return x
	}
	out := make([]float32, c)
	kernel.Repeat(out, x)
	return out
}

func (l *neuronLayer) reads() []*value { return []*value{l.x} }

func (l *neuronLayer) writes() []*value {
	if l.vres != nil {
		return []*value{l.out, l.vres}
	}
	return []*value{l.out}
}

// elems is what p holds, or the constant in its place.
func elems(p *Param, fixed []float32) []float32 {
	if p != nil {
		return p.elems
	}
	return fixed
}

func (l *neuronLayer) refresh() {
	c := l.out.channels()
	l.theta1 = spread(elems(l.theta, l.fixed.theta), c)
	if l.v0 != nil {
		l.start = l.v0.elems[0]
	}
	l.emits = append(l.emits[:0], l.theta1...)
	p := kernel.NeuronParams{Theta: l.theta1, V0: make([]float32, c)}
	for i, theta := range l.theta1 {
		if theta > maxFloat {
			l.emits[i] = 0
		}
		p.V0[i] = l.start * l.emits[i]
	}
	if b := elems(l.bias, l.fixed.bias); b != nil {
		p.Bias = spread(b, c)
	}
	if a := elems(l.beta, l.fixed.alpha); a != nil {
		p.Alpha = spread(a, c)
	}
	l.kernel.Set(p)
}

// steps is the extent of a run.
func (l *neuronLayer) steps(w *Worker) kernel.NeuronSteps {
	return kernel.NeuronSteps{Size: l.out.elems, Main: w.net.Timesteps, Post: w.net.Post == 1,
		Steady: l.steady && w.mode == Spikes}
}

func (l *neuronLayer) forward(w *Worker) error {
	if w.mode != Spikes {
		l.forwardMean(w)
		l.feature(w)
		return nil
	}
	steps := l.steps(w)
	slices := steps.Slices()
	in, s, st := &w.slots[l.x.id], &w.slots[l.out.id], &w.states[l.index]
	current := in.x
	if l.x.reads == 1 && !l.x.kept && !l.steady {
		st.u, in.x = in.x, nil // the potentials take the place of the currents
	} else {
		st.u = w.floats(slices * l.out.elems)
	}
	s.bits = w.bits(slices * base.SpikeWords(l.out.elems))
	trace := kernel.NeuronTrace{Spikes: s.bits, Potential: st.u}
	if l.out.dense {
		trace.Amplitude = w.set(l.out)
	}
	if l.vres != nil {
		trace.Residual = w.set(l.vres)
	}
	if w.hooks.Feature != nil {
		st.counts = w.floats(l.out.elems)
		trace.Counts = st.counts
	}
	l.kernel.Forward(trace, current, steps)
	l.feature(w)
	return nil
}

// feature asks the hook for a gradient by the mean amplitude.
func (l *neuronLayer) feature(w *Worker) {
	if w.hooks.Feature == nil {
		return
	}
	st := &w.states[l.index]
	rate := w.slots[l.out.id].x
	if w.mode == Spikes {
		rate = w.floats(l.out.elems)
		c := l.out.channels()
		for i, n := range st.counts {
			rate[i] = n * l.emits[i%c] / float32(w.net.Timesteps)
		}
		defer w.put(rate)
	}
	st.feature = w.zeros(l.out.elems)
	if !w.hooks.Feature(l.index, rate, st.feature) {
		w.put(st.feature)
		st.feature = nil
	}
}
