package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// wantFloat requires floating point inputs; omitted ones pass.
func wantFloat(in ...*Tensor) error {
	for i, t := range in {
		if t != nil && !t.DType.IsFloat() {
			return fmt.Errorf("input %d is of type %v, want a floating point type", i, t.DType)
		}
	}
	return nil
}

// wantSameType requires inputs of one element type; omitted ones pass.
func wantSameType(in ...*Tensor) error {
	for i, t := range in {
		if t != nil && t.DType != in[0].DType {
			return fmt.Errorf("input %d is of type %v, want %v as input 0", i, t.DType, in[0].DType)
		}
	}
	return nil
}

func wantRank(i int, t *Tensor, least int) error {
	if t.Rank() < least {
		return fmt.Errorf("input %d is %v, want %d dimensions or more", i, t, least)
	}
	return nil
}

func wantDims(i int, name string, t *Tensor, dims ...int) error {
	if !slices.Equal(t.Dims, dims) {
		return fmt.Errorf("input %d (%s) is %v, want dimensions %v", i, name, t, dims)
	}
	return nil
}

// wantPerChannel requires input i to be a list of floats, one for each channel.
func wantPerChannel(i int, name string, t *Tensor, channels int) error {
	if err := wantDims(i, name, t, channels); err != nil {
		return err
	}
	if !t.DType.IsFloat() {
		return fmt.Errorf("input %d (%s) is of type %v, want a floating point type", i, name, t.DType)
	}
	return nil
}

// axisOf makes an axis that may count from the end one of [0, rank).
func axisOf(axis int64, rank int) (int, error) {
	i, ok := op.Axis(axis, rank)
	if !ok {
		return 0, fmt.Errorf("axis %d of a tensor of rank %d, want %d to %d", axis, rank, -rank, rank-1)
	}
	return i, nil
}

// axesOf makes a list of distinct axes, in rising order.
func axesOf(axes []int64, rank int) ([]int, error) {
	list := make([]int, len(axes))
	for i, a := range axes {
		var err error
		if list[i], err = axisOf(a, rank); err != nil {
			return nil, err
		}
	}
	slices.Sort(list)
	if len(slices.Compact(slices.Clone(list))) != len(list) {
		return nil, fmt.Errorf("axes %v name an axis twice", axes)
	}
	return list, nil
}

// sizesOf converts dimensions to the typed views' number type.
func sizesOf(dims []int) []int64 {
	sizes := make([]int64, len(dims))
	for i, d := range dims {
		sizes[i] = int64(d)
	}
	return sizes
}

// dimsOf converts sizes to dimensions, none of which may be negative.
func dimsOf(sizes []int64) ([]int, error) {
	dims := make([]int, len(sizes))
	for i, s := range sizes {
		if s < 0 || s > maxElements {
			return nil, fmt.Errorf("dimensions %v, want each from 0 to %d", sizes, int64(maxElements))
		}
		dims[i] = int(s)
	}
	return dims, nil
}

// intsParam is a list of integers from a setting that may be computed:
// input i holds it then. given is false when the setting is left out.
func intsParam(p op.Param[[]int64], in []*Tensor, i int) (list []int64, given bool, err error) {
	if p.Known || !p.Given {
		return p.Value, p.Given, nil
	}
	list, err = wholeNumbers(in, i)
	return list, true, err
}

func wholeNumbers(in []*Tensor, i int) ([]int64, error) {
	t := in[i]
	if t.DType.IsFloat() || t.Rank() > 1 {
		return nil, fmt.Errorf("input %d is %v, want a list of integers", i, t)
	}
	return t.I64, nil
}

func numbers(in []*Tensor, i int) ([]float32, error) {
	t := in[i]
	if !t.DType.IsFloat() || t.Rank() > 1 {
		return nil, fmt.Errorf("input %d is %v, want a list of floating point numbers", i, t)
	}
	return t.F32, nil
}

// constant is the contents of a value that is known before the model runs, nil
// for every other value.
func constant(v *graph.Value) (*Tensor, error) {
	if v == nil {
		return nil, nil
	}
	g := op.Constant(v)
	if g == nil {
		return nil, nil
	}
	t, err := FromGraph(g)
	if err != nil {
		return nil, fmt.Errorf("constant %s: %w", v.Name(), err)
	}
	return t, nil
}
