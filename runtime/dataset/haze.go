package dataset

import (
	"fmt"
	"math"
)

// maxOptical bounds beta times depth: beyond it nothing is left of the scene.
const maxOptical = 690

// AddHaze applies the atmospheric scattering model I = J t + A (1 - t) with the
// transmission t = exp(-beta d). m is the clear scene J, beta the scattering
// coefficient, airlight the A in [0,1] of all channels, and depth d holds one
// value for each of the H*W pixels, in the unit of 1/beta.
func AddHaze(m Image, beta, airlight float64, depth []float32) (Image, error) {
	if len(depth) != m.H*m.W {
		return Image{}, fmt.Errorf("depth map holds %d values, want %d for an image of %dx%d",
			len(depth), m.H*m.W, m.W, m.H)
	}
	if !(beta >= 0) || math.IsInf(beta, 1) {
		return Image{}, fmt.Errorf("scattering coefficient is %g, want 0 or more", beta)
	}
	if !(airlight >= 0 && airlight <= 1) {
		return Image{}, fmt.Errorf("airlight is %g, want a value in [0,1]", airlight)
	}
	out := NewImage(m.C, m.H, m.W)
	n := m.H * m.W
	for i, d := range depth {
		if !(d >= 0) {
			return Image{}, fmt.Errorf("depth at column %d, row %d is %g, want 0 or more",
				i%m.W, i/m.W, d)
		}
		t := exponential(-min(beta*float64(d), maxOptical))
		for c := range m.C {
			j := float64(m.Pix[c*n+i])
			out.Pix[c*n+i] = float32(float64(j*t) + float64(airlight*(1-t)))
		}
	}
	return out, nil
}

// DepthRamp returns the depth map of a plane that recedes towards the top of an
// h by w image: far in the first row, near in the last, linear between.
func DepthRamp(h, w int, near, far float64) []float32 {
	depth := make([]float32, h*w)
	for y := range h {
		d := far
		if h > 1 {
			d = far + float64((near-far)*float64(y))/float64(h-1)
		}
		for x := range w {
			depth[y*w+x] = float32(d)
		}
	}
	return depth
}
