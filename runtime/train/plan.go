package train

import (
	"context"
	"fmt"
	"math"
	"time"
)

// A Timing is what the parts of a run take on this machine.
type Timing struct {
	Steps      []time.Duration // a step of each stage
	Validation time.Duration
}

// timedBatches is how many batches of a stage Time runs at most, after one that finds
// memory and caches cold; timedFor ends it sooner.
const (
	timedBatches = 4
	timedFor     = 3 * time.Second
)

// Time measures a step of each stage on the first batches, and a validation. The
// network and the position of the run stay as they are; the validation counts as the
// one that a run begins with.
func (t *Trainer) Time(ctx context.Context) (Timing, error) {
	var r Timing
	if t.validated == 0 {
		if err := t.validate(ctx); err != nil {
			return r, err
		}
	}
	r.Validation = t.validation
	position := t.position
	defer func() { t.position = position }()
	for i := range t.Stages {
		t.position.Stage = i
		took, err := t.timeStage(ctx)
		if err != nil {
			return r, err
		}
		r.Steps = append(r.Steps, took)
	}
	return r, nil
}

// timeStage is the mean time of a batch of the present stage, its update left out.
func (t *Trainer) timeStage(ctx context.Context) (time.Duration, error) {
	if err := t.prepare(); err != nil {
		return 0, err
	}
	if _, err := t.batch(ctx); err != nil {
		return 0, err
	}
	begin, n := time.Now(), 0
	for n < timedBatches && (n == 0 || time.Since(begin) < timedFor) {
		if _, err := t.batch(ctx); err != nil {
			return 0, err
		}
		t.net.Refresh()
		n++
	}
	return time.Since(begin) / time.Duration(n), nil
}

// validations is how many of them a planned run has beside those at the ends of its
// stages.
const validations = 20

// Plan gives each stage its share, 0 to 1, of a time, as a number of steps, one at
// least, and says how often to validate. What validation takes comes off first, and
// a fiftieth, for what is slower than it was when it was timed.
func Plan(shares []float64, r Timing, budget time.Duration) (steps []int, validateEvery int) {
	left := float64(budget) * 0.98
	left -= float64(r.Validation) * float64(validations+len(shares))
	total := 0
	for i, share := range shares {
		n := 1
		if r.Steps[i] > 0 {
			n = max(n, int(share*left/float64(r.Steps[i])))
		}
		steps = append(steps, n)
		total += n
	}
	return steps, ValidateEvery(total)
}

// ValidateEvery is how often a run of that many steps validates where nothing else is
// asked for.
func ValidateEvery(steps int) int { return max(1, (steps+validations-1)/validations) }

// SetPlan fixes the numbers of steps of the stages, and of those between validations.
// Checkpoints keep them. A warm-up takes half of a stage at most.
func (t *Trainer) SetPlan(steps []int, validateEvery int) error {
	if len(steps) != len(t.Stages) || validateEvery < 0 {
		return fmt.Errorf("a plan of %d stages, validated every %d steps, for a run of %d stages",
			len(steps), validateEvery, len(t.Stages))
	}
	for i, n := range steps {
		s := &t.Stages[i]
		s.Steps, s.Rate.Steps, s.Rate.WarmUp = n, n, min(s.Rate.WarmUp, n/2)
	}
	t.ValidateEvery = validateEvery
	return t.check()
}

// plan is the plan as checkpoints have it.
func (t *Trainer) plan() []uint64 {
	p := []uint64{uint64(t.ValidateEvery)}
	for _, s := range t.Stages {
		p = append(p, uint64(s.Steps))
	}
	return p
}

// follow takes a plan from a checkpoint.
func (t *Trainer) follow(p []uint64) error {
	if len(p) != 1+len(t.Stages) {
		return fmt.Errorf("the plan has %d numbers, want %d", len(p), 1+len(t.Stages))
	}
	steps := make([]int, len(t.Stages))
	for i := range steps {
		steps[i] = int(min(p[1+i], math.MaxInt32))
	}
	return t.SetPlan(steps, int(min(p[0], math.MaxInt32)))
}
