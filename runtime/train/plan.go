package train

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// timedBatches is how many batches of a stage are timed at most, after one that finds
// memory and caches cold; timedFor ends it sooner.
const (
	timedBatches = 4
	timedFor     = 2 * time.Second
)

// validations is how many of them a run has where nothing else is asked for, beside
// those at the ends of its stages. Where the time decides, they take validationShare
// of it at most.
const (
	validations     = 20
	validationShare = 0.15
)

// slack is the part of the time that is planned with: steps may be slower than those
// that were timed.
const slack = 0.97

// everyFor is the steps between n validations in a run of that many.
func everyFor(steps, n int) int { return max(1, (steps+n-1)/n) }

// Steps is the steps of all stages but calibrations; where the time decides, those of
// stages that have not begun are an estimate.
func (t *Trainer) Steps() (n int) {
	for _, s := range t.Stages {
		if !s.Calibrates() {
			n += s.Steps
		}
	}
	return n
}

// prepared makes plans from what the stages say.
func (t *Trainer) prepared() {
	steps := StepsOf(t.Stages, t.Total)
	t.timed = steps == nil
	for i, s := range t.Stages {
		switch {
		case s.Calibrates():
			t.Stages[i].Steps = 1 // which does not count as one
		case !t.timed:
			t.Stages[i].Steps = steps[i]
		}
	}
	if !t.timed {
		t.planned = len(t.Stages)
		if t.ValidateEvery == 0 {
			t.ValidateEvery = everyFor(t.Steps(), validations)
		}
	}
}

// fix finds how many steps the present stage has, where the time decides: its share of
// what is left. The others get an estimate when the first one begins.
func (t *Trainer) fix(ctx context.Context) error {
	k := t.position.Stage
	if t.planned > k {
		return nil
	}
	if !t.stage().Calibrates() {
		first := !slices.ContainsFunc(t.Stages[:k], func(s Stage) bool { return !s.Calibrates() })
		took, err := t.time(ctx, first)
		if err != nil {
			return err
		}
		t.divide(took, t.remaining(), t.ValidateEvery == 0)
	}
	t.planned = k + 1
	if err := t.agreePlan(); err != nil {
		return err
	}
	return t.save()
}

// remaining is the time that is left for steps and validations between them, in
// nanoseconds.
func (t *Trainer) remaining() float64 {
	ends := len(t.Stages) - t.position.Stage + 1
	return slack*float64(t.Limit-time.Since(t.started)) - float64(t.validation)*float64(ends)
}

// adjust follows, where the time decides, the pace at which the present stage really
// goes, so that those after it get their shares and the last one comes to its end. It
// reports whether the plan is another one, which a checkpoint must tell before
// another step is done.
func (t *Trainer) adjust() bool {
	k, step := t.position.Stage, int(t.position.Step)
	if !t.timed || t.paced == 0 || step >= t.stage().Steps {
		return false
	}
	pace := float64(t.pace)/float64(t.paced) + float64(t.validation)/float64(t.ValidateEvery)
	t.pace, t.paced = 0, 0
	own, later := t.stage().Share*(1-float64(step)/float64(t.stage().Steps)), 0.0
	for _, s := range t.Stages[k+1:] {
		later += s.Share
	}
	left := t.remaining() * own / (own + later)
	t.Stages[k].Steps = step + int(min(max(1, left/pace), math.MaxInt32/2))
	return true
}

// time is what a step of the present stage takes and, with later, of those after it.
func (t *Trainer) time(ctx context.Context, later bool) ([]time.Duration, error) {
	position := t.position
	defer func() { t.position = position }()
	var took []time.Duration
	for i := position.Stage; i < len(t.Stages) && (later || i == position.Stage); i++ {
		t.position.Stage = i
		d := time.Duration(0)
		if !t.stage().Calibrates() {
			var err error
			if d, err = t.timeStage(ctx); err != nil {
				return nil, err
			}
		}
		took = append(took, d)
	}
	return took, nil
}

// timeStage is the mean time of a batch of the present stage; nothing is updated.
func (t *Trainer) timeStage(ctx context.Context) (time.Duration, error) {
	if err := t.prepare(); err != nil {
		return 0, err
	}
	if _, err := t.batch(ctx); err != nil {
		return 0, err
	}
	begin, n := time.Now(), 0
	for n < timedBatches {
		if more, err := t.agree(n == 0 || time.Since(begin) < timedFor); err != nil {
			return 0, err
		} else if !more {
			break
		}
		if _, err := t.batch(ctx); err != nil {
			return 0, err
		}
		t.net.Refresh()
		n++
	}
	return time.Since(begin) / time.Duration(n), nil
}

// divide gives the present stage, and those after it that were timed, their part of
// the time that is left, in nanoseconds, validations included.
func (t *Trainer) divide(took []time.Duration, left float64, often bool) {
	k := t.position.Stage
	all := 0.0
	for _, s := range t.Stages[k:] {
		all += s.Share
	}
	part := func(i int, left, validation float64) int {
		return int(min(max(1, left*t.Stages[k+i].Share/all/(float64(max(took[i], 1))+validation)), math.MaxInt32))
	}
	if often {
		n := int(min(max(1, validationShare*left/float64(max(t.validation, 1))), validations))
		total := 0
		for i := range took {
			if !t.Stages[k+i].Calibrates() {
				total += part(i, left-float64(n)*float64(t.validation), 0)
			}
		}
		t.ValidateEvery = everyFor(total, n)
	}
	for i := range took {
		if !t.Stages[k+i].Calibrates() {
			t.Stages[k+i].Steps = part(i, left, float64(t.validation)/float64(t.ValidateEvery))
		}
	}
}

// plan is what is fixed, as checkpoints have it.
func (t *Trainer) plan() []uint64 {
	p := []uint64{uint64(t.planned), uint64(t.ValidateEvery)}
	for _, s := range t.Stages {
		p = append(p, uint64(s.Steps))
	}
	return p
}

// follow takes a plan from a checkpoint.
func (t *Trainer) follow(p []uint64) error {
	for _, x := range p {
		if x > math.MaxInt32 {
			return fmt.Errorf("the plan holds %d, want numbers of steps", x)
		}
	}
	if int(p[0]) > len(t.Stages) {
		return fmt.Errorf("the plan is of %d stages, want %d", p[0], len(t.Stages))
	}
	t.planned, t.ValidateEvery = int(p[0]), int(p[1])
	for i, s := range t.Stages {
		steps := int(p[2+i])
		if steps != s.Steps && (!t.timed || s.Calibrates()) {
			return fmt.Errorf("the plan has %d steps of stage %s, want %d", steps, s.Name, s.Steps)
		}
		t.Stages[i].Steps = steps
	}
	return t.check()
}
