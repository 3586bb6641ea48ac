package exec

import (
	"fmt"

	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// span is one spatial axis of a value: its size when the model runs on the whole
// frame and when it runs on a tile of it. Element i of the tile lies at element
// at+i of the frame; those from lo up to hi have the bits that the whole frame
// gives.
type span struct {
	full, size, at, lo, hi int
}

// whole is the axis of a value of the whole frame.
func whole(n int) span { return span{full: n, size: n, hi: n} }

// clip keeps what is right inside of the tile. Nothing left is an error.
func (s span) clip() (span, error) {
	s.lo, s.hi = max(s.lo, s.at), min(s.hi, s.at+s.size)
	if s.lo >= s.hi || s.at+s.size > s.full {
		return s, fmt.Errorf("a tile is too small")
	}
	return s, nil
}

// mover is what an operator does to one axis. A tile that starts at a multiple
// of the denominators of all scales, and whose size leaves the remainder that the
// frame's leaves, meets windows and pads as the frame does.
type mover interface {
	// scale is the size of the result over that of the input.
	scale() (num, den int)
	move(s span) (span, error)
}

// window is an axis that a kernel slides over: Conv, pooling, SpaceToDepth, and
// Slice, a kernel of 1 with negative pads.
type window struct{ op.Window }

// windowAxis is axis i of a window.
func windowAxis(w op.Window, i int) window {
	k := len(w.Kernel)
	one := func(list []int64, i int) []int64 { return list[i : i+1] }
	return window{op.Window{
		Kernel: one(w.Kernel, i), Stride: one(w.Stride, i), Dilation: one(w.Dilation, i),
		Pads: []int64{w.Pads[i], w.Pads[k+i]}, AutoPad: w.AutoPad, CeilMode: w.CeilMode,
	}}
}

func (w window) scale() (num, den int) { return 1, int(w.Stride[0]) }

func (w window) move(s span) (span, error) {
	stride, pad := int(w.Stride[0]), int(w.PadsFor([]int64{int64(s.full)})[0])
	y := span{
		full: int(w.Out([]int64{int64(s.full)})[0]),
		size: int(w.Out([]int64{int64(s.size)})[0]),
		at:   s.at / stride,
	}
	if s.lo > 0 {
		y.lo = ceilDiv(s.lo+pad, stride)
	}
	if y.hi = y.full; s.hi < s.full {
		y.hi = floorDiv(s.hi+pad-int(w.Reach(0)), stride) + 1
	}
	return y.clip()
}

// filtered is the axis of a convolution by minimal filtering. Outputs that are
// computed together have the bits of the whole frame only if all that they are
// computed from has.
type filtered struct{ window }

func (f filtered) move(s span) (span, error) {
	y, err := f.window.move(s)
	if err != nil || y.full < ops.LeastFast {
		return y, err
	}
	if y.size < ops.LeastFast { // would be computed in another way
		return y, fmt.Errorf("a tile is too small")
	}
	const tile = kernel.WinogradTile
	pad := int(f.PadsFor([]int64{int64(s.full)})[0])
	if s.lo > 0 {
		y.lo = ceilDiv(s.lo+pad, tile) * tile
	}
	if s.hi < s.full {
		y.hi = floorDiv(s.hi+pad-kernel.WinogradReach, tile)*tile + tile
	}
	return y.clip()
}

// spread is an axis of a ConvTranspose.
type spread struct{ op.ConvTranspose }

func spreadAxis(c op.ConvTranspose, i int) spread {
	return spread{op.ConvTranspose{
		Window: windowAxis(c.Window, i).Window, OutputPadding: c.OutputPadding[i : i+1],
	}}
}

func (c spread) scale() (num, den int) { return int(c.Stride[0]), 1 }

func (c spread) move(s span) (span, error) {
	full, pads := c.Sizes([]int64{int64(s.full)})
	size, _ := c.Sizes([]int64{int64(s.size)})
	stride, pad := int(c.Stride[0]), int(pads[0])
	if pads[0]+pads[1] < 0 { // added behind the last element
		pad = 0
	}
	y := span{full: int(full[0]), size: int(size[0]), at: s.at * stride}
	if s.lo > 0 {
		// Output o reads the inputs from (o+pad-reach+1)/stride on.
		y.lo = (s.lo-1)*stride - pad + int(c.Reach(0))
	}
	if y.hi = y.full; s.hi < s.full {
		y.hi = s.hi*stride - pad
	}
	return y.clip()
}

// enlarge is an axis of Resize by a whole factor, or of DepthToSpace. Output o
// reads at most reach inputs before and behind o/factor.
type enlarge struct{ factor, reach int }

func (e enlarge) scale() (num, den int) { return e.factor, 1 }

func (e enlarge) move(s span) (span, error) {
	y := span{full: s.full * e.factor, size: s.size * e.factor, at: s.at * e.factor}
	if s.lo > 0 {
		y.lo = (s.lo + e.reach) * e.factor
	}
	if y.hi = y.full; s.hi < s.full {
		y.hi = (s.hi - e.reach) * e.factor
	}
	return y.clip()
}

// border is an axis of Pad.
type border struct {
	begin, end int
	mirror     bool // reads elements up to as far inside as the pads go outside
}

func (b border) scale() (num, den int) { return 1, 1 }

func (b border) move(s span) (span, error) {
	y := span{full: s.full + b.begin + b.end, size: s.size + b.begin + b.end, at: s.at}
	if s.lo > 0 {
		y.lo = s.lo + b.begin
	}
	if y.hi = y.full; s.hi < s.full {
		y.hi = s.hi + b.begin
	}
	cut := s.lo > 0 || s.hi < s.full
	if b.mirror && cut && max(b.begin, b.end) >= s.hi-s.lo {
		return y, fmt.Errorf("a tile is too small for the pads")
	}
	return y.clip()
}

// floorDiv is a/b rounded down, b > 0.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ceilDiv is a/b rounded up, b > 0.
func ceilDiv(a, b int) int { return -floorDiv(-a, b) }
