package absorbscales

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

func isLayer(n *graph.Node) bool {
	return (n.Is("Conv") || n.Is("ConvTranspose") || n.Is("Gemm")) && op.Constant(n.Input(1)) != nil
}

// channels gives the input and the output channel of weight i.
type channels func(i int) (in, out int)

// channelsOf reads the layout of a layer's weights of the given dimensions.
func channelsOf(n *graph.Node, dims []int64) (channels, error) {
	inner := 1
	for _, d := range dims[2:] {
		inner *= int(d)
	}
	rows, cols := int(dims[0]), int(dims[1])
	plain := func(i int) (row, col int) { return i / (cols * inner), i / inner % cols }
	swapped := func(i int) (row, col int) {
		row, col = plain(i)
		return col, row
	}
	switch {
	case n.Is("Conv"):
		v, err := op.ConvOf(n)
		if err != nil {
			return nil, err
		}
		per := max(rows/int(v.Group), 1)
		return func(i int) (in, out int) {
			out, col := plain(i)
			return out/per*cols + col, out
		}, nil
	case n.Is("ConvTranspose"):
		v, err := op.ConvTransposeOf(n)
		if err != nil {
			return nil, err
		}
		per := max(rows/int(v.Group), 1)
		return func(i int) (in, out int) {
			in, col := plain(i)
			return in, in/per*cols + col
		}, nil
	}
	v, err := op.GemmOf(n)
	if err != nil {
		return nil, err
	}
	if v.TransB {
		return swapped, nil
	}
	return plain, nil
}

// layer takes the scale of its input into the weights, and gives its output the
// scale that the readers want.
func (a *absorber) layer(n *graph.Node) error {
	in, out := a.have[n.Input(0)], a.want(n.Output(0))
	a.have[n.Output(0)] = out
	if in.isOne() && out.isOne() {
		return nil
	}
	if n.Input(2) != nil {
		return op.Errorf(n, "it has a bias, want encode-input to have moved it")
	}
	return scaleWeights(n, 1, in, out)
}

// scaleWeights multiplies the weights, input i of n, by in/out.
func scaleWeights(n *graph.Node, i int, in, out scale) error {
	w := n.Input(i)
	t := op.Constant(w)
	if t == nil || len(t.Dims) < 2 {
		return op.Errorf(n, "its weights %q are computed at run time, want constants", w.Name())
	}
	xs, err := t.Float32s()
	if err != nil {
		return op.Errorf(n, "weights %q: %v", w.Name(), err)
	}
	at, err := channelsOf(n, t.Dims)
	if err != nil {
		return err
	}
	ys := make([]float32, len(xs))
	for k, x := range xs {
		ci, co := at(k)
		if ys[k], err = rounded(n, float64(x)*float64(in.at(ci))/float64(out.at(co))); err != nil {
			return err
		}
	}
	renew(n, i, graph.NewFloat32(t.Dims, ys))
	return nil
}

// scaleConv divides an analog Conv's result by s; false where it cannot.
func scaleConv(n *graph.Node, s scale) (bool, error) {
	if op.Constant(n.Input(1)) == nil || n.Input(2) != nil && op.Constant(n.Input(2)) == nil {
		return false, nil
	}
	if err := scaleWeights(n, 1, one, s); err != nil {
		return false, err
	}
	return true, divideVector(n, 2, s)
}

// divideVector divides a bias [C], input i of n, if any, by s.
func divideVector(n *graph.Node, i int, s scale) error {
	b := n.Input(i)
	if b == nil {
		return nil
	}
	t := op.Constant(b)
	if t == nil {
		return op.Errorf(n, "its bias %q is computed at run time, want a constant", b.Name())
	}
	xs, err := t.Float32s()
	if err != nil {
		return op.Errorf(n, "bias %q: %v", b.Name(), err)
	}
	ys := make([]float32, len(xs))
	for c, x := range xs {
		if ys[c], err = rounded(n, float64(x)/float64(s.at(c))); err != nil {
			return err
		}
	}
	renew(n, i, graph.NewFloat32(t.Dims, ys))
	return nil
}

// cpm takes the thresholds into the weights; its result is multiplied by them.
func (a *absorber) cpm(n *graph.Node) error {
	s := a.have[n.Input(0)]
	if s.isOne() {
		return nil
	}
	t := op.Constant(n.Input(2))
	if t == nil || len(t.Dims) < 2 {
		return op.Errorf(n, "its weights are computed at run time, want constants")
	}
	if len(s.short()) > 1 && t.Dims[0] != int64(len(s)) {
		return op.Errorf(n, "%d channels in, %d out, want the same number", len(s), t.Dims[0])
	}
	xs, err := t.Float32s()
	if err != nil {
		return op.Errorf(n, "its weights: %v", err)
	}
	inner := len(xs) / int(t.Dims[0]*t.Dims[1])
	ys := make([]float32, len(xs))
	for k, x := range xs {
		i, o := k/inner%int(t.Dims[1]), k/inner/int(t.Dims[1])
		if ys[k], err = rounded(n, float64(x)*float64(s.at(i))/float64(s.at(o))); err != nil {
			return err
		}
	}
	renew(n, 2, graph.NewFloat32(t.Dims, ys))
	if err := divideVector(n, 3, s); err != nil {
		return err
	}
	return a.behind(n, s)
}
