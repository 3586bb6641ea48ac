package op

import "spikingir/graph"

// TowardsStart is the rounding of opset 10 and before, which state none: down where an axis
// is enlarged, up where it is shrunk.
const TowardsStart = "towards_start"

// Resize resamples X. Exactly one of Scales and Sizes is given; their entries
// belong to Axes, or to all axes when those are nil. Upsample comes out as the
// Resize that means the same.
type Resize struct {
	Mode       string // nearest, linear, cubic
	Coordinate string // coordinate_transformation_mode
	Nearest    string // nearest_mode, or TowardsStart
	Policy     string // keep_aspect_ratio_policy
	CubicA     float32
	Outside    float32 // extrapolation_value
	Exclude    bool    // exclude_outside
	Antialias  bool
	Axes       []int64 // nil: all
	Scales     Param[[]float32]
	Sizes      Param[[]int64]
	ROI        Param[[]float32]
	X          *graph.Value
}

// ResizeOf decodes a Resize, or an Upsample.
func ResizeOf(n *graph.Node, opset int64) (Resize, error) {
	r := read(n)
	z := Resize{
		X: r.input(0, "X"), Coordinate: "asymmetric", Nearest: TowardsStart, Policy: "stretch",
		CubicA: -0.75,
		Sizes:  Param[[]int64]{Known: true, node: n, name: "sizes"},
		ROI:    Param[[]float32]{Known: true, node: n, name: "roi"},
	}
	switch {
	case n.Is("Upsample") && opset < 9:
		scales := required[graph.Floats](r, "scales")
		z.Scales = Param[[]float32]{Given: true, Known: true, Value: scales, node: n, name: "scales"}
	case n.Is("Upsample") || opset < 11:
		z.Scales = r.floatsParam("scales", 1)
	default:
		r.resize11(&z)
	}
	z.Mode = r.word("mode", "nearest", "linear", "cubic")
	if z.Scales.Given == z.Sizes.Given {
		r.failf("found scales given: %t, sizes given: %t; want exactly one of them",
			z.Scales.Given, z.Sizes.Given)
	}
	for _, s := range z.Scales.Value {
		if !(s > 0) || s > maxWindow {
			r.failf("scales are %v, want numbers above 0", z.Scales.Value)
			break
		}
	}
	return z, r.err
}

// resize11 decodes what came with opset 11 and later. An empty constant stands
// for an omitted input.
func (r *reader) resize11(z *Resize) {
	z.Coordinate = r.word("coordinate_transformation_mode", "half_pixel",
		"half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
		"tf_half_pixel_for_nn", "tf_crop_and_resize")
	z.Nearest = r.word("nearest_mode", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
	z.Policy = r.word("keep_aspect_ratio_policy", "stretch", "not_larger", "not_smaller")
	z.CubicA = r.float("cubic_coeff_a", -0.75)
	z.Outside = r.float("extrapolation_value", 0)
	z.Exclude = r.int("exclude_outside", 0) != 0
	z.Antialias = r.int("antialias", 0) != 0
	z.Axes = r.ints("axes")
	z.ROI = r.floatsParam("roi", 1)
	z.Scales = r.floatsParam("scales", 2)
	z.Sizes = r.intsParam("sizes", 3, 0, 0)
	if z.Scales.Known && len(z.Scales.Value) == 0 {
		z.Scales.Given = false
	}
	if z.Sizes.Known && len(z.Sizes.Value) == 0 {
		z.Sizes.Given = false
	}
	if z.Coordinate == "tf_crop_and_resize" && !z.ROI.Given {
		r.failf("input 1 (roi) is missing, want it for tf_crop_and_resize")
	}
}

// AxesFor is the axes that Scales and Sizes speak of, for a tensor of the given
// rank; an error names an axis outside it.
func (z Resize) AxesFor(n *graph.Node, rank int) ([]int, error) {
	axes := make([]int, 0, rank)
	if z.Axes == nil {
		for i := range rank {
			axes = append(axes, i)
		}
		return axes, nil
	}
	for _, a := range z.Axes {
		axis, ok := Axis(a, rank)
		if !ok {
			return nil, Errorf(n, "attribute %q is %v, want axes of a tensor of rank %d",
				"axes", z.Axes, rank)
		}
		axes = append(axes, axis)
	}
	return axes, nil
}
