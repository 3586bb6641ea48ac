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

// tapsOf gives those of a convolution from x to y, of a CPM's too; nil when it is none
// over two axes.
func tapsOf(n *graph.Node, x, weights, y *ops.Tensor) *taps {
	switch {
	case len(weights.Dims) != 4:
		return nil
	case n.Is("Conv"), n.Is("ConvTranspose"), n.Is("ConvInteger"), n.Is("QLinearConv"), n.IsSpiking("CPM"):
	default:
		return nil
	}
	kernel := []int64{int64(weights.Dims[2]), int64(weights.Dims[3])}
	in := []int64{int64(x.Dims[2]), int64(x.Dims[3])}
	if !n.Is("ConvTranspose") {
		w, group, err := windowOf(n, kernel)
		if err != nil {
			return nil
		}
		pads := w.PadsFor(in)
		gather := func(i int) []float64 {
			list := make([]float64, in[i])
			axisTaps(w, i, y.Dims[2+i], len(list), pads[i], func(_, read int) { list[read]++ })
			return list
		}
		return newTaps(gather(0), gather(1), float64(y.Dims[1])/float64(group))
	}
	c, err := op.ConvTransposeOf(n)
	if err == nil {
		c.Window, err = c.WithKernel(n, kernel)
	}
	if err != nil {
		return nil
	}
	if len(c.OutputShape) == 4 {
		c.OutputShape = c.OutputShape[2:]
	}
	if c.OutputPadding == nil {
		c.OutputPadding = make([]int64, 2)
	}
	_, pads := c.Sizes(in)
	scatter := func(i int) []float64 {
		pad := pads[i]
		if pad+pads[2+i] < 0 { // output_shape adds behind the last element
			pad = 0
		}
		list := make([]float64, in[i])
		axisTaps(c.Window, i, len(list), y.Dims[2+i], pad, func(from, _ int) { list[from]++ })
		return list
	}
	return newTaps(scatter(0), scatter(1), float64(weights.Dims[1]))
}

// axisTaps calls f for each tap along axis i of a window that slides over m positions
// and lies within n elements there.
func axisTaps(w op.Window, i, m, n int, pad int64, f func(position, element int)) {
	for p := range m {
		for k := range w.Kernel[i] {
			if e := int64(p)*w.Stride[i] - pad + k*w.Dilation[i]; e >= 0 && e < int64(n) {
				f(p, int(e))
			}
		}
	}
}

// windowOf is the window of a Conv, in integers too, or of the convolution in a CPM whose weights have a
// kernel of a size, and the groups.
func windowOf(n *graph.Node, kernel []int64) (op.Window, int64, error) {
	if n.IsSpiking("CPM") {
		c, err := op.CPMOf(n)
		if err == nil {
			c.Window, err = c.WithKernel(n, kernel)
		}
		return c.Window, 1, err
	}
	c, err := op.ConvOf(n)
	if err == nil {
		c.Window, err = c.WithKernel(n, kernel)
	}
	return c.Window, c.Group, err
}
