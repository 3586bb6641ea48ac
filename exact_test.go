package spikingir_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// exactNetwork is a fixture in its exact form.
func exactNetwork(t *testing.T, name, schedule string, form recipes.Form) *spikingir.Model {
	t.Helper()
	b, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	// The residual network has a layer that reads a sum of layers, whose bits are too many.
	s := spikingir.Settings{Timesteps: 6, Exact: true, Lower: form, Currents: recipes.SpikeCurrents}
	recipe := "spikingir"
	if schedule == "two-phase" {
		recipe = schedule
	}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: recipe, Settings: s, Threads: 2}); err != nil {
		t.Fatalf("%s, %s, %s: %v", name, schedule, form, err)
	}
	return m
}

// exactForms is the forms of a schedule that other runtimes read.
func exactForms(schedule string) []recipes.Form {
	if schedule == "two-phase" {
		return []recipes.Form{recipes.Functions, recipes.Flat, recipes.Counts}
	}
	return []recipes.Form{recipes.Functions, recipes.Flat}
}

// exactly is what this program gives for a batch, as bytes of float32.
func exactly(t *testing.T, m *spikingir.Model, precision spikingir.Precision, x fixtures.Array) []byte {
	t.Helper()
	net, err := spikingir.Open(m, spikingir.RunOptions{Precision: precision, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	y, err := net.Run(t.Context(), &ops.Tensor{DType: graph.Float32, Dims: x.Shape, F32: x.Data})
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, v := range y[0].F32 {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// TestExact holds that an exact network gives the same bits in float32 and in integers, in
// all forms, and where ONNX Runtime is installed, there too at every level of its rewriting.
func TestExact(t *testing.T) {
	modules := os.Getenv(onnxruntime.Variable)
	var cases []onnxruntime.Case
	var want [][]byte
	var titles []string
	for _, name := range fixtures.Names() {
		vectors, err := fixtures.Vectors(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, schedule := range []string{"lockstep", "two-phase"} {
			bits := make([][]byte, len(vectors))
			for _, form := range exactForms(schedule) {
				m := exactNetwork(t, name, schedule, form)
				if err := exact.Prove(m); err != nil {
					t.Errorf("%s, %s, %s: no proof: %v", name, schedule, form, err)
				}
				file, err := onnxio.Encode(m)
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range vectors {
					if modules == "" && v.Name == name {
						continue // the larger one
					}
					if form == recipes.Functions {
						bits[i] = exactly(t, m, spikingir.FixedPoint, v.In)
					}
					title := name + "/" + schedule + "/" + string(form)
					if got := exactly(t, m, spikingir.Float32, v.In); !bytes.Equal(got, bits[i]) {
						t.Errorf("%s, %v: float32 differs from integers", title, v.In.Shape)
					}
					var dims []int64
					for _, d := range v.In.Shape {
						dims = append(dims, int64(d))
					}
					in := map[string]*graph.Tensor{m.Graph.Inputs()[0].Name(): graph.NewFloat32(dims, v.In.Data)}
					cases = append(cases, onnxruntime.Case{Model: file, Inputs: in})
					want, titles = append(want, bits[i]), append(titles, title)
				}
			}
		}
	}
	if modules == "" {
		return
	}
	for _, level := range []onnxruntime.Level{onnxruntime.None, onnxruntime.Basic, onnxruntime.Extended, onnxruntime.All} {
		results, err := onnxruntime.Run(context.Background(), modules, t.TempDir(), level, cases)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Err != nil {
				t.Errorf("%s, level %s: %v", titles[i], level, r.Err)
				continue
			}
			for _, y := range r.Outputs {
				if !bytes.Equal(y.Bytes(), want[i]) {
					t.Errorf("%s, level %s: ONNX Runtime gives other bits", titles[i], level)
				}
			}
		}
	}
}
