package patches

import (
	"math"

	"spikingir/runtime/dataset"
)

// A veil is the haze of one scene of h by w pixels: the coefficients of the
// scattering model and a smooth depth map in [0,1] that is given by a few
// numbers, so that a part of it costs no more than its pixels.
//
// The depth is a plane that recedes towards the top, with a random share, and
// for the rest values at the nodes of a random grid, joined by the cubic
// 3u^2 - 2u^3 in both directions.
type veil struct {
	h, w           int
	beta, airlight float64
	plane          float64 // share of the plane
	cell           float64 // pixels between nodes
	seed           uint64  // of the nodes
}

// drawVeil draws from the ranges that the indoor training set of RESIDE was made with
// (Li et al., "Benchmarking Single-Image Dehazing and Beyond", 2019).
func drawVeil(h, w int, rng stream) veil {
	return veil{
		h: h, w: w,
		beta:     rng.within(0.6, 1.8), // what is farthest is seen through exp(-beta)
		airlight: rng.within(0.7, 1),
		plane:    rng.unit(),
		cell:     float64(max(h, w)) / rng.within(1, 6),
		seed:     rng.seed(),
	}
}

// over hazes part, the h by w pixels of the scene from (y, x), and rounds to
// 8 bit.
func (v veil) over(part dataset.Image, y, x int) (dataset.Image, error) {
	hazy, err := dataset.AddHaze(part, v.beta, v.airlight, v.depth(y, x, part.H, part.W))
	if err != nil {
		return hazy, err
	}
	return hazy.Quantize8(), nil
}

// depth is the map of the h by w pixels from (y, x).
func (v veil) depth(y, x, h, w int) []float32 {
	height := func(row int) float64 { return 1 - float64(row)/float64(max(v.h-1, 1)) }
	depth := dataset.DepthRamp(h, w, height(y+h-1), height(y))
	columns := make([]knot, w)
	for c := range columns {
		columns[c] = v.knot(x + c)
	}
	for r := range h {
		row := v.knot(y + r)
		for c, col := range columns {
			near := blend(v.node(row.index, col.index), v.node(row.index, col.index+1), col.weight)
			far := blend(v.node(row.index+1, col.index), v.node(row.index+1, col.index+1), col.weight)
			d := blend(blend(near, far, row.weight), float64(depth[r*w+c]), v.plane)
			depth[r*w+c] = float32(d)
		}
	}
	return depth
}

// A knot is a pixel's place between the nodes index and index + 1 of one axis.
type knot struct {
	index  int
	weight float64
}

func (v veil) knot(pixel int) knot {
	at := float64(pixel) / v.cell
	i := math.Floor(at)
	u := at - i
	return knot{int(i), float64(float64(u*u) * (3 - float64(2*u)))}
}

// node is the depth at a node of the grid.
func (v veil) node(row, col int) float64 {
	return float64(mix(v.seed, uint64(row)<<32|uint64(col))>>11) * 0x1p-53
}

func blend(a, b, weight float64) float64 { return a + float64((b-a)*weight) }
