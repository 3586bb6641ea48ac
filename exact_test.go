package spikingir_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
	"spikingir/runtime/dataset"
	"spikingir/runtime/ops"
)

// exactNetwork is a network in its exact form.
func exactNetwork(t *testing.T, name string, file []byte, schedule string, form recipes.Form) *spikingir.Model {
	t.Helper()
	m, err := onnxio.Decode(file)
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
		return []recipes.Form{recipes.Functions, recipes.Flat, recipes.Unrolled, recipes.Counts}
	}
	return []recipes.Form{recipes.Functions, recipes.Flat, recipes.Unrolled}
}

// output is what this program gives for a batch.
func output(t *testing.T, m *spikingir.Model, precision spikingir.Precision, x fixtures.Array) []float32 {
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
	return y[0].F32
}

// exactly is output as bytes.
func exactly(t *testing.T, m *spikingir.Model, precision spikingir.Precision, x fixtures.Array) (b []byte) {
	t.Helper()
	for _, v := range output(t, m, precision, x) {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// trials is exact networks, what they are fed, and what they give here.
type trials struct {
	titles []string
	cases  []onnxruntime.Case
	want   [][]byte
}

// add converts a network and holds its forms and precisions to each other.
func (c *trials) add(t *testing.T, name string, file []byte, inputs []fixtures.Array) {
	t.Helper()
	for _, schedule := range []string{"lockstep", "two-phase"} {
		c.forms(t, name, schedule, inputs, func(form recipes.Form) *spikingir.Model {
			return exactNetwork(t, name, file, schedule, form)
		})
	}
}

// addTuned is add of a network that is fine-tuned for a few steps, and written in the exact form.
func (c *trials) addTuned(t *testing.T, name string, file []byte, task spikingir.Task, inputs []fixtures.Array) {
	t.Helper()
	for _, schedule := range []string{"lockstep", "two-phase"} {
		path := tuned(t, name, file, schedule, task, true)
		c.forms(t, name+" fine-tuned", schedule, inputs, func(form recipes.Form) *spikingir.Model {
			m := reopen(t, path)
			if _, err := spikingir.Lower(t.Context(), m, form, spikingir.Options{}); err != nil {
				t.Fatalf("%s, %s, %s: %v", name, schedule, form, err)
			}
			return m
		})
	}
}

// tuned is the file of a network that a few steps of training have changed, snapped to the exact form or not.
func tuned(t *testing.T, name string, file []byte, schedule string, task spikingir.Task, snap bool) (path string) {
	t.Helper()
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	recipe, last := "spikingir", "spikes"
	if schedule == "two-phase" {
		recipe, last = schedule, "rates"
	}
	s := spikingir.Settings{Timesteps: 6, Currents: recipes.SpikeCurrents}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: recipe, Settings: s, Threads: 2}); err != nil {
		t.Fatalf("%s, %s: %v", name, schedule, err)
	}
	dir := t.TempDir()
	images, err := fixtures.Images(fixtures.Clean)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range images {
		if err := os.WriteFile(filepath.Join(dir, f.Name+".png"), f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := spikingir.DefaultFinetune()
	o.Data = spikingir.Data{Dir: dir, Task: task}
	o.Stages = []spikingir.Stage{{Name: last, Steps: 4, Rate: 1e-3}}
	o.Batch, o.Patch, o.ValidateEvery, o.ValidationShare, o.ValidationCrop = 2, 16, 5, 0.1, 16
	o.TrainThresholds, o.Snap = true, snap
	o.Output = filepath.Join(t.TempDir(), "out.onnx")
	if _, err := spikingir.Finetune(t.Context(), m, o); err != nil {
		t.Fatalf("%s, %s: %v", name, schedule, err)
	}
	return o.Output
}

// taskOf is what a network of the fixtures or a published one can be trained on.
func taskOf(name string) spikingir.Task {
	switch name {
	case "prelunet", "srvgg", "fsrcnn_x2_op11":
		return spikingir.Task{Kind: spikingir.SR, Scale: 2, Input: dataset.LowRes}
	}
	return spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}
}

// forms holds the forms and precisions of a network to each other.
func (c *trials) forms(t *testing.T, name, schedule string, inputs []fixtures.Array, network func(recipes.Form) *spikingir.Model) {
	t.Helper()
	bits := make([][]byte, len(inputs))
	for _, form := range exactForms(schedule) {
		title := name + "/" + schedule + "/" + string(form)
		m := network(form)
		if err := exact.Prove(m); err != nil {
			t.Errorf("%s: no proof: %v", title, err)
		}
		written, err := onnxio.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range inputs {
			if form == recipes.Functions {
				bits[i] = exactly(t, m, spikingir.FixedPoint, x)
			}
			if got := exactly(t, m, spikingir.Float32, x); !bytes.Equal(got, bits[i]) {
				t.Errorf("%s, %v: float32 differs from integers", title, x.Shape)
			}
			var dims []int64
			for _, d := range x.Shape {
				dims = append(dims, int64(d))
			}
			c.cases = append(c.cases, onnxruntime.Case{Model: written,
				Inputs: map[string]*graph.Tensor{m.Graph.Inputs()[0].Name(): graph.NewFloat32(dims, x.Data)}})
			c.want, c.titles = append(c.want, bits[i]), append(c.titles, title)
		}
	}
}

// everyLevel is the levels of each engine: WebAssembly is slow, and rewritten by the same code. ends is the least
// and the most.
var (
	ends       = []onnxruntime.Level{onnxruntime.None, onnxruntime.All}
	everyLevel = map[onnxruntime.Engine][]onnxruntime.Level{
		onnxruntime.Native: {onnxruntime.None, onnxruntime.Basic, onnxruntime.Extended, onnxruntime.All},
		onnxruntime.Web:    ends,
	}
)

// run demands that ONNX Runtime gives the same bits at levels of its rewriting.
func (c *trials) run(t *testing.T, modules string, levels map[onnxruntime.Engine][]onnxruntime.Level) {
	t.Helper()
	for engine, list := range levels {
		for _, level := range list {
			s := onnxruntime.Setting{Modules: modules, Engine: engine, Level: level}
			results, err := onnxruntime.Run(context.Background(), s, t.TempDir(), c.cases)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range results {
				c.compare(t, i, r, s)
			}
		}
	}
}

// compare demands the bits of a case.
func (c *trials) compare(t *testing.T, i int, r onnxruntime.Result, s onnxruntime.Setting) {
	t.Helper()
	if r.Err != nil {
		t.Errorf("%s, %s, level %s: %v", c.titles[i], s.Engine, s.Level, r.Err)
		return
	}
	for _, y := range r.Outputs {
		if !bytes.Equal(y.Bytes(), c.want[i]) {
			t.Errorf("%s, %s, level %s: gives other bits", c.titles[i], s.Engine, s.Level)
		}
	}
}

// TestExact holds that an exact network gives the same bits in float32 and in integers, in
// all forms, and where ONNX Runtime is installed, there too at every level of its rewriting.
func TestExact(t *testing.T) {
	t.Parallel()
	modules := os.Getenv(onnxruntime.Variable)
	var c trials
	for _, name := range fixtures.Names() {
		if testing.Short() && !slices.Contains([]string{"aodnet", "dncnn", "residual"}, name) {
			continue
		}
		file, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		vectors, err := fixtures.Vectors(name)
		if err != nil {
			t.Fatal(err)
		}
		var inputs []fixtures.Array
		for _, v := range vectors {
			if modules != "" || v.Name != name { // else the smaller one
				inputs = append(inputs, v.In)
			}
		}
		c.add(t, name, file, inputs)
	}
	if modules != "" {
		c.run(t, modules, everyLevel)
	}
}

// TestExactReal is TestExact on published networks, at two sizes and two batches.
func TestExactReal(t *testing.T) {
	data, modules := os.Getenv("SPIKINGIR_DATA"), os.Getenv(onnxruntime.Variable)
	if data == "" || modules == "" {
		t.Skipf("SPIKINGIR_DATA or %s is not set", onnxruntime.Variable)
	}
	t.Parallel()
	var c trials
	for name, channels := range map[string]int{"aod_boyiliee_op11": 3, "dncnn_s25_bn_op16": 1, "fsrcnn_x2_op11": 1, "vdsr_twt_op16": 1} {
		file, err := os.ReadFile(filepath.Join(data, "models", name+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		var inputs []fixtures.Array
		for _, shape := range [][]int{{2, channels, 16, 20}, {1, channels, 33, 21}} {
			x := bench.Uniform(shape...)
			inputs = append(inputs, fixtures.Array{Shape: shape, Data: x.F32})
		}
		c.add(t, name, file, inputs)
	}
	c.run(t, modules, everyLevel)
}

// TestExactTuned is TestExact, and TestExactReal, on networks that are fine-tuned.
func TestExactTuned(t *testing.T) {
	t.Parallel()
	modules := os.Getenv(onnxruntime.Variable)
	files, channels := networks(t)
	var c trials
	for name, file := range files {
		if modules == "" && name != "prelunet" {
			continue
		}
		var inputs []fixtures.Array
		for _, shape := range [][]int{{2, channels[name], 16, 20}, {1, channels[name], 33, 21}} {
			inputs = append(inputs, fixtures.Array{Shape: shape, Data: bench.Uniform(shape...).F32})
		}
		c.addTuned(t, name, file, taskOf(name), inputs)
	}
	if modules != "" {
		c.run(t, modules, map[onnxruntime.Engine][]onnxruntime.Level{onnxruntime.Native: ends, onnxruntime.Web: {onnxruntime.All}})
	}
}
