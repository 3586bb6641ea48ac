package dataset

import (
	"fmt"
	"math"
	"slices"
)

// An Image is C planes of H rows of W values, planar [C][H][W]. C is 1 (gray or
// luma) or 3 (red, green, blue). Values are nominally in [0,1], unclipped.
// Methods never change the receiver's pixels: they return new images.
type Image struct {
	C, H, W int
	Pix     []float32
}

// NewImage returns a black image of c planes of h by w pixels.
func NewImage(c, h, w int) Image {
	return Image{C: c, H: h, W: w, Pix: make([]float32, c*h*w)}
}

// Check reports an image whose channel number is neither 1 nor 3, that is
// empty, or whose pixels do not fill its shape.
func (m Image) Check() error {
	if m.C != 1 && m.C != 3 {
		return fmt.Errorf("image has %d channels, want 1 (gray) or 3 (RGB)", m.C)
	}
	if m.H < 1 || m.W < 1 {
		return fmt.Errorf("image is %dx%d pixels (width x height), want at least 1x1", m.W, m.H)
	}
	if want := m.C * m.H * m.W; len(m.Pix) != want {
		return fmt.Errorf("image of shape [%d,%d,%d] holds %d values, want %d",
			m.C, m.H, m.W, len(m.Pix), want)
	}
	return nil
}

// Plane returns channel c as a slice of H*W values that shares m's memory.
func (m Image) Plane(c int) []float32 {
	n := m.H * m.W
	return m.Pix[c*n : (c+1)*n : (c+1)*n]
}

// SameSize reports whether m and o have the same channels, height and width.
func (m Image) SameSize(o Image) bool {
	return m.C == o.C && m.H == o.H && m.W == o.W
}

func (m Image) size() string {
	return fmt.Sprintf("%dx%d pixels of %d channels", m.W, m.H, m.C)
}

// Clone returns a copy of m that shares no memory with it.
func (m Image) Clone() Image {
	m.Pix = slices.Clone(m.Pix)
	return m
}

// Clip returns m with every value limited to [0,1]. NaN stays NaN.
func (m Image) Clip() Image {
	return m.apply(func(v float32) float32 { return min(max(v, 0), 1) })
}

// Quantize8 returns m clipped to [0,1] and rounded to multiples of 1/255,
// halves away from zero, as MATLAB's uint8 does. NaN stays NaN.
func (m Image) Quantize8() Image {
	return m.apply(func(v float32) float32 {
		return float32(round8(float64(v)) / 255)
	})
}

// round8 maps [0,1] to 0..255, clipping and rounding halves away from zero.
func round8(v float64) float64 {
	return math.Floor(float64(min(max(v, 0), 1)*255) + 0.5)
}

// round16 is round8 to 0..65535.
func round16(v float64) float64 {
	return math.Floor(float64(min(max(v, 0), 1)*65535) + 0.5)
}

func (m Image) apply(f func(float32) float32) Image {
	out := m.Clone()
	for i, v := range out.Pix {
		out.Pix[i] = f(v)
	}
	return out
}

// Crop returns the h by w pixels of m whose upper left corner is (y, x).
func (m Image) Crop(y, x, h, w int) (Image, error) {
	if y < 0 || x < 0 || h < 1 || w < 1 || y > m.H-h || x > m.W-w {
		return Image{}, fmt.Errorf("cannot crop %dx%d pixels at column %d, row %d of an image of %dx%d",
			w, h, x, y, m.W, m.H)
	}
	out := NewImage(m.C, h, w)
	for c := range m.C {
		src, dst := m.Plane(c), out.Plane(c)
		for r := range h {
			copy(dst[r*w:(r+1)*w], src[(y+r)*m.W+x:])
		}
	}
	return out, nil
}

// CropMultiple cuts rows from the bottom and columns from the right until both
// sides are multiples of n (MATLAB scripts call it modcrop).
func (m Image) CropMultiple(n int) (Image, error) {
	if n < 1 || m.H < n || m.W < n {
		return Image{}, fmt.Errorf("cannot crop an image of %dx%d pixels to multiples of %d",
			m.W, m.H, n)
	}
	return m.Crop(0, 0, m.H-m.H%n, m.W-m.W%n)
}

// CropBorder cuts n pixels from every side; 0 returns m itself.
func (m Image) CropBorder(n int) (Image, error) {
	if n == 0 {
		return m, nil
	}
	if n < 0 || m.H <= 2*n || m.W <= 2*n {
		return Image{}, fmt.Errorf("cannot cut a border of %d pixels from an image of %dx%d",
			n, m.W, m.H)
	}
	return m.Crop(n, n, m.H-2*n, m.W-2*n)
}
