package exec

import (
	"fmt"
	"math"
	"sort"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/ops"
)

// Precision says in which numbers spiking layers are computed.
type Precision int

const (
	// FixedPoint computes a neuron layer behind a convolution of spikes in
	// integers, with weights of 16 bits for each output channel: the same bits on
	// every machine, and many times faster. Layers of another form, and those whose
	// weights and thresholds lie too far apart, are computed in float32.
	FixedPoint Precision = iota
	// Float32 computes every layer in float32.
	Float32
)

// fixedLayer is a layer of the form neuron([Bias]([Conv or ConvTranspose](spikes)))
// in fixed point, where Concat may join the spikes of several layers.
type fixedLayer struct {
	*layer
	sources []*graph.Value
	conv    *linear
	neuron  *graph.Node
	packed  *spike.Conv
	point   *fixedPoint
	theta   []float32
	grade   op.Grade
}

// fixed binds a layer in fixed point; nil when it has another form or must be
// computed in float32.
func (p *plan) fixed(m *graph.Model, l *layer) *fixedLayer {
	s, ok := onlyNeuron(l)
	if !ok {
		return nil
	}
	f := &fixedLayer{layer: l, neuron: s.node, grade: s.grade}
	var biases []*graph.Value
	v := s.node.Input(op.NeuronX)
	for v.Producer().IsSpiking("Bias") {
		biases = append(biases, v.Producer().Input(1))
		v = v.Producer().Input(0)
	}
	for _, k := range l.steps {
		if k.node == v.Producer() {
			f.conv = k
		}
	}
	if f.conv == nil || !(f.conv.node.Is("Conv") || f.conv.node.Is("ConvTranspose")) {
		return nil
	}
	var concats int
	if f.sources, concats = p.spikeSources(f.conv.node.Input(0)); f.sources == nil {
		return nil
	}
	if 1+len(biases)+concats != len(l.steps) {
		return nil // something else reads a part of the cone
	}
	biases = append(biases, s.node.Input(op.NeuronBias))
	if !f.quantise(p, biases, s) {
		return nil
	}
	return f
}

// onlyNeuron is the layer's neuron when it is the only sink and no other layer reads
// what lies before it.
func onlyNeuron(l *layer) (*neuronSink, bool) {
	if len(l.sinks) != 1 || len(l.keep) > 0 {
		return nil, false
	}
	s, ok := l.sinks[0].(*neuronSink)
	return s, ok
}

// spikeSources lists the spikes that a value joins channel after channel, and counts
// the Concats on the ways to them; nil when it is anything else.
func (p *plan) spikeSources(v *graph.Value) (list []*graph.Value, concats int) {
	n := v.Producer()
	switch {
	case n == nil || !p.timing.timed[v]:
		return nil, 0
	case op.IsNeuron(n) && v == n.Output(op.NeuronY):
		return []*graph.Value{v}, 0
	case !n.Is("Concat"):
		return nil, 0
	}
	c, err := op.ConcatOf(n)
	if err != nil || c.Axis != 1 && c.Axis != -3 {
		return nil, 0
	}
	concats = 1
	for _, u := range n.Inputs() {
		some, more := p.spikeSources(u)
		if some == nil {
			return nil, 0
		}
		list, concats = append(list, some...), concats+more
	}
	return list, concats
}

// run computes the layer on packed spikes.
func (f *fixedLayer) run(r *run) error {
	var sources []*packed
	for _, v := range f.sources {
		s := r.packedSlot(v)
		if s == nil {
			return op.Errorf(f.conv.node, "input %q has dimensions other than [N,C,H,W]", v.Name())
		}
		sources = append(sources, s)
	}
	dims, err := f.check(sources)
	if err != nil {
		return op.Wrap(f.conv.node, err)
	}
	out := r.newSpikes(dims, f.theta, f.grade)
	var potentials []*ops.Tensor
	if f.neuron.Output(op.NeuronVRes) != nil {
		potentials = r.potentials(dims)
	}
	if r.areas == nil {
		if err := f.compute(r, out, sources, potentials); err != nil {
			return err
		}
	}
	r.putNeurons(f.neuron, out, potentials)
	return nil
}

// compute runs the kernels, and counts.
func (f *fixedLayer) compute(r *run, out *packed, sources []*packed, potentials []*ops.Tensor) error {
	var in []*spike.Tensor
	for _, p := range sources {
		in = append(in, p.Tensor)
	}
	left := f.leftovers(r, potentials, out)
	if err := f.packed.Run(r.ctx, r.pool, out.Tensor, in, &f.point.neurons, r.timing.spikeSteps(), left); err != nil {
		return err
	}
	if r.counters == nil {
		return nil
	}
	f.count(r, sources, out)
	for at, p := range left {
		if r.frame != nil {
			r.frame.summed[len(r.neurons[at])] = true
		}
		r.reportPacked(f.neuron, out, residualOf(p.Sums, f.point.scale, f.theta), at)
	}
	return nil
}

// check gives the dimensions of the layer's slices, or says which do not fit.
func (f *fixedLayer) check(sources []*packed) ([]int, error) {
	c := 0
	for i, s := range sources {
		c += s.C
		if s.N != sources[0].N || s.H != sources[0].H || s.W != sources[0].W {
			return nil, fmt.Errorf("joins %q of dimensions %v and %q of %v", f.sources[0].Name(), sources[0].dims(),
				f.sources[i].Name(), s.dims())
		}
	}
	if want := f.packed.InChannels(); c != want {
		return nil, fmt.Errorf("input has %d channels, want %d", c, want)
	}
	h, w := f.packed.OutSize(sources[0].H, sources[0].W)
	if h*w == 0 {
		return nil, fmt.Errorf("the kernel does not fit in an image of %d x %d", sources[0].H, sources[0].W)
	}
	return []int{sources[0].N, len(f.point.scale), h, w}, nil
}

// count counts the spikes that arrive, and those of the biases.
func (f *fixedLayer) count(r *run, sources []*packed, out *packed) {
	x := r.extent(f.sources[0], &ops.Tensor{DType: graph.Float32,
		Dims: []int{out.N, f.packed.InChannels(), sources[0].H, sources[0].W}})
	y := &ops.Tensor{DType: graph.Float32, Dims: out.dims()}
	r.eachSlice(f.all, func(t int) {
		for _, s := range f.steps {
			k := r.counters[s.node]
			switch {
			case k == nil:
			case s == f.conv:
				k.shape(x, r.consts[s.node.Input(1)], r.extent(s.node.Output(0), y))
				for i, p := range sources {
					k.countPacked(p, r.view(f.sources[i], p.H, p.W), t)
				}
			case t < r.timing.steps: // a Bias
				r.countAnalog(s.node, []*ops.Tensor{y}, y)
			}
		}
	})
}

// leftovers is what a layer in fixed point is asked to tell of the potentials at each
// result; nil when nobody asks.
func (f *fixedLayer) leftovers(r *run, p []*ops.Tensor, out *packed) []spike.Potential {
	if p == nil && r.counters == nil {
		return nil
	}
	list := make([]spike.Potential, len(r.timing.results))
	for i := range p {
		list[i].Data, list[i].Scale = p[i].F32, f.point.scale
	}
	if r.counters == nil {
		return list
	}
	for i, s := range r.potentialSums(f.neuron, out.H, out.W, f.levels) {
		list[i].Sums = s
	}
	return list
}

// levels are those of potentialSums.
func (f *fixedLayer) levels() (half, full []int32) { return levelsOf(f.point.scale, f.theta) }

// level is the least integer multiple of scale that is at least x > 0 in float32, as a
// potential is once it is read; the largest number when none is.
func level(x float32, scale float64) int32 {
	return int32(sort.Search(math.MaxInt32, func(v int) bool { return float32(float64(v)*scale) >= x }))
}
