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

// Image is a model output [1,C,H,W] as an image; the pixels are shared.
func Image(t *ops.Tensor) (dataset.Image, error) {
	if !isImageType(t.DType) || len(t.Dims) != 4 || t.Dims[0] != 1 {
		return dataset.Image{}, fmt.Errorf("output of %v%v, want one image float[1,C,H,W]", t.DType, t.Dims)
	}
	m := dataset.Image{C: t.Dims[1], H: t.Dims[2], W: t.Dims[3], Pix: t.F32}
	if m.C != 1 && m.C != 3 {
		return m, fmt.Errorf("output of %d channels, want 1 (gray) or 3 (RGB)", m.C)
	}
	return m, nil
}

// FreeSize makes the batch, height and width of a model's image input symbolic,
// and forgets the shapes computed from them, so that images of any size run.
// It reports whether anything was fixed.
func FreeSize(g *graph.Graph) bool {
	fixed := false
	for _, v := range g.Inputs() {
		if v.IsInitializer() || len(v.Type.Shape) != 4 {
			continue
		}
		shape := append(graph.Shape(nil), v.Type.Shape...)
		for i, name := range []string{"N", "", "H", "W"} {
			if _, known := shape[i].Size(); known && name != "" {
				shape[i] = graph.Symbol(name)
				fixed = true
			}
		}
		v.Type.Shape = shape
	}
	if fixed {
		forget(g)
	}
	return fixed
}

// forget drops the shapes of everything that the nodes compute.
func forget(g *graph.Graph) {
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil {
				v.Type.Shape = nil
			}
		}
	}
}
