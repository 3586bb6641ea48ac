package spikingir_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/internal/onnxruntime"
	"spikingir/internal/python"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
)

// exactly4 is an exact network of four timesteps.
func exactly4(t *testing.T, file []byte, recipe string) *spikingir.Model {
	t.Helper()
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.Settings{Timesteps: 4, Exact: true, Currents: recipes.SpikeCurrents}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: recipe, Settings: s, Threads: 2}); err != nil {
		t.Fatal(err)
	}
	return m
}

// written is a spiking network in a form and an opset, and the bytes of its file.
func written(t *testing.T, m *spikingir.Model, form recipes.Form, opset int) (*spikingir.Model, []byte) {
	t.Helper()
	m = m.Clone()
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Settings: spikingir.Settings{Lower: form, Opset: opset}, Threads: 1}); err != nil {
		t.Fatalf("%s, opset %d: %v", form, opset, err)
	}
	if got := m.Opset(""); got != int64(opset) {
		t.Errorf("%s: opset %d, want %d", form, got, opset)
	}
	b, err := onnxio.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, b
}

// networks is the fixtures and, where SPIKINGIR_DATA names their folder, published networks, with
// their channels.
func networks(t *testing.T) (files map[string][]byte, channels map[string]int) {
	t.Helper()
	files, channels = map[string][]byte{}, map[string]int{}
	for _, name := range fixtures.Names() {
		file, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		vectors, err := fixtures.Vectors(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name], channels[name] = file, vectors[0].In.Shape[1]
	}
	data := os.Getenv("SPIKINGIR_DATA")
	for name, c := range map[string]int{"aod_boyiliee_op11": 3, "dncnn_s25_bn_op16": 1, "fsrcnn_x2_op11": 1, "vdsr_twt_op16": 1} {
		if data == "" {
			break
		}
		file, err := os.ReadFile(filepath.Join(data, "models", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		files[name], channels[name] = file, c
	}
	return files, channels
}

// TestTargetOpset holds that exact networks give the same bytes in ONNX Runtime at every opset, and files of
// opset 9 the same image in OpenCV, to a rounding of the last layers.
func TestTargetOpset(t *testing.T) {
	modules, interpreter := os.Getenv(onnxruntime.Variable), os.Getenv(python.Variable)
	if modules == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	t.Parallel()
	var titles []string
	var cases []onnxruntime.Case
	var want [][]byte
	var small []python.Case
	var of []int // the case of ONNX Runtime that is the same
	files, channels := networks(t)
	for name, file := range files {
		shape := []int{1, channels[name], 20, 24}
		x := fixtures.Array{Shape: shape, Data: bench.Uniform(shape...).F32}
		dims := []int64{1, int64(shape[1]), 20, 24}
		for _, recipe := range []string{"spikingir", "two-phase"} {
			original := exactly4(t, file, recipe)
			bits := exactly(t, original, spikingir.Float32, x)
			later, _ := written(t, original, recipes.Functions, 24)
			for _, c := range []struct {
				form  recipes.Form
				opset int
			}{
				{recipes.Functions, 16}, {recipes.Functions, 22}, {recipes.Functions, 24}, {recipes.Flat, 9}, {recipes.Flat, 13}, {recipes.Flat, 22},
				{recipes.Unrolled, 9}, {recipes.Counts, 9},
			} {
				if c.form == recipes.Counts && recipe != "two-phase" {
					continue
				}
				from := original
				if c.opset == 16 { // the longest way down
					from = later
				}
				m, b := written(t, from, c.form, c.opset)
				if !bytes.Equal(exactly(t, m, spikingir.Float32, x), bits) {
					t.Errorf("%s, %s, %s, opset %d: another image here", name, recipe, c.form, c.opset)
				}
				in := graph.NewFloat32(dims, x.Data)
				if c.form != recipes.Functions && c.opset == 9 {
					small, of = append(small, python.Case{Model: b, Input: in}), append(of, len(cases))
				}
				titles = append(titles, fmt.Sprintf("%s, %s, %s, opset %d", name, recipe, c.form, c.opset))
				cases = append(cases, onnxruntime.Case{Model: b, Inputs: map[string]*graph.Tensor{m.Graph.Inputs()[0].Name(): in}})
				want = append(want, bits)
			}
		}
	}
	results, err := onnxruntime.Run(t.Context(), onnxruntime.Setting{Modules: modules, Engine: onnxruntime.Native, Level: onnxruntime.All}, t.TempDir(), cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %v", titles[i], r.Err)
		}
		for _, y := range r.Outputs {
			if !bytes.Equal(y.Bytes(), want[i]) {
				t.Errorf("%s: ONNX Runtime gives other bits", titles[i])
			}
		}
	}
	if interpreter == "" || !python.HasOpenCV(t.Context(), interpreter) {
		t.Logf("%s names no interpreter with OpenCV: install python3-opencv", python.Variable)
		return
	}
	shown, err := python.OpenCV(t.Context(), interpreter, t.TempDir(), small)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for i, r := range shown {
		if r.Err != nil {
			// A DepthToSpace of columns first has a Gather in front of it, and OpenCV's takes one index.
			if !strings.HasPrefix(titles[of[i]], "srvgg") || !strings.Contains(r.Err.Error(), "parseGather") {
				t.Errorf("%s: OpenCV: %v", titles[of[i]], r.Err)
			}
			continue
		}
		if bytes.Equal(r.Output.Bytes(), want[of[i]]) {
			same++
		} else if d := furthest(t, r.Output, want[of[i]]); !(d <= 1e-6) {
			t.Errorf("%s: OpenCV gives an image %g apart", titles[of[i]], d)
		}
	}
	t.Logf("%d files in ONNX Runtime; %d in OpenCV, which gives the same bits of %d", len(cases), len(shown), same)
}

// furthest is the greatest difference of a tensor from numbers as bytes.
func furthest(t *testing.T, y *graph.Tensor, want []byte) float64 {
	t.Helper()
	list, err := y.Float32s()
	if err != nil || 4*len(list) != len(want) {
		t.Fatalf("%d numbers, want %d: %v", len(list), len(want)/4, err)
	}
	worst := 0.0
	for i, x := range list {
		other := math.Float32frombits(binary.LittleEndian.Uint32(want[4*i:]))
		worst = max(worst, math.Abs(float64(x)-float64(other)))
	}
	return worst
}
