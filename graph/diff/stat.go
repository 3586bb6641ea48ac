package diff

import (
	"math"

	"spikingir/graph"
)

// Count is how many parts of a kind differ.
type Count struct {
	Kind    Kind `json:"kind"`
	Added   int  `json:"added"`
	Removed int  `json:"removed"`
	Changed int  `json:"changed"`
	Moved   int  `json:"moved"`
}

// Weights is how far the initializers that both models have lie apart.
type Weights struct {
	Changed int `json:"changed"`
	// Norm is |B-A| / |A| in the 2-norm, over all that changed and has the same
	// dimensions; nil where nothing has, where A is 0 or a number is infinite or NaN.
	Norm *float64 `json:"relative_norm"`
}

// weighing adds up the difference of initializers.
type weighing struct {
	changed          int
	difference, size float64 // squared
}

// add counts an initializer that changed.
func (w *weighing) add(a, b *graph.Tensor) {
	w.changed++
	if !alike(a, b) {
		return
	}
	xs, ys := doubles(a), doubles(b)
	if len(xs) != len(ys) {
		return
	}
	for i, x := range xs {
		w.difference += (ys[i] - x) * (ys[i] - x)
		w.size += x * x
	}
}

func (w *weighing) weights() Weights {
	norm := math.Sqrt(w.difference / w.size)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return Weights{Changed: w.changed}
	}
	return Weights{w.changed, &norm}
}

// statistics counts the entries by kind, kinds without any left out.
func statistics(entries []Entry) []Count {
	list := []Count{}
	for _, e := range entries {
		if len(list) == 0 || list[len(list)-1].Kind != e.Kind {
			list = append(list, Count{Kind: e.Kind})
		}
		c := &list[len(list)-1]
		switch e.Change {
		case Added:
			c.Added++
		case Removed:
			c.Removed++
		case Changed:
			c.Changed++
		case Moved:
			c.Moved++
		}
	}
	return list
}
