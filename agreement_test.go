package spikingir_test

import (
	"os"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/runtime/metric"
	"spikingir/runtime/ops"
)

// leastAgreement is what another runtime has in common with ours at least, in dB, on a network that is not in the exact
// form.
const leastAgreement = 45

// TestAgreement holds networks as they are converted by default, and as they are fine-tuned, to what ONNX Runtime gives of
// their files, in both schedules, both in integers and in float32.
func TestAgreement(t *testing.T) {
	modules := os.Getenv(onnxruntime.Variable)
	if modules == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	t.Parallel()
	type network struct {
		title string
		model *spikingir.Model
		x     fixtures.Array
	}
	var list []network
	files, channels := networks(t)
	for name, file := range files {
		x := picture(t, channels[name])
		for _, schedule := range []string{"lockstep", "two-phase"} {
			title := name + ", " + schedule
			list = append(list, network{title, byDefault(t, file, schedule), x},
				network{title + ", fine-tuned", reopen(t, tuned(t, name, file, schedule, taskOf(name), false)), x})
		}
	}
	var cases []onnxruntime.Case
	for _, n := range list {
		written, err := onnxio.Encode(n.model)
		if err != nil {
			t.Fatal(err)
		}
		in := graph.NewFloat32((&ops.Tensor{Dims: n.x.Shape}).Sizes(), n.x.Data)
		cases = append(cases, onnxruntime.Case{Model: written, Inputs: map[string]*graph.Tensor{n.model.Graph.Inputs()[0].Name(): in}})
	}
	s := onnxruntime.Setting{Modules: modules, Engine: onnxruntime.Native, Level: onnxruntime.All}
	results, err := onnxruntime.Run(t.Context(), s, t.TempDir(), cases)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		n := list[i]
		if r.Err != nil {
			t.Errorf("%s: %v", n.title, r.Err)
			continue
		}
		theirs, err := r.Outputs[n.model.Graph.Outputs()[0].Name()].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for name, precision := range map[string]spikingir.Precision{"integers": spikingir.FixedPoint, "float32": spikingir.Float32} {
			db, err := metric.Agreement(output(t, n.model, precision, n.x), theirs)
			if err != nil {
				t.Fatal(err)
			}
			if t.Logf("%s, %s: %.1f dB", n.title, name, db); !(db >= leastAgreement) {
				t.Errorf("%s, %s: ONNX Runtime agrees to %.1f dB, want %d", n.title, name, db, leastAgreement)
			}
		}
	}
}

// picture is one of the fixtures' inputs that has so many channels.
func picture(t *testing.T, channels int) fixtures.Array {
	t.Helper()
	vectors, err := fixtures.Vectors(map[int]string{1: "dncnn", 3: "aodnet"}[channels])
	if err != nil {
		t.Fatal(err)
	}
	return vectors[0].In
}

// byDefault is a network of a schedule, as it is converted by default.
func byDefault(t *testing.T, file []byte, schedule string) *spikingir.Model {
	t.Helper()
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	o := spikingir.Options{Settings: spikingir.DefaultSettings(), Threads: 2}
	if schedule == "two-phase" {
		o.Recipe = schedule
	}
	if _, err := spikingir.Convert(t.Context(), m, o); err != nil {
		t.Fatal(err)
	}
	return m
}

func reopen(t *testing.T, path string) *spikingir.Model {
	t.Helper()
	m, err := spikingir.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
