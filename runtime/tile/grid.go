package tile

import (
	"fmt"
	"sort"

	"spikingir/graph"
)

// tiling is how a frame is cut into tiles. All have one size, so that the
// buffers of one serve the next; the last ones are shifted back inside the
// frame.
type Grid struct {
	Size   [2]int         // rows and columns of a tile
	Shared [2]int         // rows and columns that neighbours have in common
	Starts [2][]int       // the first row or column of each
	Own    [2][]Ownership // what each gives to the outputs
	Bytes  int64          // that a tile takes
	Gaps   bool           // some value within has elements that no tile owns
}

// Ownership is, along an axis, the elements of each value that a tile gives, [lo, hi) of
// the frame's, and where the tile's begin: the span that it owns.
type Ownership map[*graph.Value]Span

func (t *Grid) Count() int { return len(t.Starts[0]) * len(t.Starts[1]) }

// cutter cuts one axis. What a tile gets right shrinks by the same amount
// wherever it lies inside the frame, whatever its size.
type cutter struct {
	frame, align int
	probe        int // the size of a tile that was tried far from the borders
	right        []ownLength
	smallest     int // tile that suits every operator
}

// ownLength is how many elements of an output the tried tile gets right.
type ownLength struct {
	length int
	ratio
}

// farAway is more than the reach of any network that is worth cutting.
const farAway = 1 << 20

// cutter tries a tile in the middle of a huge frame that leaves the remainder
// that a frame of n leaves.
func (r *Fields) cutter(in Area, axis, n int) (*cutter, error) {
	c := &cutter{frame: n, align: r.align[axis]}
	far := farAway / c.align * c.align
	c.probe = n + far
	in.Axes[1-axis] = Whole(in.Axes[1-axis].Full)
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
		for _, at := range []int{0, min(c.step(size), c.frame-size), c.frame - size} {
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

// count is the number of tiles of a size that a frame takes; 0 where they are
// too small.
func (c *cutter) count(size int) int {
	if size >= c.frame {
		return 1
	}
	step := c.step(size)
	if size < c.smallest || step <= 0 {
		return 0
	}
	return 1 + ceilDiv(c.frame-size, step)
}

// choices is the number of sizes to choose from, and size the k-th, rising.
func (c *cutter) choices() int { return (c.frame-1)/c.align + 1 }

func (c *cutter) size(k int) int { return c.frame - (c.choices()-1-k)*c.align }

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
		list = append(list, min(i*c.step(size), c.frame-size))
	}
	return list
}

const (
	// mostColumns bounds how many tiles lie side by side in the plans tried.
	mostColumns = 64
	// mostWork bounds what tiles compute more than once: they are never made so
	// small that this many times the pixels of the frame are computed.
	mostWork = 16
)

// tile chooses tiles that take limit bytes at most and together have the
// fewest pixels: as a rule strips of the full width. Where no tiles are that
// small it takes those that need the least. bytes tells what a size needs.
func (r *Fields) Cut(in Area, limit int64, bytes func(h, w int) (int64, error)) (*Grid, error) {
	var cut [2]*cutter
	for axis := range cut {
		var err error
		if cut[axis], err = r.cutter(in, axis, in.Axes[axis].Full); err != nil {
			return nil, err
		}
	}
	var best *candidate
	for columns := 1; columns <= mostColumns; columns++ {
		w := cut[1].least(columns)
		if cut[1].count(w) != columns {
			continue // as few as before
		}
		c, err := tallest(cut[0], columns, w, cut[1].frame, limit, bytes)
		if err != nil {
			return nil, err
		}
		if c != nil && (best == nil || c.better(best, limit)) {
			best = c
		}
	}
	if best == nil {
		return nil, fmt.Errorf("its results depend on so much of the frame that tiles would overlap almost everywhere")
	}
	return r.Grid(in, cut, best)
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
		return n > 0 && n <= mostWork*int64(c.frame)*int64(width)
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

// tiling works a candidate out, and makes sure of it: every tile is walked.
func (r *Fields) Grid(in Area, cut [2]*cutter, c *candidate) (*Grid, error) {
	t := &Grid{Size: [2]int{c.h, c.w}, Bytes: c.bytes}
	for axis := range cut {
		t.Starts[axis] = cut[axis].starts(t.Size[axis])
		if len(t.Starts[axis]) > 1 {
			t.Shared[axis] = t.Size[axis] - cut[axis].step(t.Size[axis])
		}
		done := map[*graph.Value]int{}
		for i, at := range t.Starts[axis] {
			tile := in
			tile.Axes[axis] = Span{cut[axis].frame, t.Size[axis], at, at, at + t.Size[axis]}
			areas, err := r.Areas(tile)
			if err != nil {
				return nil, err
			}
			own := Ownership{}
			for v, a := range areas {
				s := a.Axes[axis]
				last := i == len(t.Starts[axis])-1
				if s.Lo > done[v] || last && s.Hi != s.Full {
					if v.IsOutput() {
						return nil, fmt.Errorf("tiles of output %q leave a gap", v.Name())
					}
					t.Gaps = true
				}
				s.Lo, s.Hi = done[v], max(s.Hi, done[v])
				own[v] = s
				done[v] = own[v].Hi
			}
			t.Own[axis] = append(t.Own[axis], own)
		}
	}
	return t, nil
}
