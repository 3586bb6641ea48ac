package calib

import (
	"slices"
	"testing"

	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// TestPieces wants every pixel of an image that takes too much memory in one piece, at
// its place, and an image that fits whole.
func TestPieces(t *testing.T) {
	m := parse(t, `g (float[N,2,H,W] x) => (float[N,2,H,W] y) { a = Relu(x) b = Neg(a) y = Add(a, b) }`)
	for _, c := range []struct {
		height, width int
		limit         int64
		pieces        int
	}{
		{100, 100, 0, 1},
		{100, 100, -1, 1},
		{500, 300, 1 << 20, 9},
		{64, 1000, 1 << 18, 8},
		{70, 70, 1, 4},
	} {
		p, err := exec.Compile(m, exec.Options{MemoryLimit: c.limit})
		if err != nil {
			t.Fatal(err)
		}
		x := normal(1, [4]int{1, 2, c.height, c.width}).list[0]
		list := slices.Collect(pieces(p, x))
		if len(list) != c.pieces {
			t.Errorf("%dx%d with %d bytes: %d pieces, want %d", c.height, c.width, c.limit, len(list), c.pieces)
		}
		back := ops.NewTensor(x.DType, x.Dims)
		seen, left, top := 0, 0, 0
		for _, y := range list {
			h, w := y.Dims[2], y.Dims[3]
			for plane := range 2 {
				for row := range h {
					copy(back.F32[(plane*c.height+top+row)*c.width+left:][:w], y.F32[(plane*h+row)*w:])
				}
			}
			seen += len(y.F32)
			if left += w; left == c.width {
				left, top = 0, top+h
			}
		}
		if seen != len(x.F32) {
			t.Fatalf("%dx%d: pieces of %d elements, want %d", c.height, c.width, seen, len(x.F32))
		}
		for i, v := range x.F32 {
			if back.F32[i] != v {
				t.Fatalf("%dx%d: element %d is %v, want %v", c.height, c.width, i, back.F32[i], v)
			}
		}
	}
}
