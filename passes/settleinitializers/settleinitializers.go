// Package settleinitializers holds the pass settle-initializers, which makes plain
// constants of whatever a file stores.
package settleinitializers

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass makes every stored value a constant that is written out in full.
//
// Before: initializers, some of them inputs of the graph too, whose values a caller
// may replace; sparse initializers; Constant nodes of a sparse tensor.
// After: initializers that are no inputs, and dense tensors.
// Conditions: the graph keeps an input: where every input has a stored value the
// inputs stay as they are. A sparse tensor takes maxDense bytes at most.
// Algebra: none; a value that nobody gives is the stored one.
//
// Before IR version 4 every initializer had to be listed as an input, and some exporters
// still do it. A pass could not fold or round weights that a caller may replace.
var Pass = &passes.Pass{
	Name: "settle-initializers",
	Doc: "make plain constants of all that the file stores\n\n" +
		"Initializers that are inputs of the graph too become constants, and sparse\n" +
		"tensors dense ones: passes and operators take weights that are constants.",
	Run: run,
}

// maxDense is the most bytes that a sparse tensor may take in full.
const maxDense = 1 << 30

func run(c *passes.Context) (changed bool, err error) {
	if changed, err = settleInputs(c); err != nil {
		return changed, err
	}
	for g := range c.Model.Graphs() {
		for _, v := range g.Initializers() {
			if v.Sparse == nil {
				continue
			}
			dense, err := v.Sparse.Dense(maxDense)
			if err != nil {
				return changed, &passes.Invalid{Err: fmt.Errorf("initializer %q: %w", v.Name(), err)}
			}
			v.Type = graph.TensorOf(dense.DType, graph.ShapeOf(dense.Dims...))
			g.SetInitializer(v, dense, nil)
			changed = true
		}
		for n := range g.Nodes() {
			done, err := settleConstant(n)
			if err != nil {
				return changed, err
			}
			changed = changed || done
		}
	}
	return changed, nil
}

// settleInputs takes the initializers of the main graph off its inputs.
func settleInputs(c *passes.Context) (changed bool, err error) {
	g := c.Model.Graph
	var names []string
	if !slices.ContainsFunc(g.Inputs(), func(v *graph.Value) bool { return !v.IsInitializer() }) {
		return false, nil
	}
	for _, v := range g.Inputs() {
		if !v.IsInitializer() {
			continue
		}
		if err := g.RemoveInput(v); err != nil {
			return changed, err
		}
		if v.Const != nil {
			v.Type = graph.TensorOf(v.Const.DType, graph.ShapeOf(v.Const.Dims...))
		}
		names = append(names, fmt.Sprintf("%q", v.Name()))
	}
	if names == nil {
		return false, nil
	}
	why := "a caller can give no others"
	if c.Model.IRVersion < 4 {
		why = fmt.Sprintf("IR version %d had to list them", c.Model.IRVersion)
		c.Model.IRVersion = 4 // the first in which an initializer need not be an input
	}
	c.Notef(nil, "initializers that are inputs too are taken as constants, %s: %s", why, shortened(names))
	return true, nil
}

// shortened lists the first names.
func shortened(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// settleConstant makes a dense tensor of the sparse one of a Constant node.
func settleConstant(n *graph.Node) (changed bool, err error) {
	if !n.Is("Constant") {
		return false, nil
	}
	a, ok := n.Attrs.Lookup("sparse_value")
	if !ok {
		return false, nil
	}
	sparse, ok := a.(*graph.SparseTensor)
	if !ok {
		return false, op.Errorf(n, "attribute %q is of type %v, want %v", "sparse_value", graph.TypeOf(a), graph.AttrSparseTensor)
	}
	dense, err := sparse.Dense(maxDense)
	if err != nil {
		return false, op.Errorf(n, "%v", err)
	}
	n.Attrs.Delete("sparse_value")
	n.Attrs.Set("value", dense)
	if y := n.Output(0); y != nil && y.Type.Kind != graph.TensorType {
		y.Type = graph.TensorOf(dense.DType, graph.ShapeOf(dense.Dims...))
	}
	return true, nil
}
