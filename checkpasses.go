package spikingir

import (
	"context"
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/passes"
	"spikingir/runtime/equiv"
	"spikingir/runtime/metric"
)

// A Check runs a model on seeded inputs between passes, to find the pass that changes
// what it computes.
type Check struct {
	// Tolerance is the largest difference allowed, relative to magnitudes above 1.
	Tolerance float64
	// FromStart compares with the model as it was given, and holds all passes to the
	// tolerance. Otherwise a pass is compared with the model before it, and only those are
	// held to it that do not state that they change results.
	FromStart bool
	// Told, when not nil, hears of every pass.
	Told func(PassCheck)
}

// PassCheck is what a [Check] found of one pass.
type PassCheck struct {
	Index   int    `json:"index"` // of the pass in the pipeline, from 0
	Pass    string `json:"pass"`
	Changed bool   `json:"changed"` // the pass changed the model
	// Changes is why the pass may change results; empty where it claims not to.
	Changes string `json:"changes,omitempty"`
	// Difference is the largest of the outputs, and Agreement their PSNR, of a peak of 1.
	// Both are nil where nothing could be compared, Skipped says why then. An infinite
	// difference, as to NaN, is nil too.
	Difference *float64   `json:"difference,omitempty"`
	Agreement  *metric.DB `json:"agreement,omitempty"`
	Skipped    string     `json:"skipped,omitempty"`
}

// A DifferenceError names the first pass after which the model computes something else.
type DifferenceError struct {
	Check PassCheck
	Err   error
}

func (e *DifferenceError) Error() string {
	return fmt.Sprintf("pass %s (step %d) changes what the model computes: %v", e.Check.Pass, e.Check.Index+1, e.Err)
}

// Unwrap gives the difference in words.
func (e *DifferenceError) Unwrap() error { return e.Err }

// checkedInputs is how many inputs are drawn.
const checkedInputs = 2

// checkedSize is the size of dimensions that a model leaves open, but for the first.
const checkedSize = 32

// checker compares the model of the moment with its last state, or the first.
type checker struct {
	*Check
	ctx    context.Context
	budget int64
	in     []map[string]*graph.Tensor
	want   []map[string]*graph.Tensor
	why    string // there is nothing to compare with
}

func (o *Check) start(ctx context.Context, m *Model, seed uint64, budget int64) *checker {
	c := &checker{Check: o, ctx: ctx, budget: budget}
	draw := equiv.Inputs{Seed: seed, Hi: 1, Size: func(axis int, _ string) int64 {
		if axis == 0 {
			return 1
		}
		return checkedSize
	}}
	for i := range checkedInputs {
		in, err := draw.Draw(m, i)
		if err != nil {
			c.why = fmt.Sprintf("no inputs can be drawn: %v", err)
			return c
		}
		c.in = append(c.in, in)
	}
	c.want, c.why = c.run(m)
	return c
}

// run gives the outputs of a model, or why there are none.
func (c *checker) run(m *Model) ([]map[string]*graph.Tensor, string) {
	var all []map[string]*graph.Tensor
	for _, in := range c.in {
		m := m.Clone()
		if err := equiv.Adapt(m, in); err != nil {
			return nil, err.Error()
		}
		out, err := equiv.Within(c.ctx, c.budget, m, in)
		if err != nil {
			return nil, err.Error()
		}
		all = append(all, out)
	}
	return all, ""
}

// after compares the model behind a pass. The error is a [DifferenceError].
func (c *checker) after(r passes.Report, m *Model) (PassCheck, error) {
	done := PassCheck{Index: r.Index, Pass: r.Step.Pass.Name, Changed: r.Changed, Changes: r.Step.Pass.Changes}
	err := c.compare(&done, m)
	if c.Told != nil {
		c.Told(done)
	}
	return done, err
}

func (c *checker) compare(done *PassCheck, m *Model) error {
	if c.in == nil {
		done.Skipped = c.why
		return nil
	}
	if !done.Changed {
		return nil
	}
	got, why := c.run(m)
	want, before := c.want, c.why
	if !c.FromStart || want == nil {
		c.want, c.why = got, why
	}
	switch {
	case got == nil:
		done.Skipped = "it cannot be run after the pass: " + why
		return nil
	case want == nil:
		done.Skipped = "it could not be run before: " + before
		return nil
	}
	worst, mse := equiv.Difference{}, 0.0
	for i := range got {
		d, err := equiv.Compare(m, want[i], got[i], true)
		if err != nil {
			done.Skipped = err.Error()
			return nil
		}
		mse += d.MSE / float64(len(got))
		if i == 0 || d.Size > worst.Size {
			d.Finite = d.Finite || worst.Finite
			worst = d
		}
	}
	if !worst.Finite {
		done.Skipped = "no element of the outputs is a number"
		return nil
	}
	db := metric.DB(-10 * math.Log10(mse))
	done.Agreement = &db
	if !math.IsInf(worst.Size, 0) {
		done.Difference = &worst.Size
	}
	if (c.FromStart || done.Changes == "") && !(worst.Size <= c.Tolerance) {
		return &DifferenceError{*done, fmt.Errorf("%v, want %g at most, on seeded inputs", worst, c.Tolerance)}
	}
	return nil
}
