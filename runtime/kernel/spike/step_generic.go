package spike

// generic are the spike kernels in Go, for words.
var generic = kernels{
	step:        stepGeneric,
	expandBytes: expandBytesGeneric,
	expandWords: expandWordsGeneric,
	peak:        peakGeneric,
}

// stepGeneric passes over pairs of cells without spikes, most of them.
func stepGeneric(a *stepArgs) {
	for b := range a.blocks {
		block := a.weights[b*a.weightBlock : (b+1)*a.weightBlock]
		for i := range a.rows * a.cols {
			y, x := i/a.cols, i%a.cols
			var acc [16]int32
			weights := block
			for w, offset := range a.offsets {
				cells := a.words[y*a.srcRow+x*a.srcCell+offset:][:a.lengths[w]]
				accumulate(&acc, cells, weights)
				weights = weights[a.lengths[w]*16:]
			}
			v := (*[16]int32)(a.v[b*a.vBlock+i*16:])
			a.masks[y*a.maskRow+x*a.maskCell+b] = fireGeneric(v, &acc, a.params[b*48:])
		}
	}
}

// accumulate adds the products of a window.
func accumulate(acc *[16]int32, cells, weights []int16) {
	for i := 0; i < len(cells); i += 2 {
		s, t := int32(cells[i]), int32(cells[i+1])
		if s|t == 0 {
			continue
		}
		w := (*[32]int16)(weights[i*16:])
		for o := range acc {
			acc[o] += s*int32(w[2*o]) + t*int32(w[2*o+1])
		}
	}
}

// fireGeneric advances the neurons of a cell and gives their spikes.
func fireGeneric(v, current *[16]int32, params []int32) uint16 {
	p := (*[48]int32)(params)
	mask := uint16(0)
	for o := range v {
		y := v[o] + current[o] + p[o]
		if y >= p[32+o] {
			y -= p[16+o]
			mask |= 1 << o
		}
		v[o] = y
	}
	return mask
}

func expandBytesGeneric(dst []int8, masks []uint16) {
	for i, m := range masks {
		d := (*[16]int8)(dst[i*16:])
		*(*[8]int8)(d[:8]), *(*[8]int8)(d[8:]) = spread8[m&255], spread8[m>>8]
	}
}

func expandWordsGeneric(dst []int16, masks []uint16) {
	for i, m := range masks {
		d := (*[16]int16)(dst[i*16:])
		*(*[8]int16)(d[:8]), *(*[8]int16)(d[8:]) = spread16[m&255], spread16[m>>8]
	}
}

// peakGeneric runs n rounds of products of words and returns the number of
// operations in them.
func peakGeneric(n int) (ops int) {
	var acc [16]int32
	cells, weights := []int16{1, 1}, make([]int16, 32)
	for range n {
		accumulate(&acc, cells, weights)
	}
	for _, a := range acc { // a use, lest the rounds be optimised away
		if a != 0 {
			return 0
		}
	}
	return n * 64
}
