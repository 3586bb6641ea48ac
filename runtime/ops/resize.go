package ops

import (
	"fmt"
	"math"

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
		if z.Mode == "nearest" {
			return one(nearest(env, x, z, plan)), nil
		}
		if err := wantFloat(x); err != nil {
			return nil, fmt.Errorf("mode %s: %w", z.Mode, err)
		}
		return one(resample(env, x, z, plan)), nil
	}, nil
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

// resizeAxis is how one axis is resized.
type resizeAxis struct {
	in, out    int
	scale      float64 // out over in, as stated or rounded
	exact      bool    // scale is out/in, not a number of its own
	start, end float64 // the region of tf_crop_and_resize
	mode       string  // the coordinate transformation
}

// planResize decides the sizes of all axes from scales or sizes, each a constant
// or an input.
func planResize(z op.Resize, n *graph.Node, in []*Tensor) ([]resizeAxis, error) {
	x := in[0]
	plan := make([]resizeAxis, x.Rank())
	for i, d := range x.Dims {
		plan[i] = resizeAxis{in: d, out: d, scale: 1, exact: true, end: 1, mode: z.Coordinate}
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
			plan[a].start, plan[a].end = float64(roi[i]), float64(roi[len(axes)+i])
		}
	}
	if z.Scales.Given {
		err = planScales(plan, axes, z, in)
	} else {
		err = planSizes(plan, axes, z, in)
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
		p.scale = float64(scales[i])
		p.exact = false
		size := float64(float32(p.in) * scales[i])
		if z.Coordinate == "tf_crop_and_resize" {
			size = float64(p.in) * (p.end - p.start) * p.scale
		}
		if !(p.scale > 0) || size < 0 || size > maxElements {
			return fmt.Errorf("scales %v for %v give a size of %v", scales, in[0], size)
		}
		p.out = int(math.Floor(size))
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
	common := math.NaN()
	for i, a := range axes {
		p := &plan[a]
		p.out = sizes[i]
		p.scale = float64(p.out) / float64(p.in)
		switch {
		case math.IsNaN(common):
			common = p.scale
		case z.Policy == "not_larger":
			common = math.Min(common, p.scale)
		case z.Policy == "not_smaller":
			common = math.Max(common, p.scale)
		}
	}
	if z.Policy != "stretch" {
		for _, a := range axes {
			p := &plan[a]
			p.scale, p.exact = common, false
			p.out = int(math.Floor(float64(common*float64(p.in)) + 0.5))
		}
	}
	return checkResize(plan, in[0])
}

func checkResize(plan []resizeAxis, x *Tensor) error {
	for i, p := range plan {
		if p.in == 0 && p.out > 0 {
			return fmt.Errorf("axis %d of %v is empty, want elements to resize", i, x)
		}
	}
	return nil
}

// unscale is i/scale, exact where the division is.
func (a resizeAxis) unscale(i float64) float64 {
	if a.exact {
		return i * float64(a.in) / float64(a.out)
	}
	return i / a.scale
}

// source is the place in the input, in elements, that output element i shows.
func (a resizeAxis) source(i int) float64 {
	x, in, out := float64(i), float64(a.in), float64(a.out)
	switch a.mode {
	case "asymmetric":
		return a.unscale(x)
	case "tf_half_pixel_for_nn":
		return a.unscale(x + 0.5)
	case "align_corners":
		if a.out == 1 {
			return 0
		}
		return x * (in - 1) / (out - 1)
	case "pytorch_half_pixel":
		if a.out == 1 {
			return 0
		}
	case "half_pixel_symmetric":
		adjustment := 1.0
		if !a.exact {
			adjustment = out / float64(a.scale*in)
		}
		return float64(in/2*(1-adjustment)) + a.unscale(x+0.5) - 0.5
	case "tf_crop_and_resize":
		if a.out == 1 {
			return 0.5 * (a.start + a.end) * (in - 1)
		}
		return float64(a.start*(in-1)) + x*(a.end-a.start)*(in-1)/(out-1)
	}
	return a.unscale(x+0.5) - 0.5 // half_pixel
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

// nearest is the element nearest to a place, by one of the values of nearest_mode.
func (a resizeAxis) nearest(at float64, mode string) int {
	return int(math.Max(0, math.Min(float64(a.in-1), roundBy(mode, at))))
}

// roundBy makes a place an integer by one of the values of nearest_mode.
func roundBy(mode string, x float64) float64 {
	switch mode {
	case "floor":
		return math.Floor(x)
	case "ceil":
		return math.Ceil(x)
	case "round_prefer_ceil":
		return math.Floor(x + 0.5)
	}
	return math.Ceil(x - 0.5)
}
