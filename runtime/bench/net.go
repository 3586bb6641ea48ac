package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// opset is that of all networks here.
const opset = 17

// A network is a spiking one under construction, in the form that networks are
// converted to.
type network struct {
	*graph.Graph
	random *rand.Rand
	steps  graph.Attrs // of every operator of ours
}

// newNetwork begins a network with a post step.
func newNetwork(name string, seed uint64, timesteps int) *network {
	return &network{graph.New(name, nil), rand.New(rand.NewPCG(seed, seed)), graph.Attrs{
		{Name: "timesteps", Value: graph.Int(timesteps)}, {Name: "post", Value: graph.Int(1)},
	}}
}

// model ends the network.
func (n *network) model(output *graph.Value) *graph.Model {
	n.AddOutput(output)
	m := &graph.Model{IRVersion: 10, Graph: n.Graph}
	m.SetOpset("", opset)
	m.SetOpset(graph.Spiking, op.SpikingVersion)
	return m
}

// number is a scalar parameter.
func (n *network) number(x float32) *graph.Value {
	return n.AddInitializer(n.FreshName("number"), graph.Scalar(x))
}

// parameter is filled with what draw gives.
func (n *network) parameter(draw func() float64, dims ...int64) *graph.Value {
	size := int64(1)
	for _, d := range dims {
		size *= d
	}
	x := make([]float32, size)
	for i := range x {
		x[i] = float32(draw())
	}
	return n.AddInitializer(n.FreshName("parameter"), graph.NewFloat32(dims, x))
}

// add adds an operator, named after its type.
func (n *network) add(o graph.Op, attrs graph.Attrs, outputs int, in ...*graph.Value) []*graph.Value {
	names := make([]string, outputs)
	for i := range names {
		names[i] = n.FreshName(fmt.Sprintf("%s.%d", o.Type, i))
	}
	node := n.AddNode(o, slices.Clone(attrs), in, names...)
	node.Name = n.FreshNodeName(o.Type)
	out := make([]*graph.Value, outputs)
	for i := range out {
		out[i] = node.Output(i)
	}
	return out
}

// standard adds an operator of ONNX.
func (n *network) standard(typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	return n.add(graph.Op{Type: typ}, attrs, 1, in...)[0]
}

// spiking adds an operator of ours.
func (n *network) spiking(typ string, in ...*graph.Value) *graph.Value {
	return n.add(graph.Op{Domain: graph.Spiking, Type: typ}, n.steps, 1, in...)[0]
}

// pads are those that keep the size under 3x3.
var pads = graph.NamedAttr{Name: "pads", Value: graph.Ints{1, 1, 1, 1}}

// DnCNN is a spiking DnCNN in the form that networks are converted to: 3x3
// convolutions, depth of them, one channel in and out, so many between; MPRN neurons
// of threshold 1, an output neuron with CPM, and the global skip. Weights and biases
// are those of a new network of PyTorch, uniform within 1/sqrt(fan-in), weights times
// 3: then neurons fire without training. They are the same at every call.
func DnCNN(depth, channels, timesteps int) *graph.Model {
	n := newNetwork("dncnn", 3, timesteps)
	// conv gives the current and the bias, which is for the neurons behind it.
	conv := func(x *graph.Value, in, out int) (current, bias *graph.Value) {
		uniform := func(limit float64) func() float64 {
			return func() float64 { return limit * (2*n.random.Float64() - 1) }
		}
		limit := 1 / math.Sqrt(float64(9*in))
		w := n.parameter(uniform(3*limit), int64(out), int64(in), 3, 3)
		return n.standard("Conv", graph.Attrs{pads}, x, w), n.parameter(uniform(limit), int64(out), 1, 1)
	}
	x := n.AddInput("x", graph.TensorOf(graph.Float32,
		graph.Shape{graph.Symbol("N"), graph.Known(1), graph.Symbol("H"), graph.Symbol("W")}))
	h, bias := conv(x, 1, channels)
	h = n.spiking("Encode", h)
	for i := range depth - 1 {
		h = n.spiking("MPRN", h, bias, n.number(1), n.number(0.75))
		out := channels
		if i == depth-2 {
			out = 1
		}
		h, bias = conv(h, channels, out)
	}
	fired := n.add(graph.Op{Domain: graph.Spiking, Type: "IF"}, n.steps, 2, h, bias, n.number(1))
	dirac := n.AddInitializer("dirac", graph.NewFloat32([]int64{1, 1, 3, 3}, []float32{0, 0, 0, 0, 1, 0, 0, 0, 0}))
	residual := n.add(graph.Op{Domain: graph.Spiking, Type: "CPM"}, append(n.steps[:2:2], pads), 1, fired[0], fired[1], dirac)
	return n.model(n.standard("Sub", nil, x, residual[0]))
}
