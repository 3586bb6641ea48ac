package spikingir

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/runtime/ops"
	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/optim"
)

// smallTraining is a fixture that runs for so many timesteps, and a folder of images to train it on.
func smallTraining(t *testing.T, timesteps int) (*Model, string) {
	t.Helper()
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
	file, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(t.Context(), m, Options{Settings: Settings{Timesteps: timesteps}}); err != nil {
		t.Fatal(err)
	}
	return m, dir
}

// TestUnfinished interrupts a run behind a validation that was the best so far, and reads what
// it leaves.
func TestUnfinished(t *testing.T) {
	m, dir := smallTraining(t, 4)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var best *checkpoint.Figures
	o := DefaultFinetune()
	o.Data = Data{Dir: dir, Task: Task{Kind: Denoise, Sigma: 25}}
	o.Stages = []Stage{{Name: "rates", Steps: 100, Rate: 1e-3}}
	o.Batch, o.Patch, o.ValidateEvery, o.ValidationShare, o.ValidationCrop = 2, 16, 4, 0.4, 32
	o.Output = filepath.Join(t.TempDir(), "out.onnx")
	o.Report = func(e FinetuneEvent) {
		if e.Best && e.Done > 0 {
			best = e.Validation
			cancel()
		}
	}
	r, err := Finetune(ctx, m, o)
	if !errors.Is(err, context.Canceled) || best == nil {
		t.Fatalf("error %v, best %v, want a run that was interrupted when it had a best network", err, best)
	}
	if want := strings.TrimSuffix(o.Output, ".onnx") + ".best.onnx"; r.Unfinished != want || r.Best.PSNR != best.PSNR {
		t.Errorf("the report says %q with %v, want %q with %v", r.Unfinished, r.Best, want, best)
	}
	if _, err := os.Stat(o.Output); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the output of an interrupted run: %v", err)
	}
	kept, err := Read(r.Unfinished)
	if err != nil {
		t.Fatal(err)
	}
	if steps, _ := kept.Metadata.Get(graph.MetaFinetune + "_steps"); steps == "" || !Spiking(kept) {
		t.Errorf("the file is a spiking network: %v, after %q steps", Spiking(kept), steps)
	}
}

// TestCalibrationTold holds that a calibration says how far it is, and that the log, which is of
// results, has none of it.
func TestCalibrationTold(t *testing.T) {
	t.Parallel()
	m, dir := smallTraining(t, 2)
	o := DefaultFinetune()
	o.Data = Data{Dir: dir, Task: Task{Kind: Denoise, Sigma: 25}}
	o.Stages = []Stage{{Name: "calibrate"}}
	o.Patch, o.CalibratePatches, o.ValidationShare, o.ValidationCrop = 16, 4, 0.4, 32
	o.EventLog = filepath.Join(t.TempDir(), "log.jsonl")
	layers, others := 0, 0
	o.Report = func(e FinetuneEvent) {
		if e.Layers > 0 {
			layers++
		} else {
			others++
		}
	}
	if _, err := Finetune(t.Context(), m, o); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(o.EventLog)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(log, []byte("\n")); layers < 2 || lines != others {
		t.Errorf("%d layers told, and %d lines of %d other events", layers, lines, others)
	}
}

// TestStageRates holds the learning rates of stages that state none.
func TestStageRates(t *testing.T) {
	for _, c := range []struct {
		optimizer         string
		spiking, twoPhase bool
		want              float64
	}{
		{"adam", false, false, 1e-4}, {"muon", false, false, 1e-4}, {"adam", true, false, 1e-4}, {"muon", true, false, 2e-4},
		{"adam", true, true, 3e-4}, {"muon", true, true, 3e-4},
	} {
		f := &finetuning{}
		f.Optimizer = c.optimizer
		if got := f.stageRate(c.spiking, c.twoPhase); got != c.want {
			t.Errorf("%+v: %g", c, got)
		}
		f.Data.Task.Kind = Dehaze
		if got := f.stageRate(c.spiking, c.twoPhase); got != 1e-5 {
			t.Errorf("dehazing, %+v: %g", c, got)
		}
	}
}

// TestBatch holds the patches of a step by default: no more than are of use, and one at least for
// each micro-batch.
func TestBatch(t *testing.T) {
	for _, c := range []struct{ given, microBatches, want int }{{0, 1, 4}, {0, 6, 6}, {0, 64, 16}, {2, 6, 2}, {100, 1, 100}} {
		f := &finetuning{}
		f.Batch, f.MicroBatches = c.given, c.microBatches
		if err := f.microBatches(); err != nil || f.Batch != c.want {
			t.Errorf("%+v: batch %d, %v", c, f.Batch, err)
		}
	}
}

// TestLogEnd finds where a log goes on.
func TestLogEnd(t *testing.T) {
	var log bytes.Buffer
	ends := map[checkpoint.Position]int{}
	for _, e := range []FinetuneEvent{
		{Stage: 0, Step: 0}, {Stage: 0, Step: 1}, {Stage: 0, Step: 1, Validation: &checkpoint.Figures{PSNR: 3}},
		{Stage: 0, Step: 2}, {Stage: 1, Step: 1}, {Stage: 1, Step: 2},
	} {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(append(b, '\n'))
		ends[checkpoint.Position{Stage: e.Stage, Step: uint64(e.Step)}] = log.Len()
	}
	ends[checkpoint.Position{Stage: 1}] = ends[checkpoint.Position{Stage: 0, Step: 2}]
	ends[checkpoint.Position{Stage: 7}] = log.Len()
	for p, want := range ends {
		for _, torn := range []string{"", `{"stage":0,"st`} {
			got, err := logEnd(strings.NewReader(log.String()+torn), p)
			if err != nil || got != int64(want) {
				t.Errorf("at %+v: %d, %v, want %d", p, got, err, want)
			}
		}
	}
	for _, text := range []string{"words\n", "{\"other\":1}\n", log.String() + "[]\n"} {
		if _, err := logEnd(strings.NewReader(text), checkpoint.Position{Stage: 9}); err == nil || !strings.Contains(err.Error(), "no event") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestDefaultsByTask holds what the defaults of tasks have in common with those without one.
func TestDefaultsByTask(t *testing.T) {
	for kind, want := range map[TaskKind]func(*FinetuneOptions){
		Denoise: func(*FinetuneOptions) {},
		Pairs:   func(*FinetuneOptions) {},
		SR:      func(o *FinetuneOptions) { o.ValidationShare = 0.05 },
		Dehaze: func(o *FinetuneOptions) {
			o.Patch, o.ValidationShare, o.DistillOutput, o.Loss, o.HazeShare = 64, 0.2, 0, optim.PSNR, 0.5
		},
	} {
		o := DefaultFinetune()
		want(&o)
		if diff := cmp.Diff(o, DefaultFinetuneOf(kind), cmpopts.IgnoreUnexported(Model{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

// TestOptimizerByNetwork holds which optimiser a network has that is asked for none.
func TestOptimizerByNetwork(t *testing.T) {
	for _, c := range []struct {
		given   string
		decay   float64
		spiking bool
		want    string
	}{
		{"", 0, false, "adam"}, {"", 0.1, false, "adamw"}, {"", 0, true, "muon"}, {"", 0.1, true, "muon"}, {"adam", 0, true, "adam"},
	} {
		o := DefaultFinetune()
		o.Optimizer, o.WeightDecay = c.given, c.decay
		if got := o.method(c.spiking).Optimizer; got != c.want {
			t.Errorf("%q, decay %g, spiking %v: %s, want %s", c.given, c.decay, c.spiking, got, c.want)
		}
	}
}

// TestMapOfTheImage refuses a tensor for an input that has the size of the image, which patches have
// not, and trains with one for an input of a fixed size.
func TestMapOfTheImage(t *testing.T) {
	_, dir := smallTraining(t, 4)
	tune := func(name string, dims ...int) error {
		m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 13]>
g (float[N,1,H,W] x, float[1,1,1,1] level, float[N,1,H,W] map) => (float[N,1,H,W] y)
<float[2,2,3,3] w1 = ["location": "seed:1"], float[1,2,3,3] w2 = ["location": "seed:2"]>
{
  s = Mul(map, level)
  c = Concat <axis = 1> (x, s)
  a = Conv <pads = [1, 1, 1, 1]> (c, w1)
  r = Relu(a)
  y = Conv <pads = [1, 1, 1, 1]> (r, w2)
}`)
		if err != nil {
			t.Fatal(err)
		}
		o := DefaultFinetune()
		o.Data = Data{Dir: dir, Task: Task{Kind: Denoise, Sigma: 25}}
		o.Inputs = map[string]Feed{"level": {Number: 0.5}, "map": {Number: 0.25}}
		o.Inputs[name] = Feed{Tensor: ops.NewTensor(graph.Float32, dims)}
		o.Stages = []Stage{{Name: "ann", Steps: 1, Rate: 1e-3}}
		o.Batch, o.Patch, o.ValidationShare = 1, 8, 0
		_, err = Finetune(t.Context(), m, o)
		return err
	}
	var u *UnsupportedError
	err := tune("map", 1, 1, 128, 128)
	if !errors.As(err, &u) || !strings.Contains(err.Error(), `its input "map" follows the size of the image, and patches are smaller than a tensor for it: want a number, --input map=0.1`) {
		t.Errorf("a map as large as the image: %v", err)
	}
	if err := tune("level", 1, 1, 1, 1); err != nil {
		t.Errorf("a tensor that has nothing to do with the image: %v", err)
	}
}
