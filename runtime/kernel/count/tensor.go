package count

import (
	"fmt"
	"math"
)

// Most is the most spikes that a neuron can have. Products of two counts with weights of 8 bits
// then fit in 16 bits together.
const Most = math.MaxInt8

// A Tensor is the numbers of spikes of N images of C channels, pixel after pixel: Data is
// [N][H][W][C].
type Tensor struct {
	N, C, H, W int
	// Most, where it is not 0, promises that no number is larger: some kernels are faster
	// then. None may be larger than the constant Most anyway.
	Most int
	Data []uint8
}

// Size is the number of elements.
func (t *Tensor) Size() int { return t.N * t.C * t.H * t.W }

// check panics when the tensor is not as large as it says.
func (t *Tensor) check() {
	if len(t.Data) < t.Size() || t.Most < 0 || t.Most > Most {
		panic(fmt.Sprintf("kernel: %d counts of at most %d, want %d of at most %d", len(t.Data), t.Most, t.Size(), Most))
	}
}

// most is the largest number that the tensor may hold.
func (t *Tensor) most() int {
	if t.Most == 0 {
		return Most
	}
	return t.Most
}
