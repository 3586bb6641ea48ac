package count

import "encoding/binary"

// generic are the kernels in Go.
var generic = kernels{
	conv:      convGeneric,
	settle:    settleGeneric,
	toTiles:   toTilesGeneric,
	fromTiles: fromTilesGeneric,
	mul:       mulGeneric,
	peak:      peakGeneric,
}

// convGeneric passes over groups without spikes.
func convGeneric(a *args) {
	var acc [2][blockLanes]int32
	for i := range a.rows * a.cols {
		y, x := i/a.cols, i%a.cols
		acc = [2][blockLanes]int32{}
		weights := a.weights
		for w, offset := range a.offsets {
			cells := a.cells[y*a.srcRow+x*a.srcCell+offset:][:groupBytes*a.lengths[w]]
			for g := 0; g < len(cells); g += groupBytes {
				for v := range a.vectors {
					accumulate(&acc[v], cells[g:], weights[v*vectorBytes:])
				}
				weights = weights[a.vectors*vectorBytes:]
			}
		}
		if a.planes == 2 {
			for o := range acc[0] {
				acc[0][o] = acc[0][o]<<8 + acc[1][o]
			}
		}
		for b := range a.vectors / a.planes {
			a.finish(&acc[b], b, y, x)
		}
	}
}

// accumulate adds the products of a group.
func accumulate(acc *[blockLanes]int32, cells []uint8, weights []int8) {
	if binary.NativeEndian.Uint32(cells) == 0 {
		return
	}
	s := (*[groupBytes]uint8)(cells)
	w := (*[vectorBytes]int8)(weights)
	for o := range acc {
		acc[o] += int32(s[0])*int32(w[4*o]) + int32(s[1])*int32(w[4*o+1]) +
			int32(s[2])*int32(w[4*o+2]) + int32(s[3])*int32(w[4*o+3])
	}
}

// finish does with the sums of a cell what conv is asked for.
func (a *args) finish(acc *[blockLanes]int32, b, y, x int) {
	p := (*[paramWords]int32)(a.params[b*paramWords:])
	for o := range acc {
		acc[o] += p[o]
	}
	if a.sums != nil {
		copy(a.sums[y*a.sumRow+x*a.sumCell+b*blockLanes:], acc[:])
		return
	}
	fireGeneric(acc, a.counts[y*a.countRow+x*a.countCell+b*blockLanes:][:a.lanes[b]], p, int32(a.top)+1)
}

// fireGeneric takes what neurons emit off their potentials.
func fireGeneric(v *[blockLanes]int32, counts []uint8, p *[paramWords]int32, top int32) {
	for o := range v {
		threshold, fire := p[blockLanes+o], p[2*blockLanes+o]
		k := int32(0)
		if v[o] > 0 {
			k = min(v[o]/threshold, top)
		}
		if v[o]-k*threshold >= fire {
			k++
		}
		v[o] -= k * threshold
		if o < len(counts) {
			counts[o] = uint8(k)
		}
	}
}

func settleGeneric(a *args) {
	p := (*[paramWords]int32)(a.params)
	for i := range a.rows * a.cols {
		y, x := i/a.cols, i%a.cols
		v := (*[blockLanes]int32)(a.sums[y*a.sumRow+x*a.sumCell:])
		fireGeneric(v, a.counts[y*a.countRow+x*a.countCell:][:a.lanes[0]], p, int32(a.top)+1)
	}
}

// peakGeneric runs n rounds of products of a group and returns the number of operations in
// them.
func peakGeneric(n int) (ops int) {
	var acc [blockLanes]int32
	cells, weights := []uint8{1, 1, 1, 1}, make([]int8, vectorBytes)
	for range n {
		accumulate(&acc, cells, weights)
	}
	for _, a := range acc { // a use, lest the rounds be optimised away
		if a != 0 {
			return 0
		}
	}
	return n * 2 * vectorBytes
}
