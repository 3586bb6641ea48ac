// Package recipes puts passes in order: each recipe is one published method of
// turning a network into a spiking one, with the settings that its authors use.
package recipes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spikingir/passes"
	"spikingir/passes/standard"
)

// Recipe is one conversion method.
type Recipe struct {
	Name   string
	Doc    string // one sentence
	Source string // the publication
	// Per and Readout are the recipe's own settings, taken where Settings
	// leave them open.
	Per, Readout string

	mprn bool // hidden neurons reuse their membrane potential
}

// Settings is what a user may set of a recipe.
type Settings struct {
	Timesteps  int     // main timesteps T
	Percentile float64 // of the activations, 1 to 100
	Over       string  // nonzero or all
	Per        string  // layer or channel; "" takes the recipe's own
	V0         float64 // initial membrane potential in units of the threshold, 0 to 1
	Beta       float64 // of MPRN
	Readout    string  // cpm or rate; "" takes the recipe's own
	Analog     string  // refuse or keep
	Unit       bool    // thresholds 1, scales in the weights
	Lower      string  // functions, flat or none
}

// Defaults is the settings of a conversion that sets nothing.
func Defaults() Settings {
	return Settings{
		Timesteps: 10, Percentile: 99.9, Over: "nonzero", Analog: "refuse", Lower: "functions",
	}
}

var list = []Recipe{
	{
		Name: "spikingir",
		Doc: "MPRN neurons, which reuse their membrane potential in a post step, and CPM " +
			"readouts, which compensate for what is left of it",
		Source: "Ouyang et al., SpikingIR, AAAI 2026",
		Per:    "channel", Readout: "cpm", mprn: true,
	},
	{
		Name:   "rueckauer",
		Doc:    "integrate-and-fire neurons with soft reset, thresholds from percentiles, rates read out",
		Source: "Rueckauer et al., Conversion of Continuous-Valued Deep Networks, Front. Neurosci. 2017",
		Per:    "layer", Readout: "rate",
	},
}

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
	if s.Per == "" {
		s.Per = r.Per
	}
	if s.Readout == "" {
		s.Readout = r.Readout
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	p, err := passes.Parse(r.text(s), standard.Passes())
	if err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	return p, p.Validate()
}

// cleanUp is the passes that leave a network what it computes. Types are inferred
// first, so that a contradiction is reported in terms of the file, and again once
// functions are inlined. Constants are folded again after the opset upgrade, which
// may add some.
var cleanUp = []string{
	"infer-shapes", "inline-functions", "infer-shapes",
	"fold-constants", "fold-identity", "fold-batchnorm", "dead-node",
	"upgrade-opset", "infer-shapes", "fold-constants",
}

// CleanUp is the passes that every recipe begins with. The network that they leave is
// no spiking one yet, but its values have the names that they keep in one.
func CleanUp() (passes.Pipeline, error) {
	return passes.Parse(strings.Join(cleanUp, ","), standard.Passes())
}

// text is the pipeline as `--passes` takes it; dead nodes are removed before shapes
// are inferred for good.
func (r Recipe) text(s Settings) string {
	v0 := "{v0=" + number(s.V0) + "}"
	steps := append(slices.Clone(cleanUp),
		"split-regions{analog="+s.Analog+"}",
		"relu-to-if"+v0, "clip-to-if"+v0, "prelu-to-on-off"+v0,
		"insert-cpm{readout="+s.Readout+"}",
		"normalize-thresholds{percentile="+number(s.Percentile)+
			",over="+s.Over+",per="+s.Per+"}",
	)
	if r.mprn {
		steps = append(steps, "if-to-mprn{beta="+number(s.Beta)+"}")
	}
	steps = append(steps, "encode-input{timesteps="+strconv.Itoa(s.Timesteps)+"}")
	if s.Unit {
		steps = append(steps, "absorb-scales")
	}
	steps = append(steps, "dead-node", "infer-shapes")
	if s.Lower != "none" {
		steps = append(steps, "lower-"+s.Lower)
	}
	return strings.Join(steps, ",")
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// check refuses what no pass would see: passes check their own options.
func (s Settings) check() error {
	words := []struct {
		name, value string
		want        []string
	}{
		{"over", s.Over, []string{"nonzero", "all"}},
		{"per", s.Per, []string{"layer", "channel"}},
		{"readout", s.Readout, []string{"cpm", "rate"}},
		{"analog", s.Analog, []string{"refuse", "keep"}},
		{"lower", s.Lower, []string{"functions", "flat", "none"}},
	}
	for _, w := range words {
		if !slices.Contains(w.want, w.value) {
			return fmt.Errorf("%s is %q, want %s", w.name, w.value, strings.Join(w.want, " or "))
		}
	}
	return nil
}
