package exec

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/ops"
)

// fixedConv is the geometry and the weights of a convolution.
type fixedConv struct {
	shape      kernel.ConvTransposeShape
	transposed bool
	weights    []float32
}

// geometry reads the convolution; false when it is none of two axes with constant
// weights and pads that do not depend on the size.
func (p *plan) geometry(n *graph.Node) (c fixedConv, ok bool) {
	w := p.consts[n.Input(1)]
	if w == nil || len(w.Dims) != 4 || w.Len() == 0 {
		return c, false
	}
	c.weights, c.transposed = w.F32, n.Is("ConvTranspose")
	var v op.ConvTranspose
	var err error
	if c.transposed {
		v, err = op.ConvTransposeOf(n)
	} else {
		var conv op.Conv
		conv, err = op.ConvOf(n)
		v = op.ConvTranspose{Window: conv.Window, Group: conv.Group, OutputPadding: []int64{0, 0}}
	}
	if err != nil || v.OutputShape != nil || len(v.Kernel) != 2 || v.AutoPad != op.NotSet {
		return c, false
	}
	channels, group := w.Dims, int(v.Group)
	if c.transposed {
		if w.Dims[0]%group != 0 {
			return c, false
		}
		channels = []int{w.Dims[1] * group, w.Dims[0] / group} // as Conv has them
	}
	s := &c.shape
	s.ConvShape = ops.ConvShape(v.Window, channels, group, v.Pads)
	s.OutPadH, s.OutPadW = int(v.OutputPadding[0]), int(v.OutputPadding[1])
	return c, s.Validate() == nil && w.Dims[2] == s.KH && w.Dims[3] == s.KW
}

// quantise turns the layer into integers and packs its weights.
func (f *fixedLayer) quantise(p *plan, biases []*graph.Value, s *neuronSink) bool {
	c, ok := p.geometry(f.conv.node)
	if !ok {
		return false
	}
	theta, t, ok := p.levelsOf(s, c.shape.OutC)
	if !ok {
		return false
	}
	f.theta = theta
	amplitude, ok := f.amplitudes(p, c.shape.InC)
	if !ok {
		return false
	}
	cur := current{most: f.reach(), weights: c.byOutput(amplitude), bias: make([]float64, c.shape.OutC), always: make([]float64, c.shape.OutC)}
	for _, v := range biases {
		list, ok := constants(p, v, c.shape.OutC, 0)
		if !ok {
			return false
		}
		for i, x := range list {
			cur.bias[i] += float64(x)
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
		f.packed, err = spike.PackConvTranspose(c.shape, c.scatter(f.point.weights))
	} else {
		f.packed, err = spike.PackConv(c.shape.ConvShape, c.scatter(f.point.weights))
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
func (c *fixedConv) byOutput(amplitude []float64) [][]float64 {
	list := make([][]float64, c.shape.OutC)
	for o := range list {
		row := make([]float64, c.shape.InC/c.shape.Groups*c.shape.KH*c.shape.KW)
		for i := range row {
			at, in := c.place(o, i)
			row[i] = float64(float64(c.weights[at]) * amplitude[in])
		}
		list[o] = row
	}
	return list
}

// scatter puts weights by output back in the operator's order.
func (c *fixedConv) scatter(weights [][]int16) []int16 {
	list := make([]int16, c.shape.Weights())
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
func constants(p *plan, v *graph.Value, c int, def float32) ([]float32, bool) {
	if v == nil {
		return slices.Repeat([]float32{def}, c), true
	}
	t := p.consts[v]
	if t == nil || !t.DType.IsFloat() {
		return nil, false
	}
	if _, _, err := channelwise([]int{1, c, 1, 1}, t); err != nil {
		return nil, false
	}
	return slices.Repeat(t.F32, c/len(t.F32)), true
}

// levelsOf reads the neuron's parameters, for c channels; theta is as the file has it.
func (p *plan) levelsOf(s *neuronSink, c int) (theta []float32, t thresholds, ok bool) {
	if theta, ok = constants(p, s.node.Input(op.NeuronTheta), c, 0); !ok {
		return nil, t, false
	}
	var scale *graph.Value
	if op.IsMPRN(s.node) {
		scale = s.node.Input(op.NeuronAlpha)
	}
	alpha, ok := constants(p, scale, c, 1)
	if !ok {
		return nil, t, false
	}
	for i, x := range theta {
		if !(x > 0) {
			return nil, t, false // an error, which the float32 layer words
		}
		t.theta, t.alpha = append(t.theta, float64(x)), append(t.alpha, float64(alpha[i]))
	}
	t.v0 = float64(s.v0)
	if s.grade != op.Single {
		t.inUnits(s.grade)
	}
	return theta, t, true
}

// amplitudes lists the amplitude of a spike on each input channel.
func (f *fixedLayer) amplitudes(p *plan, c int) ([]float64, bool) {
	var list []float64
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
		for _, a := range some {
			list = append(list, float64(a*gradeOf(v.Producer()).Unit))
		}
		if len(list) > c || i == len(f.sources)-1 && len(list) < c {
			return nil, false
		}
	}
	for _, a := range list {
		if !(a > 0) || math.IsInf(a, 1) {
			return nil, false
		}
	}
	return list, true
}

// channels is the number of channels of a time-major value, 0 when unknown.
func channels(p *plan, v *graph.Value) int {
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
	case n.Op().Domain == graph.Spiking, n.Is("AveragePool"):
		return channels(p, n.Input(0))
	case op.Lookup(n.Op()) != nil && op.Lookup(n.Op()).Elementwise:
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
