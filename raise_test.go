package spikingir_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/diff"
	"spikingir/graph/op"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
)

// bareFixture is an embedded network as a spiking one of a recipe, in the form none.
func bareFixture(t *testing.T, name, recipe string) *spikingir.Model {
	t.Helper()
	file, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.Settings{Timesteps: 3, Lower: recipes.None}
	if recipe == "two-phase" {
		s.WeightBits = 8
	}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: recipe, Settings: s, Threads: 2}); err != nil {
		t.Fatal(err)
	}
	return m
}

// lowered is a network in another form, written and read again.
func lowered(t *testing.T, m *spikingir.Model, form recipes.Form) *spikingir.Model {
	t.Helper()
	m = m.Clone()
	if _, err := spikingir.Lower(t.Context(), m, form, spikingir.Options{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	b, err := onnxio.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = onnxio.Decode(b); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRaise holds what is said of a lowered file that somebody has changed.
func TestRaise(t *testing.T) {
	m := bareFixture(t, "dncnn", "spikingir")
	cases := []struct {
		name   string
		change func(*graph.Model)
		remark string // "" for none
		lost   string // the error, where there is one
	}{
		{"as written", func(*graph.Model) {}, "", ""},
		{"other neurons", func(m *graph.Model) {
			for n := range m.Graph.Nodes() {
				if n.Is("GreaterOrEqual") {
					n.SetOp(graph.Op{Type: "Greater"})
					return
				}
			}
		}, "other ones than lower --to flat writes", ""},
		{"a value renamed", func(m *graph.Model) { rename(t, m) }, "", ""},
		{"a layer renamed", func(m *graph.Model) { rename(t, m).Name = "another" }, "", "another tool has renamed or fused them"},
		{"a damaged document", func(m *graph.Model) { m.Metadata.Set(graph.MetaNeurons, "{") }, "", "unexpected end of JSON"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			flat := lowered(t, m, recipes.Flat)
			c.change(flat)
			if !spikingir.Lowered(flat) || spikingir.Spiking(flat) {
				t.Error("a flat file does not count as lowered")
			}
			remarks, err := spikingir.Raise(t.Context(), flat)
			if c.lost != "" {
				if err == nil || !strings.Contains(err.Error(), c.lost) {
					t.Errorf("error %v, want %q", err, c.lost)
				}
				var u *spikingir.UnsupportedError
				var i *spikingir.InvalidError
				if !errors.As(err, &u) && !errors.As(err, &i) && !strings.Contains(c.lost, "JSON") {
					t.Errorf("error of type %T", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(remarks, "; "); all != c.remark && (c.remark == "" || !strings.Contains(all, c.remark)) {
				t.Errorf("remarks %q, want %q", all, c.remark)
			}
			if !spikingir.Spiking(flat) || spikingir.Lowered(flat) {
				t.Error("the neurons are not back")
			}
		})
	}
}

// rename gives another name to what the first layer behind spikes gives; it is the layer.
func rename(t *testing.T, m *graph.Model) *graph.Node {
	t.Helper()
	for n := range m.Graph.Nodes() {
		if n.Is("Split") {
			if err := m.Graph.Rename(n.Input(0), "another"); err != nil {
				t.Fatal(err)
			}
			return n.Input(0).Producer()
		}
	}
	t.Fatal("no layer")
	return nil
}

// rewritten is a network in a form that ONNX Runtime rewrites, as it was before.
type rewritten struct {
	title string
	want  *spikingir.Model
}

// TestRaiseRewritten demands that what ONNX Runtime's rewriting leaves of every form still
// tells the neurons, with all their numbers.
func TestRaiseRewritten(t *testing.T) {
	modules := os.Getenv(onnxruntime.Variable)
	if modules == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	t.Parallel()
	var all []rewritten
	var cases []onnxruntime.Case
	for recipe, forms := range map[string][]recipes.Form{
		"spikingir": {recipes.Functions, recipes.Flat, recipes.Unrolled},
		"two-phase": {recipes.Functions, recipes.Flat, recipes.Unrolled, recipes.Counts, recipes.QDQ},
	} {
		for _, name := range fixtures.Names() {
			m := bareFixture(t, name, recipe)
			for _, form := range forms {
				file := lowered(t, m, form)
				b, err := onnxio.Encode(file)
				if err != nil {
					t.Fatal(err)
				}
				c := onnxruntime.Case{Model: b, Inputs: map[string]*graph.Tensor{}}
				for _, v := range file.Graph.Inputs() {
					c.Inputs[v.Name()] = zeros(v)
				}
				cases = append(cases, c)
				all = append(all, rewritten{strings.Join([]string{recipe, name, string(form)}, "/"), lowered(t, file, recipes.None)})
			}
		}
	}
	for _, level := range []onnxruntime.Level{onnxruntime.None, onnxruntime.Basic} {
		s := onnxruntime.Setting{Modules: modules, Engine: onnxruntime.Native, Level: level, Rewritten: true}
		results, err := onnxruntime.Run(t.Context(), s, t.TempDir(), cases)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			t.Run(all[i].title+"/"+string(level), func(t *testing.T) { all[i].check(t, r) })
		}
	}
}

// check holds what ONNX Runtime made of the network to what it was.
func (r rewritten) check(t *testing.T, result onnxruntime.Result) {
	t.Helper()
	if result.Err != nil {
		t.Fatal(result.Err)
	}
	got, err := onnxio.Decode(result.Rewritten)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := spikingir.Raise(t.Context(), got); err != nil {
		t.Fatal(err)
	}
	for _, e := range diff.Models(r.want, got).Entries {
		// Of constants that are equal ONNX Runtime keeps one.
		if e.Kind == diff.Initializer && e.Change != diff.Changed || e.Kind == diff.NodeKind && e.Change == diff.Changed {
			continue
		}
		if e.Kind == diff.Initializer || e.Kind == diff.NodeKind {
			t.Errorf("%s %s %s: %q -> %q", e.Change, e.Kind, e.Name, e.A, e.B)
		}
	}
	for n := range r.want.Graph.Nodes() {
		if op.IsNeuron(n) && !same(n, node(got, n.Name)) {
			t.Errorf("the neuron %q has other numbers", n.Name)
		}
	}
}

// zeros is an image of 8x8 for an input, in place of open sizes.
func zeros(v *graph.Value) *graph.Tensor {
	dims, size := []int64{}, int64(1)
	for i, d := range v.Type.Shape {
		n, known := d.Size()
		if !known {
			n = 8
			if i == 0 {
				n = 1
			}
		}
		dims, size = append(dims, n), size*n
	}
	return graph.NewFloat32(dims, make([]float32, size))
}

func node(m *graph.Model, name string) *graph.Node {
	for n := range m.Graph.Nodes() {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// same reports whether two neurons have the same operator, attributes and numbers.
func same(a, b *graph.Node) bool {
	if b == nil || a.Op() != b.Op() || a.NumInputs() != b.NumInputs() {
		return false
	}
	for i, v := range a.Inputs() {
		w := b.Input(i)
		if v != nil && v.Const != nil && (w == nil || w.Const == nil || !bytes.Equal(v.Const.Bytes(), w.Const.Bytes())) {
			return false
		}
	}
	return true
}
