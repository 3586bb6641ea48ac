package main

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
	"spikingir/runtime/ops"
)

// TestONNXRuntime holds that ONNX Runtime computes each form of a two-phase network as this
// program does.
func TestONNXRuntime(t *testing.T) {
	modules := os.Getenv(onnxruntime.Variable)
	if modules == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	var names []string
	var forms []recipes.Form
	var cases []onnxruntime.Case
	for _, name := range fixtures.Names() {
		for _, form := range recipes.Forms() {
			if form == string(recipes.None) {
				continue // which no other runtime knows
			}
			m := converted(t, name, recipes.Form(form), false)
			file, err := onnxio.Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			x := image(t, m)
			in := map[string]*graph.Tensor{m.Graph.Inputs()[0].Name(): graph.NewFloat32(x.Sizes(), x.F32)}
			names, forms = append(names, name), append(forms, recipes.Form(form))
			cases = append(cases, onnxruntime.Case{Model: file, Inputs: in})
		}
	}
	results, err := onnxruntime.Run(context.Background(), onnxruntime.Setting{Modules: modules, Engine: onnxruntime.Native, Level: onnxruntime.All}, t.TempDir(), cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		t.Run(names[i]+"/"+string(forms[i]), func(t *testing.T) { checkForm(t, names[i], forms[i], r) })
	}
}

// image is noise of a size for a network.
func image(t *testing.T, m *spikingir.Model) *ops.Tensor {
	t.Helper()
	const side = 40
	channels, err := spikingir.Channels(m)
	if err != nil {
		t.Fatal(err)
	}
	return bench.Uniform(1, max(channels, 1), side, side)
}

func checkForm(t *testing.T, name string, form recipes.Form, theirs onnxruntime.Result) {
	t.Helper()
	if theirs.Err != nil {
		t.Fatal(theirs.Err)
	}
	ours := converted(t, name, recipes.None, form == recipes.QDQ)
	for _, precision := range []spikingir.Precision{spikingir.Float32, spikingir.FixedPoint} {
		net, err := spikingir.Open(ours, spikingir.RunOptions{Precision: precision, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		y, err := net.Run(t.Context(), image(t, ours))
		net.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := 60.0
		if precision == spikingir.FixedPoint {
			want = 45 // sums of branches, and pairs of populations, have weights that integers round
		}
		for _, out := range theirs.Outputs {
			if db := decibels(y[0].F32, out.Bytes()); !(db >= want) {
				t.Errorf("%v: agreement %.1f dB, want %v", precision, db, want)
			}
		}
	}
}

// converted is a two-phase network with weights of its default, or of 8 bits.
func converted(t *testing.T, name string, form recipes.Form, few bool) *spikingir.Model {
	t.Helper()
	b, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.Settings{Timesteps: 6, Lower: form}
	if few {
		s.WeightBits = 8
	}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: "two-phase", Settings: s, Threads: 2}); err != nil {
		t.Fatal(err)
	}
	return m
}

// decibels is the agreement of an image with little-endian numbers.
func decibels(want []float32, data []byte) float64 {
	if len(data) != 4*len(want) {
		return 0
	}
	sum := 0.0
	for i, x := range want {
		d := float64(x) - float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		sum += d * d
	}
	return -10 * math.Log10(sum/float64(len(want)))
}
