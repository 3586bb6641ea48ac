package lowerfunctions

import (
	"slices"

	"spikingir/graph"
)

// function is a function under construction.
type function struct {
	*graph.Function
	block
}

// block is a graph under construction: a function's body or that of a Scan.
type block struct{ g *graph.Graph }

func newFunction(d definition, opset int64) *function {
	f := &graph.Function{
		Domain: graph.Spiking, Name: d.name, Doc: d.doc,
		Attrs:  slices.Clone(d.attrs),
		Opsets: []graph.Opset{{Domain: "", Version: opset}},
		Body:   graph.New(d.name, nil),
	}
	return &function{f, block{f.Body}}
}

// input adds an input without a type, as functions have them.
func (b block) input(name string) *graph.Value { return b.g.AddInput(name, graph.Type{}) }

func (b block) node(name, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	return b.g.AddNode(graph.Op{Type: typ}, attrs, in, name).Output(0)
}

func (b block) whole(name string, xs ...int64) *graph.Value {
	t := graph.NewInt64([]int64{int64(len(xs))}, xs)
	return b.node(name, "Constant", graph.Attrs{{Name: "value", Value: t}})
}

func (b block) number(name string, x float32) *graph.Value {
	return b.node(name, "Constant", graph.Attrs{{Name: "value", Value: graph.Scalar(x)}})
}

func (f *function) attribute(name string) *graph.Value {
	kind, field := graph.AttrInt, "value_int"
	if name == "v0" || name == "finest" {
		kind, field = graph.AttrFloat, "value_float"
	}
	ref := graph.Ref{Name: name, Type: kind}
	return f.node(name, "Constant", graph.Attrs{{Name: field, Value: ref}})
}

// times gives T and the number of post slices, each as a vector of one element.
func (f *function) times() (steps, post *graph.Value) {
	zero := f.whole("zero", 0)
	steps = f.node("T", "Unsqueeze", nil, f.attribute("timesteps"), zero)
	return steps, f.node("P", "Unsqueeze", nil, f.attribute("post"), zero)
}

func (f *function) slices() *graph.Value {
	steps, post := f.times()
	return f.node("S", "Add", nil, steps, post)
}

// split views time-major x as [S, N, ...].
func (f *function) split(x, slices *graph.Value) *graph.Value {
	rest := f.node("rest", "Shape", from(1), x)
	open := f.whole("open", -1)
	shape := f.node("time_shape", "Concat", axis(0), slices, open, rest)
	return f.node("xs", "Reshape", nil, x, shape)
}

// mains is the vector [S] that is true at the main timesteps.
func (f *function) mains(slices *graph.Value) *graph.Value {
	none := f.node("none", "Constant", graph.Attrs{{Name: "value_int", Value: graph.Int(0)}})
	one := f.node("one", "Constant", graph.Attrs{{Name: "value_int", Value: graph.Int(1)}})
	count := f.node("count", "Squeeze", nil, slices)
	t := f.node("t", "Range", nil, none, count, one)
	return f.node("main", "Less", nil, t, f.g.Value("timesteps"))
}

func axis(a int64) graph.Attrs { return graph.Attrs{{Name: "axis", Value: graph.Int(a)}} }

func (b block) output(v *graph.Value) { b.g.AddOutput(v) }
