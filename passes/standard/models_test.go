package standard_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/passes"
	"spikingir/passes/passtest"
	"spikingir/passes/standard"
	"spikingir/runtime/kernel/machine"
)

// cleanup is the passes that every conversion starts with.
const cleanup = "upgrade-opset,infer-shapes,fold-identity,fold-constants,fold-batchnorm,dead-node"

// TestFixtures cleans every embedded model up.
func TestFixtures(t *testing.T) {
	for _, name := range fixtures.Names() {
		t.Run(name, func(t *testing.T) {
			data, err := fixtures.Model(name)
			if err != nil {
				t.Fatal(err)
			}
			vectors, err := fixtures.Vectors(name)
			if err != nil {
				t.Fatal(err)
			}
			checkCleanup(t, data, vectors)
		})
	}
}

// slow tells that a convolution takes a hundred times what the assembly needs, or
// that little time is wanted: one network of each kind is run then.
func slow() bool { return testing.Short() || machine.Selected("float32") == "generic" }

// oneOfEach is a published network of every kind.
var oneOfEach = []string{"aod_boyiliee_op11", "dncnn_s25_bn_op16", "fsrcnn_x2_op11", "vdsr_twt_op16"}

// TestRealModels cleans the published networks up.
func TestRealModels(t *testing.T) {
	dir := os.Getenv("SPIKINGIR_DATA")
	if dir == "" {
		t.Skip("SPIKINGIR_DATA is not set: it names the folder of the published models")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "models", "*.onnx"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no models in %s (%v)", dir, err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		t.Run(name, func(t *testing.T) {
			if slow() && !slices.Contains(oneOfEach, name) {
				t.Skip("one network of each kind is run in short tests and by kernels in plain Go")
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			stem := filepath.Join(dir, "vectors", name)
			checkCleanup(t, data, []fixtures.Vector{{
				Name: name, In: readArray(t, stem+".in.npy"), Out: readArray(t, stem+".out.npy"),
			}})
		})
	}
}

func readArray(t *testing.T, path string) fixtures.Array {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := fixtures.ReadNPY(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// checkCleanup runs the pipeline: what it leaves computes what PyTorch did and
// holds none of the operators that the passes remove, and a second conversion
// of the same file gives the same bytes.
func checkCleanup(t *testing.T, data []byte, vectors []fixtures.Vector) {
	t.Helper()
	before, after := decode(t, data), decode(t, data)
	clean(t, after)
	for n := range after.Graph.Nodes() {
		switch n.Op().Type {
		case "BatchNormalization", "Identity", "Constant", "Dropout":
			t.Errorf("node %q is still a %v", n.Label(), n.Op())
		}
	}
	if v := after.Opset(""); v < passes.FunctionOpset {
		t.Errorf("the model is still at opset %d", v)
	}
	for _, v := range vectors {
		compareRuns(t, before, v)
		compareRuns(t, after, v)
	}
	again := decode(t, data)
	clean(t, again)
	if !bytes.Equal(encode(t, after), encode(t, again)) {
		t.Error("two runs of the pipeline differ")
	}
}

func decode(t *testing.T, data []byte) *graph.Model {
	t.Helper()
	m, err := onnxio.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func encode(t *testing.T, m *graph.Model) []byte {
	t.Helper()
	data, err := onnxio.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func clean(t *testing.T, m *graph.Model) {
	t.Helper()
	p, err := passes.Parse(cleanup, standard.Passes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(m, passes.Options{Evaluate: passtest.Evaluate}); err != nil {
		t.Fatal(err)
	}
}

// maxError is the largest difference from PyTorch's results.
const maxError = 1e-5

// compareRuns holds the model's output against a reference vector.
func compareRuns(t *testing.T, m *graph.Model, v fixtures.Vector) {
	t.Helper()
	dims := make([]int64, len(v.In.Shape))
	for i, d := range v.In.Shape {
		dims[i] = int64(d)
	}
	in := m.Graph.Inputs()[0].Name()
	out, err := passtest.Execute(m, map[string]*graph.Tensor{in: graph.NewFloat32(dims, v.In.Data)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := out[m.Graph.Outputs()[0].Name()].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(v.Out.Data) {
		t.Fatalf("%s: %d output elements, want %d", v.Name, len(got), len(v.Out.Data))
	}
	worst := 0.0
	for i := range got {
		e := math.Abs(float64(got[i]) - float64(v.Out.Data[i]))
		if !(e <= worst) {
			worst = e
		}
	}
	if !(worst <= maxError) {
		t.Errorf("%s: differs from PyTorch by %g, want at most %g", v.Name, worst, maxError)
	}
}
