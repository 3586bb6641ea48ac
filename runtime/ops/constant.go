package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// castTo converts x to another type: floats to integers towards zero, every
// number other than 0 to true, integers to narrower ones by wrapping.
func castTo(env *Env, x *Tensor, to graph.DType) *Tensor {
	y := env.alloc(to, x.Dims)
	switch {
	case x.DType.IsFloat() && to.IsFloat():
		copy(y.F32, x.F32)
	case x.DType.IsFloat():
		for i, v := range x.F32 {
			if to == graph.Bool {
				y.I64[i] = truth(v != 0)
			} else {
				y.I64[i] = truncate(to, v)
			}
		}
	case to.IsFloat():
		for i, v := range x.I64 {
			if x.DType == graph.Uint64 {
				y.F32[i] = float32(uint64(v))
			} else {
				y.F32[i] = float32(v)
			}
		}
	default:
		for i, v := range x.I64 {
			y.I64[i] = wrap(to, v)
		}
	}
	y.round()
	return y
}

func bindCast(n *graph.Node, _ int64) (runner, error) {
	c, err := op.CastOf(n)
	if err != nil {
		return nil, err
	}
	if !Computable(c.To) {
		return nil, op.Errorf(n, "cast to %v is not supported", c.To)
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		if in[0].DType == c.To {
			return identity(env, in)
		}
		return one(castTo(env, in[0], c.To)), nil
	}, nil
}

func bindConstant(n *graph.Node, _ int64) (runner, error) {
	g, err := op.ConstantOf(n)
	if err != nil {
		return nil, err
	}
	t, err := FromGraph(g)
	if err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	return func(env *Env, _ []*Tensor) ([]*Tensor, error) {
		return one(duplicate(env, t)), nil
	}, nil
}

// bindConstantOfShape makes a tensor of one repeated element.
func bindConstantOfShape(n *graph.Node, _ int64) (runner, error) {
	c, err := op.ConstantOfShapeOf(n)
	if err != nil {
		return nil, err
	}
	element, err := FromGraph(c.Fill)
	if err != nil {
		return nil, op.Errorf(n, "%v", err)
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		list := must(wholeNumbers(in, 0))
		dims := must(dimsOf(list))
		return one(arrange(env, element, dims, make([]int, len(dims)), 0)), nil
	}, nil
}

func runShape(s op.ShapeView, env *Env, in []*Tensor) ([]*Tensor, error) {
	lo, hi := s.Bounds(in[0].Rank())
	y := env.alloc(graph.Int64, []int{hi - lo})
	copy(y.I64, sizesOf(in[0].Dims[lo:hi]))
	return one(y), nil
}

func size(env *Env, in []*Tensor) ([]*Tensor, error) {
	y := env.alloc(graph.Int64, nil)
	y.I64[0] = int64(in[0].Len())
	return one(y), nil
}

// arithmeticSequence is Range: start, start+delta, ... before limit.
func arithmeticSequence(env *Env, in []*Tensor) ([]*Tensor, error) {
	check(wantSameType(in...))
	for i, t := range in {
		if t.Len() != 1 {
			return nil, fmt.Errorf("input %d is %v, want one number", i, t)
		}
	}
	count := must(rangeLength(in[0], in[1], in[2]))
	y := env.alloc(in[0].DType, []int{count})
	for i := range count {
		if y.DType.IsFloat() {
			y.F32[i] = in[0].F32[0] + float32(float32(i)*in[2].F32[0])
		} else {
			y.I64[i] = in[0].I64[0] + int64(i)*in[2].I64[0]
		}
	}
	return one(y), nil
}

func rangeLength(start, limit, delta *Tensor) (int, error) {
	var n float64
	if start.DType.IsFloat() {
		n = math.Ceil((float64(limit.F32[0]) - float64(start.F32[0])) / float64(delta.F32[0]))
	} else {
		n = math.Ceil((float64(limit.I64[0]) - float64(start.I64[0])) / float64(delta.I64[0]))
	}
	if math.IsNaN(n) || n > maxElements {
		return 0, fmt.Errorf("range of %v elements, want 0 to %d", n, int64(maxElements))
	}
	return int(math.Max(n, 0)), nil
}
