package recipes_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/passtest"
	"spikingir/passes/recipes"
	"spikingir/passes/standard"
	"spikingir/runtime/calib"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// images is a calibration set of model inputs.
type images []*ops.Tensor

func (s images) Len() int                         { return len(s) }
func (s images) Input(i int) (*ops.Tensor, error) { return s[i], nil }
func (s images) SHA256() string                   { return "" }

// options is what a pipeline needs of the runtime; it calibrates on x.
func options(x *ops.Tensor) passes.Options {
	pool := machine.NewPool(1)
	return passes.Options{
		Evaluate: passtest.Evaluate,
		Calibrate: func(m *graph.Model, values []string) (*graph.Stats, error) {
			return calib.Collect(context.Background(), m, values, images{x}, pool, nil)
		},
	}
}

// convert applies a recipe to m in place, calibrated on x.
func convert(t *testing.T, m *graph.Model, recipe string, s recipes.Settings,
	x *ops.Tensor) {
	t.Helper()
	p, err := recipes.New(recipe, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(m, options(x)); err != nil {
		t.Fatal(err)
	}
}

// run gives the outputs of a model with one input.
func run(t *testing.T, m *graph.Model, x *ops.Tensor) []*ops.Tensor {
	t.Helper()
	p, err := exec.Compile(m, exec.Options{Precision: exec.Float32})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]*ops.Tensor{p.Inputs()[0].Name(): x}
	res, err := p.Run(context.Background(), in, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return res.Outputs
}

// distance is the largest difference of two tensors.
func distance(t *testing.T, a, b *ops.Tensor) float64 {
	t.Helper()
	if d := cmp.Diff(a.Dims, b.Dims); d != "" {
		t.Fatalf("dimensions (-first +second):\n%s", d)
	}
	worst := 0.0
	for i := range a.F32 {
		d := math.Abs(float64(a.F32[i]) - float64(b.F32[i]))
		if !(d <= worst) {
			worst = d
		}
	}
	return worst
}

// agreement is the PSNR between two images of range 1, in dB.
func agreement(t *testing.T, a, b *ops.Tensor) float64 {
	t.Helper()
	distance(t, a, b)
	sum := 0.0
	for i := range a.F32 {
		d := float64(a.F32[i]) - float64(b.F32[i])
		sum += d * d
	}
	return -10 * math.Log10(sum/float64(len(a.F32)))
}

func decode(t *testing.T, data []byte) *graph.Model {
	t.Helper()
	m, err := onnxio.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func array(t *testing.T, data []byte) *ops.Tensor {
	t.Helper()
	a, err := fixtures.ReadNPY(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return tensor(a)
}

// slow tells that a convolution takes a hundred times what the assembly needs, or
// that little time is wanted: images are small then.
func slow() bool { return testing.Short() || machine.Selected("float32") == "generic" }

// fixture gives an embedded model's file and its test input, the smaller one where
// tests are slow.
func fixture(t *testing.T, name string) ([]byte, *ops.Tensor) {
	t.Helper()
	data, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	size := ""
	if slow() {
		size = ".odd"
	}
	in, err := fixtures.FS.ReadFile("vectors/" + name + size + ".in.npy")
	if err != nil {
		t.Fatal(err)
	}
	return data, array(t, in)
}

// first are the recipes of which the others vary a setting or add a pass.
var first = []string{"spikingir", "rueckauer", "two-phase"}

// settings varies what a user may set.
var settings = []struct {
	name   string
	recipe string
	set    func(*recipes.Settings)
}{
	{"spikingir", "spikingir", func(*recipes.Settings) {}},
	{"layer", "spikingir", func(s *recipes.Settings) { s.Per = "layer" }},
	{"unit", "spikingir", func(s *recipes.Settings) { s.Unit = true }},
	{"custom operators", "spikingir", func(s *recipes.Settings) { s.Lower = "none" }},
	{"rate", "spikingir", func(s *recipes.Settings) { s.Readout = "rate" }},
	{"rueckauer", "rueckauer", func(*recipes.Settings) {}},
	{"rueckauer unit v0", "rueckauer", func(s *recipes.Settings) { s.Unit, s.V0 = true, 0.5 }},
	{"two-phase", "two-phase", func(*recipes.Settings) {}},
	{"two-phase unit v0", "two-phase", func(s *recipes.Settings) { s.Unit, s.V0 = true, 0.25 }},
	{"rueckauer two-phase", "rueckauer", func(s *recipes.Settings) { s.Schedule, s.V0 = "two-phase", 0.5 }},
}

// TestFixtures converts every embedded network with every kind of settings: all
// facts hold at the end, a second conversion of the same file gives the same
// bytes, the file reads back as the same model, and the spiking network does
// what the ANN does, up to quantisation in 32 timesteps.
func TestFixtures(t *testing.T) {
	for _, name := range fixtures.Names() {
		data, x := fixture(t, name)
		want := run(t, decode(t, data), x)[0]
		for _, c := range settings {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				s := recipes.Defaults()
				s.Timesteps = 32
				c.set(&s)
				m := decode(t, data)
				convert(t, m, c.recipe, s, x)
				checkFacts(t, m, s)
				checkProvenance(t, data, m)
				got := run(t, m, x)[0]
				if db := agreement(t, got, want); !(db >= 29) {
					t.Errorf("agreement with the ANN %.2f dB, want at least 29", db)
				}
				again := decode(t, data)
				convert(t, again, c.recipe, s, x)
				first, second := encode(t, m), encode(t, again)
				if !bytes.Equal(first, second) {
					t.Error("two conversions of the same file differ")
				}
				if d := cmp.Diff(text.Format(m), text.Format(decode(t, first))); d != "" {
					t.Errorf("the converted model reads back differently:\n%s", d)
				}
			})
		}
	}
}

func encode(t *testing.T, m *graph.Model) []byte {
	t.Helper()
	data, err := onnxio.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func checkFacts(t *testing.T, m *graph.Model, s recipes.Settings) {
	t.Helper()
	facts := passes.NoCalls | passes.Typed | passes.NoConstants | passes.NoIdentity |
		passes.NoBatchNorm | passes.Split | passes.Neurons | passes.Readout | passes.Thresholds | passes.Timed |
		passes.OpsetCurrent
	if s.Unit {
		facts |= passes.UnitForm
	}
	if s.Lower == "functions" {
		facts |= passes.Lowered
	}
	if err := facts.Check(m); err != nil {
		t.Error(err)
	}
}

// checkProvenance demands that every node is imported, or names an imported
// node and the pass that made it; and that each activation of the spiking region
// left a neuron.
func checkProvenance(t *testing.T, data []byte, m *graph.Model) {
	t.Helper()
	imported := map[string]bool{}
	for n := range decode(t, data).Graph.Nodes() {
		imported[n.Label()] = true
	}
	made := map[string]bool{}
	for _, p := range standard.Passes() {
		made[p.Name] = true
	}
	for n := range m.Graph.Nodes() {
		if !imported[n.OriginLabel()] {
			t.Errorf("node %q descends from %q, which the file does not hold", n.Label(), n.From.Node)
		}
		if n.From.Pass != "" && !made[n.From.Pass] || n.From.Pass == "" && !imported[n.Label()] {
			t.Errorf("node %q was made by pass %q", n.Label(), n.From.Pass)
		}
	}
}

// TestAgain runs the recipe on its own result, which it leaves as it is.
func TestAgain(t *testing.T) {
	for _, name := range fixtures.Names() {
		for _, unit := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s unit=%v", name, unit), func(t *testing.T) {
				data, x := fixture(t, name)
				m := decode(t, data)
				s := recipes.Defaults()
				s.Unit = unit
				convert(t, m, "spikingir", s, x)
				before := text.Format(m)
				convert(t, m, "spikingir", s, x)
				if d := cmp.Diff(before, text.Format(m)); d != "" {
					t.Errorf("a second conversion changes the model (-first +second):\n%s", d)
				}
			})
		}
	}
}

// gated is a net that cannot be spiking as a whole: it pools maxima and gates by
// a Sigmoid between two layers.
const gated = `<ir_version: 8, opset_import: ["" : 13]>
net (float[N,2,H,W] x) => (float[N,2,H,W] y)
<float[4,2,3,3] w1 = ["location": "seed:1", "scale": "0.3"], float[4] b1 = {0.2, 0.1, 0.3, 0},
 float[4,4,3,3] w2 = ["location": "seed:2", "scale": "0.2"],
 float[2,4,1,1] w3 = ["location": "seed:3", "scale": "0.5"]>
{
  [conv1] c1 = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  [relu1] r1 = Relu(c1)
  [pool] p1 = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (r1)
  [conv2] c2 = Conv <pads = [1, 1, 1, 1]> (p1, w2)
  [relu2] r2 = Relu(c2)
  [gate] s2 = Sigmoid(c2)
  [mul] m2 = Mul(r2, s2)
  [conv3] y = Conv(m2, w3)
}`

// TestAnalog refuses such a net by the names of its nodes; keeps analog what it
// must on request; and converts more of it with average pooling.
func TestAnalog(t *testing.T) {
	x := random(7, -1, 1, 1, 2, 8, 8)
	s := recipes.Defaults()
	s.Timesteps, s.Percentile = 64, 100
	p, err := recipes.New("spikingir", s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Run(parse(t, gated), options(x))
	var refused *passes.Unsupported
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want one that lists what is unsupported", err)
	}
	var names []string
	for _, r := range refused.Refusals {
		names = append(names, r.Node)
	}
	if d := cmp.Diff([]string{"pool", "gate", "mul"}, names); d != "" {
		t.Errorf("refused nodes (-want +got):\n%s", d)
	}
	s.Analog = "keep"
	for _, test := range []struct {
		front   string
		neurons int
	}{{"", 2}, {"maxpool-to-averagepool,", 3}} {
		p, err := recipes.New("spikingir", s)
		if err != nil {
			t.Fatal(err)
		}
		front, err := passes.Parse(test.front+"infer-shapes", standard.Passes())
		if err != nil {
			t.Fatal(err)
		}
		ann := parse(t, gated)
		if _, err := front.Run(ann, options(x)); err != nil {
			t.Fatal(err)
		}
		m := ann.Clone()
		if _, err := p.Run(m, options(x)); err != nil {
			t.Fatal(err)
		}
		checkFacts(t, m, s)
		neurons := 0
		for n := range m.Graph.Nodes() {
			if op.IsNeuron(n) {
				neurons++
			}
		}
		if neurons != test.neurons {
			t.Errorf("%q gives %d neuron layers, want %d", test.front, neurons, test.neurons)
		}
		if db := agreement(t, run(t, m, x)[0], run(t, ann, x)[0]); !(db > 35) {
			t.Errorf("%q: agreement %.1f dB, want above 35", test.front, db)
		}
	}
}

// TestFunctions converts a net that an exporter wrote as a function of its own.
func TestFunctions(t *testing.T) {
	m := parse(t, `<ir_version: 8, opset_import: ["" : 17, "torch" : 1]>
net (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[2,1,3,3] w1 = ["location": "seed:1"], float[1,2,3,3] w2 = ["location": "seed:2"]>
{
  [block] r = torch.Block(x, w1)
  [conv] y = Conv <pads = [1, 1, 1, 1]> (r, w2)
}
<domain: "torch", opset_import: ["" : 17]>
Block (u, w) => (v)
{
  [conv] c = Conv <pads = [1, 1, 1, 1]> (u, w)
  [relu] v = Relu(c)
}`)
	x := random(8, -1, 1, 1, 1, 6, 6)
	s := recipes.Defaults()
	convert(t, m, "spikingir", s, x)
	checkFacts(t, m, s)
	neurons := 0
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			neurons++
		}
	}
	if neurons != 2 {
		t.Errorf("%d neuron layers, want 2", neurons)
	}
}
