package count

import "spikingir/runtime/kernel/machine"

// tileColumns bounds the columns of a strip that runs by tiles, whose products take much memory.
const tileColumns = 128

// reserveTiles makes the scratch large enough for a row of tiles.
func (t *task) reserveTiles() {
	w, tiles := t.winograd, machine.CeilDiv(t.layout.cols, 2)
	a, m := &t.tiles, &t.products
	a.wideCell, a.wideStride = w.cell, tiles*w.cell+vectorBytes
	a.productStride = (tiles + 1) * blockLanes // lest positions fall on the same cache lines
	a.srcRow, a.srcCell, a.channels = t.layout.pitch, t.shape.InC, t.shape.InC
	a.wide = machine.GrowAligned(a.wide, positions*a.wideStride+tileCells*w.cell)
	m.cell, m.groups, m.blockStride = w.cell, w.cell/2, positions*a.productStride
	t.multiplied = machine.GrowAligned(t.multiplied, 2*m.blockStride)
}

// runTiles computes the strip by tiles.
func (t *task) runTiles() {
	w, m := &t.tiles, &t.products
	w.n = machine.CeilDiv(t.cols, 2)
	m.n = w.n
	for y := 0; y < t.rows; y += 2 {
		w.cells = t.cells[y*t.layout.pitch:]
		t.kernels.toTiles(w)
		for i := range t.winograd.units {
			u := &t.winograd.units[i]
			m.blocks = u.blocks
			for p := range positions {
				m.cells, m.weights, m.products = w.wide[p*w.wideStride:], u.weights[p], t.multiplied[p*w.productStride:]
				t.kernels.mul(m)
			}
			for b := range u.blocks {
				w.products = t.multiplied[b*m.blockStride:]
				t.finishTiles(y, u.first+b)
			}
		}
	}
}

// finishTiles gives the sums of a block of a row of tiles, and their counts unless the sums of all
// blocks are kept.
func (t *task) finishTiles(y, block int) {
	a, w := &t.args, &t.tiles
	w.potential = t.params[block*paramWords:]
	if t.out.kept() {
		w.sums, w.sumRow, w.sumCell = t.sums[y*a.sumRow+block*blockLanes:], a.sumRow, a.sumCell
		t.kernels.fromTiles(w)
		return
	}
	w.sums, w.sumRow, w.sumCell = t.sums, 2*w.n*blockLanes, blockLanes
	t.kernels.fromTiles(w)
	a.rows, a.cols, a.sums, a.sumRow, a.sumCell = min(2, t.rows-y), t.cols, t.sums, w.sumRow, w.sumCell
	a.params, a.lanes[0] = t.params[block*paramWords:], t.lanes(block)
	a.counts = t.counts(&t.Phases[0], 0)[y*a.countRow+block*blockLanes:]
	t.kernels.settle(a)
}
