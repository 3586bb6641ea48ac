package foldbatchnorm

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// affine is what a BatchNormalization does to channel c: scale[c]*z + shift[c].
type affine struct{ scale, shift []float64 }

// affineOf computes scale and shift of a BatchNormalization outside training.
// dynamic is the first parameter that is no constant, if any.
func affineOf(n *graph.Node, b op.BatchNorm) (a affine, dynamic *graph.Value, err error) {
	var params [4][]float32
	for i, v := range []*graph.Value{b.Scale, b.Bias, b.Mean, b.Var} {
		t := op.Constant(v)
		if t == nil {
			return a, v, nil
		}
		if params[i], err = t.Float32s(); err != nil {
			return a, nil, op.Errorf(n, "parameter %q: %v", v.Name(), err)
		}
		if len(params[i]) != len(params[0]) {
			return a, nil, op.Errorf(n, "parameter %q has %d elements, want %d as %q has",
				v.Name(), len(params[i]), len(params[0]), b.Scale.Name())
		}
	}
	gamma, beta, mean, variance := params[0], params[1], params[2], params[3]
	for c := range gamma {
		v := float64(variance[c]) + float64(b.Epsilon)
		if !(v > 0) || math.IsInf(v, 0) {
			return a, nil, op.Errorf(n, "variance %g of channel %d plus epsilon %g is %g,"+
				" want a positive number", variance[c], c, b.Epsilon, v)
		}
		s := float64(gamma[c]) / math.Sqrt(v)
		a.scale = append(a.scale, s)
		a.shift = append(a.shift, float64(beta[c])-float64(float64(mean[c])*s))
	}
	return a, nil, nil
}

func (a affine) shifts() bool {
	for _, t := range a.shift {
		if t != 0 {
			return true
		}
	}
	return false
}

// round makes a float tensor of what was computed for node n.
func round(n *graph.Node, dims []int64, xs []float64) (*graph.Tensor, error) {
	out := make([]float32, len(xs))
	for i, x := range xs {
		out[i] = float32(x)
		if math.IsNaN(x) || math.IsInf(float64(out[i]), 0) {
			return nil, op.Errorf(n, "folding gives the weight %g, want a finite float;"+
				" look for a tiny variance or for weights that are no numbers", x)
		}
	}
	return graph.NewFloat32(dims, out), nil
}
