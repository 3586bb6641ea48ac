package infer_test

import (
	"os"
	"path/filepath"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/onnxio"
)

// modelFiles is the project's fixtures and, where SPIKINGIR_DATA names a
// folder, the real models in it.
func modelFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../fixtures/models/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SPIKINGIR_DATA"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "models", "*.onnx"))
		if err != nil || len(more) == 0 {
			t.Fatalf("SPIKINGIR_DATA is %q, but its folder models holds no model (%v)", dir, err)
		}
		files = append(files, more...)
	} else {
		t.Log("SPIKINGIR_DATA is unset: only the fixtures are inferred")
	}
	if len(files) == 0 {
		t.Skip("no model found: neither fixtures nor SPIKINGIR_DATA")
	}
	return files
}

// TestModels asks for the full type of every value, by the inputs' types alone.
func TestModels(t *testing.T) {
	for _, file := range modelFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m, err := onnxio.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for n := range m.Graph.Nodes() {
				if err := op.Check(n, m.Opset(n.Op().Domain)); err != nil {
					t.Error(err)
				}
			}
			declared := m.Clone()
			infer.Forget(m)
			for _, m := range []*graph.Model{m, declared} {
				if err := infer.Model(m); err != nil {
					t.Fatal(err)
				}
				full(t, m.Graph)
			}
		})
	}
}

// full requires that every value has an element type and only known dimensions.
func full(t *testing.T, g *graph.Graph) {
	t.Helper()
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v == nil {
				continue
			}
			if v.Type.Elem == graph.Undefined || v.Type.Shape == nil {
				t.Errorf("node %q (%v): %q is %v", n.Label(), n.Op(), v.Name(), v.Type)
			}
			for _, d := range v.Type.Shape {
				if !infer.FromDim(d).Known() {
					t.Errorf("node %q (%v): %q is %v", n.Label(), n.Op(), v.Name(), v.Type)
				}
			}
		}
	}
}
