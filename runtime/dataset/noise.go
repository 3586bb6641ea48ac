package dataset

import (
	"math/rand/v2"
)

// AddNoise returns m plus white Gaussian noise of standard deviation sigma/255,
// unclipped, as the denoising benchmarks do. sigma is in 8-bit units. The noise
// depends only on seed and on the order of pixels: one draw of [Normal] for
// each, in [C][H][W] order.
func AddNoise(m Image, sigma float64, seed uint64) Image {
	out := m.Clone()
	rng := rand.NewPCG(mix64(seed), mix64(seed+1))
	scale := sigma / 255
	for i, v := range out.Pix {
		out.Pix[i] = float32(float64(v) + float64(scale*Normal(rng)))
	}
	return out
}

// SampleSeed derives the seed of sample i of a set from the set's seed, so that
// a sample's noise does not depend on which others are read.
func SampleSeed(seed uint64, i int) uint64 {
	return mix64(mix64(seed) + uint64(i))
}

// mix64 is one step of SplitMix64: a bijection that spreads neighbouring
// numbers (Steele, Lea and Flood, OOPSLA 2014).
func mix64(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Normal draws from the standard normal distribution: the 53 upper bits k of one
// 64-bit number give u = (k + 1/2) / 2^53, and the result is the inverse of the
// distribution function at u. The same source gives the same bits on every CPU.
func Normal(src rand.Source) float64 {
	k := src.Uint64() >> 11
	if half := uint64(1) << 52; k < half {
		return quantile(float64(k) + 0.5)
	}
	// The upper half by symmetry: its distance from 1 is exact, u itself is not.
	return -quantile(float64(1<<53-1-k) + 0.5)
}
