package dataset

import (
	"fmt"
	"math"
)

// Resize scales m to h rows and w columns as MATLAB's imresize(m, [h w],
// 'bicubic') does: Keys' cubic with a = -1/2, widened when it shrinks the image
// (antialiasing), and edges mirrored including the edge pixel. Each side has its
// own factor. The result is neither rounded nor clipped.
func Resize(m Image, h, w int) (Image, error) {
	if err := m.Check(); err != nil {
		return Image{}, err
	}
	if h < 1 || w < 1 || w > MaxPixels/h {
		return Image{}, fmt.Errorf("cannot resize to %dx%d pixels, want 1 to %d in all",
			w, h, MaxPixels)
	}
	return resize(m, h, w, float64(h)/float64(m.H), float64(w)/float64(m.W)), nil
}

// ResizeScale scales both sides of m by factor, as imresize(m, factor,
// 'bicubic'): the new sides are ceil(factor*side).
func ResizeScale(m Image, factor float64) (Image, error) {
	if err := m.Check(); err != nil {
		return Image{}, err
	}
	h, w := math.Ceil(factor*float64(m.H)), math.Ceil(factor*float64(m.W))
	if !(factor > 0) || h*w > MaxPixels {
		return Image{}, fmt.Errorf("cannot resize %dx%d pixels by %g, want 1 to %d pixels in all",
			m.W, m.H, factor, MaxPixels)
	}
	return resize(m, int(h), int(w), factor, factor), nil
}

// resize filters the side that shrinks most first, columns on a tie, which is
// imresize's order. Sums are float64 in the order of the taps.
func resize(m Image, h, w int, scaleY, scaleX float64) Image {
	rows, cols := contributions(m.H, h, scaleY), contributions(m.W, w, scaleX)
	out := NewImage(m.C, h, w)
	for c := range m.C {
		src := make([]float64, m.H*m.W)
		for i, v := range m.Plane(c) {
			src[i] = float64(v)
		}
		if scaleY <= scaleX {
			src = filterRows(filterCols(src, m.W, rows), m.W, cols)
		} else {
			src = filterCols(filterRows(src, m.W, cols), w, rows)
		}
		dst := out.Plane(c)
		for i, v := range src {
			dst[i] = float32(v)
		}
	}
	return out
}

// A tap is one input position and its weight in an output position.
type tap struct {
	index  int
	weight float64
}

// contributions returns, for each output position, its taps. It follows
// imresize: output x sits at u = (x + 1/2)/scale - 1/2 of the input, the kernel
// is 4 wide, or 4/scale when shrinking, and the weights of a position sum to 1.
func contributions(in, out int, scale float64) [][]tap {
	stretch := min(scale, 1)
	width := 4 / stretch
	n := int(math.Ceil(width)) + 2
	table := make([][]tap, out)
	for x := range table {
		u := (float64(x)+0.5)/scale - 0.5
		left := int(math.Floor(u - float64(width/2)))
		taps := make([]tap, 0, n)
		sum := 0.0
		for k := range n {
			weight := cubic(stretch * (u - float64(left+k)))
			if weight == 0 {
				continue
			}
			taps = append(taps, tap{mirror(left+k, in), weight})
			sum += weight
		}
		for k := range taps {
			taps[k].weight /= sum
		}
		table[x] = taps
	}
	return table
}

// cubic is the interpolation kernel of Keys (1981) with a = -1/2.
func cubic(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return horner([]float64{1.5, -2.5, 0, 1}, x)
	case x <= 2:
		return horner([]float64{-0.5, 2.5, -4, 2}, x)
	}
	return 0
}

// mirror folds an index into 0..n-1 by reflection that repeats the edge.
func mirror(i, n int) int {
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return i
}

func filterRows(src []float64, w int, table [][]tap) []float64 {
	h := len(src) / w
	dst := make([]float64, h*len(table))
	for y := range h {
		row := src[y*w : (y+1)*w]
		for x, taps := range table {
			sum := 0.0
			for _, t := range taps {
				sum += float64(t.weight * row[t.index])
			}
			dst[y*len(table)+x] = sum
		}
	}
	return dst
}

func filterCols(src []float64, w int, table [][]tap) []float64 {
	dst := make([]float64, len(table)*w)
	for y, taps := range table {
		out := dst[y*w : (y+1)*w]
		for _, t := range taps {
			row := src[t.index*w : (t.index+1)*w]
			for x, v := range row {
				out[x] += float64(t.weight * v)
			}
		}
	}
	return dst
}
