package tile

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph/op"
)

// channelAxis is the only axis, but for rows and columns, along which operators
// that cut and join images may work.
const channelAxis = 1

// onChannels requires an axis, possibly counted from the end, to be that of the
// channels.
func onChannels(axis int64) error {
	if a, ok := op.Axis(axis, 4); !ok || a != channelAxis {
		return fmt.Errorf("works along axis %d, want the channels", axis)
	}
	return nil
}

func (r *Fields) concat(u *rule) error {
	c, err := op.ConcatOf(u.node)
	if err == nil {
		err = onChannels(c.Axis)
	}
	if err != nil {
		return err
	}
	for i, v := range c.Xs {
		if !r.image(v) {
			return fmt.Errorf("input %d does not depend on the image and has a size of its own", i)
		}
	}
	u.channels = func(in []Area) []Area {
		y := in[0]
		for _, a := range in[1:] {
			y.C += a.C
		}
		return []Area{y}
	}
	return nil
}

func (r *Fields) split(u *rule) error {
	s, err := op.SplitOf(u.node, r.net.Opset)
	if err == nil {
		err = onChannels(s.Axis)
	}
	if err == nil && s.Sizes.Given {
		_, err = s.Sizes.Constant()
	}
	if err != nil {
		return err
	}
	u.channels = func(in []Area) []Area {
		left := in[0].C
		list := make([]Area, s.Parts)
		for i := range list {
			list[i] = in[0]
			if s.Sizes.Given {
				list[i].C = int(s.Sizes.Value[i])
				continue
			}
			list[i].C = max(min(ceilDiv(in[0].C, int(s.Parts)), left), 0)
			left -= list[i].C
		}
		return list
	}
	return nil
}

func (r *Fields) softmax(u *rule) error {
	s, err := op.SoftmaxOf(u.node, r.net.Opset)
	if err == nil && s.Flattened {
		err = fmt.Errorf("normalises over rows and columns too")
	}
	if err == nil {
		err = onChannels(s.Axis)
	}
	return err
}

func (r *Fields) reduce(u *rule) error {
	d, err := op.ReduceOf(u.node, r.net.Opset)
	if err != nil {
		return err
	}
	axes, err := d.AxesFor(4)
	if err != nil || len(axes) == 0 {
		return err
	}
	if !slices.Equal(axes, []int{channelAxis}) || !d.KeepDims {
		return fmt.Errorf("reduces axes %v, want the channels alone, kept", axes)
	}
	u.gives(1)
	return nil
}

// mostCut bounds what a Slice takes off a side.
const mostCut = 1 << 20

// slice cuts channels, and rows and columns off the sides.
func (r *Fields) slice(u *rule) error {
	s, err := op.SliceOf(u.node, r.net.Opset)
	if err != nil {
		return err
	}
	for _, p := range []op.Param[[]int64]{s.Starts, s.Ends, s.Axes, s.Steps} {
		if _, err := p.Constant(); p.Given && err != nil {
			return err
		}
	}
	type cut struct{ start, end, step int64 }
	all := cut{0, math.MaxInt64, 1}
	cuts := [4]cut{all, all, all, all}
	for i, start := range s.Starts.Value {
		axis, step := int64(i), int64(1)
		if s.Axes.Given {
			axis = s.Axes.Value[i]
		}
		if s.Steps.Given {
			step = s.Steps.Value[i]
		}
		a, ok := op.Axis(axis, 4)
		if !ok {
			return fmt.Errorf("axis %d of an image", axis)
		}
		cuts[a] = cut{start, s.Ends.Value[i], step}
	}
	if c := cuts[0]; c.start != 0 || c.end < math.MaxInt32 || c.step != 1 {
		return fmt.Errorf("cuts the batch")
	}
	for axis, c := range cuts[2:] {
		toEnd := c.end < 0 && c.end > -mostCut || c.end >= math.MaxInt32
		if c.start < 0 || c.start > mostCut || !toEnd || c.step < 1 || c.step > mostScale {
			return fmt.Errorf("cuts rows or columns %d:%d:%d, want a start counted from the first "+
				"and an end from the last", c.start, c.end, c.step)
		}
		// A kernel of one element; what is cut off is padding of less than nothing.
		u.axes[axis] = window{op.Window{Kernel: []int64{1}, Stride: []int64{c.step},
			Dilation: []int64{1}, Pads: []int64{-c.start, min(c.end, 0)}}}
	}
	c := cuts[channelAxis]
	u.channels = func(in []Area) []Area {
		return []Area{{N: in[0].N, C: sliceLen(c.start, c.end, c.step, int64(in[0].C))}}
	}
	return nil
}

// sliceLen is the number of elements of start:end:step of an axis of size n.
func sliceLen(start, end, step, n int64) int {
	lo, hi := int64(0), n
	if step < 0 {
		lo, hi = -1, n-1
	}
	bound := func(b int64) int64 {
		if b < 0 && b >= math.MinInt64+n {
			b += n
		}
		return max(lo, min(hi, b))
	}
	first, last := bound(start), bound(end)
	if step < 0 {
		first, last, step = last, first, -step
	}
	return int(max(0, last-first+step-1) / step)
}
