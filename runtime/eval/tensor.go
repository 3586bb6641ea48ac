package eval

import (
	"fmt"

	"spikingir/graph"
	"spikingir/runtime/dataset"
	"spikingir/runtime/ops"
)

// Tensor is an image as a model input [1,C,H,W]; the pixels are shared.
func Tensor(m dataset.Image) *ops.Tensor {
	return &ops.Tensor{DType: graph.Float32, Dims: []int{1, m.C, m.H, m.W}, F32: m.Pix}
}

// A NoImageError says that what a model gives is no image.
type NoImageError struct{ text string }

func (e *NoImageError) Error() string { return e.text }

// Image is a model output [1,C,H,W] as an image; the pixels are shared.
func Image(t *ops.Tensor) (dataset.Image, error) {
	if !isImageType(t.DType) || len(t.Dims) != 4 || t.Dims[0] != 1 {
		return dataset.Image{}, &NoImageError{fmt.Sprintf("output of %v, want one image float[1,C,H,W]", t)}
	}
	m := dataset.Image{C: t.Dims[1], H: t.Dims[2], W: t.Dims[3], Pix: t.F32}
	if m.C != 1 && m.C != 3 {
		return m, &NoImageError{fmt.Sprintf("output of %d channels, want 1 (gray) or 3 (RGB)", m.C)}
	}
	return m, nil
}
