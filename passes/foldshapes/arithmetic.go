package foldshapes

import (
	"spikingir/graph"
	"spikingir/graph/infer"
)

// insert adds a node of one output, a tensor of int64, in front of n.
func (f *folder) insert(n *graph.Node, typ string, attrs graph.Attrs, name string, inputs ...*graph.Value) *graph.Value {
	m := f.Insert(n, n, "", graph.Op{Type: typ}, attrs, inputs, n.Graph().FreshName(name))
	dims := graph.ShapeOf(1)
	switch typ {
	case "Squeeze":
		dims = graph.Shape{}
	case "Shape", "Concat":
		dims = nil // set by the caller
	}
	m.Output(0).Type = graph.TensorOf(graph.Int64, dims)
	return m.Output(0)
}

// numbers is a constant vector.
func (f *folder) numbers(n *graph.Node, role string, xs ...int64) *graph.Value {
	g := n.Graph()
	return g.AddInitializer(g.FreshName(n.Output(0).Name()+"_"+role), graph.NewInt64([]int64{int64(len(xs))}, xs))
}

// vector is a tensor of the given sizes, computed in front of n.
func (f *folder) vector(n *graph.Node, list []infer.Expr) *graph.Value {
	var parts []*graph.Value
	for i := 0; i < len(list); {
		var xs []int64
		for ; i < len(list); i++ {
			x, ok := list[i].Int()
			if !ok {
				break
			}
			xs = append(xs, x)
		}
		if xs != nil {
			parts = append(parts, f.numbers(n, "sizes", xs...))
		}
		if i < len(list) {
			parts = append(parts, f.value(n, list[i]))
			i++
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	v := f.insert(n, "Concat", graph.Attrs{{Name: "axis", Value: graph.Int(0)}}, n.Output(0).Name()+"_sizes", parts...)
	v.Type = graph.TensorOf(graph.Int64, graph.ShapeOf(int64(len(list))))
	return v
}

// value is a vector of the one element e; it is computed once.
func (f *folder) value(n *graph.Node, e infer.Expr) *graph.Value {
	if x, ok := e.Int(); ok {
		return f.numbers(n, "size", x)
	}
	text := e.String()
	if v := f.made[text]; v != nil {
		return v
	}
	var sum *graph.Value
	for _, t := range e.Terms() {
		v := f.term(n, t)
		if sum != nil {
			v = f.insert(n, "Add", nil, "size", sum, v)
		}
		sum = v
	}
	f.made[text] = sum
	return sum
}

func (f *folder) term(n *graph.Node, t infer.Term) *graph.Value {
	var p *graph.Value
	for _, a := range t.Factors {
		v := f.factor(n, a)
		if p != nil {
			v = f.insert(n, "Mul", nil, "size", p, v)
		}
		p = v
	}
	switch {
	case p == nil:
		return f.numbers(n, "size", t.Coefficient)
	case t.Coefficient == 1:
		return p
	}
	return f.insert(n, "Mul", nil, "size", p, f.numbers(n, "factor", t.Coefficient))
}

// factor is a size of an input, or a quotient rounded down. Div rounds towards zero, which
// is the same where nothing is negative; else the remainder, which Mod gives with the
// sign of the divisor, is taken off first.
func (f *folder) factor(n *graph.Node, a infer.Factor) *graph.Value {
	if a.Parameter != "" {
		return f.dimension(n, a.Parameter)
	}
	x, d := f.value(n, a.Of), f.numbers(n, "divisor", a.Divisor)
	if !a.Of.AtLeast(0) {
		x = f.insert(n, "Sub", nil, "size", x, f.insert(n, "Mod", nil, "size", x, d))
	}
	return f.insert(n, "Div", nil, "size", x, d)
}

// dimension reads a size off the shape of the input that has it.
func (f *folder) dimension(n *graph.Node, name string) *graph.Value {
	key := "'" + name + "'"
	if v := f.made[key]; v != nil {
		return v
	}
	s := f.sources[name]
	shape := f.shapes[s.input]
	if shape == nil {
		shape = f.insert(n, "Shape", nil, s.input.Name()+"_shape", s.input)
		shape.Type = graph.TensorOf(graph.Int64, graph.ShapeOf(int64(len(s.input.Type.Shape))))
		f.shapes[s.input] = shape
	}
	v := f.insert(n, "Gather", graph.Attrs{{Name: "axis", Value: graph.Int(0)}}, "size", shape, f.numbers(n, "axis", int64(s.axis)))
	f.made[key] = v
	return v
}
