package train

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"spikingir/runtime/train/checkpoint"
	"spikingir/runtime/train/optim"
)

// save writes the state of the run.
func (t *Trainer) save() error {
	t.saved = time.Now()
	if t.Checkpoint == "" {
		return nil
	}
	c := &checkpoint.Checkpoint{Header: t.Identity}
	c.Position, c.Best = t.Position(), t.best
	c.Arrays = append(c.Arrays, checkpoint.Array{Name: "plan", Uint64: t.plan()},
		checkpoint.Array{Name: "validated", Uint64: []uint64{t.validated}})
	for i, p := range t.params {
		c.Arrays = append(c.Arrays, checkpoint.Array{Name: "parameter/" + p.Name, Float32: p.Value})
		if t.bestData != nil {
			c.Arrays = append(c.Arrays, checkpoint.Array{Name: "best/" + p.Name, Float32: t.bestData[i]})
		}
	}
	add := func(arrays []optim.Array) {
		for _, a := range arrays {
			c.Arrays = append(c.Arrays, checkpoint.Array{Name: a.Name, Float32: a.Data})
		}
	}
	add(t.optimizer.State())
	c.Arrays = append(c.Arrays, checkpoint.Array{Name: "adam.steps", Uint64: t.optimizer.Counts()})
	if t.average != nil {
		add(t.average.State())
		c.Arrays = append(c.Arrays, checkpoint.Array{Name: "average.updates", Uint64: []uint64{t.average.Updates}})
	}
	return checkpoint.Write(t.Checkpoint, c)
}

// Resume takes the state of the run from its checkpoint.
func (t *Trainer) Resume() error {
	c, err := t.readCheckpoint()
	if err != nil {
		return err
	}
	if err := t.same(c.Header); err != nil {
		return fmt.Errorf("%s: %w", t.Checkpoint, err)
	}
	if err := t.restore(c); err != nil {
		return fmt.Errorf("%s: %w", t.Checkpoint, err)
	}
	t.net.Refresh()
	return nil
}

// same refuses the checkpoint of another run.
func (t *Trainer) same(h checkpoint.Header) error {
	for _, x := range []struct{ what, have, want string }{
		{"model", h.Model, t.Identity.Model},
		{"training data", h.Data, t.Identity.Data},
	} {
		if x.have != x.want {
			return fmt.Errorf("the checkpoint is of a run with another %s (SHA-256 %.16s..., this one has %.16s...)", x.what, x.have, x.want)
		}
	}
	if d := otherSettings(h.Settings, t.Identity.Settings); d != "" {
		return fmt.Errorf("the checkpoint is of a run with other settings: %s", d)
	}
	return nil
}

// reached refuses a position that no run under the present plan comes to.
func (t *Trainer) reached(p checkpoint.Position) error {
	if p.Stage < 0 || p.Stage >= len(t.Stages) {
		return fmt.Errorf("the checkpoint is in stage %d of %d", p.Stage, len(t.Stages))
	}
	s := t.Stages[p.Stage]
	if p.Step > uint64(s.Steps) {
		return fmt.Errorf("the checkpoint is at step %d of stage %s, which has %d", p.Step, s.Name, s.Steps)
	}
	total := uint64(0)
	for _, s := range t.Stages[:p.Stage] {
		if !s.Calibrates() {
			total += uint64(s.Steps)
		}
	}
	if !s.Calibrates() {
		total += p.Step
	}
	if p.Total != total || p.Patch != total*uint64(t.Batch) {
		return fmt.Errorf("the checkpoint has done %d steps and %d patches, want %d and %d at step %d of stage %s",
			p.Total, p.Patch, total, total*uint64(t.Batch), p.Step, s.Name)
	}
	if p.Seconds < 0 {
		return fmt.Errorf("the checkpoint was trained for %g seconds", p.Seconds)
	}
	return nil
}

// consistent refuses counts that no run comes to.
func (t *Trainer) consistent(c *checkpoint.Checkpoint, validated uint64) error {
	if err := t.reached(c.Position); err != nil {
		return err
	}
	if b := c.Best; b != nil {
		if err := t.reached(b.Position); err != nil {
			return fmt.Errorf("best validation: %w", err)
		}
		if b.Position.Total > c.Position.Total {
			return fmt.Errorf("the best validation was after %d steps, and %d are done", b.Position.Total, c.Position.Total)
		}
	}
	if validated > c.Position.Total+1 {
		return fmt.Errorf("the last validation was after %d steps, and %d are done", validated-1, c.Position.Total)
	}
	return nil
}

// otherSettings names the settings that differ; "" where none does.
func otherSettings(have, want json.RawMessage) string {
	if bytes.Equal(have, want) {
		return ""
	}
	var a, b map[string]json.RawMessage
	if json.Unmarshal(have, &a) != nil || json.Unmarshal(want, &b) != nil {
		return fmt.Sprintf("%s, this one has %s", have, want)
	}
	both := maps.Clone(a)
	maps.Copy(both, b)
	var list []string
	for _, n := range slices.Sorted(maps.Keys(both)) {
		if !bytes.Equal(a[n], b[n]) {
			list = append(list, fmt.Sprintf("%s was %s and is %s", n, cmp.Or(string(a[n]), "not set"), cmp.Or(string(b[n]), "not set")))
		}
	}
	return strings.Join(list, ", ")
}

// integers is an array of counts.
func integers(c *checkpoint.Checkpoint, name string, n int) ([]uint64, error) {
	a, err := c.Find(name)
	if err != nil {
		return nil, err
	}
	if len(a.Uint64) != n {
		return nil, fmt.Errorf("%s holds %d numbers, want %d", name, len(a.Uint64), n)
	}
	return a.Uint64, nil
}

// restore takes over the state of a checkpoint.
func (t *Trainer) restore(c *checkpoint.Checkpoint) error {
	plan, err := integers(c, "plan", 2+len(t.Stages))
	if err != nil {
		return err
	}
	validated, err := integers(c, "validated", 1)
	if err != nil {
		return err
	}
	if err := t.follow(plan); err != nil {
		return err
	}
	if err := t.consistent(c, validated[0]); err != nil {
		return err
	}
	_, err = c.Find("best/" + t.params[0].Name)
	known := err == nil // a run that ended in its first validation has no best one yet
	for _, p := range t.params {
		if err := c.Floats("parameter/"+p.Name, p.Value); err != nil {
			return err
		}
		if !known {
			continue
		}
		best := make([]float32, len(p.Value))
		if err := c.Floats("best/"+p.Name, best); err != nil {
			return err
		}
		t.bestData = append(t.bestData, best)
	}
	if err := t.restoreOptimiser(c); err != nil {
		return err
	}
	t.position, t.best, t.validated = c.Position, c.Best, validated[0]
	return nil
}

// restoreOptimiser takes over the state of the optimiser and the average.
func (t *Trainer) restoreOptimiser(c *checkpoint.Checkpoint) error {
	state := t.optimizer.State()
	steps, err := integers(c, "adam.steps", len(t.params))
	if err != nil {
		return err
	}
	for i, n := range steps {
		if n > c.Position.Total {
			return fmt.Errorf("the optimiser has made %d steps with %s, and %d are done", n, t.params[i].Name, c.Position.Total)
		}
	}
	copy(t.optimizer.Counts(), steps)
	if t.average != nil {
		n, err := integers(c, "average.updates", 1)
		if err != nil {
			return err
		}
		if n[0] > c.Position.Total {
			return fmt.Errorf("the average is of %d steps, and %d are done", n[0], c.Position.Total)
		}
		t.average.Updates, state = n[0], append(state, t.average.State()...)
	}
	for _, a := range state {
		if err := c.Floats(a.Name, a.Data); err != nil {
			return err
		}
	}
	return nil
}

// Position is where the run is.
func (t *Trainer) Position() checkpoint.Position {
	p := t.position
	p.Seconds = t.seconds()
	return p
}
