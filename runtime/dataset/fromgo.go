package dataset

import (
	"image"
	"image/color"
)

// fromGo converts a decoded image. gray forces one channel where Go's decoder
// widened a gray image with transparency.
func fromGo(src image.Image, name string, gray bool) Picture {
	var p Picture
	rgb := jfifRGB
	if name == "WebP" {
		rgb = vp8RGB
	}
	switch s := src.(type) {
	case *image.YCbCr:
		p.Image = fromYCbCr(s, rgb)
		return p
	case *image.NYCbCrA:
		p.Image = fromYCbCr(&s.YCbCr, rgb)
		if !s.Opaque() {
			p.Alpha = make([]float32, p.H*p.W)
			for i := range p.Alpha {
				p.Alpha[i] = unit8(s.A[i/p.W*s.AStride+i%p.W])
			}
		}
		return p
	case *image.Gray:
		gray = true
	case *image.Gray16:
		gray, p.Deep = true, true
	case *image.RGBA64, *image.NRGBA64:
		p.Deep = true
	case *image.CMYK:
		p.Note = "it is in CMYK, and was made RGB without regard to its colour profile"
	}
	p.fromPixels(src, gray)
	return p
}

// fromPixels converts pixel by pixel.
func (p *Picture) fromPixels(src image.Image, gray bool) {
	b := src.Bounds()
	c := 3
	if gray {
		c = 1
	}
	p.Image = NewImage(c, b.Dy(), b.Dx())
	n := p.H * p.W
	if s, ok := src.(interface{ Opaque() bool }); ok && !s.Opaque() {
		p.Alpha = make([]float32, n)
	}
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			v := straight(src, x, y)
			for k := range c {
				p.Pix[k*n+i] = v[k]
			}
			if p.Alpha != nil {
				p.Alpha[i] = v[3]
			}
			i++
		}
	}
}

// straight returns the colour of a pixel without premultiplication by alpha, and alpha.
func straight(src image.Image, x, y int) [4]float32 {
	switch s := src.(type) {
	case *image.Gray:
		v := unit8(s.GrayAt(x, y).Y)
		return [4]float32{v, v, v, 1}
	case *image.RGBA:
		i := s.PixOffset(x, y)
		q := s.Pix[i : i+4 : i+4]
		if q[3] == 255 {
			return [4]float32{unit8(q[0]), unit8(q[1]), unit8(q[2]), 1}
		}
		return divided(uint32(q[0])*257, uint32(q[1])*257, uint32(q[2])*257, uint32(q[3])*257)
	case *image.NRGBA:
		i := s.PixOffset(x, y)
		q := s.Pix[i : i+4 : i+4]
		return [4]float32{unit8(q[0]), unit8(q[1]), unit8(q[2]), unit8(q[3])}
	case *image.NRGBA64:
		q := s.NRGBA64At(x, y)
		return [4]float32{unit16(uint32(q.R)), unit16(uint32(q.G)), unit16(uint32(q.B)), unit16(uint32(q.A))}
	}
	if q, ok := src.At(x, y).(color.NRGBA); ok { // of a palette
		return [4]float32{unit8(q.R), unit8(q.G), unit8(q.B), unit8(q.A)}
	}
	// The rest is opaque or premultiplied: 16-bit gray and RGB, palettes without alpha, CMYK.
	return divided(src.At(x, y).RGBA())
}

// divided takes alpha, of 16 bits, out of colours that were multiplied by it. What is
// transparent is black.
func divided(r, g, b, a uint32) [4]float32 {
	switch a {
	case 0xffff:
		return [4]float32{unit16(r), unit16(g), unit16(b), 1}
	case 0:
		return [4]float32{}
	}
	part := func(v uint32) float32 { return min(float32(float64(v)/float64(a)), 1) }
	return [4]float32{part(r), part(g), part(b), unit16(a)}
}

// unit8 and unit16 scale samples to [0,1] with one rounding. For a sample of
// 8 bit widened to 16 (v*257) both agree.
func unit8(v uint8) float32   { return units[v] }
func unit16(v uint32) float32 { return float32(float64(v) / 65535) }

var units = func() (table [256]float32) {
	for i := range table {
		table[i] = float32(float64(i) / 255)
	}
	return table
}()
