package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func runSlice(s op.Slice, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	ranges := must(sliceRanges(s, in))
	dims, strides := slices.Clone(x.Dims), stridesOf(x.Dims)
	base := 0
	for _, r := range ranges {
		first, count := op.SliceRange(int64(x.Dims[r.axis]), r.start, r.end, r.step)
		if count > 0 {
			base += int(first) * strides[r.axis]
		}
		dims[r.axis] = int(count)
		strides[r.axis] *= int(max(min(r.step, int64(x.Len())), -int64(x.Len())))
	}
	return one(arrange(env, x, dims, strides, base)), nil
}

// sliceRange is start:end:step of one axis.
type sliceRange struct {
	axis             int
	start, end, step int64
}

// sliceRanges collects the settings of a Slice, each a constant or an input.
func sliceRanges(s op.Slice, in []*Tensor) ([]sliceRange, error) {
	var lists [4][]int64
	for i, p := range []op.Param[[]int64]{s.Starts, s.Ends, s.Axes, s.Steps} {
		list, given := mustBoth(intsParam(p, in, i+1))
		for k := range lists[0] {
			switch {
			case given:
			case i == 2:
				list = append(list, int64(k))
			default:
				list = append(list, 1)
			}
		}
		if i > 0 && len(list) != len(lists[0]) {
			return nil, fmt.Errorf("input %d has %d entries, want %d as the starts have",
				i+1, len(list), len(lists[0]))
		}
		lists[i] = list
	}
	must(axesOf(lists[2], in[0].Rank()))
	ranges := make([]sliceRange, len(lists[0]))
	for k := range ranges {
		axis, _ := op.Axis(lists[2][k], in[0].Rank())
		ranges[k] = sliceRange{axis, lists[0][k], lists[1][k], lists[3][k]}
		if lists[3][k] == 0 {
			return nil, fmt.Errorf("step of axis %d is 0, want another number", axis)
		}
	}
	return ranges, nil
}

func runPad(p op.Pad, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	pads := must(padsFor(p, in))
	value := must(padValue(p, in))
	index := make([][]int, x.Rank())
	lengths := make([]int, x.Rank())
	for i, d := range x.Dims {
		lengths[i] = max(0, d+int(pads[i]+pads[len(index)+i]))
	}
	env.claimLists(lengths, 8)
	for i, d := range x.Dims {
		begin, end := pads[i], pads[len(index)+i]
		var err error
		if index[i], err = padded(p.Mode, d, begin, end); err != nil {
			return nil, fmt.Errorf("axis %d of %v: %w", i, x, err)
		}
	}
	return one(pick(env, x, index, value)), nil
}

// padsFor is the pads (begin..., end...) of every axis.
func padsFor(p op.Pad, in []*Tensor) ([]int64, error) {
	rank := in[0].Rank()
	list, _ := mustBoth(intsParam(p.Pads, in, 1))
	named, given := mustBoth(intsParam(p.Axes, in, 3))
	axes := span(rank)
	if given {
		must(axesOf(named, rank))
		axes = nil
		for _, a := range named {
			axis, _ := op.Axis(a, rank)
			axes = append(axes, axis)
		}
	}
	if len(list) != 2*len(axes) {
		return nil, fmt.Errorf("pads %v for %v, want %d", list, in[0], 2*len(axes))
	}
	pads := make([]int64, 2*rank)
	for i, a := range axes {
		pads[a], pads[rank+a] = list[i], list[len(axes)+i]
	}
	for _, v := range pads {
		if v > maxElements || v < -maxElements {
			return nil, fmt.Errorf("pads %v are too large", list)
		}
	}
	return pads, nil
}

// padValue is the element that constant padding adds, nil for 0.
func padValue(p op.Pad, in []*Tensor) (*Tensor, error) {
	v := optional(in, 2)
	switch {
	case v == nil && p.Value.Given:
		return castTo(&Env{}, Floats([]float32{p.Value.Value}), in[0].DType), nil
	case v == nil:
		return nil, nil
	case v.Len() != 1 || v.DType != in[0].DType:
		return nil, fmt.Errorf("input 2 (value) is %v, want one element of type %v", v, in[0].DType)
	}
	return v, nil
}

// padded lists the elements of an axis of size n after padding.
func padded(mode string, n int, begin, end int64) ([]int, error) {
	total := int64(n) + begin + end
	if total < 0 || total > maxElements {
		return nil, fmt.Errorf("pads %d and %d leave %d elements", begin, end, total)
	}
	if n == 0 && total > 0 && mode != "constant" {
		return nil, fmt.Errorf("mode %s has no element to repeat", mode)
	}
	list := make([]int, total)
	for i := range list {
		list[i] = padSource(mode, i-int(begin), n)
	}
	return list, nil
}

// padSource is the element that position i of an axis of size n shows, i
// counting from its first element.
func padSource(mode string, i, n int) int {
	switch {
	case i >= 0 && i < n:
		return i
	case mode == "edge":
		return max(0, min(i, n-1))
	case mode == "wrap":
		return (i%n + n) % n
	case mode == "reflect" && n == 1:
		return 0
	case mode == "reflect":
		period := 2 * (n - 1)
		i = (i%period + period) % period
		return min(i, period-i)
	}
	return outside
}

func runTile(t op.Tile, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	list, _ := mustBoth(intsParam(t.Repeats, in, 1))
	repeats := must(dimsOf(list))
	if len(repeats) != x.Rank() {
		return nil, fmt.Errorf("repeats %v for %v, want %d entries", repeats, x, x.Rank())
	}
	from := stridesOf(x.Dims)
	var dims, strides, result []int
	for i, d := range x.Dims {
		dims, strides = append(dims, repeats[i], d), append(strides, 0, from[i])
		if d > 0 && repeats[i] > maxElements/d {
			return nil, fmt.Errorf("repeats %v for %v are too large", repeats, x)
		}
		result = append(result, repeats[i]*d)
	}
	return one(arrange(env, x, dims, strides, 0).view(result)), nil
}

// runExpand broadcasts with a shape in both directions.
func runExpand(e op.Expand, env *Env, in []*Tensor) ([]*Tensor, error) {
	list, _ := mustBoth(intsParam(e.Shape, in, 1))
	shape := must(dimsOf(list))
	dims := must(broadcastDims(in[0], &Tensor{DType: in[0].DType, Dims: shape}))
	return one(arrange(env, in[0], dims, broadcastStrides(dims, in[0].Dims), 0)), nil
}

// runGather takes slices of an axis by index; a negative index counts from the
// end.
func runGather(g op.Gather, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, indices := in[0], in[1]
	axis := must(axisOf(g.Axis, x.Rank()))
	if indices.DType != graph.Int64 && indices.DType != graph.Int32 {
		return nil, fmt.Errorf("input 1 (indices) is of type %v, want int32 or int64", indices.DType)
	}
	dims := slices.Concat(x.Dims[:axis], indices.Dims, x.Dims[axis+1:])
	y := env.alloc(x.DType, dims)
	count, block := product(x.Dims[:axis]), product(x.Dims[axis+1:])
	for k, i := range indices.I64 {
		at, ok := op.Axis(i, x.Dims[axis])
		if !ok {
			return nil, fmt.Errorf("index %d of axis %d of %v, want %d to %d",
				i, axis, x, -x.Dims[axis], x.Dims[axis]-1)
		}
		copyBlocks(y, x, count, block, len(indices.I64)*block, k*block,
			x.Dims[axis]*block, at*block)
	}
	return one(y), nil
}
