package fit_test

import (
	"slices"
	"testing"

	"spikingir/runtime/fit"
)

// A size that is no multiple of the stride and runs all the same, because what is rounded down
// fits, is not padded: pooling of 13 gives 6, which has blocks of 2.
func TestRunsAsItIs(t *testing.T) {
	m := model(t, "N,1,H,W", "a = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x)\n y = SpaceToDepth <blocksize = 2> (a)")
	s := fit.Free(m, "")
	for _, c := range []struct{ size, runs, gives []int }{
		{[]int{13, 12}, []int{13, 12}, []int{3, 3}},
		{[]int{12, 16}, []int{12, 16}, []int{3, 4}},
		{[]int{14, 13}, []int{16, 16}, nil}, // pooling of 14 gives 7
	} {
		dims, err := s.Dims([]int{1, 1, c.size[0], c.size[1]})
		if err != nil || !slices.Equal(dims[2:], c.runs) {
			t.Errorf("%v runs at %v (%v), want %v", c.size, dims, err, c.runs)
		}
		y, err := run(m, s, ramp(1, 1, c.size[0], c.size[1]))
		if err != nil || c.gives != nil && !slices.Equal(y.Dims[2:], c.gives) {
			t.Errorf("%v gives %v (%v), want %v", c.size, y, err, c.gives)
		}
	}
}
