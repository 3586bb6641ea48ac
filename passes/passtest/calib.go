package passtest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
)

// calibrate gives the statistics of values over the case's seeded calibration
// inputs, as the runtime's calibrator does over images.
func (c *goldenCase) calibrate(m *graph.Model, names []string) (*graph.Stats, error) {
	if c.calib == nil {
		return nil, errors.New("the case has no section calib")
	}
	probe := m.Clone()
	for _, name := range names {
		v := probe.Graph.Value(name)
		if v == nil {
			return nil, fmt.Errorf("no value is called %q", name)
		}
		if !v.IsOutput() {
			probe.Graph.AddOutput(v)
		}
	}
	stats := &graph.Stats{Images: c.calib.n, Values: map[string]*graph.ValueStats{}}
	for i := range c.calib.n {
		in, err := c.calib.inputs(m, i)
		if err != nil {
			return nil, err
		}
		out, err := Execute(probe, in)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := observe(stats, name, out[name]); err != nil {
				return nil, fmt.Errorf("value %q: %w", name, err)
			}
		}
	}
	return stats, nil
}

// observe adds the elements of t to the histograms of a value, one for each
// channel (dimension 1).
func observe(stats *graph.Stats, name string, t *graph.Tensor) error {
	xs, err := t.Float32s()
	if err != nil {
		return err
	}
	channels, inner := int64(1), int64(1)
	if len(t.Dims) > 1 {
		channels = t.Dims[1]
		for _, d := range t.Dims[2:] {
			inner *= d
		}
	}
	lists := make([][]float32, channels)
	for i, x := range xs {
		k := int64(i) / inner % channels
		lists[k] = append(lists[k], x)
	}
	vs := stats.Values[name]
	if vs == nil {
		vs = &graph.ValueStats{Channels: make([]*graph.Histogram, channels)}
		for k := range vs.Channels {
			vs.Channels[k] = &graph.Histogram{}
		}
		stats.Values[name] = vs
	}
	if int64(len(vs.Channels)) != channels {
		return fmt.Errorf("%d channels, before %d", channels, len(vs.Channels))
	}
	for k, list := range lists {
		vs.Channels[k] = vs.Channels[k].Merge(histogram(list))
	}
	return nil
}

func histogram(xs []float32) *graph.Histogram {
	h := &graph.Histogram{}
	counts := map[uint16]int64{}
	for _, x := range xs {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			h.NaNs++
			continue
		}
		if h.Count == 0 {
			h.Min, h.Max = x, x
		}
		h.Min, h.Max = min(h.Min, x), max(h.Max, x)
		h.Count++
		h.Sum += float64(x)
		if x == 0 {
			h.Zeros++
			continue
		}
		counts[graph.BinKey(x)]++
	}
	for key, n := range counts {
		h.Bins = append(h.Bins, graph.Bin{Key: key, Count: n})
	}
	slices.SortFunc(h.Bins, func(a, b graph.Bin) int { return cmp.Compare(a.Key, b.Key) })
	return h
}
