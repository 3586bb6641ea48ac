package infer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"spikingir/graph/infer"
	"spikingir/onnxio"
)

// TestExports infers nets as PyTorch exports them with dynamic shapes
// (testdata/exports.py) and evaluates the result at the sizes it was run with.
func TestExports(t *testing.T) {
	data, err := os.ReadFile("testdata/exports.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		File string
		Want []struct {
			Sizes map[string]int64
			Shape []int64
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.File), func(t *testing.T) {
			m, err := onnxio.ReadFile(filepath.Join("testdata", c.File))
			if err != nil {
				t.Fatal(err)
			}
			m.Graph.Outputs()[0].Type.Shape = nil
			infer.Forget(m)
			if err := infer.Model(m); err != nil {
				t.Fatal(err)
			}
			full(t, m.Graph)
			y := m.Graph.Outputs()[0].Type
			for _, w := range c.Want {
				if len(y.Shape) != len(w.Shape) {
					t.Fatalf("output is %v, want rank %d", y, len(w.Shape))
				}
				for i, d := range y.Shape {
					got, err := infer.FromDim(d).Eval(w.Sizes)
					if err != nil || got != w.Shape[i] {
						t.Errorf("output is %v, at %v axis %d is %d (%v), want %d", y, w.Sizes, i,
							got, err, w.Shape[i])
					}
				}
			}
		})
	}
}
