package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// A boundConv is a convolution node with its weights packed.
type boundConv struct {
	node *graph.Node
	view op.Conv
	// weight holds constant weights, nil when they are computed at run time, and
	// packed the kernel for them at the pads that the node states.
	weight *Tensor
	packed *kernel.Conv
	// fast computes the same by Winograd, nil unless [BindFast] chose it.
	fast *kernel.WinogradConv
}

// bindConvNode decodes a Conv and packs constant weights over two spatial axes, or one
// (a height of 1).
func bindConvNode(n *graph.Node) (*boundConv, error) {
	view, err := op.ConvOf(n)
	if err != nil {
		return nil, err
	}
	c := &boundConv{node: n, view: view}
	if c.weight, err = constant(view.W); err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	if c.weight == nil || len(view.Kernel) > 2 {
		return c, nil
	}
	if err := wantFloat(nil, c.weight); err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	if c.packed, err = c.pack(view.Window, c.weight, view.Pads); err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	return c, nil
}

// kernelFor is the packed kernel for images of h x w, packed anew where
// auto_pad asks for other pads than those at hand.
func (c *boundConv) kernelFor(h, w int) (*kernel.Conv, error) {
	in := []int64{int64(h), int64(w)}
	pads := c.view.PadsFor(in[2-len(c.view.Kernel):])
	if s := withPads(c.packed.Shape(), pads); s != c.packed.Shape() {
		return c.pack(c.view.Window, c.weight, pads)
	}
	return c.packed, nil
}

// pack packs weights of rank 3 or 4 for given pads.
func (c *boundConv) pack(w op.Window, weight *Tensor, pads []int64) (*kernel.Conv, error) {
	if err := c.checkWeight(weight); err != nil {
		return nil, err
	}
	return kernel.PackConv(ConvShape(w, weight.Dims, int(c.view.Group), pads), NormalWeights(weight.F32), nil)
}

// checkWeight requires weights of some spatial axis and of channels that the
// groups divide.
func (c *boundConv) checkWeight(weight *Tensor) error {
	if err := wantRank(1, weight, 3); err != nil {
		return err
	}
	if m := weight.Dims[0]; m == 0 || m%int(c.view.Group) != 0 || weight.Len() == 0 {
		return fmt.Errorf("weights are %v, want output channels in %d groups", weight, c.view.Group)
	}
	return nil
}

// ConvShape is the kernel package's geometry for weights of rank 3 or 4, [M, C/group,
// kernel...], and pads of one or two axes. Only the channels of weight are looked at.
func ConvShape(w op.Window, weight []int, group int, pads []int64) kernel.ConvShape {
	s := kernel.ConvShape{
		InC: weight[1] * group, OutC: weight[0], Groups: group,
		KH: 1, KW: int(w.Kernel[len(w.Kernel)-1]),
		StrideH: 1, StrideW: int(w.Stride[len(w.Kernel)-1]),
		DilationH: 1, DilationW: int(w.Dilation[len(w.Kernel)-1]),
	}
	if len(w.Kernel) == 2 {
		s.KH, s.StrideH, s.DilationH = int(w.Kernel[0]), int(w.Stride[0]), int(w.Dilation[0])
	}
	return withPads(s, pads)
}

func withPads(s kernel.ConvShape, pads []int64) kernel.ConvShape {
	if len(pads) == 2 {
		s.PadLeft, s.PadRight = int(pads[0]), int(pads[1])
		return s
	}
	s.PadTop, s.PadLeft = int(pads[0]), int(pads[1])
	s.PadBottom, s.PadRight = int(pads[2]), int(pads[3])
	return s
}

func bindConv(n *graph.Node, _ int64) (runner, error) {
	c, err := bindConvNode(n)
	if err != nil {
		return nil, err
	}
	return c.run, nil
}

// BindFast is [Bind] for a Conv whose last bits need not be those of [kernel.Conv]: it
// is bound to a [kernel.WinogradConv] where that is faster, and fast is true. Images of
// less than [LeastFast] rows or columns of outputs are convolved as Bind would.
func BindFast(n *graph.Node, opset int64) (o Op, fast bool, err error) {
	if err := op.Check(n, opset); err != nil {
		return nil, false, err
	}
	c, err := bindConvNode(n)
	if err != nil {
		return nil, false, err
	}
	if c.packed != nil && c.weight.Rank() == 4 && kernel.SuitsWinograd(c.packed.Shape()) &&
		(c.view.AutoPad == "" || c.view.AutoPad == "NOTSET") {
		if c.fast, err = kernel.PackWinograd(c.packed.Shape(), NormalWeights(c.weight.F32), nil); err != nil {
			return nil, false, op.Errorf(n, "%v", err)
		}
	}
	return &bound{n, Reads(n), c.run}, c.fast != nil, nil
}

// LeastFast is the rows and columns of outputs from which on Winograd is faster.
const LeastFast = 16

func (c *boundConv) run(env *Env, in []*Tensor) ([]*Tensor, error) {
	x, weight, bias := in[0], in[1], optional(in, 2)
	check(wantFloat(x, weight, bias))
	check(c.checkWeight(weight))
	check(checkConvInput(x, weight, weight.Dims[1]*int(c.view.Group)))
	if bias != nil {
		check(wantPerChannel(2, "B", bias, weight.Dims[0]))
	}
	win := must(c.view.WithKernel(c.node, sizesOf(weight.Dims[2:])))
	check(wantKernel(win.Kernel, weight.Dims))
	spatial := sizesOf(x.Dims[2:])
	out := win.Out(spatial)
	check(wantRoom(out, win.Kernel, x))
	dims := must(dimsOf(append([]int64{int64(x.Dims[0]), int64(weight.Dims[0])}, out...)))
	y := env.alloc(x.DType, dims)
	if len(win.Kernel) > 2 {
		env.claimStencil(y.Dims[2:], win)
		st := forwardStencil(x.Dims[2:], y.Dims[2:], win, win.PadsFor(spatial))
		correlate(env, y, x, weight, st, int(c.view.Group))
		addBias(env, y, bias)
		env.tail.planes(env, y)
	} else if err := c.batch(env, y, x, weight, bias, win); err != nil {
		return nil, err
	}
	return one(y), nil
}

// batch runs the packed kernel, or one packed for computed weights, on every
// image.
func (c *boundConv) batch(env *Env, y, x, weight, bias *Tensor, win op.Window) error {
	h, w := imageSize(x.Dims)
	tail := kernel.Tail{Finish: env.tail, Direct: env.direct, Stop: env.Stop}
	if bias != nil {
		tail.Bias = bias.F32
	}
	if oh, ow := imageSize(y.Dims); c.fast != nil && !env.Repack && min(oh, ow) >= LeastFast {
		eachImage(y, x, func(dst, src []float32) { c.fast.RunTail(env.pool(), dst, src, h, w, tail) })
		return env.stopped()
	}
	k := c.packed
	var err error
	if k == nil || env.Repack {
		k, err = c.pack(win, weight, win.PadsFor(sizesOf(x.Dims[2:])))
	} else {
		k, err = c.kernelFor(h, w)
	}
	if err != nil {
		return err
	}
	eachImage(y, x, func(dst, src []float32) { k.RunTail(env.pool(), dst, src, h, w, tail) })
	return env.stopped()
}

// checkConvInput requires x to have the rank of the weights and their input
// channels.
func checkConvInput(x, weight *Tensor, channels int) error {
	if x.Rank() != weight.Rank() {
		return fmt.Errorf("input 0 (X) is %v, want rank %d as the weights %v have",
			x, weight.Rank(), weight)
	}
	if x.Dims[1] != channels {
		return fmt.Errorf("input 0 (X) is %v, want %d channels for weights %v", x, channels, weight)
	}
	return nil
}

func wantKernel(kernel []int64, weight []int) error {
	if !slices.Equal(kernel, sizesOf(weight[2:])) {
		return fmt.Errorf("weights have dimensions %v, want a kernel of %v", weight, kernel)
	}
	return nil
}

func wantRoom(out, kernel []int64, x *Tensor) error {
	for _, n := range out {
		if n <= 0 {
			return fmt.Errorf("kernel %v does not fit in the padded input %v", kernel, x)
		}
	}
	return nil
}

// imageSize is the height and width of planes of rank 3 or 4; a plane of one
// axis has a height of 1.
func imageSize(dims []int) (h, w int) {
	if len(dims) == 3 {
		return 1, dims[2]
	}
	return dims[2], dims[3]
}

// eachImage calls f with the parts of y and x that belong to one image of the
// batch.
func eachImage(y, x *Tensor, f func(dst, src []float32)) {
	n := x.Dims[0]
	for i := range n {
		dst, src := len(y.F32)/n, len(x.F32)/n
		f(y.F32[i*dst:(i+1)*dst], x.F32[i*src:(i+1)*src])
	}
}

// addBias adds bias[c] to every plane of channel c of y [N, C, ...]. A nil bias
// adds nothing.
func addBias(env *Env, y, bias *Tensor) {
	if bias == nil || len(y.F32) == 0 {
		return
	}
	planes := y.Dims[0] * y.Dims[1]
	size := len(y.F32) / planes
	env.each(planes, size, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			plane := y.F32[i*size : (i+1)*size]
			kernel.AddScalar(plane, plane, bias.F32[i%y.Dims[1]])
		}
	})
}
