package kernel

import little "encoding/binary"

// TwoPhase is the neurons of one channel that integrate before they fire.
type TwoPhase struct {
	Gain      float32 // of the current, 1 for none
	Bias, V0  float32 // added one after the other; -0 adds nothing
	Threshold float32 // finite, above 0
	Fire      float32 // from which the post step fires; NaN for no post step
	Top       float32 // the most spikes of phase two: an integer from 0 to 127, 126 with a post step
}

// twoPhaseGroup is the number of neurons that kernels take together.
const twoPhaseGroup = 16

// SpikeCounts sets counts[i] to the spikes of neuron i and residual[i] to the potential
// that it keeps, for the sum of its current over time:
//
//	v = gain*current[i] + bias + v0
//	k = floor(v/threshold), but from 0 to top
//	left = v - threshold*k
//	s = 1 if left >= fire, else 0
//	counts[i], residual[i] = k + s, left - threshold*s
//
// each operation rounded to float32. A NaN never fires. The slices have one length;
// residual and current may be one.
func SpikeCounts(counts []uint8, residual, current []float32, p *TwoPhase) {
	checkLengths("SpikeCounts", len(counts), len(residual), len(current))
	n := len(counts) &^ (twoPhaseGroup - 1)
	float32s.Kernels.spikeCounts(counts[:n], residual[:n], current[:n], p)
	spikeCountsGeneric(counts[n:], residual[n:], current[n:], p)
}

func spikeCountsGeneric(counts []uint8, residual, current []float32, p *TwoPhase) {
	for i, x := range current {
		// Conversions keep products from being fused.
		v := float32(float32(p.Gain*x)+p.Bias) + p.V0
		q := v / p.Threshold
		if !(q > 0) {
			q = 0
		}
		k := float32(int32(min(q, p.Top)))
		left := v - float32(p.Threshold*k)
		if left >= p.Fire {
			k++
			left -= p.Threshold
		}
		counts[i], residual[i] = uint8(k), left
	}
}

// Interleave writes the bytes of c planes, one after another and each of len(planes)/c,
// element by element: dst[i*c+k] is element i of plane k.
func Interleave(dst, planes []uint8, c int) {
	n := len(planes) / max(c, 1)
	checkLengths("Interleave", len(dst), len(planes), n*c)
	if n == 0 {
		return
	}
	whole := c &^ 7
	for k := 0; k < whole; k += 8 {
		from, to := planes[k*n:(k+8)*n], dst[k:]
		i := n &^ (twoPhaseGroup - 1)
		float32s.Kernels.interleave8(to, from, c, n, i)
		for ; i < n; i++ {
			for j := range 8 {
				to[i*c+j] = from[j*n+i]
			}
		}
	}
	for k := whole; k < c; k++ {
		for i, b := range planes[k*n : (k+1)*n] {
			dst[i*c+k] = b
		}
	}
}

// interleave8Generic writes the first count elements of 8 planes of n each, c bytes apart.
// count is a multiple of 16.
func interleave8Generic(dst, planes []uint8, c, n, count int) {
	for i := 0; i < count; i += 8 {
		var rows [8]uint64
		for j := range rows {
			rows[j] = little.LittleEndian.Uint64(planes[j*n+i:])
		}
		transpose8(&rows)
		for j := range rows {
			little.LittleEndian.PutUint64(dst[(i+j)*c:], rows[j])
		}
	}
}

// transpose8 exchanges the rows and the columns of 8 x 8 bytes.
func transpose8(r *[8]uint64) {
	for i := range 4 {
		exchange(&r[i], &r[i+4], 32, 0x00000000ffffffff)
	}
	for _, i := range [4]int{0, 1, 4, 5} {
		exchange(&r[i], &r[i+2], 16, 0x0000ffff0000ffff)
	}
	for i := 0; i < 8; i += 2 {
		exchange(&r[i], &r[i+1], 8, 0x00ff00ff00ff00ff)
	}
}

// exchange swaps the upper parts of the fields of a, shift bits each, with the lower
// ones, which mask selects, of those of b.
func exchange(a, b *uint64, shift uint, mask uint64) {
	t := (*a>>shift ^ *b) & mask
	*a ^= t << shift
	*b ^= t
}
