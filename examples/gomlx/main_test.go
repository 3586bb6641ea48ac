package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/npy"
	"spikingir/passes/recipes"
)

// forms is those that onnx-gomlx runs, of networks in each schedule.
var forms = map[string][]recipes.Form{
	"spikingir": {"flat", "unrolled"},
	"two-phase": {"flat", "unrolled", "counts"},
}

// image is two images of c channels, of all numbers between 0 and 1.
func image(c int64) *graph.Tensor {
	xs := make([]float32, 2*c*12*16)
	for i := range xs {
		xs[i] = float32(i*7919%1009) / 1009
	}
	return graph.NewFloat32([]int64{2, c, 12, 16}, xs)
}

// exact is a fixture as an exact spiking network in a form, and the bytes of its file.
func exact(t *testing.T, name, recipe string, form recipes.Form) (*spikingir.Model, []byte) {
	t.Helper()
	m, err := spikingir.Read(filepath.Join("..", "..", "fixtures", "models", name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.DefaultSettings()
	s.Timesteps, s.Exact, s.Lower, s.Currents = 4, true, form, "spike"
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: recipe, Settings: s}); err != nil {
		t.Fatal(err)
	}
	file, err := onnxio.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, file
}

// ours is what spikingir gives.
func ours(t *testing.T, m *spikingir.Model, x *graph.Tensor) []float32 {
	t.Helper()
	net, err := spikingir.Open(m, spikingir.RunOptions{Precision: spikingir.Float32})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	xs, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	var dims []int
	for _, d := range x.Dims {
		dims = append(dims, int(d))
	}
	y, err := net.Run(t.Context(), &spikingir.Tensor{DType: graph.Float32, Dims: dims, F32: xs})
	if err != nil {
		t.Fatal(err)
	}
	return y[0].F32
}

// TestExact holds that exact networks give the numbers of spikingir in onnx-gomlx, in each form that it runs,
// two images at a time.
func TestExact(t *testing.T) {
	for name, channels := range map[string]int64{"aodnet": 3, "dncnn": 1, "residual": 3, "vdsr": 1} {
		x := image(channels)
		for recipe, list := range forms {
			for _, form := range list {
				m, file := exact(t, name, recipe, form)
				y, err := run(file, x)
				if err != nil {
					t.Errorf("%s, %s, %s: %v", name, recipe, form, err)
					continue
				}
				if got, err := y.Float32s(); err != nil || !slices.Equal(got, ours(t, m, x)) {
					t.Errorf("%s, %s, %s: onnx-gomlx gives other numbers (%v)", name, recipe, form, err)
				}
			}
		}
	}
}

// TestRefused holds that what onnx-gomlx lacks is told: it says so of functions, and has no ConvTranspose.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		form recipes.Form
		want string
	}{
		{"dncnn", "functions", "functions"},
		{"prelunet", "flat", "ConvTranspose"},
	} {
		_, file := exact(t, c.name, "spikingir", c.form)
		if _, err := run(file, image(1)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: error %v, want one of %q", c.name, c.form, err, c.want)
		}
	}
}

// TestFiles runs the program on files.
func TestFiles(t *testing.T) {
	m, file := exact(t, "aodnet", "two-phase", "counts")
	dir := t.TempDir()
	model, in, out := filepath.Join(dir, "counts.onnx"), filepath.Join(dir, "in.npy"), filepath.Join(dir, "out.npy")
	x := image(3)
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := npy.Write(f, x); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(model, file, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := convert(model, in, out); err != nil {
		t.Fatal(err)
	}
	g, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	y, err := npy.Read(g)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := y.Float32s(); err != nil || !slices.Equal(got, ours(t, m, x)) {
		t.Errorf("the file has other numbers (%v)", err)
	}
}
