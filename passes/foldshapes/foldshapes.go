// Package foldshapes holds the pass fold-shapes, which computes ahead what a network
// computes with its sizes.
package foldshapes

import (
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass resolves arithmetic on sizes.
//
// Before: Shape and Size of any value, and what is computed from them.
// After: what is a number for all sizes of the inputs is a constant. Other sizes are
// computed from Shape of an input of the model, never of a value in between, so that
// they are known once a run begins and have no time. Reshape states a kept dimension as
// 0 and one that remains as -1, Slice an end at the border as the largest number and
// others from the border, Resize whole factors in the place of sizes, Expand 1 where it
// leaves the size; an Expand goes away where the operators behind it broadcast.
// Conditions: inference knows the size as an expression of the named sizes of the
// inputs. What it does not know stays.
// Algebra: sizes are sums of products of the inputs' sizes and of floors of such over
// numbers (package infer); integer arithmetic is exact.
var Pass = &passes.Pass{
	Name: "fold-shapes",
	Doc: "compute ahead what is computed with sizes\n\n" +
		"Arithmetic on Shape becomes constants where it gives the same for all sizes,\n" +
		"and else arithmetic on the sizes of the model's input.",
	Needs: passes.Typed,
	Run:   run,
}

// folder is one run of the pass.
type folder struct {
	*passes.Context
	sizes   *infer.Sizes
	opset   int64
	sources map[string]source       // of the named sizes
	derived map[*graph.Value]bool   // depends on a Shape or Size
	made    map[string]*graph.Value // expressions computed already, of one element each
	shapes  map[*graph.Value]*graph.Value
	changed bool
}

// source is where a size is read off.
type source struct {
	input *graph.Value
	axis  int
}

func run(c *passes.Context) (changed bool, err error) {
	f := &folder{Context: c, opset: c.Model.Opset(""), sources: map[string]source{}, derived: map[*graph.Value]bool{},
		made: map[string]*graph.Value{}, shapes: map[*graph.Value]*graph.Value{}}
	if f.sizes, err = infer.SizesOf(c.Model); err != nil {
		return false, err
	}
	for _, v := range c.Model.Graph.Inputs() {
		dims, _ := infer.DimsOf(v.Type)
		for axis, d := range dims {
			names := d.Parameters()
			if len(names) != 1 || !d.Equal(infer.Parameter(names[0])) || v.IsInitializer() {
				continue
			}
			if _, known := f.sources[names[0]]; !known {
				f.sources[names[0]] = source{v, axis}
			}
		}
	}
	for n := range c.Model.Graph.Nodes() {
		if err := f.visit(n); err != nil {
			return f.changed, err
		}
	}
	return f.changed, nil
}

func (f *folder) visit(n *graph.Node) error {
	derived := n.Is("Shape") || n.Is("Size")
	for _, v := range n.Inputs() {
		derived = derived || f.derived[v]
	}
	if !derived || len(n.Subgraphs()) > 0 {
		return nil
	}
	for _, v := range n.Outputs() {
		if v != nil {
			f.derived[v] = true
		}
	}
	if done, err := f.constant(n); done || err != nil {
		return err
	}
	switch n.Op().Type {
	case "Shape":
		return f.shape(n)
	case "Size":
		return f.size(n)
	case "Reshape":
		return f.reshape(n)
	case "Slice":
		return f.slice(n)
	case "Resize":
		return f.resize(n)
	case "Expand":
		return f.expand(n)
	}
	return nil
}

// constant puts a constant in the place of a node that always gives the same.
func (f *folder) constant(n *graph.Node) (done bool, err error) {
	v := n.Output(0)
	if n.NumOutputs() != 1 || v == nil || v.IsOutput() {
		return false, nil
	}
	t := f.sizes.Constant(v)
	if t == nil {
		return false, nil
	}
	g := n.Graph()
	return true, f.replace(n, g.AddInitializer(g.FreshName(v.Name()+"_const"), t))
}

// replace puts the value that has the given elements in the place of the only output of n.
func (f *folder) replace(n *graph.Node, v *graph.Value) error {
	f.sizes.Carry(v, n.Output(0))
	f.derived[v] = true
	f.changed = true
	return f.SupersedeAll(n, []*graph.Value{v})
}

// shape computes the shape of a value in between from those of the inputs.
func (f *folder) shape(n *graph.Node) error {
	x := n.Input(0)
	list, ok := f.sizes.Content(n.Output(0))
	if x == nil || x.IsInput() || n.Output(0).IsOutput() || !ok || !f.reachable(list) {
		return nil
	}
	return f.replace(n, f.vector(n, list))
}

// size is shape for the number of elements.
func (f *folder) size(n *graph.Node) error {
	list, ok := f.sizes.Content(n.Output(0))
	if n.Output(0).IsOutput() || !ok || len(list) != 1 || !f.reachable(list) {
		return nil
	}
	name, in := n.Output(0).Name(), f.vector(n, list)
	if f.opset < 13 {
		return f.replace(n, f.insert(n, "Squeeze", graph.Attrs{{Name: "axes", Value: graph.Ints{0}}}, name, in))
	}
	return f.replace(n, f.insert(n, "Squeeze", nil, name, in, f.numbers(n, "axis", 0)))
}

// reachable reports whether all of the sizes can be computed from those of the inputs.
func (f *folder) reachable(list []infer.Expr) bool {
	for _, e := range list {
		if !e.Known() {
			return false
		}
		for _, name := range e.Parameters() {
			if _, ok := f.sources[name]; !ok {
				return false
			}
		}
	}
	return true
}

// param is the input i that states sizes, and the expressions that it holds; nil where it is
// constant already or not known.
func (f *folder) param(n *graph.Node, i int) []infer.Expr {
	v := n.Input(i)
	if v == nil || op.Constant(v) != nil {
		return nil
	}
	list, _ := f.sizes.Content(v)
	return list
}
