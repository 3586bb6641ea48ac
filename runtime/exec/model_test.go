package exec_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// near is how far a runtime may be from PyTorch's vectors.
const near = 1e-5

// load reads a vector as a tensor.
func vector(t *testing.T, b []byte) *ops.Tensor {
	t.Helper()
	a, err := fixtures.ReadNPY(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return &ops.Tensor{DType: graph.Float32, Dims: a.Shape, F32: a.Data}
}

// runModel runs a one-input model and gives its first output.
func runModel(t *testing.T, m *graph.Model, x *ops.Tensor, o exec.Options) *ops.Tensor {
	t.Helper()
	p, err := exec.Compile(m, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.Run(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return res.Outputs[0]
}

// distance is the largest absolute difference.
func distance(t *testing.T, got, want *ops.Tensor) float64 {
	t.Helper()
	if len(got.F32) != len(want.F32) {
		t.Fatalf("output has dimensions %v, want %v", got.Dims, want.Dims)
	}
	var most float64
	for i := range got.F32 {
		d := math.Abs(float64(got.F32[i]) - float64(want.F32[i]))
		if math.IsNaN(d) {
			t.Fatalf("element %d is %v, want %v", i, got.F32[i], want.F32[i])
		}
		most = max(most, d)
	}
	return most
}

// TestFixtureVectors holds the executor to what PyTorch computed for the
// fixtures.
func TestFixtureVectors(t *testing.T) {
	for _, name := range fixtures.Names() {
		for _, kind := range []string{"", ".odd"} {
			t.Run(name+kind, func(t *testing.T) {
				b, err := fixtures.Model(name)
				if err != nil {
					t.Fatal(err)
				}
				m, err := onnxio.Decode(b)
				if err != nil {
					t.Fatal(err)
				}
				in, want := fixtureVector(t, name+kind, "in"), fixtureVector(t, name+kind, "out")
				got := runModel(t, m, in, exec.Options{})
				if d := distance(t, got, want); d > near {
					t.Errorf("differs from PyTorch by %g, want at most %g", d, near)
				}
			})
		}
	}
}

func fixtureVector(t *testing.T, name, what string) *ops.Tensor {
	t.Helper()
	b, err := fixtures.FS.ReadFile("vectors/" + name + "." + what + ".npy")
	if err != nil {
		t.Fatal(err)
	}
	return vector(t, b)
}

// slow tells that a convolution takes a hundred times what the assembly needs, or
// that little time is wanted: one network of each kind is run then.
func slow() bool { return testing.Short() || machine.Selected("float32") == "generic" }

// oneOfEach is a published network of every kind.
var oneOfEach = []string{"aod_boyiliee_op11", "dncnn_s25_bn_op16", "fsrcnn_x2_op11", "vdsr_twt_op16"}

// TestRealVectors does the same for the real models.
func TestRealVectors(t *testing.T) {
	dir := os.Getenv("SPIKINGIR_DATA")
	if dir == "" {
		t.Skip("SPIKINGIR_DATA is unset: no real models to test")
	}
	files, err := filepath.Glob(filepath.Join(dir, "models", "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no models in %s: %v", dir, err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		t.Run(name, func(t *testing.T) {
			if slow() && !slices.Contains(oneOfEach, name) {
				t.Skip("one network of each kind is run in short tests and by kernels in plain Go")
			}
			m, err := onnxio.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			read := func(what string) *ops.Tensor {
				b, err := os.ReadFile(filepath.Join(dir, "vectors", name+"."+what+".npy"))
				if err != nil {
					t.Fatal(err)
				}
				return vector(t, b)
			}
			in, want := read("in"), read("out")
			one := runModel(t, m, in, exec.Options{})
			if d := distance(t, one, want); d > near {
				t.Errorf("differs from PyTorch by %g, want at most %g", d, near)
			}
			pool := machine.NewPool(3)
			defer pool.Close()
			three := runModel(t, m, in, exec.Options{Pool: pool})
			if d := distance(t, three, one); d != 0 {
				t.Errorf("3 threads differ from 1 by %g", d)
			}
		})
	}
}
