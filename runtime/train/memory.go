package train

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph/op"
)

// need is the bytes that a patch takes in a worker, about: the values and what neurons keep
// for the way back, and gradients, of which two of each size are alive at a time. Node is what
// takes most.
func (n *Net) need(mode Mode) (bytes float64, node string) {
	most := 0.0
	var sizes []float64
	for _, v := range n.order {
		all := float64(n.slices(v, mode)) * float64(v.elems)
		if !slices.Contains(sizes, all) {
			sizes = append(sizes, all)
			bytes += 2 * 4 * all
		}
		own := 4 * all
		if v.neuron != nil {
			own += all / 8 // potentials, or mean currents, and spikes
			if v.dense || mode != Spikes {
				own += 4 * all
			}
		}
		if own > most && v.of.Producer() != nil {
			most, node = own, v.of.Producer().OriginLabel()
		}
		bytes += own
	}
	return bytes, node
}

// fits refuses patches that take more memory than is allowed, before the first step. Each
// thread has one patch at a time.
func (t *Trainer) fits(side int) error {
	if t.Memory < 0 {
		return nil
	}
	patch, node := 0.0, ""
	for _, s := range t.Stages {
		mode := t.net.Own() // of calibrations
		if k, err := s.kind(); err == nil {
			mode = k.mode
		}
		if bytes, n := t.net.need(mode); bytes > patch {
			patch, node = bytes, n
		}
	}
	taught, _ := t.teacher.need(ANN)
	patch += taught
	threads := t.Pool.Threads()
	if patch*float64(threads) <= float64(t.Memory) {
		return nil
	}
	size := func(bytes float64) string { return op.Bytes(int64(min(bytes, math.MaxInt64/2))) }
	advice := "want a larger --memory"
	if fit := sideWithin(side, patch, float64(t.Memory)/float64(threads)); fit > 0 {
		advice = fmt.Sprintf("want --patch %d or less, or a larger --memory", fit)
	}
	if n := int(float64(t.Memory) / patch); n > 0 {
		advice += fmt.Sprintf(", or --threads %d", n)
	}
	return &TooLargeError{fmt.Sprintf("patches of %dx%d pixels take about %s each, most of it at node %q, and %s in %d threads, --memory allows %s: %s",
		side, side, size(patch), node, size(patch*float64(threads)), threads, size(float64(t.Memory)), advice)}
}

// A TooLargeError refuses patches that take more memory than is allowed.
type TooLargeError struct{ text string }

func (e *TooLargeError) Error() string { return e.text }

// sideWithin is the side of patches that take so much memory, 0 where there are none; patches
// of a side take as much as stated. It is a multiple of 8, which networks that halve images
// take.
func sideWithin(side int, bytes, allowed float64) int {
	const grain, least = 8, 16
	fit := int(float64(side)*math.Sqrt(allowed/bytes)) / grain * grain
	if fit < least || fit >= side {
		return 0
	}
	return fit
}
