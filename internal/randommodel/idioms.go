package randommodel

import (
	"fmt"

	"spikingir/graph"
)

// This file has the blocks that exporters write with more than one node.

// size is one dimension of a value, computed as exporters do: a list of one element.
func (n *network) size(x *graph.Value, axis int64) *graph.Value {
	s := n.one("Shape", nil, x)
	if s == nil {
		return nil
	}
	if n.N(2) == 0 {
		return n.one("Gather", attr("axis", graph.Int(0)), s, n.ints(axis))
	}
	if n.opset() < 10 {
		attrs := attr("axes", graph.Ints{0})
		attrs.Set("starts", graph.Ints{axis})
		attrs.Set("ends", graph.Ints{axis + 1})
		return n.one("Slice", attrs, s)
	}
	return n.one("Slice", nil, s, n.ints(axis), n.ints(axis+1), n.ints(0))
}

// lists joins lists, nil where one is.
func (n *network) lists(parts ...*graph.Value) *graph.Value {
	for _, p := range parts {
		if p == nil {
			return nil
		}
	}
	return n.one("Concat", attr("axis", graph.Int(0)), parts...)
}

// shuffled moves channels between two groups, by shapes that are computed.
func (n *network) shuffled() *graph.Value {
	c := n.dims(n.x)[1]
	if c%2 != 0 {
		return nil
	}
	before := n.lists(n.size(n.x, 0), n.ints(2, c/2), n.size(n.x, 2), n.size(n.x, 3))
	after := n.one("Shape", nil, n.x)
	if before == nil || after == nil {
		return nil
	}
	x := n.one("Reshape", nil, n.x, before)
	if x == nil {
		return nil
	}
	if x = n.one("Transpose", attr("perm", graph.Ints{0, 2, 1, 3, 4}), x); x == nil {
		return nil
	}
	return n.one("Reshape", nil, x, after)
}

// sized enlarges to sizes that are computed: twice those there are.
func (n *network) sized() *graph.Value {
	if n.opset() < 11 {
		return nil
	}
	two := n.ints(2)
	double := func(axis int64) *graph.Value {
		if s := n.size(n.x, axis); s != nil {
			return n.one("Mul", nil, s, two)
		}
		return nil
	}
	sizes := n.lists(n.size(n.x, 0), n.size(n.x, 1), double(2), double(3))
	if sizes == nil {
		return nil
	}
	none := n.constant(graph.NewFloat32([]int64{0}, nil))
	attrs := attr("mode", graph.String("nearest"))
	attrs.Set("coordinate_transformation_mode", graph.String("asymmetric"))
	attrs.Set("nearest_mode", graph.String("floor"))
	return n.one("Resize", attrs, n.x, none, none, sizes)
}

// nothing is an operator without effect.
func (n *network) nothing() *graph.Value {
	switch n.N(5) {
	case 0:
		return n.one("Identity", nil, n.x)
	case 1:
		return n.one("Dropout", nil, n.x)
	case 2:
		return n.one("Cast", attr("to", graph.Int(int64(n.elem))), n.x)
	case 3:
		return n.one("Mul", nil, n.x, n.number(n.elem, 1))
	}
	return n.one("Add", nil, n.number(n.elem, 0), n.x)
}

// channelsLast computes something between two transpositions.
func (n *network) channelsLast() *graph.Value {
	c := n.dims(n.x)[1]
	y := n.one("Transpose", attr("perm", graph.Ints{0, 2, 3, 1}), n.x)
	if y == nil {
		return nil
	}
	switch n.N(3) {
	case 0:
		y = n.one("Relu", nil, y)
	case 1:
		y = n.one("Mul", nil, y, n.positive(n.elem, c))
	case 2:
		y = n.one("MatMul", nil, y, n.random(n.elem, c, 3))
	}
	if y == nil {
		return nil
	}
	return n.one("Transpose", attr("perm", graph.Ints{0, 3, 1, 2}), y)
}

// branched is an If whose condition is constant.
func (n *network) branched() *graph.Value {
	branch := func(name, typ string) *graph.Graph {
		g := graph.New(name, n.g)
		y := g.AddNode(graph.Op{Type: typ}, nil, []*graph.Value{n.x}, n.g.FreshName(name))
		y.Output(0).Type = graph.TensorOf(n.elem, nil)
		g.AddOutput(y.Output(0))
		return g
	}
	condition := n.constant(tensorOf(graph.Bool, pick(&n.choices, nil, []int64{1}), []float64{float64(n.N(2))}))
	n.named++
	attrs := attr("then_branch", branch(fmt.Sprintf("then%d", n.named), pick(&n.choices, "Relu", "Neg")))
	attrs.Set("else_branch", branch(fmt.Sprintf("else%d", n.named), pick(&n.choices, "Identity", "Relu")))
	return n.one("If", attrs, condition)
}

// called is a call of a function that the model defines: k*Relu(x), or Relu(x) - x.
func (n *network) called() *graph.Value {
	name := pick(&n.choices, "ScaledRelu", "Rest")
	o := graph.Op{Domain: "local", Type: name}
	if n.m.Function(o, "") == nil {
		f := &graph.Function{Domain: o.Domain, Name: name, Opsets: []graph.Opset{{Version: n.opset()}}, Body: graph.New(name, nil)}
		x := f.Body.AddInput("a", graph.Type{})
		r := f.Body.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{x}, "r").Output(0)
		last := graph.Op{Type: "Sub"}
		in := []*graph.Value{r, x}
		if name == "ScaledRelu" {
			f.Attrs = []string{"k"}
			k := f.Body.AddNode(graph.Op{Type: "Constant"}, attr("value_float", graph.Ref{Name: "k", Type: graph.AttrFloat}), nil, "k")
			like := graph.Attrs{{Name: "to", Value: graph.Int(int64(n.elem))}}
			cast := f.Body.AddNode(graph.Op{Type: "Cast"}, like, []*graph.Value{k.Output(0)}, "kx")
			last, in = graph.Op{Type: "Mul"}, []*graph.Value{r, cast.Output(0)}
		}
		f.Body.AddOutput(f.Body.AddNode(last, nil, in, "y").Output(0))
		n.m.Functions = append(n.m.Functions, f)
		n.m.SetOpset(o.Domain, 1)
	}
	var attrs graph.Attrs
	if name == "ScaledRelu" {
		if n.opset() < 12 { // value_float
			return nil
		}
		attrs = attr("k", graph.Float(pick[float32](&n.choices, 0.5, 2)))
	}
	out := n.try(o, attrs, []*graph.Value{n.x}, 1)
	if out == nil {
		return nil
	}
	return out[0]
}

// halved computes with the two halves of the channels.
func (n *network) halved() *graph.Value {
	if n.dims(n.x)[1]%2 != 0 {
		return nil
	}
	attrs := attr("axis", graph.Int(1))
	if n.opset() >= 18 {
		attrs.Set("num_outputs", graph.Int(2))
	}
	halves := n.try(graph.Op{Type: "Split"}, attrs, []*graph.Value{n.x}, 2)
	if halves == nil {
		return nil
	}
	return n.one(pick(&n.choices, "Add", "Sub", "Mul", "Max"), nil, halves[0], halves[1])
}

// gated is channel attention.
func (n *network) gated() *graph.Value {
	g := n.one("GlobalAveragePool", nil, n.x)
	if g == nil {
		return nil
	}
	if g = n.conv(g, n.dims(n.x)[1], 1); g == nil {
		return nil
	}
	if g = n.one("Sigmoid", nil, g); g == nil {
		return nil
	}
	return n.one("Mul", nil, n.x, g)
}

// aside is a value that nothing else reads: it is an output too, or goes with what it was
// made of.
func (n *network) aside() *graph.Value {
	if y := n.one("Tanh", nil, n.x); y != nil && n.N(2) == 0 {
		n.made = n.made[:len(n.made)-1] // not an output
	}
	return nil
}

// cropped takes a border off.
func (n *network) cropped() *graph.Value {
	if n.opset() < 10 {
		return nil
	}
	end := pick(&n.choices, n.ints(-1, -1), n.ints(1<<40, 1<<40))
	return n.one("Slice", nil, n.x, n.ints(1, 0), end, n.ints(2, 3))
}
