// Package widenfloats holds the pass widen-floats, which turns a network of another
// float type into one of float32.
package widenfloats

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass turns the tensors of a network that are float16, bfloat16 or double into float32.
//
// Before: a network of such tensors, as a whole or between Casts.
// After: the same network of float32, its inputs and outputs among them. A Cast to one of
// those types is one to float32.
// Conditions: values are taken together with all that operators tie to the same type. What
// is tied to no tensor of rank 2 or more and to no input or output stays: numbers that sizes
// are computed with, which float32 might round otherwise. A number of a double that
// float32 has no room for is refused.
// Algebra: y = F(x), rounded to float32 in the place of another type: float16 and bfloat16
// widen exactly, double is rounded.
//
// Neurons, calibration and training are of float32, and a file in which float32 meets
// float16 at an operator is none.
var Pass = &passes.Pass{
	Name: "widen-floats",
	Doc: "make float32 of float16, bfloat16 and double\n\n" +
		"Exporters store networks in half precision, some between Casts. All that is\n" +
		"spiking is float32, and operators take no mixture.",
	Needs:   passes.Typed,
	Changes: "what was rounded to half precision, or computed in double, is float32",
	Run:     run,
}

// isOther reports whether tensors of the type are widened.
func isOther(d graph.DType) bool {
	return d == graph.Float16 || d == graph.BFloat16 || d == graph.Float64
}

func run(c *passes.Context) (changed bool, err error) {
	g := c.Model.Graph
	w := &widening{tied: map[*graph.Value]*graph.Value{}}
	w.graph(g)
	wide := w.widened(g)
	if len(wide) == 0 {
		return false, nil
	}
	found := map[graph.DType]bool{}
	for _, v := range w.order {
		if !wide[v] {
			continue
		}
		found[elem(v.Type)] = true
		if v.Const != nil {
			t, err := widen(v.Const)
			if err != nil {
				return false, op.Unsupportedf(reader(v), "its input %q: %v", v.Name(), err)
			}
			v.Graph().SetInitializer(v, t, nil)
		}
	}
	for n := range g.Nodes() {
		for k := range n.Within() {
			if v := k.Output(0); v != nil && wide[v] {
				if err := retype(k); err != nil {
					return false, err
				}
			}
		}
	}
	for _, v := range w.order {
		if wide[v] {
			v.Type = ofFloat32(v.Type)
		}
	}
	note(c, found, wide)
	return true, nil
}

// reader is a node that reads v, to name in an error.
func reader(v *graph.Value) *graph.Node {
	for _, u := range v.Uses() {
		return u.Node
	}
	return &graph.Node{Name: v.Name()}
}

// note says what became float32.
func note(c *passes.Context, found map[graph.DType]bool, wide map[*graph.Value]bool) {
	var types []string
	for _, d := range []graph.DType{graph.Float16, graph.BFloat16, graph.Float64} {
		if found[d] {
			types = append(types, d.String())
		}
	}
	var public []string
	for _, v := range append(c.Model.Graph.Inputs(), c.Model.Graph.Outputs()...) {
		if wide[v] {
			public = append(public, fmt.Sprintf("%q", v.Name()))
		}
	}
	text := "computes in float32 what was " + strings.Join(types, " and ")
	if public != nil {
		text += ", and takes and gives float32 as " + strings.Join(public, ", ")
	}
	c.Notef(nil, "the network %s", text)
}

// retype makes a node that states the type of its result state float32.
func retype(n *graph.Node) error {
	for _, name := range []string{"to", "dtype", "output_dtype"} {
		a, ok := n.Attrs.Lookup(name)
		if d, isInt := a.(graph.Int); ok && isInt && isOther(graph.DType(d)) {
			n.Attrs.Set(name, graph.Int(graph.Float32))
		}
	}
	a, _ := n.Attrs.Lookup("value")
	t, ok := a.(*graph.Tensor)
	if !ok || !isOther(t.DType) {
		return nil
	}
	wide, err := widen(t)
	if err != nil {
		return op.Unsupportedf(n, "its value: %v", err)
	}
	n.Attrs.Set("value", wide)
	return nil
}

// widen is t in float32.
func widen(t *graph.Tensor) (*graph.Tensor, error) {
	xs, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	if t.DType == graph.Float64 {
		for i, x := range xs {
			double := math.Float64frombits(binary.LittleEndian.Uint64(t.Bytes()[8*i:]))
			if math.IsInf(float64(x), 0) && !math.IsInf(double, 0) {
				return nil, fmt.Errorf("element %d, %g, is more than float32 has room for", i, double)
			}
		}
	}
	y := graph.NewFloat32(t.Dims, xs)
	y.Name, y.Doc = t.Name, t.Doc
	return y, nil
}
