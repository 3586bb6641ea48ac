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
	"spikingir/passes/absorbscales"
	"spikingir/passes/adoptspiking"
	"spikingir/passes/channelsfirst"
	"spikingir/passes/cliptoif"
	"spikingir/passes/deadnode"
	"spikingir/passes/downgradeopset"
	"spikingir/passes/encodeinput"
	"spikingir/passes/foldbatchnorm"
	"spikingir/passes/foldconstants"
	"spikingir/passes/foldidentity"
	"spikingir/passes/foldif"
	"spikingir/passes/foldshapes"
	"spikingir/passes/iftomprn"
	"spikingir/passes/infershapes"
	"spikingir/passes/inlinefunctions"
	"spikingir/passes/insertcpm"
	"spikingir/passes/lowercounts"
	"spikingir/passes/lowerflat"
	"spikingir/passes/lowerfunctions"
	"spikingir/passes/lowerqdq"
	"spikingir/passes/lowerunrolled"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/prelutoonoff"
	"spikingir/passes/quantiseweights"
	"spikingir/passes/raiseforms"
	"spikingir/passes/recogniserelu"
	"spikingir/passes/relutoif"
	"spikingir/passes/settleinitializers"
	"spikingir/passes/snapweights"
	"spikingir/passes/spikecurrents"
	"spikingir/passes/spiking"
	"spikingir/passes/splitregions"
	"spikingir/passes/upgradeopset"
	"spikingir/passes/widenfloats"
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

	mprn bool // hidden neurons reuse their membrane potential
}

// Settings is what a user may set of a recipe.
type Settings struct {
	Timesteps  int     // main timesteps T
	Percentile float64 // of the activations, 1 to 100; 0 takes the one that measured best
	Over       graph.Over
	Per        normalizethresholds.Granularity // "" takes the recipe's own
	V0         float64                         // initial membrane potential in units of the threshold, 0 to 1; 0 takes the best one, see NoV0
	Beta       float64                         // of MPRN
	Readout    insertcpm.Kind                  // "" takes the recipe's own
	Schedule   op.Schedule                     // "" takes the recipe's own
	Analog     splitregions.Treatment
	Currents   Currents
	Unit       bool // thresholds 1, scales in the weights
	// Exact makes every runtime compute the same bits: unit form, in which all numbers are
	// multiples of powers of two.
	Exact bool
	// WeightBits is the bits of weights behind spikes: 8 or 12, which rounds them in the file, or
	// 16 for those of the network as they are; QDQ takes 8. 0 takes 12 with two phases, else 16.
	WeightBits int
	Lower      Form
	// Opset is that of the standard operators, 9 or later; see [LeastOpset]. 0 takes the network's own, 17 at least.
	Opset int
}

// Currents is how layers work that read sums of layers, with no activation in between.
type Currents string

// KeepCurrents lets them multiply in full at every step, SpikeCurrents puts neurons in front
// of them.
const (
	KeepCurrents  Currents = "keep"
	SpikeCurrents Currents = "spike"
)

// CurrentsWords lists the ways; the first is the default.
func CurrentsWords() []string { return []string{string(KeepCurrents), string(SpikeCurrents)} }

// Form is how the spiking operators are written.
type Form string

// Functions defines each operator by a function of standard ones, Flat unrolls
// neurons over the timesteps, Unrolled all that varies over time, None leaves the operators
// alone, Counts states sums over time, which the two-phase schedule alone allows, and QDQ
// states them in 8 bits.
const (
	Functions Form = "functions"
	Flat      Form = "flat"
	Unrolled  Form = "unrolled"
	None      Form = "none"
	Counts    Form = "counts"
	QDQ       Form = "qdq"
)

// Forms lists the forms; the first is the default.
func Forms() []string {
	return []string{string(Functions), string(Flat), string(Unrolled), string(None), string(Counts), string(QDQ)}
}

// leastOpset is the first opset in which a form can be said. ONNX Runtime runs no functions of the spiking
// operators at 15, and DequantizeLinear has a scale for each channel from 13 on.
var leastOpset = map[Form]int{Functions: 16, QDQ: 13}

// LeastOpset is the first opset in which a form can be written.
func LeastOpset(f Form) int { return max(leastOpset[f], downgradeopset.Oldest) }

// NoV0 is an initial potential of 0 with two phases, where V0 = 0 takes the one at which rates
// are rounded to the nearest: alpha - 1/2 for an MPRN and 1/2 for an IF.
const NoV0 = -1

// Defaults is the settings of a conversion that sets nothing.
func Defaults() Settings {
	return Settings{
		Timesteps: 10, Over: graph.OverNonzero, Analog: splitregions.Refuse, Currents: KeepCurrents, Lower: Functions,
	}
}

var list = []Recipe{
	{
		Name: "spikingir",
		Doc: "MPRN neurons, which reuse their membrane potential in a post step, and CPM " +
			"readouts, which compensate for what is left of it",
		Source: "Ouyang et al., SpikingIR, AAAI 2026",
		Per:    normalizethresholds.PerChannel, Readout: insertcpm.CPM, Schedule: op.Lockstep, mprn: true,
	},
	{
		Name:   "rueckauer",
		Doc:    "integrate-and-fire neurons with soft reset, thresholds from percentiles, rates read out",
		Source: "Rueckauer et al., Conversion of Continuous-Valued Deep Networks, Front. Neurosci. 2017",
		Per:    normalizethresholds.PerLayer, Readout: insertcpm.Rate, Schedule: op.Lockstep,
	},
	{
		Name: "two-phase",
		Doc:  "the neurons of spikingir, which integrate all of their input before they fire: no spike comes too early, and all come later",
		Source: "Liu et al., SpikeConverter, AAAI 2022; Wang et al., dual-phase conversion, 2022; " +
			"neurons and readouts of Ouyang et al., SpikingIR, AAAI 2026",
		Per: normalizethresholds.PerChannel, Readout: insertcpm.CPM, Schedule: op.TwoPhase, mprn: true,
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
	if s.Schedule == "" {
		s.Schedule = r.Schedule
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	switch {
	case s.V0 == NoV0:
		s.V0 = 0
	case s.V0 == 0 && s.Schedule == op.TwoPhase:
		s.V0 = r.nearest(s)
	}
	if s.Percentile == 0 {
		s.Percentile = bestPercentile(s.Schedule, s.Timesteps)
	}
	if s.WeightBits == 0 && s.Schedule == op.TwoPhase {
		s.WeightBits = sameSpikes
	}
	p := r.steps(s)
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("recipe %s: %w", r.Name, err)
	}
	return p, nil
}

// CleanUp is the passes that every recipe begins with and that leave a network what
// it computes. The network that they leave is no spiking one yet, but its values have
// the names that they keep in one. Types are inferred first, so that a contradiction is
// reported in terms of the file, and again once functions are inlined. Constants are
// folded again after the opset upgrade, which may add some.
func CleanUp() passes.Pipeline {
	return steps(settleinitializers.Pass, infershapes.Pass, inlinefunctions.Pass, infershapes.Pass,
		widenfloats.Pass, foldshapes.Pass, foldconstants.Pass, foldif.Pass, channelsfirst.Pass, foldidentity.Pass, recogniserelu.Pass,
		foldbatchnorm.Pass, deadnode.Pass,
		upgradeopset.Pass, infershapes.Pass, foldconstants.Pass)
}

// Inline is the pass that puts functions in the place of their calls.
func Inline() passes.Pipeline { return steps(inlinefunctions.Pass) }

// Runnable is the passes that bring a network to the operators that can be run, and leave
// it what it computes.
func Runnable() passes.Pipeline {
	return steps(settleinitializers.Pass, inlinefunctions.Pass, foldif.Pass)
}

func steps(list ...*passes.Pass) passes.Pipeline {
	var p passes.Pipeline
	for _, pass := range list {
		p = append(p, pass.With())
	}
	return p
}

// sameSpikes is the bits of weights with which sums in float32, in whatever order, tell as
// integers do on which side of a threshold they are: a unit is far more than they round.
const sameSpikes = 12

// nearest is the initial potential at which rates are rounded to the nearest.
func (r Recipe) nearest(s Settings) float64 {
	if r.mprn {
		return iftomprn.Alpha(s.Beta) - 0.5
	}
	return 0.5
}

// bestPercentile is the percentile that measured best. With two phases spikes are even
// enough for finer levels to be worth some saturated neurons: at T = 10, 99 in the place of
// 99.9 gave DnCNN-17 0.9 dB and VDSR 0.6 dB for a quarter more spikes. With more timesteps
// levels are fine anyway, and saturation is what is left: at T = 256 the fixture dncnn agrees
// with its ANN by 38.9 dB at 99, 50.1 at 99.9 and 57.8 at 99.99.
func bestPercentile(s op.Schedule, timesteps int) float64 {
	switch {
	case timesteps >= 96:
		return 99.99
	case s == op.TwoPhase && timesteps < 24:
		return 99
	}
	return 99.9
}

// steps is the recipe's pipeline; dead nodes are removed before shapes are inferred
// for good.
func (r Recipe) steps(s Settings) passes.Pipeline {
	v0 := spiking.V0.Set(s.V0)
	p := append(s.upgraded(CleanUp()), splitregions.Pass.With(splitregions.Analog.Set(s.Analog)))
	if s.Currents == SpikeCurrents {
		p = append(p, spikecurrents.Pass.With())
	}
	p = append(p,
		relutoif.Pass.With(v0), cliptoif.Pass.With(v0), prelutoonoff.Pass.With(v0),
		insertcpm.Pass.With(insertcpm.Readout.Set(s.Readout)),
		normalizethresholds.Pass.With(normalizethresholds.Percentile.Set(s.Percentile),
			normalizethresholds.Over.Set(s.Over), normalizethresholds.Per.Set(s.Per)),
	)
	if r.mprn {
		p = append(p, iftomprn.Pass.With(iftomprn.Beta.Set(s.Beta)))
	}
	time := []passes.Setting{encodeinput.Timesteps.Set(int64(s.Timesteps))}
	if s.Schedule != op.Lockstep {
		time = append(time, encodeinput.Schedule.Set(s.Schedule))
	}
	return append(append(p, encodeinput.Pass.With(time...)), s.finish()...)
}

// Rewrite is the passes that write a finished spiking network in another form: Unit,
// WeightBits and Lower of the settings, of which the others have no say.
func Rewrite(s Settings) (passes.Pipeline, error) {
	if err := s.checkForm(); err != nil {
		return nil, err
	}
	p := append(s.upgraded(steps(raiseforms.Pass, upgradeopset.Pass, infershapes.Pass, splitregions.Pass, adoptspiking.Pass)), s.finish()...)
	return p, p.Validate()
}

// Raise is the pass that puts the spiking operators of a lowered file back.
func Raise() passes.Pipeline { return steps(raiseforms.Pass) }

// upgraded is the passes with an upgrade to the opset wanted, where that is a later one than
// spiking networks need.
func (s Settings) upgraded(p passes.Pipeline) passes.Pipeline {
	for i, step := range p {
		if step.Pass == upgradeopset.Pass && s.Opset > passes.FunctionOpset {
			p[i] = step.Pass.With(upgradeopset.To.Set(int64(s.Opset)))
		}
	}
	return p
}

// finish is the passes behind those that make a network spiking.
func (s Settings) finish() passes.Pipeline {
	var p passes.Pipeline
	if s.Unit || s.Exact {
		p = append(p, absorbscales.Pass.With())
	}
	switch {
	case s.Exact && s.WeightBits == 0:
		p = append(p, infershapes.Pass.With(), snapweights.Pass.With())
	case s.Exact:
		p = append(p, infershapes.Pass.With(), snapweights.Pass.With(snapweights.Bits.Set(int64(s.WeightBits))))
	case s.WeightBits == 8 || s.Lower == QDQ:
		p = append(p, quantiseweights.Pass.With())
	case s.WeightBits == 12:
		p = append(p, quantiseweights.Pass.With(quantiseweights.Bits.Set(12)))
	}
	p = append(p, steps(deadnode.Pass, infershapes.Pass)...)
	switch s.Lower {
	case Functions:
		p = append(p, lowerfunctions.Pass.With())
	case Flat:
		p = append(p, lowerflat.Pass.With())
	case Unrolled:
		p = append(p, lowerunrolled.Pass.With())
	case Counts:
		p = append(p, lowercounts.Pass.With())
	case QDQ:
		p = append(p, lowerqdq.Pass.With())
	}
	if s.Opset != 0 {
		p = append(p, downgradeopset.Pass.With(downgradeopset.To.Set(int64(s.Opset))))
	}
	return p
}

// check refuses words that are none, in terms of the settings: passes check the
// options of numbers.
func (s Settings) check() error {
	words := []struct {
		name, value string
		want        []string
	}{
		{"over", string(s.Over), normalizethresholds.Over.Words()},
		{"per", string(s.Per), normalizethresholds.Per.Words()},
		{"readout", string(s.Readout), insertcpm.Readout.Words()},
		{"analog", string(s.Analog), splitregions.Analog.Words()},
		{"currents", string(s.Currents), CurrentsWords()},
		{"schedule", string(s.Schedule), encodeinput.Schedule.Words()},
	}
	for _, w := range words {
		if !slices.Contains(w.want, w.value) {
			return fmt.Errorf("%s is %q, want %s", w.name, w.value, strings.Join(w.want, " or "))
		}
	}
	if err := s.checkForm(); err != nil {
		return err
	}
	if (s.Lower == Counts || s.Lower == QDQ) && s.Schedule != op.TwoPhase {
		return fmt.Errorf("lower is %q, sums over time, but neurons of the schedule %s fire by each slice; want schedule %s",
			s.Lower, s.Schedule, op.TwoPhase)
	}
	return nil
}

// checkForm is check for what [Rewrite] takes.
func (s Settings) checkForm() error {
	if !slices.Contains(Forms(), string(s.Lower)) {
		return fmt.Errorf("lower is %q, want %s", s.Lower, strings.Join(Forms(), " or "))
	}
	if s.Exact && s.Lower == QDQ {
		return fmt.Errorf("lower is %q, which has another exact form: its thresholds are odd multiples of a scale; want exact false", s.Lower)
	}
	if !slices.Contains([]int{0, 8, 12, 16}, s.WeightBits) {
		return fmt.Errorf("weight bits are %d, want 8, 12 or 16", s.WeightBits)
	}
	return s.checkOpset()
}

func (s Settings) checkOpset() error {
	least := LeastOpset(s.Lower)
	switch {
	case s.Opset == 0 || s.Opset >= least && s.Opset <= op.Newest:
		return nil
	case s.Opset >= downgradeopset.Oldest && s.Opset < least:
		return fmt.Errorf("opset is %d, and the form %q cannot be said before %d; want %d to %d, or lower %q", s.Opset, s.Lower, least,
			least, op.Newest, Flat)
	}
	return fmt.Errorf("opset is %d, want %d to %d", s.Opset, least, op.Newest)
}
