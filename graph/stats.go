package graph

import (
	"cmp"
	"math"
	"slices"
)

// Stats is what calibration learns about the values of a graph: plain data
// that passes read. Package runtime/calib collects it.
type Stats struct {
	Images int
	SHA256 string // of the calibration set
	Values map[string]*ValueStats
}

// ValueStats is the distribution of one value's elements over a calibration
// set, for each channel (dimension 1).
type ValueStats struct{ Channels []*Histogram }

// Over selects the elements a percentile is taken over.
type Over string

// OverNonzero takes the positive elements (Rueckauer et al. 2017), OverAll all
// elements after the ReLU, zeros included.
const (
	OverNonzero Over = "nonzero"
	OverAll     Over = "all"
)

// Side selects the population of a signed value: relu(x) or relu(-x).
type Side uint8

// Positive is relu(x), Negative relu(-x), Magnitude |x|.
const (
	Positive Side = iota
	Negative
	Magnitude
)

// Percentile gives the p-th percentile (0..100) of one side of the value over
// all channels; 100 is the exact maximum. It is 0 where no element qualifies.
func (s *ValueStats) Percentile(p float64, over Over, side Side) float32 {
	return mergeHistograms(s.Channels).Percentile(p, over, side)
}

// PerChannel gives the percentile of each channel.
func (s *ValueStats) PerChannel(p float64, over Over, side Side) []float32 {
	out := make([]float32, len(s.Channels))
	for c, h := range s.Channels {
		out[c] = h.Percentile(p, over, side)
	}
	return out
}

// binShift keeps the sign, the exponent and the upper 7 bits of the fraction of a
// float32: 2^16 bins, each at most 0.8 % wide (of subnormals: 2^-133 wide).
const binShift = 16

// Histogram counts float32 values in bins of their upper 16 bits. Counts are
// integers, so the order of adding and merging does not change it.
type Histogram struct {
	Count    int64 // finite elements
	Zeros    int64
	NaNs     int64 // NaN and infinite elements
	Min, Max float32
	Sum      float64 // of the elements; merged in the order of the images
	Bins     []Bin   // of the nonzero elements, by Key
}

// Bin counts the elements whose upper 16 bits are Key.
type Bin struct {
	Key   uint16
	Count int64
}

// BinKey is the bin of a nonzero element.
func BinKey(x float32) uint16 { return uint16(math.Float32bits(x) >> binShift) }

// bounds gives the smallest magnitude of a bin and that of the next bin, or the
// largest finite magnitude.
func (b Bin) bounds() (lo, hi float64) {
	bits := uint32(b.Key&0x7fff) << binShift
	next := math.Float32frombits(bits + 1<<binShift)
	return float64(math.Float32frombits(bits)), min(float64(next), math.MaxFloat32)
}

func (b Bin) negative() bool { return b.Key>>15 != 0 }

// Merge is the histogram of both sets of elements.
func (h *Histogram) Merge(o *Histogram) *Histogram {
	return mergeHistograms([]*Histogram{h, o})
}

func mergeHistograms(list []*Histogram) *Histogram {
	var m Histogram
	counts := map[uint16]int64{}
	for _, h := range list {
		if h.Count > 0 {
			if m.Count == 0 {
				m.Min, m.Max = h.Min, h.Max
			}
			m.Min, m.Max = min(m.Min, h.Min), max(m.Max, h.Max)
		}
		m.Count += h.Count
		m.Zeros += h.Zeros
		m.NaNs += h.NaNs
		m.Sum += h.Sum
		for _, b := range h.Bins {
			counts[b.Key] += b.Count
		}
	}
	for k, n := range counts {
		m.Bins = append(m.Bins, Bin{k, n})
	}
	slices.SortFunc(m.Bins, func(a, b Bin) int { return cmp.Compare(a.Key, b.Key) })
	return &m
}

// Percentile gives the p-th percentile of one side, interpolated inside its
// bin and never above the largest element; a p outside of 0..100 is taken as the
// nearer end. Elements of the other side count as zeros, as after a ReLU.
func (h *Histogram) Percentile(p float64, over Over, side Side) float32 {
	bins := h.side(side)
	var n int64
	for _, b := range bins {
		n += b.Count
	}
	if n == 0 {
		return 0
	}
	top := h.top(side)
	if p >= 100 {
		return top
	}
	total, at := float64(n), 0.0
	if over == OverAll {
		total, at = float64(h.Count), float64(h.Count-n)
	}
	rank := max(p, 0) * total / 100 // multiplied first: exact for 99.9 of 1000
	if at > 0 && rank <= at {       // among the zeros
		return 0
	}
	for _, b := range bins {
		if next := at + float64(b.Count); next >= rank {
			lo, hi := b.bounds()
			x := float32(lo + (hi-lo)*(rank-at)/float64(b.Count))
			return min(x, top)
		}
		at += float64(b.Count)
	}
	return top
}

// side is the bins of one side by rising magnitude.
func (h *Histogram) side(side Side) []Bin {
	if side == Magnitude {
		return h.magnitudes()
	}
	var bins []Bin
	for _, b := range h.Bins {
		if b.negative() == (side == Negative) {
			bins = append(bins, b)
		}
	}
	return bins
}

func (h *Histogram) magnitudes() []Bin {
	counts := map[uint16]int64{}
	for _, b := range h.Bins {
		counts[b.Key&0x7fff] += b.Count
	}
	var bins []Bin
	for k, n := range counts {
		bins = append(bins, Bin{k, n})
	}
	slices.SortFunc(bins, func(a, b Bin) int { return cmp.Compare(a.Key, b.Key) })
	return bins
}

func (h *Histogram) top(side Side) float32 {
	switch side {
	case Negative:
		return max(-h.Min, 0)
	case Magnitude:
		return max(-h.Min, h.Max)
	}
	return max(h.Max, 0)
}

// Mean is the mean of the finite elements, 0 when there are none.
func (h *Histogram) Mean() float64 {
	if h.Count == 0 {
		return 0
	}
	return h.Sum / float64(h.Count)
}
