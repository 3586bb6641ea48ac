package bench

import (
	"fmt"
	"math"
	"math/rand/v2"

	"spikingir/graph"
	"spikingir/graph/op"
)

// DnCNN is a spiking DnCNN in the form that networks are converted to: 3x3
// convolutions, depth of them, one channel in and out, so many between; MPRN neurons
// of threshold 1, an output neuron with CPM, and the global skip. Weights and biases
// are those of a new network of PyTorch, uniform within 1/sqrt(fan-in), weights times
// 3: then neurons fire without training. They are the same at every call.
func DnCNN(depth, channels, timesteps int) *graph.Model {
	g := graph.New("dncnn", nil)
	m := &graph.Model{IRVersion: 10, Graph: g}
	m.SetOpset("", 17)
	m.SetOpset(graph.Spiking, op.SpikingVersion)
	n := &dncnn{g: g, random: rand.New(rand.NewPCG(3, 3)), steps: graph.Attrs{
		{Name: "timesteps", Value: graph.Int(timesteps)}, {Name: "post", Value: graph.Int(1)},
	}}
	x := g.AddInput("x", graph.TensorOf(graph.Float32,
		graph.Shape{graph.Symbol("N"), graph.Known(1), graph.Symbol("H"), graph.Symbol("W")}))
	h, bias := n.conv(x, 1, channels)
	h = n.spiking("Encode", 1, h)[0]
	for range depth - 2 {
		h = n.spiking("MPRN", 1, h, bias, n.number(1), n.number(0.75))[0]
		h, bias = n.conv(h, channels, channels)
	}
	h = n.spiking("MPRN", 1, h, bias, n.number(1), n.number(0.75))[0]
	h, bias = n.conv(h, channels, 1)
	out := n.spiking("IF", 2, h, bias, n.number(1))
	dirac := g.AddInitializer(g.FreshName("cpm"), graph.NewFloat32([]int64{1, 1, 3, 3}, []float32{0, 0, 0, 0, 1, 0, 0, 0, 0}))
	residual := n.spiking("CPM", 1, out[0], out[1], dirac)[0]
	y := g.AddNode(graph.Op{Type: "Sub"}, nil, []*graph.Value{x, residual}, "y")
	y.Name = "skip"
	g.AddOutput(y.Output(0))
	return m
}

// dncnn is a DnCNN under construction.
type dncnn struct {
	g      *graph.Graph
	random *rand.Rand
	steps  graph.Attrs
	convs  int
}

func (n *dncnn) number(x float32) *graph.Value {
	return n.g.AddInitializer(n.g.FreshName("number"), graph.Scalar(x))
}

// uniform is a parameter within a limit of 0.
func (n *dncnn) uniform(limit float64, dims ...int64) *graph.Value {
	size := int64(1)
	for _, d := range dims {
		size *= d
	}
	x := make([]float32, size)
	for i := range x {
		x[i] = float32(limit * (2*n.random.Float64() - 1))
	}
	return n.g.AddInitializer(n.g.FreshName("parameter"), graph.NewFloat32(dims, x))
}

// conv adds a convolution; the bias is for the neurons behind it.
func (n *dncnn) conv(x *graph.Value, in, out int) (y, bias *graph.Value) {
	limit := 1 / math.Sqrt(float64(9*in))
	node := n.g.AddNode(graph.Op{Type: "Conv"}, graph.Attrs{{Name: "pads", Value: graph.Ints{1, 1, 1, 1}}},
		[]*graph.Value{x, n.uniform(3*limit, int64(out), int64(in), 3, 3)}, n.g.FreshName("current"))
	node.Name = fmt.Sprintf("conv%d", n.convs)
	n.convs++
	return node.Output(0), n.uniform(limit, int64(out), 1, 1)
}

// spiking adds an operator of ours.
func (n *dncnn) spiking(typ string, outputs int, in ...*graph.Value) []*graph.Value {
	attrs := append(graph.Attrs(nil), n.steps...)
	if typ == "CPM" {
		attrs = append(attrs, graph.NamedAttr{Name: "pads", Value: graph.Ints{1, 1, 1, 1}})
	}
	names := make([]string, outputs)
	for i := range names {
		names[i] = n.g.FreshName(fmt.Sprintf("%s.%d", typ, i))
	}
	node := n.g.AddNode(graph.Op{Domain: graph.Spiking, Type: typ}, attrs, in, names...)
	node.Name = n.g.FreshNodeName(typ)
	out := make([]*graph.Value, outputs)
	for i := range out {
		out[i] = node.Output(i)
	}
	return out
}
