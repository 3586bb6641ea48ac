package spike

import (
	"fmt"
	"math"

	"spikingir/runtime/kernel/machine"
)

// A Tensor is the spikes of N images of C channels over Steps slices of time,
// pixel after pixel: what a spiking convolution reads and writes. Exactly one of
// Bits and Values is set.
//
// Bits holds binary spikes, [Steps][N][H][W][Masks(C)]: bit i%16 of mask
// i/16 of a pixel is its channel i; the bits past the last channel are 0. Values
// holds spikes of -128..127, [Steps][N][H][W][C].
type Tensor struct {
	Steps, N, C, H, W int
	Bits              []uint16
	Values            []int8
}

// maskBits is the number of channels in a mask.
const maskBits = 16

// Masks is the number of masks of a pixel of c channels.
func Masks(c int) int { return machine.CeilDiv(c, maskBits) }

// Masks is the number of masks of the whole tensor.
func (t *Tensor) Masks() int { return t.Steps * t.N * t.H * t.W * Masks(t.C) }

// Slice gives the masks of slice step of image n, [H][W][Masks(C)].
func (t *Tensor) Slice(step, n int) []uint16 {
	size := t.H * t.W * Masks(t.C)
	at := (step*t.N + n) * size
	return t.Bits[at : at+size : at+size]
}

// Slots gives the values of slice step of image n, [H][W][C].
func (t *Tensor) Slots(step, n int) []int8 {
	size := t.H * t.W * t.C
	at := (step*t.N + n) * size
	return t.Values[at : at+size : at+size]
}

// check panics when the tensor is not as large as it says.
func (t *Tensor) check() {
	bits, values := t.Masks(), t.Steps*t.N*t.H*t.W*t.C
	if t.Values == nil && len(t.Bits) < bits || t.Values != nil && len(t.Values) < values {
		panic(fmt.Sprintf("kernel: spikes of %d masks and %d values, want %d or %d",
			len(t.Bits), len(t.Values), bits, values))
	}
}

// spread8 and spread16 hold, for each byte of a mask, its bits as one cell each.
var (
	spread8  [256][8]int8
	spread16 [256][8]int16
	spread64 [256]uint64 // spread8 as a word, bit 0 lowest
)

func init() {
	for b := range 256 {
		for i := range 8 {
			bit := b >> i & 1
			spread8[b][i], spread16[b][i] = int8(bit), int16(bit)
			spread64[b] |= uint64(bit) << (8 * i)
		}
	}
}

// PackPlanes writes one slice of n*16 masks' worth of planar spikes into a tensor:
// planes[c] holds the bits of channel first+c, of which bit i is pixel at+i, for
// count pixels; first is a multiple of 16. Bits past count are not read as spikes.
func (t *Tensor) PackPlanes(step, n, first, at, count int, planes [][]uint64) {
	masks := Masks(t.C)
	dst := t.Slice(step, n)[at*masks+first/maskBits:]
	for word := 0; word*64 < count; word++ {
		var lo, hi [8]uint64 // channels 0-7 and 8-15: byte k is pixel 8*k.. of a channel
		for c, p := range planes {
			if c < 8 {
				lo[c] = p[word]
			} else {
				hi[c-8] = p[word]
			}
		}
		left := min(64, count-word*64)
		for group := 0; group*8 < left; group++ {
			a, b := transpose8(column(&lo, group)), transpose8(column(&hi, group))
			for k := range min(8, left-group*8) {
				dst[(word*64+group*8+k)*masks] = uint16(a>>(8*k)&255) | uint16(b>>(8*k)&255)<<8
			}
		}
	}
}

// column gathers byte k of eight words, word 0 lowest.
func column(words *[8]uint64, k int) uint64 {
	s := 8 * k
	return words[0]>>s&255 | words[1]>>s&255<<8 | words[2]>>s&255<<16 | words[3]>>s&255<<24 |
		words[4]>>s&255<<32 | words[5]>>s&255<<40 | words[6]>>s&255<<48 | words[7]>>s&255<<56
}

// transpose8 turns a matrix of 8 x 8 bits, row 0 in the lowest byte and column 0
// in its lowest bit.
func transpose8(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00AA00AA00AA00AA
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000CCCC0000CCCC
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000F0F0F0F0
	return x ^ t ^ t<<28
}

// sumRun is the number of pixels that Sum takes at once.
const sumRun = 64

// Sum adds up spikes and writes them channel by channel: dst, [C][H][W], is for
// each element the number of its spikes in the given slices of image n times
// amplitude, of one value or one for each channel. A spike of Values counts as
// its value.
func (t *Tensor) Sum(p *machine.Pool, dst []float32, n int, slices []int, amplitude []float32) {
	t.check()
	if len(dst) < t.C*t.H*t.W {
		panic(fmt.Sprintf("kernel: Sum into %d elements, want %d", len(dst), t.C*t.H*t.W))
	}
	plane := t.H * t.W
	if t.Values != nil {
		p.Run(t.C, func(_, lo, hi int) {
			for c := lo; c < hi; c++ {
				t.sumValues(dst[c*plane:(c+1)*plane], n, c, slices, amplitude)
			}
		})
		return
	}
	p.Run(machine.CeilDiv(plane, sumRun), func(_, lo, hi int) {
		var counts [sumRun * maskBits]int32
		for run := lo; run < hi; run++ {
			at, count := run*sumRun, min(sumRun, plane-run*sumRun)
			for m := range Masks(t.C) {
				t.countRun(&counts, n, m, at, count, slices)
				for c := range min(maskBits, t.C-m*maskBits) {
					a := channelValue(amplitude, m*maskBits+c)
					row := dst[(m*maskBits+c)*plane+at:][:count]
					for i := range row {
						row[i] = float32(counts[i*maskBits+c]) * a
					}
				}
			}
		}
	})
}

// countRun counts the spikes of the channels of mask m for count pixels from at
// on. Bytes of a word count up to 255 slices at once.
func (t *Tensor) countRun(counts *[sumRun * maskBits]int32, n, m, at, count int, slices []int) {
	masks := Masks(t.C)
	*counts = [sumRun * maskBits]int32{}
	for len(slices) > 0 {
		var lo, hi [sumRun]uint64
		some := slices[:min(255, len(slices))]
		for _, s := range some {
			bits := t.Slice(s, n)[at*masks+m:]
			for i := range count {
				mask := bits[i*masks]
				lo[i] += spread64[mask&255]
				hi[i] += spread64[mask>>8]
			}
		}
		for i := range count {
			for k := range 8 {
				counts[i*maskBits+k] += int32(lo[i] >> (8 * k) & 255)
				counts[i*maskBits+8+k] += int32(hi[i] >> (8 * k) & 255)
			}
		}
		slices = slices[len(some):]
	}
}

// sumValues is Sum of one channel of multi-valued spikes.
func (t *Tensor) sumValues(dst []float32, n, c int, slices []int, amplitude []float32) {
	a := channelValue(amplitude, c)
	for i := range dst {
		sum := int32(0)
		for _, s := range slices {
			sum += int32(t.Slots(s, n)[i*t.C+c])
		}
		dst[i] = float32(sum) * a
	}
}

// channelValue is the amplitude of channel c: of a list of one value or one for each
// channel. Neurons of an infinite threshold have one, but never spike.
func channelValue(list []float32, c int) float32 {
	a := list[0]
	if len(list) > 1 {
		a = list[c]
	}
	if math.IsInf(float64(a), 1) {
		return 0
	}
	return a
}
