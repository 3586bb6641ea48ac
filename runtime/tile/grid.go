package tile

import (
	"fmt"
	"sort"

	"spikingir/graph"
)

// Grid is how an image is cut into tiles. All have one size, so that the buffers of one
// serve the next; the last ones are shifted back inside the image.
type Grid struct {
	Size   [2]int         // rows and columns of a tile
	Shared [2]int         // rows and columns that neighbours have in common
	Starts [2][]int       // the first row or column of each
	Own    [2][]Ownership // what each gives to the values, by row and by column
	Bytes  int64          // that a tile takes
	Gaps   bool           // some value within has elements that no tile owns
}

// Ownership is, along an axis, the span of each value that a tile gives: [Lo, Hi).
type Ownership map[*graph.Value]Span

// Count is the number of tiles.
func (g *Grid) Count() int { return len(g.Starts[0]) * len(g.Starts[1]) }

// cutter cuts one axis. What a tile gets right shrinks by the same amount
// wherever it lies inside the image, whatever its size.
type cutter struct {
	image, align int
	probe        int // the size of a tile that was tried far from the borders
	right        []ownLength
	smallest     int // tile that suits every operator
}

// ownLength is how many elements of an output the tried tile gets right.
type ownLength struct {
	length int
	ratio
}

// farAway is more than the receptive field of any network that is worth cutting.
const farAway = 1 << 20

// cutter tries a tile in the middle of a huge image that leaves the remainder
// that the image leaves.
func (r *Fields) cutter(in Area, axis int) (*cutter, error) {
	n := in.Axes[axis].Full
	c := &cutter{image: n, align: r.align[axis]}
	far := farAway / c.align * c.align
	c.probe = n + far
	in.Axes[axis] = Span{n + 3*far, c.probe, far, far, far + c.probe}
	areas, err := r.Areas(in)
	if err != nil {
		return nil, err
	}
	for v, a := range areas {
		if v.IsOutput() {
			s := a.Axes[axis]
			c.right = append(c.right, ownLength{s.Hi - s.Lo, r.ratio[v][axis]})
		}
	}
	c.smallest = c.size(sort.Search(c.choices()-1, func(k int) bool {
		size := c.size(k)
		for _, at := range []int{0, min(c.step(size), n-size), n - size} {
			in.Axes[axis] = Span{n, size, at, at, at + size}
			if _, err := r.Areas(in); err != nil || c.step(size) <= 0 {
				return false
			}
		}
		return true
	}))
	return c, nil
}

// step is the distance of tiles of a size, 0 or less where they are too small
// to meet.
func (c *cutter) step(size int) int {
	step := size
	for _, o := range c.right {
		right := o.length - (c.probe-size)/o.den*o.num
		step = min(step, floorDiv(right*o.den, o.num))
	}
	return floorDiv(step, c.align) * c.align
}

// count is the number of tiles of a size that the image takes; 0 where they are
// too small.
func (c *cutter) count(size int) int {
	if size >= c.image {
		return 1
	}
	step := c.step(size)
	if size < c.smallest || step <= 0 {
		return 0
	}
	return 1 + ceilDiv(c.image-size, step)
}

// choices is the number of sizes to choose from, and size the k-th, rising.
func (c *cutter) choices() int { return (c.image-1)/c.align + 1 }

func (c *cutter) size(k int) int { return c.image - (c.choices()-1-k)*c.align }

// least is the smallest size of which most tiles at most are needed.
func (c *cutter) least(most int) int {
	return c.size(sort.Search(c.choices()-1, func(k int) bool {
		n := c.count(c.size(k))
		return n > 0 && n <= most
	}))
}

// starts is where the tiles of a size begin.
func (c *cutter) starts(size int) []int {
	var list []int
	for i := range c.count(size) {
		list = append(list, min(i*c.step(size), c.image-size))
	}
	return list
}

const (
	// mostColumns bounds how many tiles lie side by side in the plans tried.
	mostColumns = 64
	// mostWork bounds what tiles compute more than once: they are never made so
	// small that this many times the pixels of the image are computed.
	mostWork = 16
)

// Cut chooses tiles that take limit bytes at most and together have the
// fewest pixels: as a rule strips of the full width. Where no tiles are that
// small it takes those that need the least. bytes tells what a size needs.
func (r *Fields) Cut(in Area, limit int64, bytes func(h, w int) (int64, error)) (*Grid, error) {
	var cut [2]*cutter
	for axis := range cut {
		var err error
		if cut[axis], err = r.cutter(in, axis); err != nil {
			return nil, err
		}
	}
	var best *candidate
	for columns := 1; columns <= mostColumns; columns++ {
		w := cut[1].least(columns)
		if cut[1].count(w) != columns {
			continue // as few as before
		}
		c, err := tallest(cut[0], columns, w, cut[1].image, limit, bytes)
		if err != nil {
			return nil, err
		}
		if c != nil && (best == nil || c.better(best, limit)) {
			best = c
		}
	}
	if best == nil {
		return nil, fmt.Errorf("its results depend on so much of the image that tiles would overlap almost everywhere")
	}
	return r.grid(in, cut, best)
}

// candidate is tiles of one size.
type candidate struct {
	h, w        int
	work, bytes int64 // pixels of all tiles, memory of one
}

// better prefers what fits, of that the least work, of the rest the least memory.
func (c *candidate) better(d *candidate, limit int64) bool {
	if fits := c.bytes <= limit; fits != (d.bytes <= limit) {
		return fits
	} else if fits {
		return c.work < d.work
	}
	return c.bytes < d.bytes
}

// tallest finds the height of tiles of width w, columns of them side by side:
// the largest that fits, and of that number of rows the smallest; nil when every
// height means too much work.
func tallest(c *cutter, columns, w, width int, limit int64, bytes func(h, w int) (int64, error)) (*candidate, error) {
	work := func(h int) int64 { return int64(c.count(h)) * int64(h) * int64(columns) * int64(w) }
	sensible := func(h int) bool {
		n := work(h)
		return n > 0 && n <= mostWork*int64(c.image)*int64(width)
	}
	lo, hi := 0, c.choices()-1
	for lo < hi && !sensible(c.size(lo)) {
		lo++
	}
	if !sensible(c.size(lo)) {
		return nil, nil
	}
	for lo < hi { // the largest that fits, or the smallest sensible one
		k := (lo + hi + 1) / 2
		n, err := bytes(c.size(k), w)
		if err != nil {
			return nil, err
		}
		if n <= limit {
			lo = k
		} else {
			hi = k - 1
		}
	}
	h := c.size(lo)
	if even := c.least(c.count(h)); even < h && sensible(even) {
		h = even
	}
	n, err := bytes(h, w)
	return &candidate{h, w, work(h), n}, err
}

// grid works a candidate out, and makes sure of it: every tile is tried.
func (r *Fields) grid(in Area, cut [2]*cutter, c *candidate) (*Grid, error) {
	g := &Grid{Size: [2]int{c.h, c.w}, Bytes: c.bytes}
	for axis, k := range cut {
		size := g.Size[axis]
		g.Starts[axis] = k.starts(size)
		last := len(g.Starts[axis]) - 1
		if last > 0 {
			g.Shared[axis] = size - k.step(size)
		}
		done := map[*graph.Value]int{}
		for i, at := range g.Starts[axis] {
			tile := in
			tile.Axes[axis] = Span{k.image, size, at, at, at + size}
			areas, err := r.Areas(tile)
			if err != nil {
				return nil, err
			}
			own := Ownership{}
			for v, a := range areas {
				s := a.Axes[axis]
				if s.Lo > done[v] || i == last && s.Hi != s.Full {
					if v.IsOutput() {
						return nil, fmt.Errorf("tiles of output %q leave a gap", v.Name())
					}
					g.Gaps = true
				}
				s.Lo, s.Hi = done[v], max(s.Hi, done[v])
				own[v], done[v] = s, s.Hi
			}
			g.Own[axis] = append(g.Own[axis], own)
		}
	}
	return g, nil
}
