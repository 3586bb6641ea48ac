package downgradeopset

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// resizeAllAxes states the factors of all axes.
func resizeAllAxes(d *downgrade, n *graph.Node, v int64) error {
	z, err := op.ResizeOf(n, v)
	if err != nil || z.Axes == nil {
		return err
	}
	rank := len(d.typeOf(z.X).Shape)
	if !z.Scales.Given || !z.Scales.Known || rank == 0 || len(z.Axes) != len(z.Scales.Value) {
		d.refuse(n, "it states the sizes of some axes, which has no form before opset %d, want factors or all axes", v)
		return nil
	}
	all := slices.Repeat([]float32{1}, rank)
	for i, a := range z.Axes {
		k, ok := op.Axis(a, rank)
		if !ok {
			return op.Errorf(n, "axis %d of %d", a, rank)
		}
		all[k] = z.Scales.Value[i]
	}
	d.setScales(n, 2, all)
	n.Attrs.Delete("axes")
	return nil
}

// setScales makes factors input i.
func (d *downgrade) setScales(n *graph.Node, i int, xs []float32) {
	g := n.Graph()
	d.spend(n.Input(i))
	n.SetInput(i, g.AddInitializer(g.FreshName(n.Output(0).Name()+"_scales"), graph.NewFloat32([]int64{int64(len(xs))}, xs)))
}

// resizeStateAll puts empty tensors in the place of inputs that are omitted.
func resizeStateAll(d *downgrade, n *graph.Node, _ int64) error {
	for i := 1; i <= 2; i++ {
		if n.Input(i) == nil {
			d.setScales(n, i, nil)
		}
	}
	return nil
}

// resizeByScales leaves what opset 10 means: asymmetric coordinates, and neighbours rounded down where an
// axis is enlarged, up where it is shrunk.
func resizeByScales(d *downgrade, n *graph.Node, v int64) error {
	z, err := op.ResizeOf(n, v)
	if err != nil {
		return err
	}
	scales := z.Scales.Value
	if z.Sizes.Given {
		scales = d.factors(z, n.Output(0))
	} else if !z.Scales.Known {
		scales = nil
	}
	if scales == nil {
		d.refuse(n, "it resizes to sizes that no factors state, which has no form before opset %d", v)
		return nil
	}
	if why := asBefore11(z, scales); why != "" {
		d.refuse(n, "%s, which has no form before opset %d", why, v)
		return nil
	}
	d.cut(n, 1)
	d.setScales(n, 1, scales)
	n.Attrs = graph.Attrs{{Name: "mode", Value: graph.String(z.Mode)}}
	return nil
}

// factors is by how much a Resize to sizes multiplies each; nil where float32 does not hold that.
func (d *downgrade) factors(z op.Resize, y *graph.Value) []float32 {
	in, ok := d.typeOf(z.X).Shape.Sizes()
	out, ok2 := d.typeOf(y).Shape.Sizes()
	if !ok || !ok2 || len(in) != len(out) {
		return nil
	}
	list := make([]float32, len(in))
	for i := range in {
		list[i] = float32(out[i]) / float32(in[i])
		if float64(list[i])*float64(in[i]) != float64(out[i]) {
			return nil
		}
	}
	return list
}

// asBefore11 says why a Resize is none of opset 10, or nothing. To the nearest, whole factors take each
// pixel so many times with centres of pixels as with their corners.
func asBefore11(z op.Resize, scales []float32) string {
	whole, enlarges, shrinks := true, false, false
	for _, x := range scales {
		whole = whole && x == float32(math.Trunc(float64(x)))
		enlarges, shrinks = enlarges || x > 1, shrinks || x < 1
	}
	centres := z.Coordinate == "half_pixel" || z.Coordinate == "pytorch_half_pixel"
	switch {
	case z.Mode == "cubic":
		return "mode = cubic"
	case z.Mode == "nearest" && whole && centres && (z.Nearest == "round_prefer_floor" || z.Nearest == "round_prefer_ceil"):
		return ""
	case z.Coordinate != "asymmetric":
		return "coordinate_transformation_mode = " + z.Coordinate
	case z.Mode == "nearest" && enlarges && z.Nearest != "floor", z.Mode == "nearest" && shrinks && z.Nearest != "ceil":
		return "nearest_mode = " + z.Nearest
	}
	return ""
}

// upsample takes the place of a Resize that shrinks nothing.
func upsample(d *downgrade, n *graph.Node, v int64) error {
	z, err := op.ResizeOf(n, v)
	if err != nil {
		return err
	}
	if !z.Scales.Known || slices.ContainsFunc(z.Scales.Value, func(x float32) bool { return x < 1 }) {
		d.refuse(n, "it shrinks the image, or by factors that are computed, which has no form before opset %d", v)
		return nil
	}
	_, err = d.c.Replace(n, graph.Op{Type: "Upsample"}, n.Attrs, n.Inputs()...)
	return err
}
