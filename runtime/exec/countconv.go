package exec

import (
	"slices"

	"spikingir/graph"
	"spikingir/runtime/kernel"
)

// A term is a part of what a neuron integrates: a convolution of counts, or counts
// themselves where conv is nil.
type term struct {
	conv  *graph.Node
	input *mix
	sign  float64
}

// terms reads a current as a sum of terms, and gives the nodes that nothing but this sum
// needs; false when it is anything else.
func (c *counting) terms(v *graph.Value, sign float64) (list []term, nodes []*graph.Node, ok bool) {
	if m := c.mix(v); m != nil {
		return []term{{nil, m, sign}}, nil, true
	}
	n := v.Producer()
	if n == nil || v.IsOutput() || v.NumUses() != 1 && !c.pair(n) {
		return nil, nil, false
	}
	switch {
	case n.Is("Conv"), n.Is("ConvTranspose"):
		m := c.mix(n.Input(0))
		return []term{{n, m, sign}}, []*graph.Node{n}, m != nil
	case n.Is("Neg"):
		list, nodes, ok = c.terms(n.Input(0), -sign)
		return list, append(nodes, n), ok
	case n.Is("Add"), n.Is("Sum"), n.Is("Sub"):
		for i, x := range n.Inputs() {
			s := sign
			if i > 0 && n.Is("Sub") {
				s = -sign
			}
			some, inner, ok := c.terms(x, s)
			if !ok || i > 0 && !c.sameSize(x, n.Input(0)) {
				return nil, nil, false
			}
			list, nodes = append(list, some...), append(nodes, inner...)
		}
		return list, append(nodes, n), true
	}
	return nil, nil, false
}

// pair reports whether n is a convolution that an ON and an OFF population read, each of which
// then has a convolution of its own: twice the work in integers is less than to write
// currents, turn their sign and read them twice.
func (c *counting) pair(n *graph.Node) bool {
	uses := n.Output(0).Uses()
	if !n.Is("Conv") && !n.Is("ConvTranspose") || len(uses) != 2 {
		return false
	}
	return integrating(uses[0]) != nil && integrating(uses[1]) != nil
}

// countRows is a convolution of joined counts in real numbers: rows are what a spike at
// each synapse brings to each output channel, in the order of fixedConv.place.
type countRows struct {
	fixedConv
	sources []*graph.Value
	rows    [][]float64
	most    int // the largest count that a source may have
}

// rowsOf makes one convolution of terms; false where they are none.
func (c *counting) rowsOf(terms []term) (countRows, bool) {
	var r countRows
	first, convs := fixedConv{}, 0
	for _, t := range terms {
		for _, p := range t.input.parts {
			r.most = max(r.most, p.most)
			if !slices.Contains(r.sources, p.source) {
				r.sources = append(r.sources, p.source)
			}
		}
		if t.conv == nil {
			continue
		}
		g, ok := c.geometry(t.conv)
		if !ok || g.shape.InC != t.input.channels {
			return r, false
		}
		if convs++; convs == 1 {
			first = g
		}
	}
	switch {
	case convs == 0:
		return r, false
	case len(terms) == 1 && (first.transposed || first.shape.Groups > 1):
		return r, r.own(first, terms[0])
	}
	return r, r.merge(c, first, terms)
}

// own keeps a convolution as it is; its input's channels are those of the sources.
func (r *countRows) own(g fixedConv, t term) bool {
	if !t.input.plain() || len(t.input.parts) != len(r.sources) {
		return false
	}
	var amplitude []float64
	for _, p := range t.input.times(func(_ int, a float64) float64 { return t.sign * a }).parts {
		amplitude = append(amplitude, p.amplitude...)
	}
	r.fixedConv, r.rows = g, g.byOutput(amplitude)
	return true
}

// merge makes one convolution of all terms: the kernel is the smallest that holds each
// term's at its place, a count by itself being the tap in the middle of its channel.
// Convolutions of different sizes have to keep the image's.
func (r *countRows) merge(c *counting, first fixedConv, terms []term) bool {
	s := first.shape
	if first.transposed || s.Groups > 1 {
		return false
	}
	outC := s.OutC
	for _, t := range terms {
		k := pixel(outC)
		if t.conv != nil {
			g, _ := c.geometry(t.conv)
			if k = g.shape; g.transposed || k.Groups > 1 || k.OutC != outC || len(terms) > 1 && !c.keepsSize(t.conv) {
				return false
			}
		} else if t.input.channels != outC {
			return false
		}
		if !widen(&s.ConvShape, k.ConvShape) {
			return false
		}
	}
	base, channels := map[*graph.Value]int{}, 0
	for _, t := range terms {
		for _, p := range t.input.parts {
			if _, seen := base[p.source]; !seen {
				base[p.source] = channels
				channels += len(p.amplitude)
			}
		}
	}
	s.InC = channels
	r.shape = s
	area := s.KH * s.KW
	r.rows = make([][]float64, outC)
	for o := range r.rows {
		r.rows[o] = make([]float64, channels*area)
	}
	for _, t := range terms {
		r.fill(c, t, base)
	}
	return true
}

// pixel is the convolution that keeps each pixel.
func pixel(channels int) kernel.ConvTransposeShape {
	return kernel.ConvTransposeShape{ConvShape: kernel.ConvShape{InC: channels, OutC: channels, Groups: 1,
		KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}}
}

// widen makes the kernel of s hold that of k, with zeros between the taps where their
// dilations need some; false where the strides differ.
func widen(s *kernel.ConvShape, k kernel.ConvShape) bool {
	one := func(n, pad, end, dilation *int, kn, kpad, kend, kdilation int) {
		from, to := max(*pad, kpad), max((*n-1)**dilation-*pad, (kn-1)*kdilation-kpad)
		apart := from - min(*pad, kpad)
		if *n > 1 {
			apart = divisor(apart, *dilation)
		}
		if kn > 1 {
			apart = divisor(apart, kdilation)
		}
		*dilation = max(apart, 1)
		*n, *pad, *end = (from+to) / *dilation + 1, from, max(*end, kend)
	}
	one(&s.KH, &s.PadTop, &s.PadBottom, &s.DilationH, k.KH, k.PadTop, k.PadBottom, k.DilationH)
	one(&s.KW, &s.PadLeft, &s.PadRight, &s.DilationW, k.KW, k.PadLeft, k.PadRight, k.DilationW)
	return s.StrideH == k.StrideH && s.StrideW == k.StrideW
}

// divisor is the greatest common one.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// fill adds the weights of a term, times the amplitudes of its input.
func (r *countRows) fill(c *counting, t term, base map[*graph.Value]int) {
	k, weights := pixel(len(r.rows)), []float32(nil)
	if t.conv != nil {
		g, _ := c.geometry(t.conv)
		k, weights = g.shape, g.weights
	}
	s := r.shape
	down, right := (s.PadTop-k.PadTop)/s.DilationH, (s.PadLeft-k.PadLeft)/s.DilationW
	for _, p := range t.input.parts {
		for i, a := range p.amplitude {
			for y := range k.KH {
				for x := range k.KW {
					row, column := down+y*k.DilationH/s.DilationH, right+x*k.DilationW/s.DilationW
					at := ((base[p.source]+i)*s.KH+row)*s.KW + column
					if t.conv == nil {
						r.rows[p.at+i][at] += t.sign * a
						continue
					}
					for o := range r.rows {
						w := weights[((o*k.InC+p.at+i)*k.KH+y)*k.KW+x]
						r.rows[o][at] += float64(float64(t.sign*a) * float64(w))
					}
				}
			}
		}
	}
}
