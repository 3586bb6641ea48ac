package patches

import (
	"math/bits"
	"math/rand/v2"

	"spikingir/runtime/dataset"
)

// What a seed is mixed with, so that the streams of a source differ.
const (
	orderSeed = 0x6f72646572
	hazeOrder = 0x68617a65
	// validSeed takes the place of the seed for held-out images.
	validSeed = 0x76616c6964
)

// permute returns where x goes in a pseudo-random permutation of 0..n-1 that key
// chooses: a Feistel network over the least even number of bits that holds n,
// walked until it falls into the range (Black and Rogaway, CT-RSA 2002).
func permute(x, n, key uint64) uint64 {
	half := max(1, (bits.Len64(n-1)+1)/2)
	mask := uint64(1)<<half - 1
	for {
		left, right := x>>half, x&mask
		for round := range uint64(6) {
			left, right = right, left^mix(key+round, right)&mask
		}
		if x = left<<half | right; x < n {
			return x
		}
	}
}

// mix spreads two numbers over one.
func mix(key, x uint64) uint64 {
	return dataset.SampleSeed(dataset.SampleSeed(key, int(x>>32)), int(x&(1<<32-1)))
}

// A stream is the random numbers of one patch.
type stream struct{ src *rand.PCG }

func newStream(seed, i uint64) stream {
	return stream{rand.NewPCG(mix(seed, i), mix(seed+1, i))}
}

// below draws from 0..n-1.
func (s stream) below(n int) int {
	hi, _ := bits.Mul64(s.src.Uint64(), uint64(n))
	return int(hi)
}

// unit draws from [0,1) in steps of 2^-53.
func (s stream) unit() float64 { return float64(s.src.Uint64()>>11) * 0x1p-53 }

// within draws from a range.
func (s stream) within(low, high float64) float64 {
	return low + float64((high-low)*s.unit())
}

// seed draws the seed of another stream.
func (s stream) seed() uint64 { return s.src.Uint64() }
