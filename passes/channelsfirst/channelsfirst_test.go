package channelsfirst_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph/infer"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/channelsfirst"
	"spikingir/passes/deadnode"
	"spikingir/passes/foldidentity"
	"spikingir/passes/passtest"
)

func TestChannelsFirst(t *testing.T) { passtest.Run(t, channelsfirst.Pass) }

// TestImage holds that a model whose image has its channels last takes and gives it with
// channels first, and has no Transpose left.
func TestImage(t *testing.T) {
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,H,W,1] x) => (float[N,H,W,1] y, float[N,2] z)
<float[1,1,3,3] w = ["location": "seed:1"], float[1,2] v = {1, 2}>
{
  [to] a = Transpose <perm = [0, 3, 1, 2]> (x)
  [conv] b = Conv <pads = [1, 1, 1, 1]> (a, w)
  [back] c = Transpose <perm = [0, 2, 3, 1]> (b)
  [skip] y = Sub(x, c)
  [mean] d = ReduceMean <axes = [2, 3], keepdims = 0> (b)
  [head] z = MatMul(d, v)
}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := infer.Model(m); err != nil {
		t.Fatal(err)
	}
	given := &passes.Pass{Name: "given", Doc: "types are inferred", Gives: passes.Typed,
		Run: func(*passes.Context) (bool, error) { return false, nil }}
	p := passes.Pipeline{given.With(), channelsfirst.Pass.With(), foldidentity.Pass.With(), deadnode.Pass.With()}
	reports, err := p.Run(m, passes.Options{Evaluate: passtest.Evaluate})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"channels-first: the image \"x\" of the model is float[N,1,H,W] now and was float[N,H,W,1]",
		"channels-first: the image \"y\" of the model is float[N,1,H,W] now and was float[N,H,W,1]"}
	var notes []string
	for _, n := range reports[1].Notes {
		notes = append(notes, n.String())
	}
	if d := cmp.Diff(want, notes); d != "" {
		t.Errorf("notes (-want +got):\n%s", d)
	}
	g := m.Graph
	if in, out := g.Inputs()[0], g.Outputs()[0]; in.Type.String() != "float[N,1,H,W]" || out.Type.String() != "float[N,1,H,W]" ||
		in.Name() != "x" || out.Name() != "y" {
		t.Errorf("the interface is %s %v -> %s %v", in.Name(), in.Type, out.Name(), out.Type)
	}
	for n := range g.Nodes() {
		if n.Is("Transpose") {
			t.Errorf("node %q is left:\n%s", n.Label(), text.Format(m))
		}
	}
	if p := g.Outputs()[0].Producer(); !p.Is("Sub") || p.Input(0) != g.Inputs()[0] {
		t.Errorf("the skip reads %v", p.Inputs())
	}
}

// TestInputs tells images of channels last by the Transpose that reads them, behind borders and
// scalings too.
func TestInputs(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"at once", `y = Transpose <perm = [0, 3, 1, 2]> (x)`, 1},
		{"behind a border and a scaling", `a = Mul(s, x) b = Pad <mode = "reflect"> (a, p) y = Transpose <perm = [0, 3, 1, 2]> (b)`, 1},
		{"another transpose", `a = Mul(x, s) y = Transpose <perm = [0, 2, 1, 3]> (a)`, 0},
		{"behind a convolution", `c = Conv(x, w) y = Transpose <perm = [0, 3, 1, 2]> (c)`, 0},
	} {
		m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,H,W,3] x) => (y) <float[3] s = {0.5, 1, 2}, int64[8] p = {0, 1, 1, 0, 0, 1, 1, 0}, float[2,8,1,1] w = ["location": "seed:1"]> {` + c.body + `}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(channelsfirst.Inputs(m.Graph)); got != c.want {
			t.Errorf("%s: %d images of channels last, want %d", c.name, got, c.want)
		}
	}
}
