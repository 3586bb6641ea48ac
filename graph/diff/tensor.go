package diff

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
)

// fewElements is how many elements a tensor may have to be printed whole.
const fewElements = 4

// tensor prints a constant: whole when it is small, else by its digest.
func tensor(t *graph.Tensor) string {
	head := fmt.Sprintf("%v%v", t.DType, t.Dims)
	n, err := t.Len()
	if err != nil {
		return head
	}
	if n <= fewElements {
		if xs, err := t.Float32s(); err == nil {
			return head + fmt.Sprintf(" %v", xs)
		}
		if xs, err := t.Int64s(); err == nil {
			return head + fmt.Sprintf(" %v", xs)
		}
	}
	h := sha256.New()
	h.Write(t.Bytes())
	for _, s := range t.Strings() {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return head + fmt.Sprintf(" sha256 %x", h.Sum(nil)[:6])
}

// distance is how far two floating point tensors of the same size lie apart.
func distance(a, b *graph.Tensor) string {
	if a == nil || b == nil || !slices.Equal(a.Dims, b.Dims) {
		return ""
	}
	xs, err := a.Float32s()
	if err != nil {
		return ""
	}
	ys, err := b.Float32s()
	if err != nil {
		return ""
	}
	var most float64
	for i := range xs {
		most = max(most, math.Abs(float64(xs[i])-float64(ys[i])))
	}
	return fmt.Sprintf(", largest difference %.3g", most)
}
