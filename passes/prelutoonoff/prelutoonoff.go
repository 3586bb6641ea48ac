// Package prelutoonoff holds the pass prelu-to-on-off, which puts a pair of
// neuron populations in the place of a leaky ReLU.
package prelutoonoff

import (
	"fmt"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass replaces every PRelu and LeakyRelu of the spiking region by an ON and an
// OFF population.
//
// Before: y = PRelu(x, a) in the spiking region, or LeakyRelu with a = alpha.
// After: on = IF(x), off = IF(Neg(x)), both untimed and without a threshold, and
// every layer z = L(y) that reads y becomes L'(Concat(on, off)) with the weights
// [W, -a*W] over the input channels. Where something else reads y, or a differs
// inside a channel, y = Sub(on, Mul(off, a)) stands in its place. With a = 0
// there is one population.
// Conditions: the slope is constant and the same for all images. Layers are
// Conv, ConvTranspose and Gemm with constant weights and group 1.
// Algebra: x = relu(x) - relu(-x), so that y = relu(x) - a*relu(-x) and
// W*y = W*on + (-a*W)*off. Products are rounded once.
var Pass = &passes.Pass{
	Name: "prelu-to-on-off",
	Doc: "put ON and OFF neurons in the place of leaky ReLUs\n\n" +
		"PRelu and LeakyRelu of the spiking region become two neuron populations,\n" +
		"for the positive and the negative side; the slope goes into the weights of\n" +
		"the layers behind. Runs last of the passes that make neurons.",
	Options: []passes.Option{spiking.V0},
	Needs:   passes.Typed | passes.Split,
	Gives:   passes.Neurons,
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		switch {
		case n.Region != graph.SpikingRegion:
		case n.Is("Relu"), n.Is("Clip"):
			return false, fmt.Errorf("node %q is still a %v: run relu-to-if and clip-to-if before",
				n.OriginLabel(), n.Op())
		case n.Is("PRelu"), n.Is("LeakyRelu"):
			return true, split(c, n)
		}
		return false, nil
	})
}

func split(c *passes.Context, n *graph.Node) error {
	a, err := slopeOf(n)
	if err != nil {
		return err
	}
	x, y := n.Input(0), n.Output(0)
	if a.zero() {
		_, err := c.Replace(n, spiking.Op("IF"), spiking.NeuronAttrs(spiking.V0.Of(c)), x, nil, spiking.Open(n))
		return err
	}
	g := n.Graph()
	neuron := func(x *graph.Value, side string) *graph.Value {
		p := c.Insert(n, n, n.Label()+"."+side, spiking.Op("IF"),
			spiking.NeuronAttrs(spiking.V0.Of(c)), []*graph.Value{x}, g.FreshName(y.Name()+"."+side))
		p.Doc, p.Metadata = n.Doc, n.Metadata.Clone()
		p.SetInput(op.NeuronTheta, spiking.Open(p))
		p.Output(0).Type = y.Type
		return p.Output(0)
	}
	neg := c.Insert(n, n, n.Label()+".neg", graph.Op{Type: "Neg"}, nil,
		[]*graph.Value{x}, g.FreshName(y.Name()+".neg"))
	neg.Output(0).Type = x.Type
	on, off := neuron(x, "on"), neuron(neg.Output(0), "off")
	layers, ok := readers(y, a)
	if !ok {
		return subtract(c, n, a, on, off)
	}
	return fold(c, n, a, layers, on, off)
}

func subtract(c *passes.Context, n *graph.Node, a slope, on, off *graph.Value) error {
	y := n.Output(0)
	factor := spiking.Parameter(n, "slope", a.dims, a.xs)
	mul := c.Insert(n, n, n.Label()+".scaled", graph.Op{Type: "Mul"}, nil,
		[]*graph.Value{off, factor}, n.Graph().FreshName(y.Name()+".scaled"))
	mul.Output(0).Type = y.Type
	_, err := c.Replace(n, graph.Op{Type: "Sub"}, nil, on, mul.Output(0))
	return err
}

// slope is a leaky ReLU's slope: one number, one per channel, or any constant
// that broadcasts to a slice.
type slope struct {
	dims    []int64
	xs      []float32
	channel bool // one number, or one per channel
}

func (a slope) zero() bool {
	for _, x := range a.xs {
		if x != 0 {
			return false
		}
	}
	return true
}

// at is the slope of channel i; a.channel holds.
func (a slope) at(i int) float64 {
	if len(a.xs) == 1 {
		return float64(a.xs[0])
	}
	return float64(a.xs[i])
}

func slopeOf(n *graph.Node) (slope, error) {
	if n.Is("LeakyRelu") {
		l, err := op.ActivationOf(n)
		return slope{[]int64{}, []float32{l.Alpha}, true}, err
	}
	p, err := op.PReluOf(n)
	if err != nil {
		return slope{}, err
	}
	t, xs, err := weights.Floats(n, p.Slope, "slope")
	if err != nil {
		return slope{}, err
	}
	a := slope{dims: t.Dims, xs: xs, channel: true}
	rank := len(p.X.Type.Shape)
	for i, d := range t.Dims {
		axis := rank - len(t.Dims) + i
		if axis < 0 || axis == 0 && d != 1 {
			return a, op.Unsupportedf(n, "its slope has dimensions %v, want one that fits a slice of %v",
				t.Dims, p.X.Type)
		}
		a.channel = a.channel && (d == 1 || axis == 1)
	}
	return a, nil
}
