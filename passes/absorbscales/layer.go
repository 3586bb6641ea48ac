package absorbscales

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/weights"
)

func isLayer(n *graph.Node) bool {
	return weights.IsLayer(n) && op.Constant(n.Input(1)) != nil
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
		return op.Unsupportedf(n, "it has a bias, want encode-input to have moved it")
	}
	return scaleWeights(n, 1, in, out)
}

// scaleWeights multiplies the weights, input i of n, by in/out.
func scaleWeights(n *graph.Node, i int, in, out scale) error {
	w := n.Input(i)
	t := op.Constant(w)
	if t == nil || len(t.Dims) < 2 {
		return op.Unsupportedf(n, "its weights %q are computed at run time, want constants", w.Name())
	}
	xs, err := t.Float32s()
	if err != nil {
		return op.Unsupportedf(n, "weights %q: %v", w.Name(), err)
	}
	layout, err := op.LayoutOf(n, t.Dims)
	if err != nil {
		return err
	}
	ys := make([]float32, len(xs))
	for k, x := range xs {
		ci, co := layout.Channel(k)
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
	return true, divide(n, 2, s, 1)
}

// cpm takes the thresholds into the weights; its result is multiplied by them.
func (a *absorber) cpm(n *graph.Node) error {
	s := a.have[n.Input(0)]
	if s.isOne() {
		return nil
	}
	if t := op.Constant(n.Input(2)); t != nil && len(t.Dims) > 1 && len(s.short()) > 1 && t.Dims[0] != int64(len(s)) {
		return op.Errorf(n, "%d channels in, %d out, want the same number", len(s), t.Dims[0])
	}
	if err := scaleWeights(n, 2, s, s); err != nil {
		return err
	}
	if err := divide(n, 3, s, 1); err != nil {
		return err
	}
	return a.behind(n, s)
}
