package op

import "spikingir/graph"

// Conv is a convolution: X [N, C, spatial...], W [M, C/Group, kernel...], B [M]
// or nil, result [N, M, spatial...].
type Conv struct {
	Window
	Group   int64
	X, W, B *graph.Value
}

// ConvOf decodes a Conv.
func ConvOf(n *graph.Node) (Conv, error) {
	r := read(n)
	c := Conv{X: r.input(0, "X"), W: r.input(1, "W"), B: n.Input(2), Group: r.int("group", 1)}
	c.Window = r.window(kernelOf(c.W))
	r.atLeast("group", c.Group, 1)
	return c, r.err
}

// StateConv states the attributes of a Conv over some axes of space that it has a default for, where they
// are missing: there are runtimes that ask for them.
func StateConv(a *graph.Attrs, space int) {
	ones, pads := make(graph.Ints, space), make(graph.Ints, 2*space)
	for i := range ones {
		ones[i] = 1
	}
	for _, d := range []graph.NamedAttr{{Name: "pads", Value: pads}, {Name: "strides", Value: ones},
		{Name: "dilations", Value: append(graph.Ints(nil), ones...)}, {Name: "group", Value: graph.Int(1)}} {
		_, stated := a.Lookup(d.Name)
		if _, automatic := a.Lookup("auto_pad"); !stated && !(automatic && d.Name == "pads") {
			a.Set(d.Name, d.Value)
		}
	}
}

// WithKernel is the window for a kernel that only became known from the shape
// of computed weights; it has no effect when Kernel is set.
func (w Window) WithKernel(n *graph.Node, kernel []int64) (Window, error) {
	if w.Kernel != nil {
		return w, nil
	}
	r := read(n)
	w.Kernel = kernel
	r.complete(&w)
	return w, r.err
}

// kernelOf is the spatial part of the shape of convolution weights, nil when
// it is unknown.
func kernelOf(w *graph.Value) []int64 {
	if w == nil {
		return nil
	}
	if t := Constant(w); t != nil && len(t.Dims) > 2 {
		return t.Dims[2:]
	}
	if len(w.Type.Shape) <= 2 {
		return nil
	}
	kernel, ok := w.Type.Shape[2:].Sizes()
	if !ok {
		return nil
	}
	return kernel
}

// DeformConv is a Conv of rows and columns whose kernel elements are moved by Offset
// [N, OffsetGroup*kernel*2, out...] (rows first) and weighted by Mask
// [N, OffsetGroup*kernel, out...], which may be nil, as B may.
type DeformConv struct {
	Window
	Group, OffsetGroup    int64
	X, W, Offset, B, Mask *graph.Value
}

// DeformConvOf decodes a DeformConv.
func DeformConvOf(n *graph.Node) (DeformConv, error) {
	r := read(n)
	c := DeformConv{X: r.input(0, "X"), W: r.input(1, "W"), Offset: r.input(2, "offset"), B: n.Input(3), Mask: n.Input(4),
		Group: r.int("group", 1), OffsetGroup: r.int("offset_group", 1)}
	c.Window = r.window(kernelOf(c.W))
	r.atLeast("group", c.Group, 1)
	r.atLeast("offset_group", c.OffsetGroup, 1)
	return c, r.err
}

// ConvTranspose is the transpose of a convolution: X [N, C, spatial...],
// W [C, M/Group, kernel...], B [M] or nil.
type ConvTranspose struct {
	Window
	Group         int64
	OutputPadding []int64 // nil while the number of axes is unknown
	OutputShape   []int64 // spatial sizes of the result; nil unless stated
	X, W, B       *graph.Value
}

// ConvTransposeOf decodes a ConvTranspose.
func ConvTransposeOf(n *graph.Node) (ConvTranspose, error) {
	r := read(n)
	c := ConvTranspose{
		X: r.input(0, "X"), W: r.input(1, "W"), B: n.Input(2),
		Group:         r.int("group", 1),
		OutputPadding: r.ints("output_padding"),
		OutputShape:   r.ints("output_shape"),
	}
	r.atLeast("group", c.Group, 1)
	c.Window = r.window(kernelOf(c.W))
	if c.Kernel == nil {
		return c, r.err
	}
	k := len(c.Kernel)
	c.OutputPadding = r.perAxis("output_padding", c.OutputPadding, k, 0, 0)
	if c.OutputShape != nil {
		r.outputShape(&c)
	}
	return c, r.err
}

// outputShape accepts output_shape with or without the batch and channel
// entries that some exporters put in front.
func (r *reader) outputShape(c *ConvTranspose) {
	k := len(c.Kernel)
	if len(c.OutputShape) == k+2 {
		c.OutputShape = c.OutputShape[2:]
	}
	c.OutputShape = r.perAxis("output_shape", c.OutputShape, k, 1, 1)
}

// Full is the size of the result along axis i before padding is cut off it.
func (c ConvTranspose) Full(i int, in int64) int64 {
	return (in-1)*c.Stride[i] + c.OutputPadding[i] + c.Extent(i)
}

// Sizes is the spatial sizes of the result, and the padding (begin..., end...)
// cut off it, for an input of the given spatial sizes. Padding may come out
// negative where output_shape asks for more than the kernel reaches: rows of
// the bias alone.
func (c ConvTranspose) Sizes(in []int64) (out, pads []int64) {
	k := len(c.Kernel)
	out, pads = make([]int64, k), make([]int64, 2*k)
	for i := range k {
		full := c.Full(i, in[i])
		switch {
		case c.OutputShape != nil:
			out[i] = c.OutputShape[i]
		case c.AutoPad == SameUpper || c.AutoPad == SameLower:
			out[i] = in[i] * c.Stride[i]
		default:
			pads[i], pads[k+i] = c.Pads[i], c.Pads[k+i]
			out[i] = full - pads[i] - pads[k+i]
			continue
		}
		total := full - out[i]
		pads[i], pads[k+i] = split(total, c.AutoPad == SameUpper)
	}
	return out, pads
}

// ConvIntegerOf decodes a ConvInteger: a Conv of integers, without bias.
func ConvIntegerOf(n *graph.Node) (Conv, error) { return convAt(n, 0, 1) }

// QLinearConvOf decodes a QLinearConv, whose weights are its fourth input; B is nil.
func QLinearConvOf(n *graph.Node) (Conv, error) { return convAt(n, 0, 3) }

// convAt decodes a convolution whose image and weights are inputs x and w.
func convAt(n *graph.Node, x, w int) (Conv, error) {
	r := read(n)
	c := Conv{X: r.input(x, "x"), W: r.input(w, "w"), Group: r.int("group", 1)}
	c.Window = r.window(kernelOf(c.W))
	r.atLeast("group", c.Group, 1)
	return c, r.err
}
