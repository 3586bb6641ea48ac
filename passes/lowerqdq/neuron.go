package lowerqdq

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// neuron is one whose counts are written in 8 bits. Each list holds one number, or one for
// each channel.
type neuron struct {
	op.Neuron
	node               *graph.Node
	theta, alpha, bias []float32 // alpha is nil for an IF
	top                int64     // the most spikes
	layer              *layer    // what it integrates, where that is integers
	rank               int       // of a slice
}

// neuronOf gives nil for a neuron of lock-step, an output neuron, and one of parameters that
// are computed or whose residual potential is read.
func neuronOf(n *graph.Node) (*neuron, error) {
	s, err := op.NeuronOf(n)
	shape := n.Input(op.NeuronX).Type.Shape
	if err != nil || s.Schedule != op.TwoPhase || spiking.IsOutput(n) || spiking.GivesResidual(n) || len(shape) < 2 {
		return nil, err
	}
	channels, _ := shape[1].Size()
	k := &neuron{Neuron: s, node: n, top: s.Slices(), rank: len(shape), bias: []float32{0}}
	ok := true
	read := func(v *graph.Value) []float32 {
		list, each := perChannel(op.Constant(v), channels, len(shape))
		ok = ok && each
		return list
	}
	k.theta = read(s.Theta)
	if s.Alpha != nil {
		k.alpha = read(s.Alpha)
	}
	if s.Bias != nil {
		k.bias = read(s.Bias)
	}
	for _, x := range k.theta {
		ok = ok && x > 0 && !math.IsInf(float64(x), 1)
	}
	if !ok {
		return nil, nil
	}
	return k, nil
}

// perChannel is a constant that is one number, or one for each channel of a tensor of rank.
func perChannel(t *graph.Tensor, channels int64, rank int) ([]float32, bool) {
	if t == nil {
		return nil, false
	}
	for i, d := range t.Dims {
		if d != 1 && (d != channels || len(t.Dims)-i != rank-1) {
			return nil, false
		}
	}
	list, err := t.Float32s()
	return list, err == nil && len(list) > 0
}

func at(list []float32, channel int) float64 { return float64(list[min(channel, len(list)-1)]) }

// width is 1 where all channels have the same parameters.
func (k *neuron) width() int { return max(len(k.theta), len(k.alpha), len(k.bias)) }

// shift is what a sum of currents needs so that QuantizeLinear rounds it to the count.
func (k *neuron) shift() []float32 {
	list := make([]float32, k.width())
	for c := range list {
		theta := at(k.theta, c)
		more := float64(k.V0) - 0.5
		if k.alpha != nil {
			more += 1 - at(k.alpha, c)
		}
		list[c] = float32(float64(float64(k.Timesteps)*at(k.bias, c)) + float64(more*theta))
	}
	return list
}

// parameter is an initializer of one number, or one for each channel.
func (k *neuron) parameter(name string, xs []float32) *graph.Value {
	if len(xs) == 1 {
		return spiking.Parameter(k.node, name, nil, xs)
	}
	return spiking.Parameter(k.node, name, spiking.PerChannel(len(xs), k.rank), xs)
}

// first is the Conv in front of the Encode that the neuron alone reads, where weights and
// bias are constants; else nil.
func (k *neuron) first() *graph.Node {
	e := k.X.Producer()
	if e == nil || !e.IsSpiking("Encode") || !sole(k.X) {
		return nil
	}
	conv := e.Input(0).Producer()
	if conv == nil || !conv.Is("Conv") || !sole(conv.Output(0)) || op.Constant(conv.Input(1)) == nil ||
		conv.Input(2) != nil && op.Constant(conv.Input(2)) == nil {
		return nil
	}
	return conv
}

// sole reports whether v has one reader.
func sole(v *graph.Value) bool { return v.NumUses() == 1 && !v.IsOutput() }

// absorbed reports whether the Conv in front of an Encode takes T into its weights.
func (l *lowering) absorbed(encode *graph.Node) bool {
	y := encode.Output(0)
	if !sole(y) {
		return false
	}
	k := l.neurons[y.Uses()[0].Node]
	return k != nil && k.first() != nil
}

// absorb makes the first Conv give v'/theta, which rounds to counts.
func (l *lowering) absorb(conv *graph.Node, k *neuron) error {
	t, xs, err := weights.Floats(conv, conv.Input(1), "weight")
	if err != nil {
		return err
	}
	layout, err := op.LayoutOf(conv, t.Dims)
	if err != nil {
		return err
	}
	bias := make([]float32, layout.Out)
	if v := conv.Input(2); v != nil {
		if _, bias, err = weights.Floats(conv, v, "bias"); err != nil {
			return err
		}
	}
	if len(bias) != layout.Out {
		return op.Errorf(conv, "the bias has %d elements, want %d", len(bias), layout.Out)
	}
	steps, shift := float64(k.Timesteps), k.shift()
	ws, bs := make([]float32, len(xs)), make([]float32, len(bias))
	for i, x := range xs {
		_, out := layout.Channel(i)
		ws[i] = float32(float64(x) * steps / at(k.theta, out))
	}
	for out, b := range bias {
		bs[out] = float32((float64(float64(b)*steps) + at(shift, out)) / at(k.theta, out))
	}
	for _, list := range [][]float32{ws, bs} {
		for _, x := range list {
			if math.IsInf(float64(x), 0) || math.IsNaN(float64(x)) {
				return op.Unsupportedf(conv, "weights of %g behind the division by a threshold of %q, want finite ones", x, k.node.OriginLabel())
			}
		}
	}
	g := conv.Graph()
	conv.SetInput(1, weights.Renew(g, conv.Input(1), graph.NewFloat32(t.Dims, ws), conv.Label()+".weight"))
	list := graph.NewFloat32([]int64{int64(layout.Out)}, bs)
	if v := conv.Input(2); v != nil {
		conv.SetInput(2, weights.Renew(g, v, list, conv.Label()+".bias"))
	} else {
		conv.SetInput(2, g.AddInitializer(g.FreshName(conv.Label()+".bias"), list))
	}
	l.spendParameters(k)
	return nil
}

// spendParameters lets go of what the counts no longer read.
func (l *lowering) spendParameters(k *neuron) {
	for _, v := range []*graph.Value{k.Theta, k.Alpha, k.Bias} {
		if v != nil {
			l.Spend(v)
		}
	}
}
