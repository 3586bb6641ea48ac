// Package foldconstants holds the pass fold-constants, which computes ahead
// what does not depend on the model's inputs.
package foldconstants

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass turns Constant nodes and nodes of constants into initializers.
//
// Before: y = Constant(); y = F(c...) with c constant and F a pure function of
// its inputs; y = Shape(x) or Size(x) where x has a static shape.
// After: y is an initializer. Where y is a graph output, whose name is public,
// an Identity from a new initializer makes it.
// Conditions: an initializer that is a graph input too is no constant. A result
// stays unfolded when its size is not known, when it exceeds max-elements, or
// when it exceeds 4,096 elements and eight times the elements it is made of:
// Expand and ConstantOfShape would only make the file larger. All constants of the
// model together stay within max-total elements: a chain of results that each are allowed
// could fill the memory. Less memory than that is no reason to leave a node, as the result
// would depend on the machine: it is an error that names the node. Copies are left to
// fold-identity, so that folding does not double shared weights.
// Algebra: y = F(c), computed by the runtime's own operators.
var Pass = &passes.Pass{
	Name: "fold-constants",
	Doc: "compute ahead what does not depend on the inputs\n\n" +
		"Constant nodes become initializers; nodes of constants and shapes that are\n" +
		"known are evaluated. Results that would blow up the file are left alone.",
	Options: []passes.Option{MaxElements, MaxTotal},
	Needs:   passes.Typed,
	Gives:   passes.NoConstants,
	Run:     run,
}

// MaxElements bounds a result.
var MaxElements = passes.Int("max-elements", 1<<24, 1, math.MaxInt64, "largest result, in elements")

// MaxTotal bounds all constants together.
var MaxTotal = passes.Int("max-total", 1<<28, 1, math.MaxInt64/2, "elements that all constants of the model may have together for more to be made")

func run(c *passes.Context) (changed bool, err error) {
	left := MaxTotal.Of(c)
	for _, v := range c.Model.Graph.Initializers() {
		if v.Const != nil {
			left = max(left-product(v.Const.Dims), 0)
		}
	}
	made := int64(0)
	return c.Each(func(n *graph.Node) (bool, error) {
		switch {
		case n.Is("Constant"):
			return foldConstant(c, n)
		case n.Is("Shape"), n.Is("Size"):
			return foldShape(c, n)
		}
		return foldNode(c, n, &left, &made)
	})
}

func foldConstant(c *passes.Context, n *graph.Node) (bool, error) {
	if a, ok := n.Attrs.Lookup("sparse_value"); ok {
		sparse, ok := a.(*graph.SparseTensor)
		if !ok {
			return false, op.Errorf(n, "attribute %q is of type %v, want %v",
				"sparse_value", graph.TypeOf(a), graph.AttrSparseTensor)
		}
		return true, settle(c, n, nil, sparse)
	}
	t, err := op.ConstantOf(n)
	if err != nil {
		return false, err
	}
	plain := *t
	plain.Name = ""
	return true, settle(c, n, &plain, nil)
}

// foldShape makes an initializer of a static shape, whatever the tensor's
// elements are.
func foldShape(c *passes.Context, n *graph.Node) (bool, error) {
	view, err := op.ShapeOf(n)
	if err != nil {
		return false, err
	}
	shape := view.X.Type.Shape
	if view.X.Type.Kind != graph.TensorType || shape == nil {
		return false, nil
	}
	if n.Is("Shape") {
		start, end := view.Bounds(len(shape))
		shape = shape[start:end]
	}
	dims, ok := shape.Sizes()
	if !ok {
		return false, nil
	}
	if n.Is("Shape") {
		return true, settle(c, n, graph.NewInt64([]int64{int64(len(dims))}, dims), nil)
	}
	return true, settle(c, n, graph.NewInt64([]int64{}, []int64{product(dims)}), nil)
}

// foldNode takes what the results of n hold off the elements left, and counts the bytes made.
func foldNode(c *passes.Context, n *graph.Node, left, made *int64) (bool, error) {
	spec := op.Lookup(n.Op())
	if spec == nil || !spec.ConstantFoldable || n.Is("Identity") || !worthwhile(c, n, *left) {
		return false, nil
	}
	if err := enough(c, n, made); err != nil {
		return false, err
	}
	results, err := c.Evaluate(n)
	if err != nil {
		return false, fmt.Errorf("node %q: cannot compute it ahead: %w", n.OriginLabel(), err)
	}
	for _, t := range results {
		if t != nil {
			*left -= product(t.Dims)
		}
	}
	return true, settleAll(c, n, results)
}

// enough counts what the results of n take while they are computed and as constants, and
// refuses n where that is more than the memory that is allowed.
func enough(c *passes.Context, n *graph.Node, made *int64) error {
	bytes := int64(0)
	for _, v := range n.Outputs() {
		if v == nil {
			continue
		}
		dims, _ := v.Type.Shape.Sizes()
		kept := (product(dims)*int64(v.Type.Elem.Bits()) + 7) / 8
		*made += kept
		bytes += kept
	}
	if limit := c.Memory(); limit > 0 && *made > limit {
		return op.Unsupportedf(n, "computed ahead it takes %s of memory beside the %s of other constants that were made, and %s are allowed: "+
			"want a larger --memory", op.Bytes(bytes), op.Bytes(*made-bytes), op.Bytes(limit))
	}
	return nil
}

// small is the number of elements that a result may always have, growth how
// many times larger than its inputs another may be.
const (
	small  = 4096
	growth = 8
)

// worthwhile reports whether all inputs of n are constant and its results are
// of known and reasonable size, no more than the elements left.
func worthwhile(c *passes.Context, n *graph.Node, left int64) bool {
	var in, out int64
	for _, v := range n.Inputs() {
		if v == nil {
			continue
		}
		if !v.IsConstant() || v.Const == nil || !v.Const.Loaded() {
			return false
		}
		in += product(v.Const.Dims)
	}
	for _, v := range n.Outputs() {
		if v == nil {
			continue
		}
		dims, ok := v.Type.Shape.Sizes()
		if !ok || v.Type.Kind != graph.TensorType {
			return false
		}
		out += product(dims)
	}
	if n.NumInputs() == 0 || out > min(MaxElements.Of(c), left) {
		return false
	}
	return out <= small || out/growth <= in
}

// product is the number of elements; it stays at the top where it overflows.
func product(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		if d > 0 && n > math.MaxInt64/d {
			return math.MaxInt64
		}
		n *= d
	}
	return n
}
