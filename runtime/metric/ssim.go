package metric

import (
	"fmt"
	"math"

	"spikingir/runtime/dataset"
)

// A Window is the weighting of a pixel's neighbourhood in SSIM.
type Window string

// The two windows in use. Values by one are not comparable with those by the
// other.
const (
	// Gaussian is 11x11 with sigma 1.5 and population covariance, as in Wang's
	// ssim_index.m.
	Gaussian Window = "gaussian"
	// Uniform7 is a 7x7 mean with sample covariance, the default of
	// scikit-image; the SpikingIR paper's figures agree with it.
	Uniform7 Window = "uniform7"
)

// Constants of Wang et al. (2004) for a peak of 1: C1 = (0.01)^2, C2 = (0.03)^2.
const (
	ssimC1 = 0.01 * 0.01
	ssimC2 = 0.03 * 0.03
)

// taps returns the window's one-dimensional weights, which sum to 1, and the
// factor that turns the covariance within it into the one that is used.
func (w Window) taps() (weights []float64, factor float64, err error) {
	switch w {
	case Gaussian:
		return gaussianTaps(5, 1.5), 1, nil
	case Uniform7:
		weights = make([]float64, 7)
		for i := range weights {
			weights[i] = 1.0 / 7
		}
		return weights, 49.0 / 48, nil
	}
	return nil, 0, fmt.Errorf("unknown ssim window %q, want %s or %s", w, Gaussian, Uniform7)
}

// gaussianTaps samples exp(-x^2/(2 sigma^2)) at -radius..radius.
func gaussianTaps(radius int, sigma float64) []float64 {
	weights := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range weights {
		x := float64(i-radius) / sigma
		weights[i] = math.Exp(-0.5 * float64(x*x))
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}

// SSIM returns the mean structural similarity of two images of the same shape
// with peak 1: the mean over the region where the window fits and over the
// channels. Images smaller than the window are an error.
func SSIM(a, b dataset.Image, window Window) (float64, error) {
	weights, factor, err := window.taps()
	if err != nil {
		return 0, err
	}
	for _, m := range []dataset.Image{a, b} {
		if err := m.Check(); err != nil {
			return 0, fmt.Errorf("ssim: %w", err)
		}
	}
	if !a.SameSize(b) {
		return 0, fmt.Errorf("ssim of images of shape [%d,%d,%d] and [%d,%d,%d], want equal shapes",
			a.C, a.H, a.W, b.C, b.H, b.W)
	}
	if n := len(weights); a.H < n || a.W < n {
		return 0, fmt.Errorf("ssim window %s needs at least %dx%d pixels, the image has %dx%d",
			window, n, n, a.W, a.H)
	}
	if _, err := MSE(a.Pix, b.Pix); err != nil {
		return 0, fmt.Errorf("ssim: %w", err)
	}
	sum := 0.0
	for c := range a.C {
		sum += planeSSIM(a.Plane(c), b.Plane(c), a.W, weights, factor)
	}
	return sum / float64(a.C), nil
}

// planeSSIM is the mean of the SSIM map of one channel of width w.
func planeSSIM(x, y []float32, w int, weights []float64, factor float64) float64 {
	product := func(a, b []float32) []float64 {
		p := make([]float64, len(a))
		for i, v := range a {
			p[i] = float64(v) * float64(b[i])
		}
		return filterValid(p, w, weights)
	}
	meanX, meanY := filterValid(widen(x), w, weights), filterValid(widen(y), w, weights)
	xx, yy, xy := product(x, x), product(y, y), product(x, y)
	sum := 0.0
	for i, mx := range meanX {
		my := meanY[i]
		cross, sx, sy := float64(mx*my), float64(mx*mx), float64(my*my)
		varX, varY := float64(factor*(xx[i]-sx)), float64(factor*(yy[i]-sy))
		cov := float64(factor * (xy[i] - cross))
		num := (float64(2*cross) + ssimC1) * (float64(2*cov) + ssimC2)
		den := (sx + sy + ssimC1) * (varX + varY + ssimC2)
		sum += num / den
	}
	return sum / float64(len(meanX))
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// filterValid convolves a plane of width w with the separable window, keeping
// only positions where all of the window lies inside.
func filterValid(src []float64, w int, weights []float64) []float64 {
	n := len(weights)
	h, ow := len(src)/w, w-n+1
	oh := h - n + 1
	rows := make([]float64, h*ow)
	for y := range h {
		dst := rows[y*ow : (y+1)*ow]
		for k, weight := range weights {
			for x, v := range src[y*w+k : y*w+k+ow] {
				dst[x] += float64(weight * v)
			}
		}
	}
	out := make([]float64, oh*ow)
	for y := range oh {
		dst := out[y*ow : (y+1)*ow]
		for k, weight := range weights {
			for x, v := range rows[(y+k)*ow : (y+k+1)*ow] {
				dst[x] += float64(weight * v)
			}
		}
	}
	return out
}
