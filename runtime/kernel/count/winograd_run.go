package count

import "spikingir/runtime/kernel/machine"

// reserveTiles makes the scratch large enough for a row of tiles, and lays out what the offset adds
// to sums: [block][position][16].
func (t *task) reserveTiles() {
	w, tiles := t.winograd, machine.CeilDiv(t.layout.cols, 2)
	a := &t.tiles
	a.wideCell, a.wideStride = w.cell, tiles*w.cell+vectorBytes
	a.productStride = (tiles + 1) * blockLanes // lest positions fall on the same cache lines
	a.srcRow, a.srcCell, a.channels, a.offset = t.layout.pitch, t.shape.InC, t.shape.InC, 2*t.most
	a.wide = machine.GrowAligned(a.wide, positions*a.wideStride+tileCells*w.cell)
	a.products = machine.GrowAligned(a.products, positions*a.productStride)
	t.offset = machine.Grow(t.offset, t.outBlocks*positions*blockLanes+paramWords)
	for b, sums := range w.sums {
		for p, list := range sums {
			for lane, sum := range list {
				at := (b*positions+p)*blockLanes + lane
				if t.offset[at] = -int32(a.offset) * sum; p == onlyPositive {
					t.offset[at] = 0
				}
			}
		}
	}
}

// runTiles computes the strip by tiles.
func (t *task) runTiles() {
	a, w, p := &t.args, &t.tiles, &t.Phases[0]
	w.n = machine.CeilDiv(t.cols, 2)
	for y := 0; y < t.rows; y += 2 {
		w.cells = t.cells[y*t.layout.pitch:]
		t.kernels.toTiles(w)
		for b := range t.outBlocks {
			t.multiplyTiles(b)
			w.potential = t.params[b*paramWords:]
			if t.out.kept() {
				w.sums, w.sumRow, w.sumCell = t.sums[y*a.sumRow+b*blockLanes:], a.sumRow, a.sumCell
				t.kernels.fromTiles(w)
				continue
			}
			w.sums, w.sumRow, w.sumCell = t.sums, 2*w.n*blockLanes, blockLanes
			t.kernels.fromTiles(w)
			a.rows, a.cols, a.sums, a.sumRow, a.sumCell = min(2, t.rows-y), t.cols, t.sums, w.sumRow, w.sumCell
			a.params, a.lanes[0] = t.params[b*paramWords:], t.lanes(b)
			a.counts = t.counts(p, 0)[y*a.countRow+b*blockLanes:]
			t.kernels.settle(a)
		}
	}
}

// multiplyTiles gives the sums of a block at all positions of a row of tiles.
func (t *task) multiplyTiles(block int) {
	a, w := &t.products, &t.tiles
	a.rows, a.cols, a.srcCell, a.sumCell = 1, w.n, w.wideCell, blockLanes
	a.vectors, a.planes = t.planes, t.planes
	for p := range t.winograd.units[block] {
		u := &t.winograd.units[block][p]
		t.offsets = t.offsets[:0]
		for _, w := range u.windows {
			t.offsets = append(t.offsets, w.first)
		}
		a.offsets, a.lengths, a.weights, a.chunk = t.offsets, u.lengths, u.weights, u.chunks(4*t.most)
		a.cells, a.sums = w.wide[p*w.wideStride:], w.products[p*w.productStride:]
		a.params = t.offset[(block*positions+p)*blockLanes:]
		t.kernels.conv(a)
	}
}
