package ops

import (
	"maps"
	"slices"
	"testing"
)

// TestEmpty runs every operator on tensors of which sizes are 0, alone and together: each may
// refuse them, but must not panic.
func TestEmpty(t *testing.T) {
	for _, file := range []string{"onnx.json.gz", "torch.json.gz"} {
		for _, v := range loadVectors(t, file) {
			inputs, constants := v.Inputs, v.Constants
			for _, without := range cuts(inputs, constants) {
				v.Inputs, v.Constants = without(inputs), without(constants)
				runSafely(t, v, &Tensor{})
			}
			v.Inputs, v.Constants = inputs, constants
		}
	}
}

// A cut makes sizes of some tensors 0.
type cut func(map[string]*vectorTensor) map[string]*vectorTensor

// cuts are those of each axis of each input, of each axis of all of them, and of each size
// wherever it is found.
func cuts(inputs, constants map[string]*vectorTensor) (list []cut) {
	rank, sizes := 0, map[int64]bool{}
	for _, of := range []map[string]*vectorTensor{inputs, constants} {
		for name, x := range of {
			rank = max(rank, len(x.Dims))
			for axis, size := range x.Dims {
				sizes[size] = true
				list = append(list, emptied(func(n string, a int, _ int64) bool { return n == name && a == axis }))
			}
		}
	}
	for axis := range rank {
		list = append(list, emptied(func(_ string, a int, _ int64) bool { return a == axis }))
	}
	for size := range sizes {
		list = append(list, emptied(func(_ string, _ int, s int64) bool { return s == size }))
	}
	return list
}

func emptied(drop func(name string, axis int, size int64) bool) cut {
	return func(from map[string]*vectorTensor) map[string]*vectorTensor {
		to := maps.Clone(from)
		for name, x := range from {
			dims := slices.Clone(x.Dims)
			for axis, size := range dims {
				if drop(name, axis, size) {
					dims[axis] = 0
				}
			}
			if slices.Contains(dims, 0) {
				to[name] = &vectorTensor{x.Type, dims, nil}
			}
		}
		return to
	}
}
