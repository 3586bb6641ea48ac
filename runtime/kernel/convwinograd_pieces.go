package kernel

// A tilePiece is neighbouring tiles of a block that one call of a kernel transforms:
// number at of the block and those that follow. y and x are the first of their cells,
// of the source or of the outputs; inside tells that the kernel may use the image
// itself.
type tilePiece struct {
	at, tiles, y, x int
	inside          bool
}

// place is where tile at lies, and how many of n tiles from there on are in its row.
func (g tileGrid) place(at, n int) (y, x, tiles int) {
	y, x = at/g.cols, at%g.cols
	return y * WinogradTile, x * WinogradTile, min(n, g.cols-x)
}

// cut makes pieces of n tiles from at on.
func (t *filterTask) cut(at, n int) {
	t.reads, t.writes = t.reads[:0], t.writes[:0]
	for done := 0; done < n; {
		y, x, tiles := t.place(at+done, n-done)
		t.cutReads(tilePiece{done, tiles, y - t.shape.PadTop, x - t.shape.PadLeft, false})
		t.cutWrites(tilePiece{done, tiles, y, x, false})
		done += tiles
	}
}

// cutReads cuts tiles of a row into those that meet the borders and those between, by
// whole vectors.
func (t *filterTask) cutReads(row tilePiece) {
	between := row.y >= 0 && row.y+WinogradPatch <= t.src.h
	for row.tiles > 0 {
		n := row.tiles
		if between && row.x < 0 {
			n = min(n, filterLanes)
		} else if between {
			right := max(0, t.src.w-row.x-(WinogradPatch-WinogradTile)) / WinogradTile
			if right < n {
				right -= right % filterLanes
			}
			if row.inside = right > 0; row.inside {
				n = min(n, right)
			}
		}
		t.reads = append(t.reads, row.take(n))
	}
}

// cutWrites cuts tiles of a row into vectors within the image and what is left.
func (t *filterTask) cutWrites(row tilePiece) {
	lanes := float32s.Kernels.lanes
	whole := min(row.tiles, (t.dst.w-row.x)/WinogradTile) / lanes * lanes
	if row.y+WinogradTile <= t.dst.h && whole > 0 {
		row.inside = true
		t.writes = append(t.writes, row.take(whole))
		row.inside = false
	}
	if row.tiles > 0 {
		t.writes = append(t.writes, row)
	}
}

// take removes the first n tiles.
func (p *tilePiece) take(n int) tilePiece {
	first := *p
	first.tiles = n
	p.at, p.tiles, p.x, p.inside = p.at+n, p.tiles-n, p.x+n*WinogradTile, false
	return first
}
