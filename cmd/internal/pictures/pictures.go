// Package pictures shows what became of an image: what a network was given, what it and its ANN
// made of it, the ground truth, and maps of errors; one by one or as a montage.
package pictures

import (
	"fmt"
	"math"
	"slices"

	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
)

// Picture is one view of an image.
type Picture struct {
	Key   string // short, for file names: input, ann, t10, truth, ann-error, error, difference
	Label string // for people
	Image dataset.Image
}

// Set is the views of an image.
type Set struct {
	Name     string
	Pictures []Picture
	// Scale is the error that is white on maps, from 0 to 1; 0 where there are none.
	Scale float64
}

// Key of a result at a number of timesteps; of a network without time, model.
func Key(timesteps int) string {
	if timesteps == 0 {
		return "model"
	}
	return fmt.Sprintf("t%d", timesteps)
}

// label says what a result is.
func label(timesteps int) string {
	if timesteps == 0 {
		return "model"
	}
	return fmt.Sprintf("SNN, T = %d", timesteps)
}

// Plain is the views of an outcome without maps: input, ANN, a result for each number of
// timesteps, truth. What there is none of is left out.
func Plain(o eval.Outcome) []Picture {
	list := []Picture{{"input", "input", o.Input}}
	if o.Ref.Pix != nil {
		list = append(list, Picture{"ann", "ANN", o.Ref})
	}
	for i, m := range o.Results {
		list = append(list, Picture{Key(o.Timesteps[i]), label(o.Timesteps[i]), m})
	}
	if o.Target.Pix != nil {
		list = append(list, Picture{"truth", "truth", o.Target})
	}
	return list
}

// Views is the views of an outcome with the result at one number of timesteps, by its place,
// and the maps of errors. Of images of more than side pixels the middle is shown; 0 shows all.
func Views(o eval.Outcome, at, side int) (Set, error) {
	o.Results, o.Timesteps = o.Results[at:at+1], o.Timesteps[at:at+1]
	o, err := middle(o, side)
	if err != nil {
		return Set{}, err
	}
	s := Set{Name: o.Name, Pictures: Plain(o)}
	for i := range s.Pictures {
		s.Pictures[i].Image = drawable(s.Pictures[i].Image)
	}
	out := o.Results[0]
	type pair struct {
		key, label string
		a, b       dataset.Image
	}
	var errs []pair
	if o.Target.Pix != nil {
		errs = append(errs, pair{"ann-error", "error of the ANN", o.Ref, o.Target}, pair{"error", "error of the SNN", out, o.Target})
	}
	errs = append(errs, pair{"difference", "SNN against ANN", out, o.Ref})
	var maps [][]float32
	var kept []pair
	for _, p := range errs {
		if p.a.Pix != nil && p.a.SameSize(p.b) {
			kept, maps = append(kept, p), append(maps, errorOf(p.a, p.b))
		}
	}
	s.Scale = scale(maps)
	for i, p := range kept {
		s.Pictures = append(s.Pictures, Picture{p.key, p.label, heat(maps[i], p.a.H, p.a.W, s.Scale)})
	}
	return s, nil
}

// middle is the same part of all images of an outcome: side pixels of the largest of them.
func middle(o eval.Outcome, side int) (eval.Outcome, error) {
	if side == 0 {
		return o, nil
	}
	all := []*dataset.Image{&o.Input, &o.Target, &o.Ref}
	o.Results = slices.Clone(o.Results)
	for i := range o.Results {
		all = append(all, &o.Results[i])
	}
	var h, w int
	for _, m := range all {
		h, w = max(h, m.H), max(w, m.W)
	}
	y, dy := cut(h, side)
	x, dx := cut(w, side)
	for _, m := range all {
		if m.Pix == nil {
			continue
		}
		var err error
		*m, err = m.Crop(y*m.H/h, x*m.W/w, max(dy*m.H/h, 1), max(dx*m.W/w, 1))
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// cut is where the middle side of n pixels begin, and how many there are.
func cut(n, side int) (from, size int) {
	if n <= side {
		return 0, n
	}
	return (n - side) / 2, side
}

// errorOf is the distance of two images of one size, the mean over the channels, as they are
// shown: within 0 and 1.
func errorOf(a, b dataset.Image) []float32 {
	list := make([]float32, a.H*a.W)
	for c := range a.C {
		x, y := a.Plane(c), b.Plane(c)
		for i := range list {
			d := math.Abs(float64(clip(x[i])) - float64(clip(y[i])))
			list[i] += float32(d / float64(a.C))
		}
	}
	return list
}

func clip(x float32) float32 {
	if x != x { // not a number
		return 0
	}
	return min(max(x, 0), 1)
}

// drawable is an image without what is not a number, which no file can hold: it is black.
func drawable(m dataset.Image) dataset.Image {
	m = m.Clone()
	for i, x := range m.Pix {
		m.Pix[i] = clip(x)
	}
	return m
}

// scale is the error that is white on maps: that which all but two of a thousand pixels stay
// below, of the worst of them.
func scale(maps [][]float32) float64 {
	worst := 0.0
	for _, m := range maps {
		sorted := slices.Sorted(slices.Values(m))
		worst = max(worst, float64(sorted[len(sorted)-1-len(sorted)/500]))
	}
	if worst == 0 && len(maps) > 0 {
		return 1.0 / 255
	}
	return worst
}

// shades is the colours of errors, from none to white.
var shades = [][3]float64{{0, 0, 0}, {0.24, 0.06, 0.44}, {0.64, 0.16, 0.40}, {0.93, 0.41, 0.15}, {0.99, 0.78, 0.25}, {1, 1, 1}}

// heat colours errors.
func heat(errors []float32, h, w int, white float64) dataset.Image {
	m := dataset.NewImage(3, h, w)
	for i, e := range errors {
		at := min(float64(e)/white, 1) * float64(len(shades)-1)
		k := min(int(at), len(shades)-2)
		f := at - float64(k)
		for c := range 3 {
			m.Pix[c*h*w+i] = float32(shades[k][c]*(1-f) + shades[k+1][c]*f)
		}
	}
	return m
}
