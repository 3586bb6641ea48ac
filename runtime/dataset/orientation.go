package dataset

// An orientation is how the stored rows of an image lie, as Exif and TIFF number it: 1 to
// 8, and 0 where a file does not say.
type orientation uint16

// turned reports whether stored rows are columns of the image.
func (o orientation) turned() bool { return o >= 5 && o <= 8 }

// oriented returns m as it is meant to be looked at, when o is how it is stored.
func (m Image) oriented(o orientation) Image {
	if o < 2 || o > 8 {
		return m
	}
	h, w := m.H, m.W
	if o.turned() {
		h, w = w, h
	}
	out := NewImage(m.C, h, w)
	for c := range m.C {
		src, dst := m.Plane(c), out.Plane(c)
		for y := range h {
			for x := range w {
				sy, sx := o.stored(y, x, m.H, m.W)
				dst[y*w+x] = src[sy*m.W+sx]
			}
		}
	}
	return out
}

// stored is the row and column of the file that has pixel (y, x), of h rows of w.
func (o orientation) stored(y, x, h, w int) (int, int) {
	switch o {
	case 2: // mirrored
		return y, w - 1 - x
	case 3: // upside down
		return h - 1 - y, w - 1 - x
	case 4: // mirrored upside down
		return h - 1 - y, x
	case 5: // transposed
		return x, y
	case 6: // to be turned clockwise
		return h - 1 - x, y
	case 7: // transposed along the other diagonal
		return h - 1 - x, w - 1 - y
	case 8: // to be turned counter-clockwise
		return x, w - 1 - y
	}
	return y, x
}
