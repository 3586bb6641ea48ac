package graph

// Balance is the threshold that local threshold balancing finds for one side of the value:
// from 0 on, each round adds 2*mean(max(x - theta, 0)) to it, the mean over all elements.
// That descends the gradient of the mean square of what is clipped away, with a step of 1
// (Bu et al., CVPR 2025). The threshold rises from round to round, towards the largest
// element, and the more slowly the fewer elements are above it; it never passes that, which
// the first rounds of the authors may. An element counts as the middle of its bin, 0.4 % from
// it at most.
func (h *Histogram) Balance(rounds int, side Side) float32 {
	bins := h.side(side)
	top := float64(h.top(side))
	middle := func(b Bin) float64 {
		lo, hi := b.bounds()
		return min((lo+hi)/2, top)
	}
	var above, sum float64 // elements above theta, and their sum
	for _, b := range bins {
		above += float64(b.Count)
		sum += float64(b.Count) * middle(b)
	}
	theta, total := 0.0, float64(h.Count)
	for range rounds {
		for len(bins) > 0 && middle(bins[0]) <= theta {
			above -= float64(bins[0].Count)
			sum -= float64(bins[0].Count) * middle(bins[0])
			bins = bins[1:]
		}
		if len(bins) == 0 {
			break
		}
		theta += 2 * max(sum-theta*above, 0) / total
	}
	return float32(min(theta, top))
}

// Balance is [Histogram.Balance] over all channels.
func (s *ValueStats) Balance(rounds int, side Side) float32 {
	return mergeHistograms(s.Channels).Balance(rounds, side)
}

// BalancePerChannel is [Histogram.Balance] of each channel.
func (s *ValueStats) BalancePerChannel(rounds int, side Side) []float32 {
	out := make([]float32, len(s.Channels))
	for c, h := range s.Channels {
		out[c] = h.Balance(rounds, side)
	}
	return out
}
