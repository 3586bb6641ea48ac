package ops

import (
	"math"
	"slices"

	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// A Tap is an element of an axis with its weight.
type Tap struct {
	Index  int
	Weight float32
}

// resample interpolates one axis after the other, linearly or by cubic
// polynomials. A sum runs in index order, rounding every product and every sum.
func resample(env *Env, x *Tensor, z op.Resize, plan []resizeAxis) *Tensor {
	filters := make([][][]Tap, len(plan)) // nil: the axis stays as it is
	last := -1
	for axis, a := range plan {
		taps := make([][]Tap, a.out)
		for o := range taps {
			taps[o] = a.taps(a.source(o), z)
		}
		if !isIdentity(taps, a.in) {
			filters[axis], last = taps, axis
		}
	}
	y := x
	for axis, taps := range filters {
		switch {
		case axis == last:
			y = filterAxis(env, y, axis, taps)
		case taps != nil:
			y = filterAxis(env.scratch(), y, axis, taps)
		}
	}
	if last < 0 {
		y = duplicate(env, x)
	}
	if z.Coordinate == "tf_crop_and_resize" {
		extrapolate(y, plan, z.Outside)
	}
	return y
}

// width is the number of elements that a filter which antialiasing widens reaches, at most; 0 of
// any other.
func (a resizeAxis) width(z op.Resize) float64 {
	if !z.Antialias || a.scale >= 1 {
		return 0
	}
	reach := 1.0
	if z.Mode == "cubic" {
		reach = 2
	}
	return 2*math.Ceil(reach/float64(a.scale)) + 2
}

// taps is the input elements and weights of the place x.
func (a resizeAxis) taps(x float64, z op.Resize) []Tap {
	scale := 1.0
	if z.Antialias {
		scale = math.Min(float64(a.scale), 1) // widens the filter by 1/scale
	}
	reach, filter := 1.0, triangle
	if z.Mode == "cubic" {
		reach, filter = 2, func(x float64) float64 { return cubic(x, float64(z.CubicA)) }
	}
	base := math.Floor(x)
	first := int(math.Floor(-reach/scale)) + 1
	var list []Tap
	var weights []float64
	sum := 0.0
	for i := first; i <= 1-first; i++ {
		w := filter(scale * (base + float64(i) - x))
		at := int(base) + i
		inside := at >= 0 && at < a.in
		if w == 0 || z.Exclude && !inside {
			continue
		}
		list = append(list, Tap{Index: max(0, min(a.in-1, at))})
		weights = append(weights, w)
		sum += w
	}
	for i, w := range weights {
		if z.Exclude || z.Antialias {
			w /= sum
		}
		list[i].Weight = float32(w)
	}
	return list
}

func triangle(x float64) float64 { return math.Max(0, 1-math.Abs(x)) }

// cubic is the filter of cubic convolution (Keys 1981) with coefficient a.
func cubic(x, a float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return float64(float64(float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		p := float64(float64(a*x)-float64(5*a)) * x
		return float64(float64(float64(p)+float64(8*a))*x) - float64(4*a)
	}
	return 0
}

func isIdentity(taps [][]Tap, n int) bool {
	if len(taps) != n {
		return false
	}
	for o, list := range taps {
		if len(list) != 1 || list[0] != (Tap{o, 1}) {
			return false
		}
	}
	return true
}

func filterAxis(env *Env, x *Tensor, axis int, taps [][]Tap) *Tensor {
	dims := slices.Clone(x.Dims)
	dims[axis] = len(taps)
	y := env.alloc(x.DType, dims)
	in, inner := x.Dims[axis], product(dims[axis+1:])
	if y.Len() == 0 {
		return y
	}
	env.each(y.Len()/inner, 4*inner, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			src := x.F32[r/len(taps)*in*inner:]
			dst := y.F32[r*inner : (r+1)*inner]
			list := taps[r%len(taps)]
			if inner == 1 {
				dst[0] = weigh(src, list)
				continue
			}
			clear(dst)
			for _, t := range list {
				kernel.Axpy(dst, src[t.Index*inner:(t.Index+1)*inner], t.Weight)
			}
		}
	})
	return y
}

func weigh(src []float32, list []Tap) float32 {
	acc := float32(0)
	for _, t := range list {
		acc += float32(t.Weight * src[t.Index])
	}
	return acc
}

// extrapolate writes value where the place of some axis lies outside the input.
func extrapolate(y *Tensor, plan []resizeAxis, value float32) {
	for axis, a := range plan {
		inner := product(y.Dims[axis+1:])
		for r := range product(y.Dims[:axis+1]) {
			if a.extrapolated(a.source(r % a.out)) {
				fill(y.F32[r*inner:(r+1)*inner], value)
			}
		}
	}
}
