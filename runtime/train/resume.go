package train

import (
	"fmt"
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
	c.Position, c.Best = t.position, t.best
	c.Position.Seconds = t.seconds()
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
	add(t.adam.State())
	c.Arrays = append(c.Arrays, checkpoint.Array{Name: "adam.steps", Uint64: t.adam.Steps()})
	if t.average != nil {
		add(t.average.State())
		c.Arrays = append(c.Arrays, checkpoint.Array{Name: "average.updates", Uint64: []uint64{t.average.Updates()}})
	}
	return checkpoint.Write(t.Checkpoint, c)
}

// Resume takes the state of the run from its checkpoint.
func (t *Trainer) Resume() error {
	c, err := checkpoint.Read(t.Checkpoint)
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
		{"settings", string(h.Settings), string(t.Identity.Settings)},
	} {
		if x.have != x.want {
			return fmt.Errorf("the checkpoint is of a run with another %s (%s, this one has %s)", x.what, x.have, x.want)
		}
	}
	if h.Position.Stage < 0 || h.Position.Stage >= len(t.Stages) {
		return fmt.Errorf("the checkpoint is in stage %d of %d", h.Position.Stage, len(t.Stages))
	}
	return nil
}

// restore copies the arrays of a checkpoint.
func (t *Trainer) restore(c *checkpoint.Checkpoint) error {
	best := make([][]float32, len(t.params))
	for i, p := range t.params {
		if err := c.Floats("parameter/"+p.Name, p.Value); err != nil {
			return err
		}
		best[i] = make([]float32, len(p.Value))
		if err := c.Floats("best/"+p.Name, best[i]); err != nil {
			return err
		}
	}
	arrays := func(of []optim.Array) ([]optim.Array, error) {
		list := make([]optim.Array, len(of))
		for i, a := range of {
			list[i] = optim.Array{Name: a.Name, Data: make([]float32, len(a.Data))}
			if err := c.Floats(a.Name, list[i].Data); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	state, err := arrays(t.adam.State())
	if err != nil {
		return err
	}
	steps, err := c.Find("adam.steps")
	if err != nil {
		return err
	}
	if err := t.adam.Restore(steps.Uint64, state); err != nil {
		return err
	}
	if t.average != nil {
		if state, err = arrays(t.average.State()); err != nil {
			return err
		}
		n, err := c.Find("average.updates")
		if err != nil {
			return err
		}
		if len(n.Uint64) != 1 {
			return fmt.Errorf("average.updates holds %d numbers, want 1", len(n.Uint64))
		}
		if err := t.average.Restore(n.Uint64[0], state); err != nil {
			return err
		}
	}
	t.position, t.best, t.bestData = c.Position, c.Best, best
	return nil
}

// Position is where the run is.
func (t *Trainer) Position() checkpoint.Position { return t.position }
