package exec

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// Precision says in which numbers spiking layers are computed.
type Precision int

const (
	// FixedPoint computes a neuron layer behind a convolution of spikes in whole
	// numbers, with weights of 16 bits for each output channel: the same bits on
	// every machine, and many times faster. Layers of another form, and those whose
	// weights and thresholds lie too far apart, are computed in float32.
	FixedPoint Precision = iota
	// Float32 computes every layer in float32.
	Float32
)

// fixedLayer is a layer of the form neuron([Bias]([Conv or ConvTranspose](trains)))
// in fixed point, where Concat may join the trains.
type fixedLayer struct {
	*layer
	sources []*graph.Value
	conv    *linear
	neuron  *graph.Node
	packed  *kernel.SpikeConv
	point   *fixedPoint
	theta   []float32
}

// fixed binds a layer in fixed point; nil when it has another form or must be
// computed in float32.
func (p *Program) fixed(m *graph.Model, l *layer) *fixedLayer {
	s, ok := single(l)
	if !ok {
		return nil
	}
	f := &fixedLayer{layer: l, neuron: s.node}
	var biases []*graph.Value
	v := s.node.Input(0)
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
	if f.sources = p.trains(f.conv.node.Input(0)); f.sources == nil {
		return nil
	}
	if 1+len(biases)+concats(f.conv.node.Input(0)) != len(l.steps) {
		return nil // something else reads a part of the cone
	}
	biases = append(biases, s.node.Input(1))
	if !f.quantise(p, biases, s) {
		return nil
	}
	return f
}

// single is the layer's neuron when it is the only sink and no other layer reads
// what lies before it.
func single(l *layer) (*neuronSink, bool) {
	if len(l.sinks) != 1 || len(l.group.keep) > 0 {
		return nil, false
	}
	s, ok := l.sinks[0].(*neuronSink)
	return s, ok
}

// trains lists the spike trains that a value joins channel after channel; nil when
// it is anything else.
func (p *Program) trains(v *graph.Value) []*graph.Value {
	n := v.Producer()
	switch {
	case n == nil || !p.timing.timed[v]:
		return nil
	case isNeuron(n) && v == n.Output(0):
		return []*graph.Value{v}
	case !n.Is("Concat"):
		return nil
	}
	c, err := op.ConcatOf(n)
	if err != nil || c.Axis != 1 && c.Axis != -3 {
		return nil
	}
	var list []*graph.Value
	for _, u := range n.Inputs() {
		some := p.trains(u)
		if some == nil {
			return nil
		}
		list = append(list, some...)
	}
	return list
}

// concats counts the Concat nodes of a value that trains accepts, each once for
// every way to it.
func concats(v *graph.Value) int {
	n := v.Producer()
	if !n.Is("Concat") {
		return 0
	}
	sum := 1
	for _, u := range n.Inputs() {
		sum += concats(u)
	}
	return sum
}

// fixedConv is the geometry and the weights of a convolution.
type fixedConv struct {
	shape      kernel.ConvTransposeShape
	transposed bool
	weights    []float32
}

// geometry reads the convolution; false when it is none of two axes with constant
// weights and pads that do not depend on the size.
func (f *fixedLayer) geometry(p *Program) (c fixedConv, ok bool) {
	n := f.conv.node
	w := p.consts[n.Input(1)]
	if w == nil || len(w.Dims) != 4 || w.Len() == 0 {
		return c, false
	}
	c.weights, c.transposed = w.F32, n.Is("ConvTranspose")
	var win op.Window
	var group int64
	if c.transposed {
		v, err := op.ConvTransposeOf(n)
		if err != nil || v.OutputShape != nil || len(v.Kernel) != 2 {
			return c, false
		}
		win, group = v.Window, v.Group
		c.shape.InC, c.shape.OutC = w.Dims[0], w.Dims[1]*int(group)
		c.shape.OutPadH, c.shape.OutPadW = int(v.OutputPadding[0]), int(v.OutputPadding[1])
	} else {
		v, err := op.ConvOf(n)
		if err != nil || len(v.Kernel) != 2 {
			return c, false
		}
		win, group = v.Window, v.Group
		c.shape.InC, c.shape.OutC = w.Dims[1]*int(group), w.Dims[0]
	}
	if win.AutoPad != op.NotSet {
		return c, false
	}
	s := &c.shape
	s.Groups = int(group)
	s.KH, s.KW = int(win.Kernel[0]), int(win.Kernel[1])
	s.StrideH, s.StrideW = int(win.Stride[0]), int(win.Stride[1])
	s.DilationH, s.DilationW = int(win.Dilation[0]), int(win.Dilation[1])
	s.PadTop, s.PadLeft = int(win.Pads[0]), int(win.Pads[1])
	s.PadBottom, s.PadRight = int(win.Pads[2]), int(win.Pads[3])
	return c, s.Validate() == nil && w.Dims[2] == s.KH && w.Dims[3] == s.KW
}

// quantise turns the layer into whole numbers and packs its weights.
func (f *fixedLayer) quantise(p *Program, biases []*graph.Value, s *neuronSink) bool {
	c, ok := f.geometry(p)
	if !ok {
		return false
	}
	t, ok := f.thresholds(p, s, c.shape.OutC)
	if !ok {
		return false
	}
	amplitude, ok := f.amplitudes(p, c.shape.InC)
	if !ok {
		return false
	}
	cur := current{weights: c.byOutput(amplitude), bias: make([]float64, c.shape.OutC), always: make([]float64, c.shape.OutC)}
	for _, v := range biases {
		if !addConstant(p, cur.bias, v) {
			return false
		}
	}
	if b := f.conv.node.Input(2); b != nil {
		t := p.consts[b]
		if t == nil || len(t.F32) != c.shape.OutC {
			return false
		}
		for o, x := range t.F32 {
			cur.always[o] = float64(x)
		}
	}
	if f.point = quantise(cur, t, p.timing.steps+1); f.point == nil {
		return false
	}
	var err error
	if c.transposed {
		f.packed, err = kernel.PackSpikeConvTranspose(c.shape, c.scatter(f.point.weights))
	} else {
		f.packed, err = kernel.PackSpikeConv(c.shape.ConvShape, c.scatter(f.point.weights))
	}
	return err == nil
}

// place is the index in the weights of synapse i of output o, and its input
// channel. Synapses count over the input channels of the group and the kernel.
func (c *fixedConv) place(o, i int) (at, in int) {
	s := c.shape
	area, inC, outC := s.KH*s.KW, s.InC/s.Groups, s.OutC/s.Groups
	in = o/outC*inC + i/area
	if c.transposed {
		return (in*outC+o%outC)*area + i%area, in
	}
	return o*inC*area + i, in
}

// byOutput lists each output's weights times the amplitudes of its inputs.
func (c *fixedConv) byOutput(amplitude []float32) [][]float64 {
	list := make([][]float64, c.shape.OutC)
	for o := range list {
		row := make([]float64, c.shape.InC/c.shape.Groups*c.shape.KH*c.shape.KW)
		for i := range row {
			at, in := c.place(o, i)
			row[i] = float64(float64(c.weights[at]) * float64(amplitude[in]))
		}
		list[o] = row
	}
	return list
}

// scatter puts weights by output back in the operator's order.
func (c *fixedConv) scatter(weights [][]int16) []int16 {
	list := make([]int16, len(c.weights))
	for o, row := range weights {
		for i, w := range row {
			at, _ := c.place(o, i)
			list[at] = w
		}
	}
	return list
}

// constants reads a parameter of one number or one for each of c channels of
// images; an omitted one is def.
func constants(p *Program, v *graph.Value, c int, def float32) ([]float32, bool) {
	list := make([]float32, c)
	if v == nil {
		for i := range list {
			list[i] = def
		}
		return list, true
	}
	t := p.consts[v]
	if t == nil || !t.DType.IsFloat() {
		return nil, false
	}
	if _, _, err := channelwise([]int{1, c, 1, 1}, t); err != nil {
		return nil, false
	}
	for i := range list {
		list[i] = t.F32[i%len(t.F32)]
	}
	return list, true
}

// addConstant adds a bias current of one number or one for each channel.
func addConstant(p *Program, sum []float64, v *graph.Value) bool {
	list, ok := constants(p, v, len(sum), 0)
	if !ok {
		return false
	}
	for i, x := range list {
		sum[i] += float64(x)
	}
	return true
}

// thresholds reads the neuron's parameters.
func (f *fixedLayer) thresholds(p *Program, s *neuronSink, c int) (t thresholds, ok bool) {
	theta, ok := constants(p, s.node.Input(2), c, 0)
	if !ok {
		return t, false
	}
	f.theta = theta
	alpha := make([]float32, c)
	for i := range alpha {
		alpha[i] = 1
	}
	if !s.node.IsSpiking("IF") {
		if alpha, ok = constants(p, s.node.Input(3), c, 1); !ok {
			return t, false
		}
	}
	for i := range c {
		if !(theta[i] > 0) {
			return t, false // an error, which the float32 layer words
		}
		t.theta, t.alpha = append(t.theta, float64(theta[i])), append(t.alpha, float64(alpha[i]))
	}
	t.v0 = float64(s.v0)
	return t, true
}

// amplitudes lists the amplitude of a spike on each input channel.
func (f *fixedLayer) amplitudes(p *Program, c int) ([]float32, bool) {
	var list []float32
	for i, v := range f.sources {
		n := channels(p, v)
		if len(f.sources) == 1 {
			n = c
		}
		if n == 0 {
			return nil, false
		}
		some, ok := constants(p, v.Producer().Input(2), n, 0)
		if !ok {
			return nil, false
		}
		if list = append(list, some...); len(list) > c || i == len(f.sources)-1 && len(list) < c {
			return nil, false
		}
	}
	for _, a := range list {
		if !(a > 0) || math.IsInf(float64(a), 1) {
			return nil, false
		}
	}
	return list, true
}

func elementwiseOp(n *graph.Node) bool {
	s := op.Lookup(n.Op())
	return s != nil && s.Elementwise
}

// channels is the number of channels of a time-major value, 0 when unknown.
func channels(p *Program, v *graph.Value) int {
	n := v.Producer()
	switch {
	case n == nil:
	case n.Is("Conv"):
		if w := p.consts[n.Input(1)]; w != nil && len(w.Dims) > 2 {
			return w.Dims[0]
		}
	case n.Is("ConvTranspose"):
		c, err := op.ConvTransposeOf(n)
		if w := p.consts[n.Input(1)]; err == nil && w != nil && len(w.Dims) > 2 {
			return w.Dims[1] * int(c.Group)
		}
	case n.Op().Domain == graph.Spiking:
		return channels(p, n.Input(0))
	case elementwiseOp(n):
		c := 0
		for _, u := range present(n.Inputs()) {
			if p.timing.timed[u] {
				c = max(c, channels(p, u))
			}
		}
		if c > 1 {
			return c
		}
	}
	if s := v.Type.Shape; len(s) == 4 {
		if c, ok := s[1].Size(); ok {
			return int(c)
		}
	}
	return 0
}

// run computes the layer on packed spikes.
func (f *fixedLayer) run(r *run) error {
	var sources []*packed
	for _, v := range f.sources {
		s := r.packedSlot(v)
		if s == nil {
			return nodeError(f.conv.node, fmt.Errorf("input %q has dimensions other than [N,C,H,W]", v.Name()))
		}
		sources = append(sources, s)
	}
	dims, err := f.check(sources)
	if err != nil {
		return nodeError(f.conv.node, err)
	}
	out := r.newPacked(dims, f.theta)
	steps := kernel.SpikeSteps{Main: r.timing.steps, Marks: r.timing.marks, Post: r.timing.post > 0}
	potentials := r.potentials(f.neuron, dims, f.point.scale)
	if err := f.packed.Run(r.ctx, r.pool, out.SpikeTrain, spikeTrains(sources), &f.point.neurons, steps, potentials.list); err != nil {
		return err
	}
	if r.o.Measure {
		f.measure(r, sources, out)
	}
	potentials.put(r, f.neuron, out)
	r.keepPacked(f.neuron, out)
	return nil
}

func spikeTrains(list []*packed) []*kernel.SpikeTrain {
	var trains []*kernel.SpikeTrain
	for _, p := range list {
		trains = append(trains, p.SpikeTrain)
	}
	return trains
}

// check gives the dimensions of the layer's slices, or says which do not fit.
func (f *fixedLayer) check(sources []*packed) ([]int, error) {
	c := 0
	for i, s := range sources {
		c += s.C
		if s.N != sources[0].N || s.H != sources[0].H || s.W != sources[0].W {
			return nil, fmt.Errorf("joins %q of dimensions %v and %q of %v", f.sources[0].Name(), sources[0].dims,
				f.sources[i].Name(), s.dims)
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

// measure counts the spikes that arrive, and those of the biases.
func (f *fixedLayer) measure(r *run, sources []*packed, out *packed) {
	x := &ops.Tensor{DType: graph.Float32, Dims: []int{out.N, f.packed.InChannels(), sources[0].H, sources[0].W}}
	y := &ops.Tensor{DType: graph.Float32, Dims: out.dims}
	works := f.layer.works()
	slice := func(t int) {
		for _, k := range f.steps {
			switch {
			case k.work == nil:
			case k == f.conv:
				k.work.shape([]*ops.Tensor{x, r.consts[k.node.Input(1)]}, y)
				for _, s := range sources {
					k.work.countPacked(s, t, x, y)
				}
			case t < r.timing.steps: // a Bias
				k.work.analog([]*ops.Tensor{y}, y)
			}
		}
	}
	for t := range r.timing.steps {
		slice(t)
		at := r.timing.mark(t)
		if at < 0 {
			continue
		}
		for _, w := range works {
			w.begin()
		}
		if r.timing.post > 0 {
			slice(r.timing.steps + at)
		}
		for _, w := range works {
			w.end(at)
		}
	}
}

// residual summarises membrane potentials of dims [N,C,H,W].
func residual(v, theta []float32, dims []int) neuron.Residual {
	return neuron.ResidualOf(v, theta, dims[0], dims[1], dims[2]*dims[3])
}
