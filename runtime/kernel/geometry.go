package kernel

import (
	"cmp"
	"slices"

	"spikingir/runtime/kernel/machine"
)

// A Geometry says what the outputs of a convolution or transposed convolution are sums
// of: output cell (i, j) of a phase of the source cells (i*InStepH + dy, j*InStepW + dx)
// of its taps. It lands in row Y + i*OutStepH, column X + j*OutStepW.
type Geometry struct {
	InStepH, InStepW   int
	OutStepH, OutStepW int

	// The source cells that a strip needs are stored apart by their remainders
	// modulo the input step, so that neighbouring outputs read neighbouring
	// cells. Remainders are counted from (OriginY, OriginX), the smallest tap.
	OriginY, OriginX int
	Remainders       []Remainder // those that some tap reads
	LastRow, LastCol int         // the largest of all taps

	Phases []Phase
}

// A Remainder is the part of a strip that holds the source cells
// (Row + i*InStepH, Col + j*InStepW), counted from the origin. When taps are
// far apart, every tap has a remainder of its own, and Row and Col may exceed the
// step.
type Remainder struct{ Row, Col int }

// A Phase is the outputs that share taps.
type Phase struct {
	Y, X int
	Taps []Tap
}

// A Tap is the place of a source cell in a strip, relative to its output cell: the index
// of its remainder, and rows and columns within. Kernel is its index in the kernel window.
type Tap struct {
	Remainder, Row, Col int
	Kernel              int

	dy, dx int
}

// Geometry is that of a convolution, which has one phase.
func (s ConvShape) Geometry() Geometry {
	var p Phase
	for ky := range s.KH {
		for kx := range s.KW {
			p.Taps = append(p.Taps, Tap{Kernel: ky*s.KW + kx, dy: ky*s.DilationH - s.PadTop, dx: kx*s.DilationW - s.PadLeft})
		}
	}
	return Geometry{InStepH: s.StrideH, InStepW: s.StrideW, OutStepH: 1, OutStepW: 1, Phases: []Phase{p}}.laidOut()
}

// Geometry is that of a transposed convolution. The outputs whose row and column have
// the same remainders modulo the strides form a phase. A phase sees a fixed subset of
// the kernel and is a convolution of stride 1, so nothing is scattered or multiplied by
// inserted zeros: output row oy takes kernel row ky from input row
// (oy + pad - ky*dilation) / stride where that division is exact.
func (s ConvTransposeShape) Geometry() Geometry {
	g := Geometry{InStepH: 1, InStepW: 1, OutStepH: s.StrideH, OutStepW: s.StrideW}
	for i := range s.StrideH * s.StrideW {
		p := Phase{Y: i / s.StrideW, X: i % s.StrideW}
		for k := range s.KH * s.KW {
			dy, dx := p.Y+s.PadTop-k/s.KW*s.DilationH, p.X+s.PadLeft-k%s.KW*s.DilationW
			if dy%s.StrideH == 0 && dx%s.StrideW == 0 {
				p.Taps = append(p.Taps, Tap{Kernel: k, dy: dy / s.StrideH, dx: dx / s.StrideW})
			}
		}
		g.Phases = append(g.Phases, p)
	}
	return g.laidOut()
}

// laidOut is the geometry with all taps placed: together in all cells between the first
// and the last, or each apart where a strip is smaller so. Only then is its size bounded
// for large dilations.
func (g Geometry) laidOut() Geometry {
	const rows, cols = 8, minColumns // a typical strip
	first := true
	for _, p := range g.Phases {
		for _, t := range p.Taps {
			if first {
				g.OriginY, g.OriginX, first = t.dy, t.dx, false
			}
			g.OriginY, g.OriginX = min(g.OriginY, t.dy), min(g.OriginX, t.dx)
		}
	}
	apart, together := g, g
	apart.place(true)
	together.place(false)
	if apart.Footprint(rows, cols) < together.Footprint(rows, cols) {
		g.place(true)
		return g
	}
	return together
}

// place finds where taps lie in a strip.
func (g *Geometry) place(apart bool) {
	for _, p := range g.Phases {
		for i := range p.Taps {
			t := &p.Taps[i]
			dy, dx := t.dy-g.OriginY, t.dx-g.OriginX
			r := Remainder{dy % g.InStepH, dx % g.InStepW}
			t.Row, t.Col = dy/g.InStepH, dx/g.InStepW
			if apart {
				r, t.Row, t.Col = Remainder{dy, dx}, 0, 0
			}
			t.Remainder = slices.Index(g.Remainders, r)
			if t.Remainder < 0 {
				t.Remainder = len(g.Remainders)
				g.Remainders = append(g.Remainders, r)
			}
			g.LastRow, g.LastCol = max(g.LastRow, t.Row), max(g.LastCol, t.Col)
		}
	}
}

// Same reports whether two taps have the same source cell.
func (t Tap) Same(u Tap) bool {
	return t.Remainder == u.Remainder && t.Row == u.Row && t.Col == u.Col
}

// A TapRun is taps side by side in a strip, and their places in the kernel.
type TapRun struct {
	First  Tap
	Kernel []int
}

// JoinTaps joins taps whose source cells are neighbours.
func JoinTaps(taps []Tap) []TapRun {
	taps = slices.Clone(taps)
	slices.SortStableFunc(taps, func(a, b Tap) int {
		return cmp.Or(a.Remainder-b.Remainder, a.Row-b.Row, a.Col-b.Col)
	})
	var list []TapRun
	for _, t := range taps {
		if n := len(list); n > 0 {
			r := &list[n-1]
			if r.First.Remainder == t.Remainder && r.First.Row == t.Row && r.First.Col+len(r.Kernel) == t.Col {
				r.Kernel = append(r.Kernel, t.Kernel)
				continue
			}
		}
		list = append(list, TapRun{t, []int{t.Kernel}})
	}
	return list
}

// Existing gives the range of i < count for which x + i*step lies in [0, w).
func Existing(x, step, count, w int) (from, to int) {
	if x < 0 {
		from = min(machine.CeilDiv(-x, step), count)
	}
	to = from
	if first := x + from*step; first < w {
		to = min(from+machine.CeilDiv(w-first, step), count)
	}
	return from, to
}
