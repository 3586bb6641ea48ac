package bench

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/kernel/machine"
)

func TestTrainLineJSON(t *testing.T) {
	const want = `{"work":"w","kernel":"k","threads":2,"h":3,"w":4,"T":5,"ms_median":6,"gops":7,"peak_share":0.5,` +
		`"batch":8,"patches_per_s":9,"firing_rate":0.1}`
	got, err := json.Marshal(TrainLine{Line{"w", "k", 2, 3, 4, 5, 6, 7, 0.5, 0}, 8, 9, 0.1})
	if err != nil || string(got) != want {
		t.Errorf("%s, want %s (%v)", got, want, err)
	}
}

// TestTrain measures each kind of step of a small network, and holds what is counted.
func TestTrain(t *testing.T) {
	const depth, channels, steps, side, batch = 4, 6, 3, 9, 3
	tr, err := NewTraining(DnCNN(depth, channels, steps), side, batch, 2)
	if err != nil {
		t.Fatal(err)
	}
	pool := machine.NewPool(2)
	defer pool.Close()
	for s, slices := range map[TrainStage][2]float64{RateStage: {1, 1}, RateBackwardStage: {steps + 1, 1}, SpikeStage: {steps + 1, steps + 1}} {
		l, err := New(pool, 0, 2).Train(t.Context(), "net", tr, s)
		if err != nil {
			t.Fatal(err)
		}
		once, each := 9*channels+9, (depth-2)*9*channels*channels+9*channels
		want := 2 * batch * side * side * (3*float64(once) + (slices[0]+2*slices[1])*float64(each))
		if got := l.GOPS * l.MS * 1e6; math.Abs(got-want) > 0.01*want {
			t.Errorf("stage %s: %g operations, want %g", s, got, want)
		}
		if got := l.Patches * l.MS / 1e3; math.Abs(got-batch) > 0.01*batch {
			t.Errorf("stage %s: %g patches in a step, want %d", s, got, batch)
		}
		spiking := s != RateStage
		if l.Work != "train "+string(s)+" net" || l.Kernel == "" || l.Batch != batch || l.H != side || l.W != side ||
			spiking != (l.T == steps) || spiking != (l.FiringRate > 0) {
			t.Errorf("stage %s: %+v lacks something", s, l)
		}
	}
}

// TestTrainStep holds that steps of every kind change all parameters, and the same
// way on every call.
func TestTrainStep(t *testing.T) {
	for _, s := range TrainStages() {
		var first [][]float32
		for range 2 {
			tr, err := NewTraining(DnCNN(3, 5, 4), 8, 3, 2)
			if err != nil {
				t.Fatal(err)
			}
			var before, after [][]float32
			for _, p := range tr.params {
				before = append(before, slices.Clone(p.Value))
			}
			if err := tr.Step(s); err != nil {
				t.Fatal(err)
			}
			for i, p := range tr.params {
				after = append(after, slices.Clone(p.Value))
				if slices.Equal(p.Value, before[i]) && len(p.Value) > 9 {
					t.Errorf("stage %s leaves %s as it was", s, p.Name)
				}
				if first != nil && !slices.Equal(p.Value, first[i]) {
					t.Errorf("stage %s: another run leads %s elsewhere", s, p.Name)
				}
			}
			first = after
		}
	}
}

// TestDnCNNFires demands that the neurons do what those of trained networks do: a
// silent network would flatter kernels that skip zeros.
func TestDnCNNFires(t *testing.T) {
	depth, channels := 17, 64
	if testing.Short() {
		depth, channels = 6, 16
	}
	tr, err := NewTraining(DnCNN(depth, channels, 10), 12, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := tr.FiringRate(); err != nil || r < 0.1 || r > 0.5 {
		t.Errorf("neurons fire at a rate of %g, want 0.1 to 0.5 (%v)", r, err)
	}
}

// TestTrainingRefuses holds that what cannot be measured is an error that says why.
func TestTrainingRefuses(t *testing.T) {
	m := DnCNN(3, 4, 2)
	ann := graph.New("ann", nil)
	x := ann.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 1, 8, 8)))
	w := ann.AddInitializer("w", graph.NewFloat32([]int64{1, 1, 1, 1}, []float32{1}))
	ann.AddOutput(ann.AddNode(graph.Op{Type: "Conv"}, nil, []*graph.Value{x, w}, "y").Output(0))
	analog := &graph.Model{IRVersion: 10, Graph: ann}
	analog.SetOpset("", 17)
	for _, c := range []struct {
		m                     *graph.Model
		patch, batch, threads int
		want                  string
	}{
		{m, 8, 1, 1, ""},
		{m, 8, 0, 1, "0 patches of 8x8"},
		{m, 0, 1, 1, "1 patches of 0x0"},
		{m, 8, 1, 0, "on 0 threads"},
		{analog, 8, 1, 1, "want a spiking one"},
	} {
		_, err := NewTraining(c.m, c.patch, c.batch, c.threads)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}
