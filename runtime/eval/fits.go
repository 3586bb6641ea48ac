package eval

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// misfit is the first number of t that would become another one as elements of type elem:
// integers would wrap round, and floats become infinite. It is empty where all fit.
func misfit(t *ops.Tensor, elem graph.DType) string {
	as := t.As(elem)
	for i, x := range t.I64 {
		negative := x < 0 && (elem == graph.Uint64) != (t.DType == graph.Uint64)
		if i < len(as.I64) && (as.I64[i] != x || negative) {
			return fmt.Sprint(x)
		}
	}
	for i, x := range t.F32 {
		if i < len(as.F32) && math.IsInf(float64(as.F32[i]), 0) && !math.IsInf(float64(x), 0) {
			return fmt.Sprint(x)
		}
	}
	return ""
}

// numberFits reports whether x can be an element of type elem. Floats of all precisions are
// computed in float32.
func numberFits(x float64, elem graph.DType) bool {
	if elem.IsFloat() {
		t := ops.NewTensor(graph.Float32, []int{1})
		t.F32[0] = float32(x)
		return !math.IsInf(float64(t.F32[0]), 0) && misfit(t, elem) == ""
	}
	const bound = 1 << 63
	if x != math.Trunc(x) || x < -bound || x >= bound {
		return false
	}
	t := ops.NewTensor(graph.Int64, []int{1})
	t.I64[0] = int64(x)
	return misfit(t, elem) == ""
}
