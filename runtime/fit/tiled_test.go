package spikingir

import "testing"

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
