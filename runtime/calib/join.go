package calib

import (
	"bytes"
	"encoding/gob"
	"maps"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/cluster"
)

// ended notes what image i has added to the sums.
func (c *collector) ended(i int) {
	for _, list := range c.counts {
		for _, k := range list {
			if k.sums == nil {
				k.sums = map[int]float64{}
			}
			k.sums[i], k.sum = k.sum, 0
		}
	}
}

// total is the sum of all images, in their order.
func (k *counter) total() (sum float64) {
	for _, i := range slices.Sorted(maps.Keys(k.sums)) {
		sum += k.sums[i]
	}
	return sum
}

// channelPart is what a process has counted of a channel.
type channelPart struct {
	Histogram *graph.Histogram // without its sum
	Images    []int            // of the sums
	Sums      []float64
}

// join adds up what the processes have counted, in all of them.
func (c *collector) join(processes cluster.Comm) error {
	if processes.Size() == 1 {
		return nil
	}
	own := map[string][]channelPart{}
	for name, list := range c.counts {
		for _, k := range list {
			p := channelPart{Histogram: k.histogram(), Images: slices.Sorted(maps.Keys(k.sums))}
			for _, i := range p.Images {
				p.Sums = append(p.Sums, k.sums[i])
			}
			own[name] = append(own[name], p)
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(own); err != nil {
		return err
	}
	all, err := cluster.All(processes, b.Bytes())
	if err != nil {
		return err
	}
	c.counts = map[string][]*counter{}
	for _, part := range all {
		var other map[string][]channelPart
		if err := gob.NewDecoder(bytes.NewReader(part)).Decode(&other); err != nil {
			return err
		}
		for name, list := range other {
			for len(c.counts[name]) < len(list) {
				c.counts[name] = append(c.counts[name], &counter{sums: map[int]float64{}})
			}
			for ch, p := range list {
				c.counts[name][ch].merge(p)
			}
		}
	}
	return nil
}

// merge adds the images of another process.
func (k *counter) merge(p channelPart) {
	h := p.Histogram
	if h.Count > 0 {
		if k.count == 0 {
			k.smallest, k.largest = h.Min, h.Max
		}
		k.smallest, k.largest = min(k.smallest, h.Min), max(k.largest, h.Max)
	}
	k.count, k.zeros, k.nans = k.count+h.Count, k.zeros+h.Zeros, k.nans+h.NaNs
	for _, b := range h.Bins {
		k.bins(b.Key, b.Count)
	}
	for at, i := range p.Images {
		k.sums[i] = p.Sums[at]
	}
}
