package dataset

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"spikingir/internal/atomicfile"
)

// A Picture is an image with what its file has beside colour, so that what is made of
// it can be written as the same kind of file.
type Picture struct {
	Image
	// Alpha is the opacity of each pixel, [H][W], 0 to 1; nil where all are opaque.
	Alpha []float32
	// Deep tells samples of 16 bits from those of 8 or fewer.
	Deep bool
	// Note is what reading left aside, for people; mostly empty.
	Note string
}

// With returns p with other pixels in the place of its own, those that a network made of
// them: depth stays, and opacity is resized where the network enlarges.
func (p Picture) With(m Image) (Picture, error) {
	out := Picture{Image: m, Alpha: p.Alpha, Deep: p.Deep, Note: p.Note}
	if p.Alpha == nil || m.H == p.H && m.W == p.W {
		return out, nil
	}
	a, err := Resize(Image{C: 1, H: p.H, W: p.W, Pix: p.Alpha}, m.H, m.W)
	out.Alpha = a.Clip().Pix
	return out, err
}

// Check is [Image.Check], and reports what no file can hold: a NaN, of which it names the
// first pixel, or an opacity for another number of pixels.
func (p Picture) Check() error {
	if err := p.Image.Check(); err != nil {
		return err
	}
	if n := p.H * p.W; p.Alpha != nil && len(p.Alpha) != n {
		return fmt.Errorf("image of %s has %d values of opacity, want %d", p.size(), len(p.Alpha), n)
	}
	for i, v := range p.Pix {
		if math.IsNaN(float64(v)) {
			return fmt.Errorf("pixel at column %d, row %d, channel %d is NaN, want a number",
				i%p.W, i/p.W%p.H, i/(p.H*p.W))
		}
	}
	return nil
}

// oriented is p as it is meant to be looked at; see [Image.oriented].
func (p Picture) oriented(o orientation) Picture {
	if p.Alpha != nil {
		p.Alpha = Image{C: 1, H: p.H, W: p.W, Pix: p.Alpha}.oriented(o).Pix
	}
	p.Image = p.Image.oriented(o)
	return p
}

// Write stores m as an 8-bit PNG at path; see [WritePicture].
func Write(path string, m Image) error { return WritePicture(path, Picture{Image: m}) }

// WritePicture stores p as a PNG at path; see [EncodePicture]. The file appears whole
// or not at all: it is written under a temporary name and then renamed. What is
// there and no regular file, such as a pipe or a device, is written to.
func WritePicture(path string, p Picture) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write image %s: %w", path, err)
		}
	}()
	return atomicfile.Write(path, false, func(w io.Writer) error { return EncodePicture(w, p) })
}

// Encode writes m as an 8-bit PNG; see [EncodePicture].
func Encode(w io.Writer, m Image) error { return EncodePicture(w, Picture{Image: m}) }

// EncodePicture writes p as a PNG: gray or RGB of 8 bits, or of 16 where p is deep, with
// alpha, for which gray becomes RGB. Values are clipped to [0,1], times 255 or 65535, and
// rounded with halves away from zero. The same picture gives the same bytes. NaN is an error
// that names the first pixel holding it.
func EncodePicture(w io.Writer, p Picture) error {
	if err := p.Check(); err != nil {
		return err
	}
	return png.Encode(w, p.toGo())
}

// toGo is p as Go's encoder takes it.
func (p Picture) toGo() image.Image {
	rect := image.Rect(0, 0, p.W, p.H)
	gray := p.C == 1 && p.Alpha == nil
	switch {
	case gray && p.Deep:
		out := image.NewGray16(rect)
		p.fill(out.Pix, 1)
		return out
	case gray:
		out := image.NewGray(rect)
		p.fill(out.Pix, 1)
		return out
	case p.Deep:
		out := image.NewNRGBA64(rect)
		p.fill(out.Pix, 4)
		return out
	}
	out := image.NewNRGBA(rect)
	p.fill(out.Pix, 4)
	return out
}

// fill writes the pixels as so many samples each, gray alone or colour with alpha, of one
// byte or two.
func (p Picture) fill(dst []byte, samples int) {
	n := p.H * p.W
	for k := range samples {
		plane := p.Alpha // nil is opaque
		if k < 3 {
			c := min(k, p.C-1)
			plane = p.Pix[c*n : (c+1)*n]
		}
		for i := range n {
			v := 1.0
			if plane != nil {
				v = float64(plane[i])
			}
			at := i*samples + k
			if p.Deep {
				d := uint16(round16(v))
				dst[2*at], dst[2*at+1] = byte(d>>8), byte(d)
			} else {
				dst[at] = uint8(round8(v))
			}
		}
	}
}

// maxStream is the most bytes of an image that does not come from a file.
const maxStream = 1 << 30

// all reads an image that does not come from a file.
func all(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxStream+1))
	if err == nil && len(data) > maxStream {
		err = errors.New("more than 1 GiB of data, want one image: give a larger one as a file")
	}
	return data, err
}
