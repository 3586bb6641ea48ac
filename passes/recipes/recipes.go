// Package recipes puts passes in order: each recipe is one published method of
// turning a network into a spiking one, with the settings that its authors use.
package recipes

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
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
	// Reconstructed says that the equations of the publication are not public: the recipe is
	// what its abstract and reports by others tell, and is no measure of the method.
	Reconstructed bool
	// Timesteps are those that the method is compared at: the smaller ones of the publication or,
	// where it has none for image restoration, those of SpikingIR's tables.
	Timesteps []int
	// Per to V0 are the recipe's own settings, taken where Settings leave them open.
	Per      normalizethresholds.Granularity
	Readout  insertcpm.Kind
	Schedule op.Schedule
	Over     graph.Over // "": over the nonzero activations
	Percent  float64    // percentile; 0: the one that measured best
	V0       float64    // 0: none for an IF in lock-step, else the one at which rates are rounded to the nearest
	Training Training   // "": what the schedule has

	// reuse says that hidden neurons reuse their membrane potential, in a post step.
	reuse bool
	// neurons makes other neurons of the integrate-and-fire neurons once those have
	// thresholds, timed goes on once they have time; nil leaves them.
	neurons, timed func(Settings) passes.Pipeline
	// balanced says that thresholds come from local threshold balancing.
	balanced bool
}

// Training is how the authors of a method train a network after its conversion.
type Training struct {
	Stages     string // of fine-tuning, as its flag has them
	Thresholds bool   // are trained too
}

// list is all recipes; the first is the default. Files of this package declare them.
var list = []Recipe{spikingIR, rueckauer, twoPhase, qcfs, dengGu, balancing, dnsnn, lan, burst, multiThreshold, ternary}

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

// Title is the recipe's sentence, behind a word of warning where it is a reconstruction.
func (r Recipe) Title() string {
	if r.Reconstructed {
		return "a reconstruction, as the equations are not public: " + r.Doc
	}
	return r.Doc
}

// Centred reports whether rates are rounded to the nearest in lock-step: by an initial
// potential, or by a shift of the biases.
func (r Recipe) Centred() bool { return r.V0 != 0 || r.reuse || r.Name == dengGu.Name }

// Pipeline is the recipe's passes with the settings put in.
func (r Recipe) Pipeline(s Settings) (passes.Pipeline, error) {
	err := r.takes(s)
	if s = r.fill(s); err == nil {
		err = s.check()
	}
	if err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	p := r.steps(r.choose(s))
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	return p, nil
}
