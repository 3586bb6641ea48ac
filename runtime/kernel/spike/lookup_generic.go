package spike

import "math/bits"

func lookupTablesGeneric(tables []int16, weights []int32) {
	for k := range len(weights) / lookupWeights {
		w := weights[k*lookupWeights:]
		low := tables[k*lookupTable:][:lookupEntries]
		high := tables[k*lookupTable+lookupEntries:][:lookupEntries]
		for i := range lookupEntries {
			sum := int32(0)
			for b := range lookupInputs {
				sum += int32(i>>b&1) * w[b]
			}
			low[i], high[i] = int16(sum), int16(lookupHigh(sum))
		}
	}
}

func lookupSumGeneric(a *lookupArgs) {
	for i := range a.rows * lookupCols {
		v := (*[lookupLanes]int32)(a.v[i*lookupLanes:])
		a.add(v, i/lookupCols*a.pitch+i%lookupCols*lookupLanes)
	}
}

func lookupFireGeneric(a *lookupArgs) {
	for i := range a.rows * lookupCols {
		v := (*[lookupLanes]int32)(a.v[i*lookupLanes:])
		a.add(v, i/lookupCols*a.pitch+i%lookupCols*lookupLanes)
		spikes := uint32(0)
		for l := range v {
			y := v[l] + a.bias
			if y >= a.firing {
				y -= a.threshold
				spikes |= 1 << l
			}
			v[l] = y
		}
		a.spikes[i] = spikes
	}
}

// add adds the sums of the cells at a place of the indices.
func (a *lookupArgs) add(v *[lookupLanes]int32, at int) {
	var low, high [lookupLanes]int16
	for k, o := range a.offsets {
		table := (*[lookupTable]int16)(a.tables[k*lookupTable:])
		for l, i := range a.index[at+int(o):][:lookupLanes] {
			low[l] += table[i%lookupEntries]
			high[l] += table[lookupEntries+i%lookupEntries]
		}
	}
	for l := range v {
		v[l] += int32(high[l])<<lookupShift + int32(low[l]-high[l]<<lookupShift)
	}
}

func lookupIndexGeneric(a *indexArgs) {
	for g := range a.planes {
		for x := range a.cols {
			dst := a.dst[g*a.plane+x*lookupLanes:][:lookupLanes]
			for l := range dst {
				dst[l] = uint16(a.src[int(a.lanes[l])+x] >> (lookupInputs * g))
			}
		}
	}
}

func lookupCollectGeneric(dst []uint64, spikes []uint32, channels, cells int) {
	clear(dst[:cells*lookupLanes])
	for c := range channels {
		for i, s := range spikes[c*cells : (c+1)*cells] {
			for ; s != 0; s &= s - 1 {
				dst[i*lookupLanes+bits.TrailingZeros32(s)] |= 1 << c
			}
		}
	}
}

func lookupMaskGeneric(dst []uint64, masks []uint16, shift uint) {
	for i, m := range masks[:len(dst)] {
		dst[i] |= uint64(m) << (shift & 63)
	}
}
