package ops

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// bindResize is Resize, or Upsample, which package op turns into one.
func bindResize(n *graph.Node, opset int64) (runner, error) {
	z, err := op.ResizeOf(n, opset)
	if err != nil {
		return nil, err
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		x := in[0]
		plan := must(planResize(z, n, in))
		if dims := resized(plan); product(dims) == 0 { // however long the other axes are
			return one(env.alloc(x.DType, dims)), nil
		}
		claimAxes(env, plan, z)
		if z.Mode == "nearest" {
			return one(nearest(env, x, z, plan)), nil
		}
		if err := wantFloat(x); err != nil {
			return nil, fmt.Errorf("mode %s: %w", z.Mode, err)
		}
		return one(resample(env, x, z, plan)), nil
	}, nil
}

// claimAxes claims memory for what is computed for each place along the axes of a result: an index,
// or a list of weights, which is as long as the filter is wide.
func claimAxes(env *Env, plan []resizeAxis, z op.Resize) {
	bytes := 0.0
	for _, a := range plan {
		each := 8.0
		if z.Mode != "nearest" {
			const slice, tap = 24, 16
			each = slice + tap*max(4, 2*a.width(z))
		}
		bytes += each * float64(a.out)
	}
	env.claim(int64(min(bytes, math.MaxInt64/2)))
}

// ResizeTaps decodes a Resize or Upsample into what it does along each axis of its
// input, whose elements it is linear in: from the inputs of the node (the first for
// its type and dimensions) it makes a list for each axis and each coordinate of the
// result, of the elements whose weighted sum stands there. The list is empty where
// the extrapolation value does.
func ResizeTaps(n *graph.Node, opset int64) (func(in []*Tensor) ([][][]Tap, error), error) {
	z, err := op.ResizeOf(n, opset)
	if err != nil {
		return nil, err
	}
	return func(in []*Tensor) ([][][]Tap, error) {
		plan, err := planResize(z, n, in)
		if err != nil {
			return nil, err
		}
		list := make([][][]Tap, len(plan))
		for i, a := range plan {
			list[i] = make([][]Tap, a.out)
			for o := range list[i] {
				switch at := a.source(o); {
				case a.extrapolated(at):
				case z.Mode == "nearest":
					list[i][o] = []Tap{{a.nearest(at, z.Nearest), 1}}
				default:
					list[i][o] = a.taps(at, z)
				}
			}
		}
		return list, nil
	}, nil
}

// resizeAxis is how one axis is resized. Places are float32, with a rounding at every step,
// as other runtimes have them, so that one that falls between two elements falls to the
// same side. A whole factor is divided by in float64: the place within an element is then
// the same anywhere in an image, which tiles rely on.
type resizeAxis struct {
	in, out    int
	scale      float32 // out over in, as stated or rounded
	start, end float32 // the region of tf_crop_and_resize
	mode       string  // the coordinate transformation
}

// unchanged reports whether all axes keep their sizes, whatever the factors are that gave
// them. As in other runtimes nothing is resampled then, and with antialiasing no such axis.
func unchanged(plan []resizeAxis) bool {
	return !slices.ContainsFunc(plan, func(a resizeAxis) bool {
		return a.in != a.out || a.mode == "tf_crop_and_resize"
	})
}

// planResize decides the sizes of all axes from scales or sizes, each a constant
// or an input.
func planResize(z op.Resize, n *graph.Node, in []*Tensor) ([]resizeAxis, error) {
	x := in[0]
	plan := make([]resizeAxis, x.Rank())
	for i, d := range x.Dims {
		plan[i] = resizeAxis{in: d, out: d, scale: 1, end: 1, mode: z.Coordinate}
	}
	axes, err := z.AxesFor(n, x.Rank())
	if err != nil {
		return nil, err
	}
	if z.Coordinate == "tf_crop_and_resize" {
		roi, err := floatsParam(z.ROI, in, 1)
		if err != nil {
			return nil, err
		}
		if len(roi) != 2*len(axes) {
			return nil, fmt.Errorf("roi is %v, want %d numbers", roi, 2*len(axes))
		}
		for i, a := range axes {
			plan[a].start, plan[a].end = roi[i], roi[len(axes)+i]
		}
	}
	if z.Scales.Given {
		err = planScales(plan, axes, z, in)
	} else {
		err = planSizes(plan, axes, z, in)
	}
	all := unchanged(plan)
	for i := range plan {
		if all || z.Antialias && unchanged(plan[i:i+1]) {
			plan[i].scale = 1
		}
	}
	return plan, err
}

// floatsParam is a list of numbers from a setting that may be computed: input i
// holds it then.
func floatsParam(p op.Param[[]float32], in []*Tensor, i int) ([]float32, error) {
	if p.Known {
		return p.Value, nil
	}
	return numbers(in, i)
}

// planScales sets sizes to floor(in * scale), computed in float32.
func planScales(plan []resizeAxis, axes []int, z op.Resize, in []*Tensor) error {
	at := 2
	if z.Scales.From != nil && len(in) == 2 { // before opset 11
		at = 1
	}
	scales, err := floatsParam(z.Scales, in, at)
	if err != nil {
		return err
	}
	if len(scales) != len(axes) {
		return fmt.Errorf("scales %v for %v, want %d", scales, in[0], len(axes))
	}
	for i, a := range axes {
		p := &plan[a]
		p.scale = scales[i]
		size := float32(float32(p.in) * p.scale)
		if !(p.scale > 0) || !(size <= maxElements) {
			return fmt.Errorf("scales %v for %v give a size of %v", scales, in[0], size)
		}
		p.out = int(size)
	}
	return checkResize(plan, in[0])
}

// planSizes sets the sizes stated, or the nearest ones of the input's aspect
// ratio.
func planSizes(plan []resizeAxis, axes []int, z op.Resize, in []*Tensor) error {
	list, _, err := intsParam(z.Sizes, in, 3)
	if err != nil {
		return err
	}
	sizes, err := dimsOf(list)
	if err != nil {
		return err
	}
	if len(sizes) != len(axes) {
		return fmt.Errorf("sizes %v for %v, want %d", sizes, in[0], len(axes))
	}
	common := float32(math.NaN())
	for i, a := range axes {
		p := &plan[a]
		p.out = sizes[i]
		p.scale = float32(p.out) / float32(p.in)
		switch {
		case p.in == 0: // which has no ratio
		case common != common:
			common = p.scale
		case z.Policy == "not_larger":
			common = min(common, p.scale)
		case z.Policy == "not_smaller":
			common = max(common, p.scale)
		}
	}
	if z.Policy != "stretch" && common == common {
		for _, a := range axes {
			p := &plan[a]
			p.scale = common
			p.out = int(math.Round(float64(float32(common * float32(p.in)))))
		}
	}
	return checkResize(plan, in[0])
}

// checkResize refuses a result that nothing can be taken for, or that is too large: lists are
// made for each axis before there is a tensor.
func checkResize(plan []resizeAxis, x *Tensor) error {
	for i, p := range plan {
		if p.in == 0 && p.out != 0 {
			return fmt.Errorf("axis %d of %v is empty, want elements to resize", i, x)
		}
	}
	if dims := resized(plan); !Sizeable(dims) {
		return fmt.Errorf("result %v%v is too large, want at most %d elements", x.DType, dims, int64(maxElements))
	}
	return nil
}

// resized is the dimensions of the result.
func resized(plan []resizeAxis) []int {
	dims := make([]int, len(plan))
	for i, p := range plan {
		dims[i] = p.out
	}
	return dims
}

// source is the place in the input, in elements, that output element i shows. Factor 1
// leaves an axis as it is, unless a region is cut out of it.
func (a resizeAxis) source(i int) float64 {
	x, in, out := float32(i), float32(a.in), float32(a.out)
	switch {
	case a.mode == "tf_crop_and_resize" && a.out == 1:
		return float64(float32(0.5 * float64(a.start+a.end) * float64(in-1)))
	case a.mode == "tf_crop_and_resize":
		step := float32(float32(x*(a.end-a.start)) * (in - 1))
		return float64(float32(a.start*(in-1)) + step/(out-1))
	case a.scale == 1:
		return float64(x)
	case a.mode == "align_corners" && a.out == 1, a.mode == "pytorch_half_pixel" && a.out == 1:
		return 0
	case a.mode == "align_corners":
		return float64(float32(x*(in-1)) / (out - 1))
	case a.mode == "asymmetric":
		return a.unscale(x, 0)
	case a.mode == "tf_half_pixel_for_nn":
		return a.unscale(x+0.5, 0)
	case a.mode == "half_pixel_symmetric":
		adjustment := out / float32(a.scale*in)
		offset := float32(in / 2 * (1 - adjustment))
		return float64(float32(float64(offset) + (float64(x)+0.5)/float64(a.scale) - 0.5))
	}
	return a.unscale(x+0.5, 0.5) // half_pixel
}

// unscale is x/scale - back.
func (a resizeAxis) unscale(x, back float32) float64 {
	if a.scale == float32(math.Trunc(float64(a.scale))) {
		return float64(x)/float64(a.scale) - float64(back)
	}
	return float64(x/a.scale - back)
}

// extrapolated reports whether a place lies where tf_crop_and_resize puts the
// extrapolation value.
func (a resizeAxis) extrapolated(x float64) bool {
	return a.mode == "tf_crop_and_resize" && (x < 0 || x > float64(a.in-1))
}

// nearest copies, for every output element, the input element nearest to its
// place.
func nearest(env *Env, x *Tensor, z op.Resize, plan []resizeAxis) *Tensor {
	index := make([][]int, len(plan))
	for i, a := range plan {
		index[i] = make([]int, a.out)
		for o := range index[i] {
			at := a.source(o)
			if a.extrapolated(at) {
				index[i][o] = outside
				continue
			}
			index[i][o] = a.nearest(at, z.Nearest)
		}
	}
	value := castTo(&Env{}, Floats([]float32{z.Outside}), x.DType)
	return pick(env, x, index, value)
}

// almostHalf is how far from the middle between two elements a place still counts as in it.
const almostHalf = 1e-6

// nearest is the element nearest to a place, by one of the values of nearest_mode.
func (a resizeAxis) nearest(x float64, mode string) int {
	low := math.Floor(x)
	half := math.Abs(x-low-0.5) < almostHalf
	switch {
	case mode == "floor", mode == op.TowardsStart && a.scale >= 1, mode == "round_prefer_floor" && half:
		x = low
	case mode == "ceil", mode == op.TowardsStart, mode == "round_prefer_ceil" && half:
		x = math.Ceil(x)
	default:
		x = math.Floor(x + 0.5)
	}
	return int(math.Max(0, math.Min(float64(a.in-1), x)))
}
