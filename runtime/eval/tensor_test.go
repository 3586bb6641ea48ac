package eval

import (
	"context"
	"strings"
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

// TestFreeSize runs a model of a fixed size on another one.
func TestFreeSize(t *testing.T) {
	m := parse(t, `g (float[1,1,8,8] x) => (float[1,1,8,8] y)
<float w = {2}, float[1,1,8,8] a>
{
  a = Mul(x, w)
  y = Relu(a)
}`)
	x := dataset.NewImage(1, 5, 6)
	run := func() error {
		p, err := exec.Compile(m, exec.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = restore(t.Context(), p, "x", x)
		return err
	}
	if err := run(); err == nil || !strings.Contains(err.Error(), "dimensions [1 1 5 6]") {
		t.Errorf("error %v, want one that the size is fixed", err)
	}
	if !FreeSize(m.Graph) {
		t.Error("a fixed size is not reported")
	}
	if err := run(); err != nil {
		t.Error(err)
	}
	if got := m.Graph.Value("x").Type.String(); got != "float[N,1,H,W]" {
		t.Errorf("input is %s, want float[N,1,H,W]", got)
	}
	for _, name := range []string{"a", "y"} {
		if s := m.Graph.Value(name).Type.Shape; s != nil {
			t.Errorf("value %s keeps shape %v of the fixed size", name, s)
		}
	}
	if FreeSize(m.Graph) {
		t.Error("a free size is reported as fixed")
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
