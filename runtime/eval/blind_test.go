package eval

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
)

// TestBlind measures without a ground truth what it measures with one, and nothing of quality.
func TestBlind(t *testing.T) {
	set := fewSpikes(t)
	c := Config{Model: program(t, spiking, exec.Options{}), Ref: program(t, dense, exec.Options{}), Set: set}
	want := measured(t, c)
	c.Blind = true
	for name, set := range map[string]Samples{"a task": set, "none": blind{set}} {
		c.Set = set
		got := measured(t, c)
		if got.Ref != nil || got.Rate != nil || got.Model != (Quality{}) || got.Input != (Quality{}) || got.PerImage[0].Ref != nil {
			t.Errorf("%s: qualities are given: %+v", name, got)
		}
		if math.IsInf(float64(got.Agreement.PSNR), 1) != math.IsInf(float64(want.Agreement.PSNR), 1) {
			t.Errorf("%s: agreement %v, want %v", name, got.Agreement, want.Agreement)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Report{}, "Seconds", "Model", "Input", "Ref", "Rate", "PerImage", "Agreement")); d != "" {
			t.Errorf("%s (-with a truth +blind):\n%s", name, d)
		}
	}
	c.Blind, c.Set, c.Ports.Input = false, blind{set}, "x"
	if _, err := Run(t.Context(), c); err == nil {
		t.Error("images without a truth are scored")
	}
}

// blind is samples of no task.
type blind struct{ Samples }

func (s blind) Task() dataset.Task { return dataset.Task{Kind: dataset.None} }

func (s blind) At(i int) (dataset.Sample, error) {
	x, err := s.Samples.At(i)
	if len(x.Target.Pix) == 0 {
		err = errors.Join(err, errors.New("the sample has no target to take away"))
	}
	x.Target = dataset.Image{}
	return x, err
}
