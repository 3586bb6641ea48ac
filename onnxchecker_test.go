package spikingir_test

import (
	"os"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/internal/python"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
)

// TestONNXChecker holds that onnx's own checker, with full shape inference, accepts the fixtures in
// every form that states its operators.
func TestONNXChecker(t *testing.T) {
	interpreter := os.Getenv(python.Variable)
	if interpreter == "" {
		t.Skipf("%s is not set: make interop sets it", python.Variable)
	}
	t.Parallel()
	var titles []string
	var files [][]byte
	for _, name := range fixtures.Names() {
		for _, c := range []struct {
			recipe string
			form   recipes.Form
			ir     int64
		}{
			{"spikingir", recipes.Functions, 8}, {"spikingir", recipes.Flat, 4}, {"spikingir", recipes.Unrolled, 4},
			{"two-phase", recipes.Functions, 8}, {"two-phase", recipes.Flat, 4}, {"two-phase", recipes.Unrolled, 4},
			{"two-phase", recipes.Counts, 4}, {"two-phase", recipes.QDQ, 4},
		} {
			m := fixture(t, name)
			o := spikingir.Options{Recipe: c.recipe, Settings: spikingir.Settings{Timesteps: 3, Lower: c.form}, Threads: 1}
			if _, err := spikingir.Convert(t.Context(), m, o); err != nil {
				t.Fatal(err)
			}
			title := name + ", " + c.recipe + ", " + string(c.form)
			if m.IRVersion != c.ir {
				t.Errorf("%s: IR version %d, want %d", title, m.IRVersion, c.ir)
			}
			file, err := onnxio.Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			titles, files = append(titles, title), append(files, file)
		}
	}
	said, err := python.Check(t.Context(), interpreter, t.TempDir(), files)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range said {
		if err != nil {
			t.Errorf("%s: %v", titles[i], err)
		}
	}
}

// fixture reads a model of the fixtures.
func fixture(t *testing.T, name string) *spikingir.Model {
	t.Helper()
	file, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
