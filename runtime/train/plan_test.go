package train

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spikingir/runtime/train/optim"
)

// timed is a run of a calibration and two stages that share 100 s; validations take 1 s.
func timed() *Trainer {
	t := &Trainer{Config: Config{Batch: 1, Limit: 100 * time.Second,
		Method: Method{Loss: optim.MSE, Optimizer: "adam", Schedule: optim.Constant, WarmUp: 10},
		Stages: []Stage{{Name: "calibrate"}, {Name: "rates", Rate: 1, Share: 0.75}, {Name: "spikes", Rate: 1, Share: 0.25}}}}
	t.started, t.validation = time.Now(), time.Second
	return t
}

// foretold is about what the steps and validations of a plan take.
func (t *Trainer) foretold(took []time.Duration) float64 {
	sum := 0.0
	for i, d := range took {
		sum += d.Seconds() * float64(t.Stages[1+i].Steps)
	}
	return sum + t.validation.Seconds()*(float64(t.Steps())/float64(t.ValidateEvery)+float64(len(t.Stages)))
}

// TestDivide demands that a plan takes the time that there is, by the shares.
func TestDivide(t *testing.T) {
	for _, took := range [][]time.Duration{
		{10 * time.Millisecond, 40 * time.Millisecond},
		{time.Second, 2 * time.Second},
		{time.Microsecond, time.Microsecond},
	} {
		r := timed()
		r.prepared()
		r.position.Stage = 1
		r.divide(took, r.remaining(), true)
		if all := r.foretold(took); all < 85 || all > 100 {
			t.Errorf("%v: %d and %d steps, validated every %d, take %.1f s of 100", took, r.Stages[1].Steps, r.Stages[2].Steps, r.ValidateEvery, all)
		}
		each := r.validation.Seconds() / float64(r.ValidateEvery)
		a, b := float64(r.Stages[1].Steps)*(took[0].Seconds()+each), float64(r.Stages[2].Steps)*(took[1].Seconds()+each)
		if share := a / (a + b); share < 0.70 || share > 0.80 {
			t.Errorf("%v: the first stage takes %.2f of the time, want 0.75", took, share)
		}
	}
	// Where there is no time there still is a step.
	r := timed()
	r.prepared()
	r.Limit, r.position.Stage = time.Millisecond, 1
	r.divide([]time.Duration{time.Second, time.Second}, r.remaining(), true)
	if r.Stages[1].Steps != 1 || r.Stages[2].Steps != 1 || r.schedule(1).WarmUp != 0 {
		t.Errorf("%d and %d steps, warm-up %d, want 1, 1 and 0", r.Stages[1].Steps, r.Stages[2].Steps, r.schedule(1).WarmUp)
	}
}

// TestAdjust demands that a stage that goes half as fast as foretold leaves the time
// of the next.
func TestAdjust(t *testing.T) {
	r := timed()
	r.prepared()
	r.position.Stage = 1
	r.divide([]time.Duration{100 * time.Millisecond, 100 * time.Millisecond}, r.remaining(), true)
	planned := r.Stages[1].Steps
	if r.adjust() {
		t.Error("a plan is adjusted before a step is done")
	}
	const done = 100
	r.position.Step, r.paced, r.pace = done, done, done*200*time.Millisecond
	r.started = r.started.Add(-done * 200 * time.Millisecond)
	if !r.adjust() || r.Stages[1].Steps >= planned {
		t.Fatalf("%d steps were planned and %d are", planned, r.Stages[1].Steps)
	}
	rest := float64(r.Stages[1].Steps-done) * (0.2 + 1/float64(r.ValidateEvery))
	share := 0.75 * (1 - float64(done)/float64(planned))
	if want := 0.97 * 75 * share / (share + 0.25); rest < want-2 || rest > want+2 {
		t.Errorf("the rest of the stage takes %.1f s, want %.1f", rest, want)
	}
	// A checkpoint keeps the plan.
	other := timed()
	other.prepared()
	if err := other.follow(r.plan()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Stages, other.Stages); diff != "" || other.ValidateEvery != r.ValidateEvery || other.planned != r.planned {
		t.Errorf("from a checkpoint (-want +got):\n%s", diff)
	}
	if err := other.follow([]uint64{1, 1, 1, 1 << 40, 1}); err == nil {
		t.Error("a plan of 2^40 steps is accepted")
	}
}

// TestOtherSettings names what differs.
func TestOtherSettings(t *testing.T) {
	a := json.RawMessage(`{"batch":8,"rate":[1,2],"clip":1}`)
	if d := otherSettings(a, json.RawMessage(`{"batch":8,"rate":[1,2],"clip":1}`)); d != "" {
		t.Errorf("equal settings differ: %s", d)
	}
	got := otherSettings(a, json.RawMessage(`{"batch":16,"rate":[1,2],"slope":4}`))
	if want := "batch was 8 and is 16, clip was 1 and is not set, slope was not set and is 4"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if d := otherSettings(json.RawMessage(`[]`), a); !strings.Contains(d, `"batch"`) {
		t.Error(d)
	}
}
