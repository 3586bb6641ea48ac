package splitregions

import (
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes/weights"
)

func (s *split) convertible(n *graph.Node) error {
	if err := floats(n, n.Input(0)); err != nil {
		return err
	}
	switch {
	case n.Is("Clip"):
		c, err := op.ClipOf(n, s.opset)
		if err != nil {
			return err
		}
		return limits(n, c)
	case n.Is("PRelu"):
		p, err := op.PReluOf(n)
		if err != nil {
			return err
		}
		if op.Constant(p.Slope) == nil {
			return op.Errorf(n, "its slope %q %s, want a constant", p.Slope.Name(), op.Source(p.Slope))
		}
	}
	return nil
}

func limits(n *graph.Node, c op.Clip) error {
	low, err := c.Min.Constant()
	if err != nil {
		return err
	}
	high, err := c.Max.Constant()
	if err != nil {
		return err
	}
	if low != 0 || !(high > 0) {
		return op.Errorf(n, "it limits to [%g, %g], want [0, max]: a neuron cannot fire below 0",
			low, high)
	}
	return nil
}

// floats demands a tensor that can be time-major.
func floats(n *graph.Node, v *graph.Value) error {
	if v == nil {
		return op.Errorf(n, "its input is missing")
	}
	t := v.Type
	if t.Kind != graph.TensorType || t.Elem != graph.Float32 || len(t.Shape) < 2 {
		return op.Errorf(n, "value %q is %v, want a float tensor [N, C, ...]", v.Name(), t)
	}
	return nil
}

// check says why n cannot stand in the spiking region. Every value that is not
// constant varies over time there: analog ones are encoded.
func (s *split) check(n *graph.Node) error {
	if len(n.Subgraphs()) > 0 {
		return op.Errorf(n, "the operator runs a subgraph, in which nothing becomes spiking; "+
			"a network that is exported traced, not scripted, has its loops unrolled")
	}
	if err := s.sized(n); err != nil {
		return err
	}
	varies := func(v *graph.Value) bool {
		return op.Constant(v) == nil && isData(n, v) || n.Is("Concat") // whose constants are encoded
	}
	if weights.IsLayer(n) {
		for _, v := range n.Inputs()[1:] {
			if v != nil && varies(v) {
				return op.Errorf(n, "its weight or bias %q %s, want a constant", v.Name(), op.Source(v))
			}
		}
	}
	affine, err := op.LinearInTime(n, s.opset, varies)
	if err != nil {
		return err
	}
	switch {
	case n.Is("BatchNormalization"):
		return op.Errorf(n, "want it folded in the layer beside it: run fold-batchnorm first")
	case n.Is("MatMul") && varies(n.Input(1)):
		return op.Errorf(n, "its right operand %q %s, want constant weights", n.Input(1).Name(), op.Source(n.Input(1)))
	case n.Is("Squeeze") && n.NumInputs() < 2:
		if _, stated := n.Attrs.Lookup("axes"); !stated {
			return op.Errorf(n, "it drops every axis of size 1, want axes stated: "+
				"timesteps lie in dimension 0")
		}
	case n.Is("Resize"):
		if err := s.sizes(n); err != nil {
			return err
		}
	}
	if affine {
		if err := addend(n); err != nil {
			return err
		}
	}
	return batch(n)
}

// isData reports whether n reads v as data, not only as a statement of sizes.
func isData(n *graph.Node, v *graph.Value) bool {
	for i, w := range n.Inputs() {
		if w == v && !op.StatesSize(n, i) {
			return true
		}
	}
	return false
}

// sized demands of an operator to which sizes are stated at run time that they are known
// when the run begins, and that dimension 0, where timesteps will lie, is not among them.
func (s *split) sized(n *graph.Node) error {
	for i, v := range n.Inputs() {
		if v == nil || op.Constant(v) != nil || !op.StatesSize(n, i) {
			continue
		}
		if p := v.Producer(); p != nil && s.after[p] {
			return op.Errorf(n, "input %d, %q, is computed from results of neurons, want sizes that the size of the network's input tells",
				i, v.Name())
		}
		list, known := s.known.Content(v)
		keep := int64(0) // what leaves dimension 0 alone
		switch {
		case n.Is("Expand"):
			keep = 1
			known = known && len(list) <= len(n.Output(0).Type.Shape)
			if known && len(list) < len(n.Output(0).Type.Shape) {
				continue
			}
		case !n.Is("Reshape"):
			continue
		}
		if x, isNumber := first(list); !known || !isNumber || x != keep {
			return op.Errorf(n, "input %d, %q, states dimension 0, the batch, want %d there", i, v.Name(), keep)
		}
	}
	return nil
}

// first is the first of the sizes, if it is a number.
func first(list []infer.Expr) (int64, bool) {
	if len(list) == 0 {
		return 0, false
	}
	return list[0].Int()
}

// opsetOfAxes is the first opset in which a Resize can state sizes of some axes alone.
const opsetOfAxes = 18

// sizes refuses a Resize to stated sizes that are no exact multiples: it cannot
// be stated by factors, which timesteps in dimension 0 need, and before opset 18 not by the
// sizes of the other axes either.
func (s *split) sizes(n *graph.Node) error {
	z, err := op.ResizeOf(n, s.opset)
	if err != nil {
		return err
	}
	if !z.Sizes.Given {
		return nil
	}
	if s.opset >= opsetOfAxes {
		if !z.Sizes.Known && z.Policy != "stretch" {
			return op.Errorf(n, "it keeps the ratio of sizes that are computed at run time, want the sizes alone")
		}
		return nil
	}
	in, ok := z.X.Type.Shape.Sizes()
	out, ok2 := n.Output(0).Type.Shape.Sizes()
	if !ok || !ok2 || len(in) != len(out) {
		return op.Errorf(n, "it resizes %v to stated sizes, want scales or opset 18", z.X.Type)
	}
	for i := range in {
		scale := float32(out[i]) / float32(in[i])
		if in[i] == 0 || float64(scale)*float64(in[i]) != float64(out[i]) {
			return op.Errorf(n, "it resizes axis %d from %d to %d, which no float factor states exactly; want opset 18",
				i, in[i], out[i])
		}
	}
	return nil
}

// addend demands that the constant which an affine operator adds is one that a
// neuron can take as its bias: one number, or one per channel.
func addend(n *graph.Node) error {
	switch {
	case n.Is("Conv"), n.Is("ConvTranspose"):
		return constantFloats(n, n.Input(2))
	case n.Is("Gemm"):
		if err := constantFloats(n, n.Input(2)); err != nil {
			return err
		}
		return channelwise(n, op.Constant(n.Input(2)))
	case n.Is("Add"), n.Is("Sub"):
		_, c, _, ok := op.Binary{A: n.Input(0), B: n.Input(1)}.Const()
		if !ok {
			return op.Errorf(n, "both operands are constant, want fold-constants to run first")
		}
		return channelwise(n, c)
	}
	if n.Is("Where") {
		return op.Errorf(n, "it puts a constant where its condition says, want a Mul by a mask of 0 and 1 for 0, and an Add of another constant behind it")
	}
	return op.Errorf(n, "the operator adds a constant, want an Add for that")
}

func constantFloats(n *graph.Node, v *graph.Value) error {
	if t := op.Constant(v); t == nil || t.DType != graph.Float32 {
		return op.Errorf(n, "its bias %q is no constant float tensor", v.Name())
	}
	return nil
}

// channelwise demands a constant that holds one number, or one for each channel
// of n's result.
func channelwise(n *graph.Node, c *graph.Tensor) error {
	rank := len(n.Output(0).Type.Shape)
	for i, d := range c.Dims {
		axis := rank - len(c.Dims) + i
		if d != 1 && axis != 1 {
			return op.Errorf(n, "it adds a constant of dimensions %v, want one number or one per channel",
				c.Dims)
		}
	}
	if len(c.Dims) > rank {
		return op.Errorf(n, "its constant has more axes than its operand")
	}
	return nil
}

// batch demands float tensors whose dimension 0 is the batch on both sides.
func batch(n *graph.Node) error {
	for _, y := range n.Outputs() {
		if y == nil {
			continue
		}
		if err := floats(n, y); err != nil {
			return err
		}
		for i, x := range n.Inputs() {
			if x == nil || op.StatesSize(n, i) {
				continue
			}
			if err := sameBatch(n, x, y); err != nil {
				return err
			}
		}
	}
	return nil
}

// broadcasts reports whether n aligns its operands at the last axis.
func broadcasts(n *graph.Node) bool {
	s := op.Lookup(n.Op())
	return s != nil && s.Elementwise || n.Is("MatMul")
}

// sameBatch demands of an operand that it varies along dimension 0 as the
// result does, or not at all if it is constant.
func sameBatch(n *graph.Node, x, y *graph.Value) error {
	if t := op.Constant(x); t != nil {
		if broadcasts(n) && len(t.Dims) == len(y.Type.Shape) && !n.Is("MatMul") && t.Dims[0] != 1 {
			return op.Errorf(n, "its constant of dimensions %v differs from image to image, "+
				"want the same for all", t.Dims)
		}
		return nil
	}
	if err := floats(n, x); err != nil {
		return err
	}
	in, out := x.Type.Shape, y.Type.Shape
	open := in[0].String() == "?" || out[0].String() == "?"
	if n.Is("Reshape") || n.Is("Expand") {
		open = false
	}
	if !open && !in[0].Same(out[0]) {
		return op.Errorf(n, "it turns %v into %v, want dimension 0, the batch, left as it is",
			x.Type, y.Type)
	}
	if broadcasts(n) && len(in) != len(out) {
		return op.Errorf(n, "it broadcasts %v to %v, want operands of the same rank", x.Type, y.Type)
	}
	return nil
}
