package eval

import (
	"context"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

func inputs(m dataset.Image) map[string]*ops.Tensor {
	return map[string]*ops.Tensor{"x": Tensor(m)}
}

// TestImage takes tensors of one gray or colour image only.
func TestImage(t *testing.T) {
	m := dataset.NewImage(3, 2, 5)
	back, err := Image(Tensor(m))
	if err != nil || !back.SameSize(m) || &back.Pix[0] != &m.Pix[0] {
		t.Errorf("image %+v, %v, want the same pixels", back, err)
	}
	for _, x := range []*ops.Tensor{
		ops.NewTensor(graph.Float32, []int{2, 1, 4, 4}),
		ops.NewTensor(graph.Float32, []int{1, 2, 4, 4}),
		ops.NewTensor(graph.Float32, []int{1, 4, 4}),
		ops.NewTensor(graph.Int64, []int{1, 1, 4, 4}),
	} {
		if _, err := Image(x); err == nil {
			t.Errorf("%v is taken as an image", x)
		}
	}
}

// restore runs a model on one image.
func restore(ctx context.Context, p *exec.Program, input string, m dataset.Image) (dataset.Image, error) {
	res, err := p.Run(ctx, map[string]*ops.Tensor{input: Tensor(m)}, exec.RunOptions{})
	if err != nil {
		return dataset.Image{}, err
	}
	return Image(res.Outputs[0])
}
