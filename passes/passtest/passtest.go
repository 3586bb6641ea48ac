// Package passtest runs the golden cases of a pass. A pass's folder holds
// testdata/*.txtar beside a test of one line, passtest.Run(t, pass). A case is a
// comment that says what it shows, followed by these sections:
//
//	before   the model, in ONNX textual syntax
//	after    the model the pass must make of it
//	notes    what the pass must tell the user, one note a line; absent: nothing
//	error    instead of after and notes: the text the pass must fail with
//	options  settings of the pass, as in a pipeline: per=channel,percentile=99
//	equiv    how before and after are compared by running both (see below)
//	calib    the inputs that the pass calibrates on
//
// Beside the golden comparison every case checks: both models are well formed;
// the facts that the pass needs hold before it and those that it gives after;
// after reads back as itself; a second run changes nothing; the pass tells
// truly whether it changed the model; what stays keeps its metadata; and both
// models compute the same on seeded inputs.
//
// The sections equiv and calib hold one setting a line:
//
//	seed 1          of the inputs
//	n 4             how many inputs
//	lo -1, hi 1     range of the elements, on two lines
//	grid 8          draw multiples of 1/8, so that sums are exact
//	dims N=2,H=7    sizes of symbolic dimensions; N=2, C=3, H=7, W=9 unless set
//	tol 1e-5        largest |after-before| / max(1, |before|); 0 unless set
//	spiking WHY     why a tolerance above 1e-3 is right; the pass states Changes
//	interpret       run both models node by node, which knows If
//	floats          inputs and outputs may become of another float type
//	cannot-run WHY  the models are not run; running must indeed fail
//
// With UPDATE=1 in the environment the sections after, notes and error are
// rewritten; look at the difference before you believe it.
//
// Other modules may import this package: it is stable, as package spikingir says.
package passtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/onnxio/text"
	"spikingir/passes"
)

// Run runs every case of testdata/*.txtar against the pass.
func Run(t *testing.T, pass *passes.Pass) {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, e := range entries {
		path := filepath.Join("testdata", e.Name())
		if filepath.Ext(path) != ".txtar" {
			t.Errorf("%s is no case: want files named *.txtar only", path)
			continue
		}
		ran++
		t.Run(strings.TrimSuffix(e.Name(), ".txtar"), func(t *testing.T) {
			c, err := readCase(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.run(pass); err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE") == "" {
				return
			}
			if err := c.write(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if ran == 0 {
		t.Error("testdata holds no *.txtar case")
	}
}

// outcome is what one run of the pass did.
type outcome struct {
	model   *graph.Model
	changed bool
	notes   string
	err     error
}

// run checks one case; the error says what is wrong with it.
func (c *goldenCase) run(pass *passes.Pass) error {
	before, err := parse(c.section("before"))
	if err != nil {
		return fmt.Errorf("before: %w", err)
	}
	if err := before.Check(); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	if pass.Needs.Has(passes.Typed) {
		if err := infer.Model(before); err != nil {
			return fmt.Errorf("before: %w", err)
		}
	}
	got := c.apply(pass, before.Clone())
	if got.err != nil || c.has("error") {
		return c.checkError(got.err)
	}
	if err := c.checkGolden(got); err != nil {
		return err
	}
	if err := c.checkRun(pass, before, got); err != nil {
		return err
	}
	if pass.Changes == "" && c.equiv.spiking != "" {
		return fmt.Errorf("a tolerance of %g (%s), and the pass does not say in Changes that results change",
			c.equiv.tol, c.equiv.spiking)
	}
	return c.equiv.check(before, got.model)
}

// apply runs the pass on m after a step that stands for the passes before it:
// it gives what the pass needs, and is held to that.
func (c *goldenCase) apply(pass *passes.Pass, m *graph.Model) outcome {
	given := &passes.Pass{
		Name:  "given",
		Doc:   "claim the facts that the pass under test needs",
		Gives: pass.Needs,
		Run:   func(*passes.Context) (bool, error) { return false, nil },
	}
	p, err := passes.Parse(pass.Name+"{"+c.options+"}", []*passes.Pass{pass})
	if err != nil {
		return outcome{err: err}
	}
	p = append(passes.Pipeline{given.With()}, p...)
	reports, err := p.Run(m, passes.Options{Evaluate: Evaluate, Calibrate: c.calibrate})
	if err != nil {
		return outcome{err: err}
	}
	r := reports[1]
	var notes strings.Builder
	for _, n := range r.Notes {
		fmt.Fprintln(&notes, n)
	}
	return outcome{model: m, changed: r.Changed, notes: notes.String()}
}

// checkError compares the pass's failure with the section error. A failure in
// an earlier step means that the case itself is wrong.
func (c *goldenCase) checkError(err error) error {
	if !c.has("error") {
		return fmt.Errorf("the pass failed: %w", err)
	}
	if err == nil {
		return errors.New("the pass succeeded; section error says it must not")
	}
	var failure *passes.Error
	if errors.As(err, &failure) && failure.Index == 0 {
		return fmt.Errorf("before lacks what the pass needs: %w", failure.Err)
	}
	msg := err.Error()
	if failure != nil {
		msg = failure.Err.Error()
	}
	return c.compare("error", msg+"\n")
}

// checkGolden compares the model and the notes with the case, and the printed
// model with what it reads back as.
func (c *goldenCase) checkGolden(got outcome) error {
	printed := format(got.model)
	back, err := parse(printed)
	if err != nil {
		return fmt.Errorf("after does not read back: %w\n%s", err, printed)
	}
	if d := cmp.Diff(printed, format(back)); d != "" {
		return fmt.Errorf("after reads back as another model (-after +back):\n%s", d)
	}
	return errors.Join(c.compare("after", printed), c.compare("notes", got.notes))
}

// checkRun checks that the pass tells the truth about changes, that a second
// run changes nothing, and that metadata survives.
func (c *goldenCase) checkRun(pass *passes.Pass, before *graph.Model, got outcome) error {
	first, after := format(before), format(got.model)
	if got.changed != (first != after) {
		return fmt.Errorf("the pass reports changed=%v, but the model says %v:\n%s",
			got.changed, first != after, cmp.Diff(first, after))
	}
	again := *pass
	again.Needs &^= pass.Drops
	second := c.apply(&again, got.model.Clone())
	if second.err != nil {
		return fmt.Errorf("second run: %w", second.err)
	}
	if d := cmp.Diff(after, format(second.model)); d != "" || second.changed {
		return fmt.Errorf("a second run changes the model (changed=%v, -first +second):\n%s",
			second.changed, d)
	}
	marked := before.Clone()
	mark(marked)
	third := c.apply(pass, marked)
	if third.err != nil {
		return fmt.Errorf("run with metadata: %w", third.err)
	}
	return checkMarks(before, marked)
}

// parse reads a model; seeded initializers get their elements.
func parse(src string) (*graph.Model, error) { return text.Parse(src) }

func format(m *graph.Model) string { return text.Format(m) }
