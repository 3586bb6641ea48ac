package dataset

import (
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"spikingir/internal/atomicfile"
)

// Write stores m as an 8-bit PNG at path; see [Encode]. The file appears whole
// or not at all: it is written under a temporary name and then renamed. What is
// there and no regular file, such as a pipe or a device, is written to.
func Write(path string, m Image) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write image %s: %w", path, err)
		}
	}()
	return atomicfile.Write(path, false, func(w io.Writer) error { return Encode(w, m) })
}

// Encode writes m as an 8-bit gray or RGB PNG: clipped to [0,1], times 255,
// rounded with halves away from zero. The same image gives the same bytes. NaN
// is an error that names the first pixel holding it.
func Encode(w io.Writer, m Image) error {
	if err := m.Check(); err != nil {
		return err
	}
	for i, v := range m.Pix {
		if math.IsNaN(float64(v)) {
			y := i / m.W % m.H
			return fmt.Errorf("pixel at column %d, row %d, channel %d is NaN, want a number",
				i%m.W, y, i/(m.H*m.W))
		}
	}
	rect := image.Rect(0, 0, m.W, m.H)
	if m.C == 1 {
		out := image.NewGray(rect)
		for i, v := range m.Pix {
			out.Pix[i] = uint8(round8(float64(v)))
		}
		return png.Encode(w, out)
	}
	out := image.NewNRGBA(rect)
	n := m.H * m.W
	for i := range n {
		for c := range 3 {
			out.Pix[4*i+c] = uint8(round8(float64(m.Pix[c*n+i])))
		}
		out.Pix[4*i+3] = 255
	}
	return png.Encode(w, out)
}
