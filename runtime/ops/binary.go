package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// arithmetic is a binary operator. vector, right and left are kernels for rows
// of two operands, or of one and a number (the right or the left operand); they
// may be nil and must agree with float.
type arithmetic struct {
	float       func(x, y float32) float32
	vector      func(dst, x, y []float32)
	right, left func(dst, x []float32, a float32)
	// whole is the operator on integers of a type; nil when there is none.
	whole func(d graph.DType) func(x, y int64) (int64, error)
}

// exact makes the integer operator of a function that is the same for all
// integer types, up to wrapping.
func exact(f func(x, y int64) int64) func(graph.DType) func(x, y int64) (int64, error) {
	return func(graph.DType) func(x, y int64) (int64, error) {
		return func(x, y int64) (int64, error) { return f(x, y), nil }
	}
}

var (
	addition = arithmetic{
		float:  func(x, y float32) float32 { return x + y },
		vector: kernel.Add, right: kernel.AddScalar, left: kernel.AddScalar,
		whole: exact(func(x, y int64) int64 { return x + y }),
	}
	subtraction = arithmetic{
		float:  func(x, y float32) float32 { return x - y },
		vector: kernel.Sub,
		right:  func(dst, x []float32, a float32) { kernel.AddScalar(dst, x, -a) },
		whole:  exact(func(x, y int64) int64 { return x - y }),
	}
	multiplication = arithmetic{
		float:  func(x, y float32) float32 { return x * y },
		vector: kernel.Mul, right: kernel.MulScalar, left: kernel.MulScalar,
		whole: exact(func(x, y int64) int64 { return x * y }),
	}
	division = arithmetic{
		float:  func(x, y float32) float32 { return x / y },
		vector: kernel.Div,
		whole:  divideInts,
	}
	power = arithmetic{
		float: func(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) },
		whole: func(graph.DType) func(x, y int64) (int64, error) { return powerInts },
	}
	maximum = arithmetic{float: maxFloat, whole: extremeInts(false)}
	minimum = arithmetic{
		float: func(x, y float32) float32 { return -maxFloat(-x, -y) },
		whole: extremeInts(true),
	}
	prelu = arithmetic{float: func(x, slope float32) float32 {
		if x < 0 {
			return slope * x
		}
		return x
	}, right: kernel.LeakyRelu, whole: exact(func(x, slope int64) int64 {
		if x < 0 {
			return slope * x
		}
		return x
	})}
)

// maxFloat is the larger number, NaN if either is.
func maxFloat(x, y float32) float32 {
	if x > y || x != x {
		return x
	}
	return y
}

func extremeInts(smaller bool) func(d graph.DType) func(x, y int64) (int64, error) {
	return func(d graph.DType) func(x, y int64) (int64, error) {
		less := lessInts(d)
		return func(x, y int64) (int64, error) {
			if less(x, y) == smaller {
				return x, nil
			}
			return y, nil
		}
	}
}

func divideInts(d graph.DType) func(x, y int64) (int64, error) {
	return func(x, y int64) (int64, error) {
		switch {
		case y == 0:
			return 0, fmt.Errorf("integer %d divided by zero", x)
		case d == graph.Uint64:
			return int64(uint64(x) / uint64(y)), nil
		}
		return x / y, nil
	}
}

// powerInts raises by squaring; a negative exponent gives the integer part.
func powerInts(x, y int64) (int64, error) {
	switch {
	case y >= 0:
	case x == 0:
		return 0, fmt.Errorf("integer 0 raised to %d", y)
	case x == -1 && y%2 != 0:
		return -1, nil
	case x == 1 || x == -1:
		return 1, nil
	default:
		return 0, nil
	}
	p := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 == 1 {
			p *= x
		}
		x *= x
	}
	return p, nil
}

// binaryOp binds an operator of two operands of one type that broadcast.
func binaryOp(a arithmetic) binder {
	return plain(a.run)
}

func (a arithmetic) run(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSameType(in[0], in[1]))
	y, err := a.apply(env, in[0], in[1])
	return []*Tensor{y}, err
}

func (a arithmetic) apply(env *Env, x, y *Tensor) (*Tensor, error) {
	dims := must(broadcastDims(x, y))
	if x.DType == graph.Bool || !x.DType.IsFloat() && a.whole == nil || x.DType.IsFloat() && a.float == nil {
		return nil, fmt.Errorf("inputs are of type %v, which the operator does not take", x.DType)
	}
	dst := env.alloc(x.DType, dims)
	w := broadcastWalk(dims, x, y)
	if x.DType.IsFloat() {
		a.floats(env, w, dst.F32, x.F32, y.F32)
		return dst, nil
	}
	return dst, wholes(w, a.whole(x.DType), dst.I64, x.I64, y.I64)
}

func (a arithmetic) floats(env *Env, w *walk, dst, x, y []float32) {
	step := w.inner()
	w.run(env, func(at, n int, off offsets) {
		d := dst[at : at+n]
		switch {
		case step[0] == 1 && step[1] == 1 && a.vector != nil:
			a.vector(d, x[off[0]:off[0]+n], y[off[1]:off[1]+n])
		case step[0] == 1 && step[1] == 0 && a.right != nil:
			a.right(d, x[off[0]:off[0]+n], y[off[1]])
		case step[0] == 0 && step[1] == 1 && a.left != nil:
			a.left(d, y[off[1]:off[1]+n], x[off[0]])
		default:
			for i := range d {
				d[i] = a.float(x[off[0]+i*step[0]], y[off[1]+i*step[1]])
			}
		}
	})
}

// wholes computes all rows of a walk on integers and returns the first error.
func wholes(w *walk, f func(x, y int64) (int64, error), dst, x, y []int64) (err error) {
	step := w.inner()
	w.run(&Env{}, func(at, n int, off offsets) {
		for i := range n {
			v, e := f(x[off[0]+i*step[0]], y[off[1]+i*step[1]])
			if e != nil && err == nil {
				err = e
			}
			dst[at+i] = v
		}
	})
	return err
}

// runPow takes an exponent of another type than the base, which the result
// follows.
func runPow(env *Env, in []*Tensor) ([]*Tensor, error) {
	x, y := in[0], in[1]
	switch {
	case x.DType.IsFloat() && !y.DType.IsFloat():
		y = castTo(env.scratch(), y, x.DType)
	case !x.DType.IsFloat() && y.DType.IsFloat():
		p := must(power.apply(env.scratch(), castTo(env.scratch(), x, y.DType), y))
		return one(castTo(env, p, x.DType)), nil
	}
	if x.DType != y.DType {
		y = &Tensor{DType: x.DType, Dims: y.Dims, F32: y.F32, I64: y.I64}
	}
	p, err := power.apply(env, x, y)
	return []*Tensor{p}, err
}

// variadicOp binds Max, Min, Sum and Mean: a binary operator from left to right
// over all operands; mean divides the result by their number.
func variadicOp(a arithmetic, mean bool) binder {
	return plain(func(env *Env, in []*Tensor) ([]*Tensor, error) {
		check(wantSameType(in...))
		if mean {
			check(wantFloat(in...))
		}
		acc := in[0]
		for i, t := range in[1:] {
			where := env.scratch()
			if i+2 == len(in) {
				where = env
			}
			var err error
			if acc, err = a.apply(where, acc, t); err != nil {
				return nil, err
			}
		}
		if len(in) == 1 {
			acc = duplicate(env, acc)
		}
		if mean {
			n := float32(len(in))
			for i, v := range acc.F32 {
				acc.F32[i] = v / n
			}
		}
		return one(acc), nil
	})
}

// runPRelu requires a slope that broadcasts to the input, in one direction.
func runPRelu(env *Env, in []*Tensor) ([]*Tensor, error) {
	out := must(prelu.run(env, in))
	return out, wantDims(0, "X", in[0], out[0].Dims...)
}

// runMod is the remainder of a division of integers with the sign of the
// divisor, or with fmod that of the dividend, for floats too.
func runMod(m op.Mod, env *Env, in []*Tensor) ([]*Tensor, error) {
	a := arithmetic{
		float: func(x, y float32) float32 { return float32(math.Mod(float64(x), float64(y))) },
		whole: func(d graph.DType) func(x, y int64) (int64, error) {
			return func(x, y int64) (int64, error) { return remainder(d, x, y, m.Fmod) }
		},
	}
	if in[0].DType == in[1].DType && in[0].DType.IsFloat() && !m.Fmod {
		return nil, fmt.Errorf("attribute fmod is 0 for inputs of type %v, want 1", in[0].DType)
	}
	return a.run(env, in)
}

func remainder(d graph.DType, x, y int64, fmod bool) (int64, error) {
	switch {
	case y == 0:
		return 0, fmt.Errorf("integer %d divided by zero", x)
	case d == graph.Uint64:
		return int64(uint64(x) % uint64(y)), nil
	}
	r := x % y
	if !fmod && r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r, nil
}
