package dataset

import "image"

// fromYCbCr converts a decoded colour JPEG or lossy WebP, a pixel by rgb. Chroma that is stored at half
// resolution is interpolated with the triangle filter of the JPEG group's own
// library ("fancy upsampling", weights 3/4 and 1/4), which the published
// figures of image restoration went through, rather than repeated as
// image.YCbCr.At does.
func fromYCbCr(s *image.YCbCr, rgb func(luma, cb, cr uint8) (r, g, b float32)) Image {
	b := s.Bounds()
	w, h := b.Dx(), b.Dy()
	m := NewImage(3, h, w)
	cb := upsample(s, s.Cb)
	cr := upsample(s, s.Cr)
	red, green, blue := m.Plane(0), m.Plane(1), m.Plane(2)
	for y := range h {
		row := s.Y[s.YOffset(b.Min.X, b.Min.Y+y):]
		for x := range w {
			i := y*w + x
			red[i], green[i], blue[i] = rgb(row[x], cb[i], cr[i])
		}
	}
	return m
}

// jfifRGB is full-range BT.601 in 16-bit fixed point, rounded to 8 bit.
func jfifRGB(luma, cb, cr uint8) (r, g, b float32) {
	const half = 1 << 15
	y := int32(luma)
	u, v := int32(cb)-128, int32(cr)-128
	return clip8(y + (91881*v+half)>>16),
		clip8(y + (-22554*u-46802*v+half)>>16),
		clip8(y + (116130*u+half)>>16)
}

// vp8RGB is studio-swing BT.601 in the fixed point of libwebp. Go's own conversion takes
// these samples for full-range ones, which makes pictures pale.
func vp8RGB(luma, cb, cr uint8) (r, g, b float32) {
	y, u, v := int32(luma), int32(cb), int32(cr)
	y = y * 19077 >> 8
	return clip8((y + v*26149>>8 - 14234) >> 6),
		clip8((y - u*6419>>8 - v*13320>>8 + 8708) >> 6),
		clip8((y + u*33050>>8 - 17685) >> 6)
}

func clip8(v int32) float32 {
	return unit8(uint8(min(max(v, 0), 255)))
}

func upsample(s *image.YCbCr, plane []uint8) []uint8 {
	b := s.Bounds()
	w, h := b.Dx(), b.Dy()
	out := make([]uint8, w*h)
	switch s.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		upsampleBoth(out, plane, w, h, s.CStride)
	case image.YCbCrSubsampleRatio422:
		cw := (w + 1) / 2
		line := make([]int32, cw)
		for y := range h {
			for x := range cw {
				line[x] = int32(plane[y*s.CStride+x])
			}
			doubleRow(out[y*w:(y+1)*w], line, 2, 1, 2)
		}
	default:
		for y := range h {
			for x := range w {
				out[y*w+x] = plane[s.COffset(b.Min.X+x, b.Min.Y+y)]
			}
		}
	}
	return out
}

// upsampleBoth doubles a plane in both directions: rows first, kept at 4 times
// their value, then columns, rounded once from 16 times.
func upsampleBoth(out, plane []uint8, w, h, stride int) {
	cw, ch := (w+1)/2, (h+1)/2
	line := make([]int32, cw)
	for y := range h {
		near := y / 2
		far := near - 1
		if y%2 == 1 {
			far = near + 1
		}
		far = min(max(far, 0), ch-1)
		for x := range cw {
			line[x] = 3*int32(plane[near*stride+x]) + int32(plane[far*stride+x])
		}
		doubleRow(out[y*w:(y+1)*w], line, 4, 8, 7)
	}
}

// doubleRow interpolates line to twice its length. Its values are scaled by a
// power of two such that four times them is 2^shift; even and odd are the
// rounding offsets of left and right pixels, which alternate so that the error
// has no direction.
func doubleRow(dst []uint8, line []int32, shift uint, even, odd int32) {
	last := len(line) - 1
	for x := range dst {
		near := x / 2
		far, bias := max(near-1, 0), even
		if x%2 == 1 {
			far, bias = min(near+1, last), odd
		}
		dst[x] = uint8((3*line[near] + line[far] + bias) >> shift)
	}
}
