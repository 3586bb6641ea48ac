package grad

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// Operator gives the gradients of one bound node. It may be used by several
// goroutines at a time.
type Operator interface {
	// Backward adds to gin[i] (nil: not wanted; dimensions of in[i]) the
	// vector-Jacobian product of gout (gout[j] nil: zero) at the given inputs and
	// outputs of the node; those that the node omits are nil. gin must not share
	// elements with the other tensors. An error names the node: tensors that do not
	// fit, or an input that has no gradient.
	Backward(in, out, gout, gin []*ops.Tensor) error
}

// A call is what one Backward works on.
type call struct{ in, out, gout, gin []*ops.Tensor }

// A backward is Backward after the checks that all operators share: gradients
// have their tensors' dimensions, and some of gout and of gin are not nil. Its
// errors do not name the node yet.
type backward func(c *call) error

// A binder decodes a node of an operator.
type binder func(n *graph.Node, opset int64) (backward, error)

// bound is a backward with the checks that all operators share.
type bound struct {
	node *graph.Node
	run  backward
}

// Bind decodes a node of a standard operator. An error names the node and says
// what has no gradient, or what package ops cannot run.
func Bind(n *graph.Node, opset int64) (Operator, error) {
	if reason := Reason(n.Op()); reason != "" {
		return nil, op.Errorf(n, "the operator has no gradient: %s", reason)
	}
	if _, err := ops.Bind(n, opset); err != nil {
		return nil, err
	}
	run, err := binders[n.Op().Type](n, opset)
	if err != nil {
		return nil, err
	}
	return &bound{n, run}, nil
}

// Reason says why nodes of an operator have no gradient; "" when they have.
func Reason(o graph.Op) string {
	if o.Domain != "" && o.Domain != "ai.onnx" {
		return "it is no standard operator"
	}
	if reason := without[o.Type]; reason != "" {
		return reason
	}
	if binders[o.Type] == nil {
		return "it is not supported"
	}
	return ""
}

// Backward implements [Operator].
func (b *bound) Backward(in, out, gout, gin []*ops.Tensor) error {
	c := &call{in, out, gout, gin}
	if err := c.check(b.node); err != nil {
		return op.Errorf(b.node, "%v", err)
	}
	if !slices.ContainsFunc(gout, present) || !slices.ContainsFunc(gin, present) {
		return nil
	}
	if err := b.run(c); err != nil {
		return op.Errorf(b.node, "%v", err)
	}
	return nil
}

func present(t *ops.Tensor) bool { return t != nil }

// check holds tensors and gradients against the node and each other.
func (c *call) check(n *graph.Node) error {
	if len(c.in) != n.NumInputs() || len(c.gin) != len(c.in) {
		return fmt.Errorf("found %d inputs and %d gradients of inputs, want %d",
			len(c.in), len(c.gin), n.NumInputs())
	}
	if len(c.out) != n.NumOutputs() || len(c.gout) != len(c.out) {
		return fmt.Errorf("found %d outputs and %d gradients of outputs, want %d",
			len(c.out), len(c.gout), n.NumOutputs())
	}
	for i, t := range c.in {
		if (t == nil) != (n.Input(i) == nil) {
			return fmt.Errorf("input %d: found %v, want a tensor just where the node has an input", i, t)
		}
		if k := differentiable[n.Op().Type]; k > 0 && i >= k && c.gin[i] != nil {
			return fmt.Errorf("input %d has no gradient", i)
		}
		if err := matches(c.gin[i], t); err != nil {
			return fmt.Errorf("gradient of input %d: %w", i, err)
		}
	}
	for j, t := range c.out {
		if t == nil && n.Output(j) != nil {
			return fmt.Errorf("output %d: found none, want a tensor", j)
		}
		if err := matches(c.gout[j], t); err != nil {
			return fmt.Errorf("gradient of output %d: %w", j, err)
		}
	}
	return nil
}

// matches requires a gradient, unless it is nil, to fit its tensor.
func matches(g, t *ops.Tensor) error {
	switch {
	case g == nil:
		return nil
	case t == nil || !t.DType.IsFloat():
		return fmt.Errorf("found %v for %v, which has no gradient", g, t)
	case !slices.Equal(g.Dims, t.Dims) || len(g.F32) != len(t.F32):
		return fmt.Errorf("found %v, want the dimensions of %v", g, t)
	}
	return nil
}

// wants reports whether the caller asks for the gradient of input i.
func (c *call) wants(i int) bool { return i < len(c.gin) && c.gin[i] != nil }

// optional is in[i], nil when the node omits it or has fewer inputs.
func (c *call) optional(i int) *ops.Tensor {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// wantDims requires a tensor to have given dimensions.
func wantDims(what string, t *ops.Tensor, dims ...int) error {
	if t == nil || !slices.Equal(t.Dims, dims) {
		return fmt.Errorf("%s is %v, want dimensions %v", what, t, dims)
	}
	return nil
}

// product is the number of elements of a tensor of these dimensions.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
