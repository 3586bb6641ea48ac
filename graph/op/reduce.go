package op

import (
	"slices"

	"spikingir/graph"
)

// Reduce is one of the Reduce operators over Axes, or over all axes when none are given.
type Reduce struct {
	Axes     Param[[]int64] // negative: from the end
	KeepDims bool
	NoOp     bool // no axes: the identity instead of all axes
	X        *graph.Value
}

// ReduceOf decodes one of the Reduce operators.
func ReduceOf(n *graph.Node, opset int64) (Reduce, error) {
	r := read(n)
	moved := int64(18)
	if n.Is("ReduceSum") {
		moved = 13
	}
	d := Reduce{
		X: r.input(0, "data"), Axes: r.intsParam("axes", 1, opset, moved),
		KeepDims: r.bool("keepdims", true),
	}
	if opset >= moved {
		d.NoOp = r.bool("noop_with_empty_axes", false)
	}
	return d, r.err
}

// AxesFor is the axes reduced of a tensor of the given rank, ascending. They
// must be constant.
func (d Reduce) AxesFor(rank int) ([]int, error) {
	list, err := d.Axes.Constant()
	if err != nil {
		return nil, err
	}
	var axes []int
	for _, a := range list {
		axis, ok := Axis(a, rank)
		if !ok || slices.Contains(axes, axis) {
			return nil, Errorf(d.Axes.node, "axes are %v, want different axes of a tensor of rank %d",
				list, rank)
		}
		axes = append(axes, axis)
	}
	if len(list) == 0 && !d.NoOp {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	slices.Sort(axes)
	return axes, nil
}

// Arg is ArgMax or ArgMin: the index of the largest or smallest element along Axis.
type Arg struct {
	Axis     int64 // negative: from the end
	KeepDims bool
	Last     bool // of equal elements take the last
	X        *graph.Value
}

// ArgOf decodes an ArgMax or an ArgMin.
func ArgOf(n *graph.Node) (Arg, error) {
	r := read(n)
	a := Arg{X: r.input(0, "data"), Axis: r.int("axis", 0), KeepDims: r.bool("keepdims", true),
		Last: r.bool("select_last_index", false)}
	return a, r.err
}
