package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
)

// formDuels are the networks and images of which ONNX Runtime runs all written forms.
var formDuels = []duel{
	{"forms-dncnn-64", "DnCNN-17", dncnn, 64, 64, 0, peer{}, 0, best},
	{"forms-vdsr-64", "VDSR-20", vdsr, 64, 64, 0, peer{}, 0, best},
	{"forms-aod-128", "AOD-Net", aod, 128, 128, 0, peer{}, 0, best},
	{"forms-fsrcnn-64", "FSRCNN x2", fsrcnn, 64, 64, 0, peer{}, 0, best},
}

// ortLevels are those of ONNX Runtime's optimiser, as its interface names them. The ANN at
// the last one is what the others are measured by.
var ortLevels = []string{"disabled", "basic", "extended", "all"}

// FormRounds is how many rounds the table of forms takes.
func (r *race) FormRounds() int { return max(r.Rounds, 15) }

// A timing is what the script ort_levels.js prints of a model at a level.
type timing struct {
	Model, Level string
	MS           []float64 // round by round
	Error        string    // why there are none
}

// forms is the table of written forms in ONNX Runtime.
func (r *race) forms(ctx context.Context) *grid {
	head := row{"network", "W x H", "what runs"}
	for _, level := range ortLevels {
		head = append(head, level)
	}
	g := newGrid(head...)
	for _, d := range formDuels {
		if len(r.only) > 0 && !slices.Contains(r.only, d.name) || ctx.Err() != nil {
			continue
		}
		r.Warnf("bench: forms of %s at %s, %s", d.title, size(d.w, d.h), d.name)
		if err := r.formsOf(ctx, g, d); err != nil {
			g.leaveOut(err, "forms of %s at %s", d.title, size(d.w, d.h))
		}
	}
	return g
}

// formsOf adds the rows of a network.
func (r *race) formsOf(ctx context.Context, g *grid, d duel) error {
	if r.late() {
		return errors.New("the page took longer than --limit")
	}
	titles, paths := []string{"the ANN"}, []string{r.modelPath(d.model)}
	for _, form := range recipes.Forms() {
		if form == string(recipes.None) {
			continue // which no other runtime knows
		}
		path, err := r.writtenForm(ctx, d, recipes.Form(form))
		if err != nil {
			g.leaveOut(err, "%s at %s, %s", d.title, size(d.w, d.h), form)
			continue
		}
		titles, paths = append(titles, form), append(paths, path)
	}
	times, err := r.levels(ctx, d, paths)
	if err != nil {
		return err
	}
	ann := times[timingKey{paths[0], ortLevels[len(ortLevels)-1]}]
	if ann.Error != "" {
		return fmt.Errorf("the ANN: %s", ann.Error)
	}
	for i, path := range paths {
		cells := row{d.title, size(d.w, d.h), titles[i]}
		for _, level := range ortLevels {
			t := times[timingKey{path, level}]
			if t.Error != "" {
				g.leaveOut(errors.New(t.Error), "%s at %s, %s at level %s", d.title, size(d.w, d.h), titles[i], level)
			}
			cells = append(cells, t.cell(ann))
		}
		r.Warnf("bench: %v", cells)
		g.AppendRow(cells)
	}
	return nil
}

// writtenForm writes a form of the network, of the schedule that has it.
func (r *race) writtenForm(ctx context.Context, d duel, form recipes.Form) (string, error) {
	var m *spikingir.Model
	var err error
	if form == recipes.Counts || form == recipes.QDQ {
		m, err = r.twoPhase(ctx, d.model, r.Steps, 16, form)
	} else {
		m, err = r.convert(ctx, d.model, "", spikingir.Settings{Timesteps: r.Steps, Lower: form})
	}
	if err != nil {
		return "", err
	}
	path := filepath.Join(r.tmp, fmt.Sprintf("%s.%s.onnx", d.model, form))
	return path, spikingir.Write(path, m)
}

// cell is the median time, and its share of the ANN's.
func (t timing) cell(ann timing) string {
	if len(t.MS) == 0 || len(t.MS) != len(ann.MS) {
		return "-"
	}
	shares := make([]float64, len(t.MS))
	for i, x := range t.MS {
		shares[i] = x / ann.MS[i]
	}
	return fmt.Sprintf("%s (%.2f)", ms(bench.Median(t.MS)), bench.Median(shares))
}

type timingKey struct{ model, level string }

// levels times models in turns.
func (r *race) levels(ctx context.Context, d duel, paths []string) (map[timingKey]timing, error) {
	m, err := r.network(ctx, d.model, 0)
	if err != nil {
		return nil, err
	}
	channels, err := spikingir.Channels(m)
	if err != nil {
		return nil, err
	}
	c := line("node", "-", d.h, d.w, max(channels, 1), r.Workers(), r.FormRounds(), strings.Join(ortLevels, ","))
	c.argv = append(c.argv, paths...)
	c.stdin = fixtures.ORTLevels
	printed, err := c.printed(ctx)
	if err != nil {
		return nil, err
	}
	times := map[timingKey]timing{}
	for line := range strings.Lines(printed) {
		var t timing
		if err := json.Unmarshal([]byte(line), &t); err != nil {
			return nil, fmt.Errorf("%s printed %q: %w", c, line, err)
		}
		times[timingKey{t.Model, t.Level}] = t
	}
	return times, nil
}
