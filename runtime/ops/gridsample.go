package ops

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph/op"
)

// gridAxis is one spatial axis that GridSample samples.
type gridAxis struct {
	op.GridSample
	size   int
	lo, hi float64 // what reflection mirrors at
}

func newGridAxis(g op.GridSample, size int) gridAxis {
	a := gridAxis{GridSample: g, size: size, lo: -0.5, hi: float64(size) - 0.5}
	if g.AlignCorners {
		a.lo, a.hi = 0, float64(size-1)
	}
	return a
}

// place is the coordinate, in elements, of a number from -1 to 1.
func (a gridAxis) place(n float64) float64 {
	n0, size := float32(n), float32(a.size)
	if a.AlignCorners {
		return float64((n0 + 1) / 2 * (size - 1))
	}
	return float64((float32((n0+1)*size) - 1) / 2)
}

// reflect mirrors a coordinate into the axis.
func (a gridAxis) reflect(x float64) float64 {
	span := a.hi - a.lo
	if span <= 0 {
		return 0
	}
	from := x - a.lo
	turns := math.Floor(from / span)
	rest := from - float64(turns*span)
	if math.Mod(turns, 2) != 0 {
		return a.hi - rest
	}
	return a.lo + rest
}

// taps is the elements and weights of a place; those outside have index -1 where zeros
// lie there.
func (a gridAxis) taps(x float64) []Tap {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		x = a.lo - 1
	}
	if a.Mode == "nearest" {
		x = math.RoundToEven(x)
	}
	if a.Mode != "cubic" {
		switch a.Padding {
		case "border":
			x = math.Max(0, math.Min(float64(a.size-1), x))
		case "reflection":
			x = a.reflect(x)
		}
	}
	// far away all weight lies outside; this keeps the index in range
	x = math.Max(-1e9, math.Min(1e9, x))
	base := math.Floor(x)
	ratio := x - base
	var list []Tap
	switch a.Mode {
	case "nearest":
		return []Tap{{a.element(math.RoundToEven(x)), 1}}
	case "linear":
		return []Tap{{a.element(base), float32(1 - ratio)}, {a.element(base + 1), float32(ratio)}}
	}
	for i := -1.0; i <= 2; i++ {
		list = append(list, Tap{a.element(base + i), float32(cubic(ratio-i, -0.75))})
	}
	return list
}

// element is the element at a whole coordinate, -1 where there is none.
func (a gridAxis) element(x float64) int {
	if x >= 0 && x < float64(a.size) {
		return int(x)
	}
	switch a.Padding {
	case "border":
		x = math.Max(0, math.Min(float64(a.size-1), x))
	case "reflection":
		x = math.Max(0, math.Min(float64(a.size-1), a.reflect(x)))
	default:
		return outside
	}
	return int(x)
}

// runGridSample samples every channel at the places of the grid, whose last axis states
// the coordinates of the last spatial axis first.
func runGridSample(g op.GridSample, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, grid := in[0], in[1]
	check(wantFloat(x, grid))
	check(wantRank(0, x, 3))
	axes := x.Rank() - 2
	switch {
	case grid.Rank() != x.Rank() || grid.Dims[0] != x.Dims[0] || grid.Dims[axes+1] != axes:
		return nil, fmt.Errorf("input 1 (grid) is %v, want [%d, ..., %d] of rank %d", grid, x.Dims[0], axes, x.Rank())
	case g.Mode == "cubic" && axes != 2:
		return nil, fmt.Errorf("mode cubic for %v, want rows and columns", x)
	case product(x.Dims[2:]) == 0 && grid.Len() > 0:
		return nil, fmt.Errorf("input 0 is %v, want elements to sample", x)
	}
	places := product(grid.Dims[1 : axes+1])
	y := env.alloc(x.DType, slices.Concat(x.Dims[:2], grid.Dims[1:axes+1]))
	along := make([]gridAxis, axes)
	for i := range along {
		along[i] = newGridAxis(g, x.Dims[2+i])
	}
	plane := product(x.Dims[2:])
	env.each(x.Dims[0]*places, 4*x.Dims[1], func(lo, hi int) {
		for k := lo; k < hi; k++ {
			cells := []Tap{{0, 1}}
			for i, a := range along {
				cells = a.cross(cells, a.place(float64(grid.F32[k*axes+axes-1-i])))
			}
			n, at := k/places, k%places
			for c := range x.Dims[1] {
				src := x.F32[(n*x.Dims[1]+c)*plane:]
				y.F32[(n*x.Dims[1]+c)*places+at] = weigh(src, cells)
			}
		}
	})
	return one(y), nil
}

// cross adds an axis to the cells of the axes before it.
func (a gridAxis) cross(cells []Tap, place float64) (list []Tap) {
	taps := a.taps(place)
	for _, c := range cells {
		for _, t := range taps {
			if t.Index != outside {
				list = append(list, Tap{c.Index*a.size + t.Index, c.Weight * t.Weight})
			}
		}
	}
	return list
}
