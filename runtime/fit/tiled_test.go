package fit

import (
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// TestStrips covers every pixel by the tile that has a quarter of its size around it, or the border
// of the image.
func TestStrips(t *testing.T) {
	for _, c := range [][2]int{{32, 32}, {33, 32}, {41, 32}, {100, 32}, {7, 32}, {1, 1}, {5, 1}, {9, 2}, {64, 3}} {
		n, size := c[0], c[1]
		list := strips(n, size)
		if list[0].own != 0 {
			t.Errorf("%d in tiles of %d: the first pixel is left out", n, size)
		}
		for i, s := range list {
			for x := s.own; x < end(list, i, n); x++ {
				before, behind := x-s.start, s.start+size-1-x
				inside := (before >= size/4 || s.start <= 0) && (behind >= size/4 || s.start+size >= n)
				if before < 0 || behind < 0 || !inside {
					t.Errorf("%d in tiles of %d: pixel %d has %d before and %d behind it", n, size, x, before, behind)
				}
			}
			if i > 0 && s.own <= list[i-1].own {
				t.Errorf("%d in tiles of %d: tile %d gives nothing", n, size, i)
			}
		}
	}
}

// TestTiled joins what tiles give to what the whole image gives, enlarged too, and refuses what has no
// whole factor.
func TestTiled(t *testing.T) {
	x := ops.NewTensor(graph.Float32, []int{1, 2, 41, 7})
	for i := range x.F32 {
		x.F32[i] = float32(i)
	}
	double := func(y *ops.Tensor) *ops.Tensor {
		d := y.Dims
		z := ops.NewTensor(y.DType, []int{1, d[1], 2 * d[2], 2 * d[3]})
		for i := range z.F32 {
			c, row, column := i/(4*d[2]*d[3]), i/(2*d[3])%(2*d[2])/2, i%(2*d[3])/2
			z.F32[i] = y.F32[(c*d[2]+row)*d[3]+column]
		}
		return z
	}
	for _, size := range [][2]int{{16, 4}, {64, 64}, {5, 0}, {0, 3}} {
		got, err := Tiled(x, size[0], size[1], func(y *ops.Tensor) ([]*ops.Tensor, error) {
			return []*ops.Tensor{y, double(y)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []*ops.Tensor{x, double(x)} {
			if !slices.Equal(got[i].Dims, want.Dims) || !slices.Equal(got[i].F32, want.F32) {
				t.Errorf("tiles of %v: output %d is not that of the whole image", size, i)
			}
		}
	}
	if _, err := Tiled(x, 16, 4, func(*ops.Tensor) ([]*ops.Tensor, error) {
		return []*ops.Tensor{ops.NewTensor(graph.Float32, []int{1, 1, 24, 4})}, nil
	}); err == nil || !strings.Contains(err.Error(), "want a whole factor") {
		t.Errorf("tiles of one and a half times the size: %v", err)
	}
}
