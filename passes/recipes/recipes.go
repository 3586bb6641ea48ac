// Package recipes puts passes in order: each recipe is one published method of
// turning a network into a spiking one, with the settings that its authors use.
package recipes

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
)

// Recipe is one conversion method.
type Recipe struct {
	Name   string
	Doc    string // one sentence
	Source string // the publication
	// Per, Readout and Schedule are the recipe's own settings, taken where Settings
	// leave them open.
	Per      normalizethresholds.Granularity
	Readout  insertcpm.Kind
	Schedule op.Schedule

	// reuse says that hidden neurons reuse their membrane potential, in a post step.
	reuse bool
	// neurons makes other neurons of the integrate-and-fire neurons once those have
	// thresholds; nil leaves them.
	neurons func(Settings) passes.Pipeline
}

// list is all recipes; the first is the default. Files of this package declare them.
var list = []Recipe{spikingIR, rueckauer, twoPhase}

// Names lists the recipes; the first is the default.
func Names() []string {
	names := make([]string, len(list))
	for i, r := range list {
		names[i] = r.Name
	}
	return names
}

// Lookup finds a recipe by name.
func Lookup(name string) (Recipe, bool) {
	i := slices.IndexFunc(list, func(r Recipe) bool { return r.Name == name })
	if i < 0 {
		return Recipe{}, false
	}
	return list[i], true
}

// New is the pipeline of the recipe called name. A setting out of range is an
// error that names it.
func New(name string, s Settings) (passes.Pipeline, error) {
	r, ok := Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no recipe is called %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return r.Pipeline(s)
}

// Pipeline is the recipe's passes with the settings put in.
func (r Recipe) Pipeline(s Settings) (passes.Pipeline, error) {
	s = r.fill(s)
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	p := r.steps(r.choose(s))
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	return p, nil
}
