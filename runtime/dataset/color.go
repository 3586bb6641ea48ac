package dataset

import "fmt"

// Rows of the analog-to-studio matrix of ITU-R BT.601 as MATLAB's rgb2ycbcr has
// it: for RGB in [0,1] the result is (offset + row . RGB) / 255, with Y in
// [16,235]/255 and Cb, Cr in [16,240]/255.
var (
	ycbcrMatrix = [3][3]float64{
		{65.481, 128.553, 24.966},
		{-37.797, -74.203, 112},
		{112, -93.786, -18.214},
	}
	ycbcrOffset  = [3]float64{16, 128, 128}
	ycbcrInverse = invert(ycbcrMatrix)
)

// grayWeights are those of MATLAB's rgb2gray: the first column of the inverse of
// its YIQ matrix, which rounds to 0.2989, 0.5870, 0.1140.
var grayWeights = [3]float64{0.298936021293775, 0.587043074451121, 0.114020904255103}

// YCbCr converts RGB to studio-swing Y, Cb, Cr (BT.601), unrounded.
func (m Image) YCbCr() (Image, error) {
	if m.C != 3 {
		return Image{}, fmt.Errorf("cannot convert an image of %d channels to YCbCr, want 3", m.C)
	}
	out := NewImage(3, m.H, m.W)
	for c := range 3 {
		m.mix(out.Plane(c), ycbcrMatrix[c], ycbcrOffset[c], 1.0/255)
	}
	return out, nil
}

// RGB is the inverse of [Image.YCbCr], unclipped.
func (m Image) RGB() (Image, error) {
	if m.C != 3 {
		return Image{}, fmt.Errorf("cannot convert an image of %d channels from YCbCr, want 3", m.C)
	}
	out := NewImage(3, m.H, m.W)
	for c, row := range ycbcrInverse {
		shift := 0.0
		for k, v := range row {
			shift -= float64(v*ycbcrOffset[k]) / 255
		}
		m.mix(out.Plane(c), row, shift, 255)
	}
	return out, nil
}

// Luma returns the Y of [Image.YCbCr], unrounded; a gray image is returned as
// it is.
func (m Image) Luma() Image {
	if m.C != 3 {
		return m
	}
	out := NewImage(1, m.H, m.W)
	m.mix(out.Pix, ycbcrMatrix[0], ycbcrOffset[0], 1.0/255)
	return out
}

// Gray returns the luminance by the weights of MATLAB's rgb2gray, full range and
// unrounded; a gray image is returned as it is.
func (m Image) Gray() Image {
	if m.C != 3 {
		return m
	}
	out := NewImage(1, m.H, m.W)
	m.mix(out.Pix, grayWeights, 0, 1)
	return out
}

// Color returns a gray image as three equal channels; RGB is returned as it is.
func (m Image) Color() Image {
	if m.C == 3 {
		return m
	}
	out := NewImage(3, m.H, m.W)
	for c := range 3 {
		copy(out.Plane(c), m.Pix)
	}
	return out
}

// mix writes (offset + row . RGB) * scale, each product rounded before the sum.
func (m Image) mix(dst []float32, row [3]float64, offset, scale float64) {
	a, b, c := m.Plane(0), m.Plane(1), m.Plane(2)
	for i := range dst {
		v := offset + float64(row[0]*float64(a[i]))
		v += float64(row[1] * float64(b[i]))
		v += float64(row[2] * float64(c[i]))
		dst[i] = float32(v * scale)
	}
}

func invert(a [3][3]float64) [3][3]float64 {
	var inv [3][3]float64
	for i := range 3 {
		for j := range 3 {
			r, s := (j+1)%3, (j+2)%3
			p, q := (i+1)%3, (i+2)%3
			inv[i][j] = float64(a[r][p]*a[s][q]) - float64(a[r][q]*a[s][p])
		}
	}
	det := 0.0
	for k := range 3 {
		det += float64(a[0][k] * inv[k][0])
	}
	for i := range 3 {
		for j := range 3 {
			inv[i][j] /= det
		}
	}
	return inv
}
