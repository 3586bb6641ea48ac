package calib

import (
	"iter"

	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// pieceGrain is what the sides of pieces are multiples of, but those at the last
// borders: networks take sizes that are multiples of powers of two.
const pieceGrain = 64

// pieces cuts an image [N,C,H,W] that takes more memory than the program allows into
// ones that each take about as much as allowed. They do not overlap: every pixel counts
// once, and few lie near a cut. Each is copied when its turn comes. An image of which the
// need is not known stays whole.
func pieces(p *exec.Program, x *ops.Tensor) iter.Seq[*ops.Tensor] {
	t := p.Tiling(x.Dims)
	if len(x.Dims) != 4 || x.F32 == nil || t.Limit < 0 || t.WholeBytes <= t.Limit {
		return func(yield func(*ops.Tensor) bool) { yield(x) }
	}
	height, width := x.Dims[2], x.Dims[3]
	for parts := 2; t.WholeBytes > t.Limit && max(height, width) > pieceGrain; parts++ {
		height, width = side(x.Dims[2], parts), side(x.Dims[3], parts)
		t = p.Tiling([]int{x.Dims[0], x.Dims[1], height, width})
	}
	return func(yield func(*ops.Tensor) bool) {
		for top := 0; top < x.Dims[2]; top += height {
			for left := 0; left < x.Dims[3]; left += width {
				if !yield(piece(x, top, left, min(height, x.Dims[2]-top), min(width, x.Dims[3]-left))) {
					return
				}
			}
		}
	}
}

// side is the side of each of so many parts of n pixels.
func side(n, parts int) int {
	part := (n + parts - 1) / parts
	return min((part+pieceGrain-1)/pieceGrain*pieceGrain, n)
}

// piece copies a part of all planes of x.
func piece(x *ops.Tensor, top, left, height, width int) *ops.Tensor {
	planes := x.Dims[0] * x.Dims[1]
	y := ops.NewTensor(x.DType, []int{x.Dims[0], x.Dims[1], height, width})
	for c := range planes {
		for row := range height {
			from := (c*x.Dims[2]+top+row)*x.Dims[3] + left
			copy(y.F32[(c*height+row)*width:][:width], x.F32[from:])
		}
	}
	return y
}
