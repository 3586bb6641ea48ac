package y4m

import (
	"fmt"
	"math"

	"spikingir/runtime/dataset"
)

// A swing says which samples stand for the studio-swing values that package dataset
// computes with, which are 0 to 1 for 0 to 255.
type swing struct{ unit, offset float64 } // value = (sample + offset) / unit

// swings are those of luma and of chroma. Studio swing of more bits is that of 8, shifted.
func (h Header) swings() (luma, chroma swing) {
	one := float64(int(1) << (h.Space.Depth - 8))
	if !h.Full {
		s := swing{255 * one, 0}
		return s, s
	}
	top := 256*one - 1
	luma = swing{255 * top / 219, 16 * top / 219}
	chroma = swing{255 * top / 224, 128*top/224 - 128*one}
	return luma, chroma
}

// image is a plane as values.
func (s swing) image(plane []uint16, size [2]int) dataset.Image {
	m := dataset.NewImage(1, size[0], size[1])
	for i, v := range plane {
		m.Pix[i] = float32((float64(v) + s.offset) / s.unit)
	}
	return m
}

// samples is the values of an image as a plane of so many bits, in the memory of dst.
func (s swing) samples(dst []uint16, m []float32, depth int) ([]uint16, error) {
	top := float64(int(1)<<depth - 1)
	dst = dst[:0]
	for _, v := range m {
		k := math.Floor(float64(float64(v)*s.unit) - s.offset + 0.5)
		if math.IsNaN(k) {
			return dst, fmt.Errorf("a pixel is NaN, want a number")
		}
		dst = append(dst, uint16(min(max(k, 0), top)))
	}
	return dst, nil
}

// Luma is the Y of a frame, as dataset.Image.Luma gives it of colour.
func (h Header) Luma(f *Frame) dataset.Image {
	luma, _ := h.swings()
	return luma.image(f.Planes[0], h.planes()[0])
}

// RGB is a frame in colour, or in gray of three channels where it has no chroma. Colours
// that RGB has not are clipped.
func (h Header) RGB(f *Frame) (dataset.Image, error) {
	luma, chroma := h.swings()
	ycc := dataset.NewImage(3, h.H, h.W)
	copy(ycc.Plane(0), luma.image(f.Planes[0], h.planes()[0]).Pix)
	for k := 1; k < 3; k++ {
		if h.Space.Mono() {
			for i := range ycc.Plane(k) {
				ycc.Plane(k)[i] = 128.0 / 255
			}
			continue
		}
		m, err := resized(chroma.image(f.Planes[k], h.planes()[k]), h.H, h.W)
		if err != nil {
			return m, err
		}
		copy(ycc.Plane(k), m.Pix)
	}
	rgb, err := ycc.RGB()
	return rgb.Clip(), err
}

// SetLuma makes f, which h says of what kind it is, one of another kind with luma of its own;
// the chroma is resized where the sizes differ, and else kept to the bit.
func (h Header) SetLuma(f *Frame, to Header, luma dataset.Image) (err error) {
	if err := to.fits(luma, 1); err != nil {
		return err
	}
	toLuma, toChroma := to.swings()
	if f.Planes[0], err = toLuma.samples(f.Planes[0], luma.Pix, to.Space.Depth); err != nil {
		return err
	}
	from, sizes := h.planes(), to.planes()
	_, chroma := h.swings()
	for k := 1; k < len(sizes); k++ {
		if from[k] == sizes[k] {
			continue
		}
		m, err := resized(chroma.image(f.Planes[k], from[k]), sizes[k][0], sizes[k][1])
		if err != nil {
			return err
		}
		// Out of the old plane's memory: the next frame is read into that.
		if f.Planes[k], err = toChroma.samples(f.Planes[k], m.Pix, to.Space.Depth); err != nil {
			return err
		}
	}
	return nil
}

// SetRGB makes f a frame of the kind that h says, out of an image in colour or gray.
func (h Header) SetRGB(f *Frame, m dataset.Image) error {
	m = m.Color()
	if err := h.fits(m, 3); err != nil {
		return err
	}
	ycc, err := m.YCbCr()
	if err != nil {
		return err
	}
	luma, chroma := h.swings()
	sizes := h.planes()
	for len(f.Planes) < len(sizes) {
		f.Planes = append(f.Planes, nil)
	}
	for k, size := range sizes {
		s, plane := luma, dataset.Image{C: 1, H: m.H, W: m.W, Pix: ycc.Plane(k)}
		if k > 0 {
			s = chroma
			if plane, err = resized(plane, size[0], size[1]); err != nil {
				return err
			}
		}
		if f.Planes[k], err = s.samples(f.Planes[k], plane.Pix, h.Space.Depth); err != nil {
			return err
		}
	}
	return nil
}

func (h Header) fits(m dataset.Image, channels int) error {
	if m.C != channels || m.H != h.H || m.W != h.W {
		return fmt.Errorf("a picture of %dx%d pixels and %d channels in a stream of %dx%d", m.W, m.H, m.C, h.W, h.H)
	}
	return nil
}

func resized(m dataset.Image, rows, columns int) (dataset.Image, error) {
	if m.H == rows && m.W == columns {
		return m, nil
	}
	return dataset.Resize(m, rows, columns)
}
