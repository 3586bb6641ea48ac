package spike

import "spikingir/runtime/kernel/machine"

// lookupBytes bounds the indices of a strip, of as many slices as are expanded at once,
// so that they stay in a core's second-level cache while every output channel reads
// them. Tests vary it: the results do not depend on it.
var lookupBytes = 512 << 10

// lookupRows bounds the height of a tile.
const lookupRows = 8

// A lookupLayout is the size of a strip, across x down tiles of rows x lookupCols
// output pixels of a phase, one a lane, and the place of their indices, in words.
type lookupLayout struct {
	across, down int
	rows         int
	pitch        int // from a row of a tile to the next
	remainder    int // from the pixels of a remainder to those of the next
	plane, slice int
	chunk        int // slices at once
}

// lookupLayoutFor chooses strips for phases of rows x cols pixels, at least parts of
// them, in the given number of slices.
func (c *Conv) lookupLayoutFor(rows, cols, parts, slices int) lookupLayout {
	var best lookupLayout
	least := 0
	for across := 1; across <= min(lookupLanes, machine.CeilDiv(cols, lookupCols)); across++ {
		for height := 1; height <= min(lookupRows, rows); height++ {
			l := c.lookupLayout(across, height, slices)
			strips := machine.CeilDiv(rows, l.down*height) * machine.CeilDiv(cols, across*lookupCols)
			if cost := machine.CeilDiv(strips, parts) * c.lookupCost(&l, slices); least == 0 || cost < least {
				best, least = l, cost
			}
		}
	}
	return best
}

func (c *Conv) lookupLayout(across, height, slices int) lookupLayout {
	l := lookupLayout{across: across, down: lookupLanes / across, rows: height}
	l.pitch = (lookupCols + c.LastCol) * lookupLanes
	l.remainder = (height + c.LastRow) * l.pitch
	l.plane = len(c.Remainders) * l.remainder
	l.slice = len(c.lookups.planes) * l.plane
	l.chunk = min(slices, max(1, lookupBytes/(2*l.slice)))
	return l
}

// lookupCost estimates the time of a strip in cycles, from measurements of the parts.
func (c *Conv) lookupCost(l *lookupLayout, slices int) int {
	const sum, fire, table, index, collect = 3, 12, 15, 6, 4 // of a vector
	cost := slices * l.slice / lookupLanes * index
	for _, p := range c.lookups.phases {
		cost += slices * l.rows * lookupCols * c.shape.OutC * (len(p.places)*sum + fire + collect)
		cost += machine.CeilDiv(slices, l.chunk) * c.shape.OutC * len(p.places) * table
	}
	return cost
}
