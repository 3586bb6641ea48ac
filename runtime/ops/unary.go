package ops

import (
	"cmp"
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// floatUnary binds an operator that maps every element of a floating point
// tensor by a loop over equally long slices.
func floatUnary(loop func(dst, x []float32)) runner {
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		check(wantFloat(in[0]))
		return one(mapFloats(env, in[0], loop)), nil
	}
}

func mapFloats(env *Env, x *Tensor, loop func(dst, x []float32)) *Tensor {
	y := env.like(x)
	env.each(len(x.F32), 1, func(lo, hi int) { loop(y.F32[lo:hi], x.F32[lo:hi]) })
	return y
}

// numberUnary binds an operator on floating point and integer tensors.
func numberUnary(loop func(dst, x []float32), whole func(x int64) int64) runner {
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		x := in[0]
		if x.DType == graph.Bool {
			return nil, fmt.Errorf("input 0 is of type %v, want a number", x.DType)
		}
		if x.DType.IsFloat() {
			return one(mapFloats(env, x, loop)), nil
		}
		y := env.like(x)
		env.each(len(x.I64), 1, func(lo, hi int) {
			for i, v := range x.I64[lo:hi] {
				y.I64[lo+i] = whole(v)
			}
		})
		return one(y), nil
	}
}

func plain(run runner) binder {
	return func(*graph.Node, int64) (runner, error) { return run, nil }
}

// viewed binds an operator by its typed view.
func viewed[V any](view func(*graph.Node) (V, error), run func(V, *Env, []*Tensor) ([]*Tensor, error)) binder {
	return viewedAt(func(n *graph.Node, _ int64) (V, error) { return view(n) }, run)
}

// viewedAt is viewed for views that depend on the opset.
func viewedAt[V any](view func(*graph.Node, int64) (V, error), run func(V, *Env, []*Tensor) ([]*Tensor, error)) binder {
	return func(n *graph.Node, opset int64) (runner, error) {
		v, err := view(n, opset)
		if err != nil {
			return nil, err
		}
		return func(env *Env, in []*Tensor) ([]*Tensor, error) { return run(v, env, in) }, nil
	}
}

// rounded makes a loop of a function on float64, rounded to float32.
func rounded(f func(float64) float64) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = float32(f(float64(v)))
		}
	}
}

func mathOp(f func(float64) float64) binder { return plain(floatUnary(rounded(f))) }

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x) // exp(-x) would overflow
	return e / (1 + e)
}

func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func softsign(x float64) float64 { return x / (1 + math.Abs(x)) }

func hardSwish(x float64) float64 { return x * math.Max(0, math.Min(1, float64(x/6)+0.5)) }

func mish(x float64) float64 { return x * math.Tanh(softplus(x)) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0 or NaN
}

func signInt(x int64) int64 { return int64(cmp.Compare(x, 0)) }

func absInt(x int64) int64 { return max(x, -x) }

func reciprocal(dst, x []float32) {
	for i, v := range x {
		dst[i] = 1 / v
	}
}

func negate(dst, x []float32) {
	for i, v := range x {
		dst[i] = -v
	}
}

// activation binds a function of each element with numbers for attributes.
func activation(f func(a op.Activation) func(dst, x []float32)) binder {
	return viewed(op.ActivationOf, func(a op.Activation, env *Env, in []*Tensor) ([]*Tensor, error) {
		return floatUnary(f(a))(env, in)
	})
}

func leakyRelu(a op.Activation) func(dst, x []float32) {
	return func(dst, x []float32) { kernel.LeakyRelu(dst, x, a.Alpha) }
}

func elu(a op.Activation) func(dst, x []float32) {
	return rounded(func(x float64) float64 {
		if x < 0 {
			return float64(a.Alpha) * math.Expm1(x)
		}
		return x
	})
}

func selu(a op.Activation) func(dst, x []float32) {
	alpha, gamma := float64(a.Alpha), float64(a.Gamma)
	return rounded(func(x float64) float64 {
		if x <= 0 {
			x = alpha * math.Expm1(x)
		}
		return gamma * x
	})
}

func celu(a op.Activation) func(dst, x []float32) {
	alpha := float64(a.Alpha)
	return rounded(func(x float64) float64 {
		return math.Max(0, x) + math.Min(0, float64(alpha*math.Expm1(x/alpha)))
	})
}

func hardSigmoid(a op.Activation) func(dst, x []float32) {
	alpha, beta := float64(a.Alpha), float64(a.Beta)
	return rounded(func(x float64) float64 {
		return math.Max(0, math.Min(1, float64(alpha*x)+beta))
	})
}

func thresholdedRelu(a op.Activation) func(dst, x []float32) {
	return func(dst, x []float32) {
		for i, v := range x {
			if !(v > a.Alpha) {
				v = 0
			}
			dst[i] = v
		}
	}
}

func bindGelu(n *graph.Node, _ int64) (runner, error) {
	g, err := op.GeluOf(n)
	f := func(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }
	if g.Tanh {
		f = func(x float64) float64 {
			inner := math.Sqrt(2/math.Pi) * (x + float64(0.044715*x*x*x))
			return 0.5 * x * (1 + math.Tanh(inner))
		}
	}
	return floatUnary(rounded(f)), err
}

// bindDropout runs inference only, where Dropout is the identity and its mask
// is all true.
func bindDropout(n *graph.Node, opset int64) (runner, error) {
	d, err := op.DropoutOf(n, opset)
	if err != nil {
		return nil, err
	}
	if d.Training.Known && d.Training.Value && d.Ratio.Known && d.Ratio.Value != 0 {
		return nil, op.Errorf(n, "training mode is not supported, want inference")
	}
	wantsMask := n.Output(1) != nil
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		check(dropoutInference(in))
		out := []*Tensor{in[0], nil}
		if wantsMask {
			d := graph.Bool
			if opset < 10 {
				d = in[0].DType
			}
			out[1] = env.alloc(d, in[0].Dims)
			fill(out[1].F32, 1)
			fill(out[1].I64, 1)
		}
		return out, nil
	}, nil
}

func dropoutInference(in []*Tensor) error {
	training, ratio := optional(in, 2), optional(in, 1)
	if training == nil || len(training.I64) == 0 || training.I64[0] == 0 {
		return nil
	}
	if ratio != nil && len(ratio.F32) == 1 && ratio.F32[0] == 0 {
		return nil
	}
	return fmt.Errorf("training mode is not supported, want inference")
}

func fill[T any](dst []T, x T) {
	for i := range dst {
		dst[i] = x
	}
}
