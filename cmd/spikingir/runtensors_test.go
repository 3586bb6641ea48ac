package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/npy"
	"spikingir/onnxio/text"
)

// tensorModel takes two inputs, of float and of integers, and gives two outputs.
const tensorModel = `<ir_version: 10, opset_import: ["" : 17]>
g (float[N,3] x, int64[K] at) => (float[N,K] some, float[N,3] twice)
{
  some = Gather <axis = 1> (x, at)
  twice = Add(x, x)
}`

// npyFile writes a tensor into a folder.
func npyFile(t *testing.T, dir, name string, x *graph.Tensor) string {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, x); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func readNPY(t *testing.T, path string) *graph.Tensor {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x, err := npy.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestRunTensors(t *testing.T) {
	dir := t.TempDir()
	m, err := text.Parse(tensorModel)
	if err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(dir, "m.onnx")
	if err := onnxio.WriteFile(model, m); err != nil {
		t.Fatal(err)
	}
	x := npyFile(t, dir, "x.npy", graph.NewFloat32([]int64{2, 3}, []float32{1, 2, 3, 4, 5, 6}))
	at := npyFile(t, dir, "at.npy", graph.NewInt64([]int64{1}, []int64{-1}))
	double, err := graph.NewTensor(graph.Float64, []int64{1, 3}, make([]byte, 24))
	if err != nil {
		t.Fatal(err)
	}
	zeros := npyFile(t, dir, "zeros.npy", double)
	y, z := filepath.Join(dir, "y.npy"), filepath.Join(dir, "z.npy")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string // in what the program says
		y, z []float32
	}{
		{"in order", []string{"--tensor", x, "--tensor", at, "-o", y, "-o", z}, 0, "", []float32{3, 6}, []float32{2, 4, 6, 8, 10, 12}},
		{"by name", []string{"--tensor", "at=" + at, "--tensor", x, "-o", "twice=" + z, "-o", y}, 0, "", []float32{3, 6}, []float32{2, 4, 6, 8, 10, 12}},
		{"one output", []string{"--tensor", x, "--tensor", at, "-o", "twice=" + z}, 0, `"twice" -> ` + z + ": float[2,3]", nil, []float32{2, 4, 6, 8, 10, 12}},
		{"rounded", []string{"--tensor", zeros, "--tensor", at, "-o", z}, 0, "holds double", nil, []float32{0}},
		{"json", []string{"--tensor", x, "--tensor", at, "-o", z, "--format", "json"}, 0, `"type": "float[2,1]"`, nil, []float32{3, 6}},
		{"an input without a tensor", []string{"--tensor", x, "-o", y}, 1, `no tensor for input "at"`, nil, nil},
		{"no such input", []string{"--tensor", "z=" + x, "-o", y}, 1, `the model has no input "z", it has ["x" "at"]`, nil, nil},
		{"no such output", []string{"--tensor", x, "--tensor", at, "-o", "z=z.npy"}, 1, `the model has no output "z"`, nil, nil},
		{"an image's name", []string{"--tensor", x, "--tensor", at, "-o", y + ".png"}, 1, "tensors are written as .npy", nil, nil},
		{"too many", []string{"--tensor", x, "--tensor", x, "--tensor", x, "-o", y}, 1, `the model has 2 inputs (["x" "at"])`, nil, nil},
		{"twice", []string{"--tensor", "x=" + x, "--tensor", "x=" + x, "-o", y}, 1, `names input "x" twice`, nil, nil},
		{"one file for two", []string{"--tensor", x, "--tensor", at, "-o", y, "-o", y}, 1, "two outputs", nil, nil},
		{"over an input", []string{"--tensor", x, "--tensor", at, "-o", x}, 1, "would overwrite", nil, nil},
		{"another type", []string{"--tensor", x, "--tensor", "at=" + x, "-o", y}, 1, "elements of type float, the model wants int64", nil, nil},
		{"no npy", []string{"--tensor", model, "--tensor", at, "-o", y}, 1, "npy: file starts with", nil, nil},
		{"no file", []string{"--tensor", x + "x", "--tensor", at, "-o", y}, 1, "x.npyx", nil, nil},
		{"image too", []string{"--tensor", x, "-i", "a.png", "-o", y}, 1, "exclude each other", nil, nil},
		{"standard output", []string{"--tensor", x, "--tensor", "at=" + at, "-o", "-"}, 1, "tensors are written to files", nil, nil},
		{"no output", []string{"--tensor", x}, 1, "want --input and --output", nil, nil},
		{"timesteps", []string{"--tensor", x, "-T", "3", "-o", y}, 1, "not a spiking model", nil, nil},
	} {
		os.Remove(y)
		os.Remove(z)
		var out, errs bytes.Buffer
		code := run(append([]string{"run", model}, c.args...), nil, &out, &errs)
		if said := out.String() + errs.String(); code != c.code || !strings.Contains(said, c.want) {
			t.Errorf("%s: exit code %d, want %d, and %q in\n%s", c.name, code, c.code, c.want, said)
		}
		for path, want := range map[string][]float32{y: c.y, z: c.z} {
			if _, err := os.Stat(path); want == nil {
				if err == nil {
					t.Errorf("%s: %s was written", c.name, path)
				}
				continue
			}
			if got, err := readNPY(t, path).Float32s(); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %s holds %v, want %v", c.name, filepath.Base(path), got, want)
			}
		}
	}
}

// TestRunTensorsChannelsLast runs a model of channels last on a tensor as its file states it.
func TestRunTensorsChannelsLast(t *testing.T) {
	dir := t.TempDir()
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,H,W,2] x) => (float[N,H,W,1] y) <float[1,2,1,1] w = {1, 10}> {
  a = Transpose <perm = [0, 3, 1, 2]> (x)
  c = Conv (a, w)
  y = Transpose <perm = [0, 2, 3, 1]> (c)
}`)
	if err != nil {
		t.Fatal(err)
	}
	model, y := filepath.Join(dir, "m.onnx"), filepath.Join(dir, "y.npy")
	if err := onnxio.WriteFile(model, m); err != nil {
		t.Fatal(err)
	}
	x := npyFile(t, dir, "x.npy", graph.NewFloat32([]int64{1, 1, 3, 2}, []float32{1, 2, 3, 4, 5, 6}))
	var out, errs bytes.Buffer
	if code := run([]string{"run", model, "--tensor", x, "-o", y}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	got := readNPY(t, y)
	if xs, err := got.Float32s(); err != nil || !slices.Equal(got.Dims, []int64{1, 1, 3, 1}) || !slices.Equal(xs, []float32{21, 43, 65}) {
		t.Errorf("%v holds %v, want float[1,1,3,1] of 21, 43, 65", got.Dims, xs)
	}
}
