package channelsfirst

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// image reports whether a shape is that of images with their channels last: [N,H,W,C],
// where C is 1 or 3 and the height is not.
func image(shape graph.Shape) bool {
	if len(shape) != 4 {
		return false
	}
	few := func(d graph.Dim) bool {
		n, known := d.Size()
		return known && (n == 1 || n == 3)
	}
	return few(shape[3]) && !few(shape[1])
}

// Inputs is the image inputs of a model that have their channels last.
func Inputs(g *graph.Graph) []*graph.Value {
	return slices.DeleteFunc(g.Inputs(), func(v *graph.Value) bool {
		return v.IsInitializer() || v.Type.Kind != graph.TensorType || !image(v.Type.Shape) ||
			!slices.ContainsFunc(v.Uses(), leads{}.toFirst)
	})
}

// leads is what was found of nodes: whether they lead to a Transpose.
type leads map[*graph.Node]bool

// toFirst reports whether a reader transposes [N,H,W,C] to [N,C,H,W], behind borders and scalings
// of the image at most.
func (l leads) toFirst(u graph.Use) bool {
	n := u.Node
	if known, ok := l[n]; ok {
		return known
	}
	l[n] = toFirst(n)
	switch {
	case n.Is("Pad") && u.Index == 0, n.Is("Cast"), n.Is("Identity"), n.Is("Add"), n.Is("Sub"), n.Is("Mul"), n.Is("Div"):
		l[n] = slices.ContainsFunc(n.Output(0).Uses(), l.toFirst)
	}
	return l[n]
}

// toFirst reports whether n transposes [N,H,W,C] to [N,C,H,W].
func toFirst(n *graph.Node) bool {
	if !n.Is("Transpose") {
		return false
	}
	t, err := op.TransposeOf(n)
	return err == nil && slices.Equal(t.Perm, []int64{0, 3, 1, 2})
}

// inputs gives the model's images the layout [N,C,H,W], with a Transpose behind them.
func inputs(c *passes.Context) (changed bool, err error) {
	for _, v := range Inputs(c.Model.Graph) {
		g := v.Graph()
		uses := v.Uses()
		from := uses[slices.IndexFunc(uses, leads{}.toFirst)].Node
		was := v.Type
		v.Type = graph.TensorOf(was.Elem, firstShape(was.Shape))
		first := from
		for n := range g.Nodes() { // in front of all readers
			first = n
			break
		}
		t := c.Insert(first, from, "", graph.Op{Type: "Transpose"}, graph.Attrs{{Name: "perm", Value: lastOf(4)}},
			[]*graph.Value{v}, g.FreshName(v.Name()+"_last"))
		t.Output(0).Type = graph.TensorOf(was.Elem, was.Shape)
		for _, u := range uses {
			u.Node.SetInput(u.Index, t.Output(0))
		}
		c.Notef(nil, "the image %q of the model is %v now and was %v", v.Name(), v.Type, was)
		changed = true
	}
	return changed, nil
}

// outputs gives images that the model returns the layout of those that it takes.
func outputs(c *passes.Context) error {
	g := c.Model.Graph
	for i, v := range g.Outputs() {
		if v.Producer() == nil || !image(v.Type.Shape) {
			continue
		}
		was, name := v.Type, v.Name()
		t := c.Append(v.Producer(), "", graph.Op{Type: "Transpose"},
			graph.Attrs{{Name: "perm", Value: graph.Ints{0, 3, 1, 2}}}, []*graph.Value{v}, g.FreshName(name+"_first"))
		y := t.Output(0)
		y.Type = graph.TensorOf(was.Elem, firstShape(was.Shape))
		y.Doc, y.Metadata = v.Doc, v.Metadata
		g.SetOutput(i, y)
		if err := g.Rename(v, g.FreshName(name+"_last")); err != nil {
			return err
		}
		if err := g.Rename(y, name); err != nil {
			return err
		}
		c.Notef(nil, "the image %q of the model is %v now and was %v", name, y.Type, was)
	}
	return nil
}
