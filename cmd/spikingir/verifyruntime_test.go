package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/runtime/ops"
)

// program runs the program, demands an exit code, and gives what it printed.
func program(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, complaint bytes.Buffer
	if got := run(args, nil, &out, &complaint); got != code {
		t.Fatalf("%q ends in %d, want %d:\n%s%s", args, got, code, out.String(), complaint.String())
	}
	return out.String(), complaint.String()
}

// TestVerifyONNXRuntime compares networks with themselves and with others in ONNX Runtime.
func TestVerifyONNXRuntime(t *testing.T) {
	if os.Getenv(onnxruntime.Variable) == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("ann.onnx"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	convert := func(from, to string, args ...string) {
		program(t, 0, append([]string{"convert", at(from), "-o", at(to), "--quiet"}, args...)...)
	}
	convert("ann.onnx", "snn.onnx", "-T", "4", "--limit", "2")
	convert("snn.onnx", "flat.onnx", "--lower", "flat")
	convert("ann.onnx", "two.onnx", "-T", "4", "--limit", "2", "--schedule", "two-phase")
	convert("two.onnx", "counts.onnx", "--lower", "counts")
	changed := changeLayer(t, at("snn.onnx"), at("changed.onnx"))

	verify := func(code int, args ...string) *verified {
		t.Helper()
		out, _ := program(t, code, append([]string{"verify", "--against", "onnxruntime", "--limit", "1", "--crop", "24", "--format", "json"}, args...)...)
		r := &verified{RuntimeReport: &RuntimeReport{}}
		if err := json.Unmarshal([]byte(out), r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.Runtime, "onnxruntime ") {
			t.Errorf("%v: the runtime is %q", args, r.Runtime)
		}
		return r
	}
	for _, c := range []struct {
		models  []string
		tensors int // that are compared, of 5
	}{{[]string{"snn.onnx"}, 5}, {[]string{"snn.onnx", "flat.onnx"}, 4}, {[]string{"two.onnx"}, 5}, {[]string{"two.onnx", "counts.onnx"}, 5}} {
		var paths []string
		for _, name := range c.models {
			paths = append(paths, at(name))
		}
		r := verify(0, paths...)
		if r.First != "" || len(r.Tensors) != 5 || len(r.Tensors)-len(r.Without) != c.tensors || (r.Own == nil) != (len(paths) == 1) {
			t.Errorf("%v: first %q, without %v, own %v, tensors %v", c.models, r.First, r.Without, r.Own, r.Tensors)
		}
		for _, x := range r.Tensors[:c.tensors] {
			if x.Elements == 0 || x.Different != 0 || !x.Spikes {
				t.Errorf("%v: %+v", c.models, x)
			}
		}
	}

	r := verify(4, at("snn.onnx"), at("changed.onnx"))
	if r.Tensors[0].Different != 0 || r.First != changed || r.Own == nil || *r.Own > 1e-5 {
		t.Errorf("first %q, want %q; own %v, tensors %v", r.First, changed, r.Own, r.Tensors)
	}
	r = verify(0, at("snn.onnx"), "--tensors", "/body/body.0/Conv_output_0,"+changed)
	if len(r.Tensors) != 2 || r.Tensors[0].Spikes || r.Tensors[0].Elements != 16*24*24 || r.First != "" {
		t.Errorf("two tensors: %+v", r.Tensors)
	}
	if r = verify(0, at("snn.onnx"), "--tensors", "none"); len(r.Tensors) != 0 {
		t.Errorf("no tensors: %+v", r.Tensors)
	}
	if _, said := program(t, 1, "verify", at("snn.onnx"), "--against", "onnxruntime", "--tensors", "nothing"); !strings.Contains(said, "--tensors nothing: no node of A gives") {
		t.Error(said)
	}
	out, _ := program(t, 4, "verify", at("snn.onnx"), at("changed.onnx"), "--against", "onnxruntime", "--limit", "1")
	for _, want := range []string{"compared with onnxruntime 1.", "A there differs from A here by ", "the first spikes that differ are those of "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// changeLayer writes a network with twice the weights in front of its second neuron, and gives the name of what that neuron gives.
func changeLayer(t *testing.T, from, to string) string {
	t.Helper()
	m, err := onnxio.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	neurons := 0
	for n := range m.Graph.Nodes() {
		if !n.IsSpiking("MPRN") {
			continue
		}
		if neurons++; neurons == 2 {
			w := n.Input(0).Producer().Input(1)
			xs, err := w.Const.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			for i := range xs {
				xs[i] *= 2
			}
			m.Graph.SetInitializer(w, graph.NewFloat32(w.Const.Dims, xs), nil)
			if err := onnxio.WriteFile(to, m); err != nil {
				t.Fatal(err)
			}
			return n.Output(0).Name()
		}
	}
	t.Fatal("there is no second neuron")
	return ""
}

// TestApart holds that rounding is no difference and a spike is one, at any threshold.
func TestApart(t *testing.T) {
	y := ops.Floats([]float32{0, 0.5, 0.5, 1e-5, 3, 1e-9}, 1, 6)
	z := ops.Floats([]float32{0, 0.5000001, 0, 0, 2, 0}, 1, 6)
	if n, largest := apart(y, z); n != 3 || largest != 1 {
		t.Errorf("%d elements differ, by up to %g; want 3, by 1", n, largest)
	}
	sum := folded(ops.Floats([]float32{1, 2, 3, 4, 5, 6}, 3, 2), 3)
	if sum.Dims[0] != 1 || sum.F32[0] != 9 || sum.F32[1] != 12 {
		t.Errorf("the sum is %v of %v", sum.F32, sum.Dims)
	}
	if same := folded(sum, 3); same != sum {
		t.Error("a tensor without time is summed")
	}
}

// TestVerifyONNXRuntimeFeeds gives a second input another value than its conversion did, here
// and in ONNX Runtime.
func TestVerifyONNXRuntimeFeeds(t *testing.T) {
	if os.Getenv(onnxruntime.Variable) == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x, float[1] sigma) => (float[N,1,H,W] y) <float[1,1,1,1] w1 = {2}, float[1,1,1,1] w2 = {0.5}> {
  a = Conv(x, w1)
  s = Add(a, sigma)
  r = Relu(s)
  y = Conv(r, w2)
}`)
	if err != nil {
		t.Fatal(err)
	}
	ann, snn := filepath.Join(t.TempDir(), "ann.onnx"), filepath.Join(t.TempDir(), "snn.onnx")
	if err := onnxio.WriteFile(ann, m); err != nil {
		t.Fatal(err)
	}
	program(t, 0, "convert", ann, "-o", snn, "-T", "2", "--limit", "1", "--input", "sigma=0.5", "--quiet")
	for _, models := range [][]string{{ann}, {snn}} {
		args := append([]string{"verify", "--against", "onnxruntime", "--limit", "1", "--crop", "16", "--input", "sigma=0.125"}, models...)
		program(t, 0, args...)
	}
}
