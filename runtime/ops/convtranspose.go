package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// boundTranspose is a ConvTranspose. packed holds constant weights of rank 3 or
// 4 for the pads that the node states, nil otherwise.
type boundTranspose struct {
	node   *graph.Node
	view   op.ConvTranspose
	weight *Tensor
	packed *kernel.ConvTranspose
}

func bindConvTranspose(n *graph.Node, _ int64) (runner, error) {
	view, err := op.ConvTransposeOf(n)
	if err != nil {
		return nil, err
	}
	c := &boundTranspose{node: n, view: view}
	if c.weight, err = constant(view.W); err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	if c.weight == nil || len(view.Kernel) > 2 || view.OutputShape != nil {
		return c.run, nil
	}
	if err := wantFloat(nil, c.weight); err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	if c.packed, err = c.pack(view, c.weight, view.Pads); err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	return c.run, nil
}

// pack packs weights of rank 3 or 4 for given pads.
func (c *boundTranspose) pack(view op.ConvTranspose, weight *Tensor, pads []int64) (
	*kernel.ConvTranspose, error,
) {
	if err := c.checkWeight(weight); err != nil {
		return nil, err
	}
	group := int(view.Group)
	turned := []int{weight.Dims[1] * group, weight.Dims[0] / group} // as Conv has them
	s := kernel.ConvTransposeShape{ConvShape: ConvShape(view.Window, turned, group, pads)}
	s.OutPadW = int(view.OutputPadding[len(view.Kernel)-1])
	if len(view.Kernel) == 2 {
		s.OutPadH = int(view.OutputPadding[0])
	}
	return kernel.PackConvTranspose(s, NormalWeights(weight.F32), nil)
}

// checkWeight requires weights of some spatial axis and of channels that the
// groups divide.
func (c *boundTranspose) checkWeight(weight *Tensor) error {
	if err := wantRank(1, weight, 3); err != nil {
		return err
	}
	if m := weight.Dims[0]; m%int(c.view.Group) != 0 || weight.Len() == 0 {
		return fmt.Errorf("weights are %v, want input channels in %d groups", weight, c.view.Group)
	}
	return nil
}

func (c *boundTranspose) run(env *Env, in []*Tensor) ([]*Tensor, error) {
	x, weight, bias := in[0], in[1], optional(in, 2)
	check(c.check(x, weight, bias))
	view, out, pads, err := TransposeShape(c.node, c.view, x.Dims, weight.Dims)
	if err != nil {
		return nil, err
	}
	check(wantRoom(out, view.Kernel, x))
	channels := int64(weight.Dims[1]) * view.Group
	dims := must(dimsOf(append([]int64{int64(x.Dims[0]), channels}, out...)))
	y := env.alloc(x.DType, dims)
	k := must(c.kernelFor(env, view, weight, out, pads, x.Dims))
	if k == nil {
		env.claimStencil(y.Dims[2:], view.Window)
		st := backwardStencil(x.Dims[2:], y.Dims[2:], view.Window, pads)
		transposed(env, y, x, weight, st, int(view.Group))
	} else {
		h, w := imageSize(x.Dims)
		eachImage(y, x, func(dst, src []float32) { k.RunUntil(env.Stop, env.pool(), dst, src, h, w) })
		check(env.stopped())
	}
	addBias(env, y, bias)
	return one(y), nil
}

// addBehind moves what an output_shape adds to the kernel's reach (negative pads)
// behind the last element, as ONNX's reference does.
func addBehind(pads []int64) {
	axes := len(pads) / 2
	for i := range axes {
		if sum := pads[i] + pads[axes+i]; sum < 0 {
			pads[i], pads[axes+i] = 0, sum
		}
	}
}

func (c *boundTranspose) check(x, weight, bias *Tensor) error {
	if err := wantFloat(x, weight, bias); err != nil {
		return err
	}
	if err := c.checkWeight(weight); err != nil {
		return err
	}
	if err := checkConvInput(x, weight, weight.Dims[0]); err != nil || bias == nil {
		return err
	}
	return wantPerChannel(2, "B", bias, weight.Dims[1]*int(c.view.Group))
}

// TransposeShape completes the view of a ConvTranspose by what only the dimensions
// [C, M/group, kernel...] of computed weights tell, and gives the spatial sizes of
// its result and the pads (begin..., end...) cut off it for an input [N, C, ...].
// A negative end pad is what an output_shape adds.
func TransposeShape(n *graph.Node, view op.ConvTranspose, in, weight []int) (
	full op.ConvTranspose, out, pads []int64, err error,
) {
	if view.Window, err = view.WithKernel(n, sizesOf(weight[2:])); err != nil {
		return view, nil, nil, err
	}
	if err := wantKernel(view.Kernel, weight); err != nil {
		return view, nil, nil, err
	}
	axes := len(view.Kernel)
	if view.OutputPadding == nil {
		view.OutputPadding = make([]int64, axes)
	}
	if len(view.OutputShape) == axes+2 {
		view.OutputShape = view.OutputShape[2:]
	}
	if len(view.OutputPadding) != axes || view.OutputShape != nil && len(view.OutputShape) != axes {
		return view, nil, nil, fmt.Errorf(
			"output_padding %v, output_shape %v, want %d entries for kernel %v",
			view.OutputPadding, view.OutputShape, axes, view.Kernel)
	}
	out, pads = view.Sizes(sizesOf(in[2:]))
	addBehind(pads)
	return view, out, pads, nil
}

// kernelFor is the kernel for the pads of an input's size, nil where the plain
// loop has to do it: other ranks, and results that reach beyond the kernel.
func (c *boundTranspose) kernelFor(
	env *Env, view op.ConvTranspose, weight *Tensor, out, pads []int64, in []int,
) (*kernel.ConvTranspose, error) {
	if len(view.Kernel) > 2 || slices.ContainsFunc(pads, func(p int64) bool { return p < 0 }) {
		return nil, nil
	}
	for i, o := range view.OutputPadding {
		// the kernel package holds output padding to the standard's limit
		if o >= max(view.Stride[i], view.Dilation[i]) {
			return nil, nil
		}
		if full := view.Full(i, int64(in[2+i])); out[i] != full-pads[i]-pads[len(out)+i] {
			return nil, nil
		}
	}
	if c.packed != nil && !env.Repack && withPads(c.packed.Shape().ConvShape, pads) == c.packed.Shape().ConvShape {
		return c.packed, nil
	}
	return c.pack(view, weight, pads)
}
