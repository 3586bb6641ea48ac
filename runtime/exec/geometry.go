package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// taps is how many outputs each input row and column reaches, and the number
// of output channels it reaches there.
type taps struct {
	rows, cols []float64
	channels   float64
	edges      []int // columns that reach another number of outputs than the middle one
}

func newTaps(rows, cols []float64, channels float64) *taps {
	t := &taps{rows: rows, cols: cols, channels: channels}
	for x, n := range cols {
		if n != cols[len(cols)/2] {
			t.edges = append(t.edges, x)
		}
	}
	return t
}

func (t *taps) plane() int { return len(t.rows) * len(t.cols) }

// dense is the synapses of one whole input plane.
func (t *taps) dense() float64 {
	var r, c float64
	for _, n := range t.rows {
		r += n
	}
	for _, n := range t.cols {
		c += n
	}
	return r * c * t.channels
}

// geometry gives the multiplications per output element (per input element of
// a ConvTranspose) and, for 2-D convolutions, the taps.
func (w *work) geometry(x, y *ops.Tensor, size []int64) (float64, *taps) {
	switch {
	case w.node.Is("ConvTranspose"):
		return w.transposed(x, y, size)
	case w.node.Is("Conv"), w.node.IsSpiking("CPM"):
		return w.convolution(x, y, size)
	case w.node.Is("Gemm"):
		g, err := op.GemmOf(w.node)
		if err != nil || len(x.Dims) != 2 {
			return 0, nil
		}
		// A' is [M, K] and B' [K, N].
		axis := 1 - w.active
		if w.active == 0 && g.TransA || w.active == 1 && g.TransB {
			axis = 1 - axis
		}
		return float64(x.Dims[axis]), nil
	}
	last := len(x.Dims) - 1
	if w.active == 1 && last > 0 {
		last--
	}
	return float64(x.Dims[last]), nil // MatMul
}

// transposed is geometry of a ConvTranspose.
func (w *work) transposed(x, y *ops.Tensor, size []int64) (float64, *taps) {
	c, err := op.ConvTransposeOf(w.node)
	if err == nil {
		c.Window, err = c.WithKernel(w.node, size)
	}
	if err != nil {
		return 0, nil
	}
	out := float64(y.Dims[1]) / float64(c.Group)
	perInput := out
	for _, k := range c.Kernel {
		perInput *= float64(k)
	}
	if len(c.Kernel) != 2 {
		return perInput, nil
	}
	if len(c.OutputShape) == 4 {
		c.OutputShape = c.OutputShape[2:]
	}
	if c.OutputPadding == nil {
		c.OutputPadding = make([]int64, 2)
	}
	_, pads := c.Sizes([]int64{int64(x.Dims[2]), int64(x.Dims[3])})
	for i := range 2 {
		if pads[i]+pads[2+i] < 0 { // output_shape adds behind the last element
			pads[i] = 0
		}
	}
	return perInput, newTaps(
		scatter(x.Dims[2], y.Dims[2], c.Window, 0, pads[0]),
		scatter(x.Dims[3], y.Dims[3], c.Window, 1, pads[1]), out)
}

// scatter counts, for each input position of a ConvTranspose along axis i, the
// outputs it reaches.
func scatter(in, out int, w op.Window, i int, pad int64) []float64 {
	list := make([]float64, in)
	for p := range list {
		for k := range w.Kernel[i] {
			o := int64(p)*w.Stride[i] - pad + k*w.Dilation[i]
			if o >= 0 && o < int64(out) {
				list[p]++
			}
		}
	}
	return list
}

// gather counts, for each input position of a Conv along axis i, the outputs
// that read it.
func gather(in, out int, w op.Window, i int, pad int64) []float64 {
	list := make([]float64, in)
	for o := range int64(out) {
		for k := range w.Kernel[i] {
			p := o*w.Stride[i] - pad + k*w.Dilation[i]
			if p >= 0 && p < int64(in) {
				list[p]++
			}
		}
	}
	return list
}

// convolution is geometry of a Conv or of the convolution in a CPM.
func (w *work) convolution(x, y *ops.Tensor, size []int64) (float64, *taps) {
	window, group, err := windowOf(w.node, size)
	if err != nil {
		return 0, nil
	}
	perOutput := float64(x.Dims[1]) / float64(group)
	spatial := make([]int64, 0, len(window.Kernel))
	for i, k := range window.Kernel {
		perOutput *= float64(k)
		spatial = append(spatial, int64(x.Dims[2+i]))
	}
	if len(window.Kernel) != 2 {
		return perOutput, nil
	}
	pads := window.PadsFor(spatial)
	return perOutput, newTaps(
		gather(x.Dims[2], y.Dims[2], window, 0, pads[0]),
		gather(x.Dims[3], y.Dims[3], window, 1, pads[1]),
		float64(y.Dims[1])/float64(group))
}

// windowOf is the window of a Conv or of the convolution in a CPM whose weights have a
// kernel of a size, and the groups.
func windowOf(n *graph.Node, size []int64) (op.Window, int64, error) {
	if n.IsSpiking("CPM") {
		c, err := op.CPMOf(n)
		if err == nil {
			c.Window, err = c.WithKernel(n, size)
		}
		return c.Window, 1, err
	}
	c, err := op.ConvOf(n)
	if err == nil {
		c.Window, err = c.WithKernel(n, size)
	}
	return c.Window, c.Group, err
}
