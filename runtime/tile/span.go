package tile

import (
	"fmt"

	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// Span is one spatial axis of a value: its size when the model runs on the whole
// image and when it runs on a tile of it. Element i of the tile lies at element At+i
// of the image; those from Lo up to Hi have the bits that the whole image gives.
type Span struct {
	Full, Size, At, Lo, Hi int
}

// whole is the axis of a value of the whole image.
func whole(n int) Span { return Span{Full: n, Size: n, Hi: n} }

// clip keeps what is right inside of the tile. Nothing left is an error.
func (s Span) clip() (Span, error) {
	s.Lo, s.Hi = max(s.Lo, s.At), min(s.Hi, s.At+s.Size)
	if s.Lo >= s.Hi || s.At+s.Size > s.Full {
		return s, fmt.Errorf("a tile is too small")
	}
	return s, nil
}

// mover is what an operator does to one axis. A tile that starts at a multiple
// of the denominators of all scales, and whose size leaves the remainder that the
// image's leaves, meets windows and pads as the image does.
type mover interface {
	// scale is the size of the result over that of the input.
	scale() (num, den int)
	move(s Span) (Span, error)
}

// window is an axis that a kernel slides over: Conv, pooling, SpaceToDepth, and
// Slice, a kernel of 1 with negative pads.
type window struct{ op.Window }

// windowAxis is axis i of a window.
func windowAxis(w op.Window, i int) window {
	return window{op.Window{
		Kernel: w.Kernel[i : i+1], Stride: w.Stride[i : i+1], Dilation: w.Dilation[i : i+1],
		Pads: []int64{w.Pads[i], w.Pads[len(w.Kernel)+i]}, AutoPad: w.AutoPad, CeilMode: w.CeilMode,
	}}
}

func (w window) scale() (num, den int) { return 1, int(w.Stride[0]) }

func (w window) move(s Span) (Span, error) {
	stride, pad := int(w.Stride[0]), int(w.PadsFor([]int64{int64(s.Full)})[0])
	y := Span{
		Full: int(w.Out([]int64{int64(s.Full)})[0]),
		Size: int(w.Out([]int64{int64(s.Size)})[0]),
		At:   s.At / stride,
	}
	if s.Lo > 0 {
		y.Lo = ceilDiv(s.Lo+pad, stride)
	}
	if y.Hi = y.Full; s.Hi < s.Full {
		y.Hi = floorDiv(s.Hi+pad-int(w.Extent(0)), stride) + 1
	}
	return y.clip()
}

// winograd is the axis of a convolution by Winograd. Outputs that are computed together
// have the bits of the whole image only if all that they are computed from has.
type winograd struct{ window }

func (f winograd) move(s Span) (Span, error) {
	y, err := f.window.move(s)
	if err != nil || y.Full < ops.LeastFast {
		return y, err
	}
	if y.Size < ops.LeastFast { // would be computed in another way
		return y, fmt.Errorf("a tile is too small")
	}
	const tile = kernel.WinogradTile
	pad := int(f.PadsFor([]int64{int64(s.Full)})[0])
	if s.Lo > 0 {
		y.Lo = ceilDiv(s.Lo+pad, tile) * tile
	}
	if s.Hi < s.Full {
		y.Hi = floorDiv(s.Hi+pad-kernel.WinogradPatch, tile)*tile + tile
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

func (c spread) move(s Span) (Span, error) {
	full, pads := c.Sizes([]int64{int64(s.Full)})
	size, _ := c.Sizes([]int64{int64(s.Size)})
	stride, pad := int(c.Stride[0]), int(pads[0])
	if pads[0]+pads[1] < 0 { // added behind the last element
		pad = 0
	}
	y := Span{Full: int(full[0]), Size: int(size[0]), At: s.At * stride}
	if s.Lo > 0 {
		// Output o reads the inputs from (o+pad-extent+1)/stride on.
		y.Lo = (s.Lo-1)*stride - pad + int(c.Extent(0))
	}
	if y.Hi = y.Full; s.Hi < s.Full {
		y.Hi = s.Hi*stride - pad
	}
	return y.clip()
}

// enlarge is an axis of Resize by an integer factor, or of DepthToSpace. Output o
// reads at most around inputs before and behind o/factor.
type enlarge struct{ factor, around int }

func (e enlarge) scale() (num, den int) { return e.factor, 1 }

func (e enlarge) move(s Span) (Span, error) {
	y := Span{Full: s.Full * e.factor, Size: s.Size * e.factor, At: s.At * e.factor}
	if s.Lo > 0 {
		y.Lo = (s.Lo + e.around) * e.factor
	}
	if y.Hi = y.Full; s.Hi < s.Full {
		y.Hi = (s.Hi - e.around) * e.factor
	}
	return y.clip()
}

// border is an axis of Pad.
type border struct {
	begin, end int
	mirror     bool // reads elements up to as far inside as the pads go outside
}

func (b border) scale() (num, den int) { return 1, 1 }

func (b border) move(s Span) (Span, error) {
	y := Span{Full: s.Full + b.begin + b.end, Size: s.Size + b.begin + b.end, At: s.At}
	if s.Lo > 0 {
		y.Lo = s.Lo + b.begin
	}
	if y.Hi = y.Full; s.Hi < s.Full {
		y.Hi = s.Hi + b.begin
	}
	cut := s.Lo > 0 || s.Hi < s.Full
	if b.mirror && cut && max(b.begin, b.end) >= s.Hi-s.Lo {
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
