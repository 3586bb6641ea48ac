package absorbscales

import (
	"math"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
)

// scale is one positive number, or one per channel; nil is 1.
type scale []float32

var one = scale{1}

func (s scale) at(c int) float32 {
	switch len(s) {
	case 0:
		return 1
	case 1:
		return s[0]
	}
	return s[c]
}

func (s scale) equal(t scale) bool {
	for c := range max(len(s), len(t), 1) {
		if s.at(c) != t.at(c) {
			return false
		}
	}
	return true
}

func (s scale) isOne() bool { return s.equal(nil) }

// short is s as one number where all are the same.
func (s scale) short() scale {
	for _, x := range s {
		if x != s[0] {
			return s
		}
	}
	return s[:min(len(s), 1)]
}

// ratio is from/s, the factor that brings a value of scale from to scale s.
func (s scale) ratio(n *graph.Node, from scale) (scale, error) {
	out := make(scale, max(len(s), len(from), 1))
	for c := range out {
		x := float64(from.at(c)) / float64(s.at(c))
		out[c] = float32(x)
		if !normal(x) {
			return nil, op.Unsupportedf(n, "thresholds %g and %g give the scale %g, want a normal float",
				from.at(c), s.at(c), x)
		}
	}
	return out.short(), nil
}

const (
	smallest = 0x1p-126
	largest  = math.MaxFloat32
)

func normal(x float64) bool { return x >= smallest && x <= largest }

// dims is the dimensions of s as a parameter of a tensor of the given rank.
func (s scale) dims(rank int) []int64 {
	if len(s) < 2 {
		return []int64{}
	}
	return spiking.PerChannel(len(s), rank)
}

// rounded is x, computed for a weight or bias of n, as a float. What no normal
// float holds becomes 0: it is below 2^-126 of a threshold of 1.
func rounded(n *graph.Node, x float64) (float32, error) {
	y := float32(x)
	if math.IsNaN(x) || math.IsInf(float64(y), 0) {
		return 0, op.Unsupportedf(n, "scaling gives the weight %g, want a finite float", x)
	}
	if math.Abs(x) < smallest {
		return 0, nil
	}
	return y, nil
}

// divide divides the bias of n, input i, if any, by s. It becomes a parameter of a
// tensor of the given rank; of rank 1 it is the bias of a layer.
func divide(n *graph.Node, i int, s scale, rank int) error {
	b := n.Input(i)
	if b == nil || s.isOne() {
		return nil
	}
	t, xs, err := weights.Floats(n, b, "bias")
	if err != nil {
		return err
	}
	out := make(scale, max(len(xs), len(s)))
	for c := range out {
		if out[c], err = rounded(n, float64(scale(xs).at(c))/float64(s.at(c))); err != nil {
			return err
		}
	}
	dims := t.Dims
	if rank > 1 {
		dims = out.dims(rank)
	}
	renew(n, i, graph.NewFloat32(dims, out))
	return nil
}

func renew(n *graph.Node, i int, t *graph.Tensor) {
	v := n.Input(i)
	n.SetInput(i, weights.Renew(n.Graph(), v, t, v.Name()+".unit"))
}
