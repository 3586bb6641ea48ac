package recipes

import (
	"cmp"
	"errors"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/absorbscales"
	"spikingir/passes/adoptspiking"
	"spikingir/passes/channelsfirst"
	"spikingir/passes/cliptoif"
	"spikingir/passes/deadnode"
	"spikingir/passes/downgradeopset"
	"spikingir/passes/dropquantisers"
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

// CleanUp is the passes that every recipe begins with and that leave a network what
// it computes, up to rounding to narrow floats and to integers, which goes. The network that
// they leave is no spiking one yet, but its values have the names that they keep in one. Types are inferred first, so that a contradiction is
// reported in terms of the file, and again once functions are inlined. Constants are
// folded again after the opset upgrade, which may add some.
func CleanUp() passes.Pipeline {
	return steps(settleinitializers.Pass, infershapes.Pass, inlinefunctions.Pass, infershapes.Pass,
		widenfloats.Pass, foldshapes.Pass, foldconstants.Pass, foldif.Pass, dropquantisers.Pass, channelsfirst.Pass, foldidentity.Pass,
		recogniserelu.Pass, foldbatchnorm.Pass, deadnode.Pass,
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

// SameSpikes is the bits of weights with which sums in float32, in whatever order, tell as
// integers do on which side of a threshold they are: a unit is far more than they round.
const SameSpikes = 12

// takes refuses settings that the recipe would not heed.
func (r Recipe) takes(s Settings) error {
	if r.balanced && (s.Percentile != 0 || s.Over != "") {
		return errors.New("its thresholds come from local threshold balancing, not from a percentile; want percentile and over unset")
	}
	if r.Schedule != op.Lockstep && s.Paper {
		return errors.New("it is made of several publications and has the settings of none; want paper false")
	}
	return nil
}

// fill gives the settings that are open the recipe's own.
func (r Recipe) fill(s Settings) Settings {
	if s.Paper {
		s = r.published(s)
	}
	s.Per = cmp.Or(s.Per, r.Per)
	s.Readout = cmp.Or(s.Readout, r.Readout)
	s.Schedule = cmp.Or(s.Schedule, r.Schedule)
	s.Over = cmp.Or(s.Over, r.Over, graph.OverNonzero)
	s.Percentile = cmp.Or(s.Percentile, r.Percent)
	s.V0 = cmp.Or(s.V0, r.V0)
	return s
}

// published gives the settings that are open those of the publication, where others have
// measured better since: the default recipe has one threshold for a layer there and neurons
// that start at 0, and all take the 99.9th percentile at any T.
func (r Recipe) published(s Settings) Settings {
	if r.Name == spikingIR.Name {
		s.Per = cmp.Or(s.Per, normalizethresholds.PerLayer)
		if s.Schedule != op.TwoPhase { // of which it knows nothing
			s.V0 = cmp.Or(s.V0, NoV0)
		}
	}
	s.Percentile = cmp.Or(s.Percentile, r.Percent, 99.9)
	return s
}

// choose gives the numbers that are open the best ones.
func (r Recipe) choose(s Settings) Settings {
	switch {
	case s.V0 == NoV0:
		s.V0 = 0
	case s.V0 == 0 && (r.reuse || s.Schedule == op.TwoPhase) && r.timed == nil:
		s.V0 = r.nearest(s)
	}
	if s.Percentile == 0 {
		s.Percentile = bestPercentile(s.Schedule, s.Timesteps)
	}
	// In lock-step levels lie between two units for neurons that start between two levels; the
	// exact form keeps its levels apart by itself.
	if s.WeightBits == 0 && (s.Schedule == op.TwoPhase || r.reuse && r.timed == nil && s.V0 > 0 && !s.Exact) {
		s.WeightBits = SameSpikes
	}
	return s
}

// nearest is the initial potential at which rates are rounded to the nearest.
func (r Recipe) nearest(s Settings) float64 {
	if r.reuse && !math.IsNaN(s.Beta) { // if-to-mprn refuses that one
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
		r.readout(s), r.thresholds(s),
	)
	if r.neurons != nil {
		p = append(p, r.neurons(s)...)
	}
	time := []passes.Setting{encodeinput.Timesteps.Set(int64(s.Timesteps))}
	if s.Schedule != op.Lockstep {
		time = append(time, encodeinput.Schedule.Set(s.Schedule))
	}
	p = append(p, encodeinput.Pass.With(time...))
	if r.timed != nil {
		p = append(p, r.timed(s)...)
	}
	return append(p, s.finish()...)
}

// readout is the pass that ends the spiking region. The populations of a signed rate start as
// the recipe's other neurons do.
func (r Recipe) readout(s Settings) passes.Step {
	set := []passes.Setting{insertcpm.Readout.Set(s.Readout)}
	if s.Readout == insertcpm.Rate && r.V0 != 0 {
		set = append(set, insertcpm.V0.Set(s.V0))
	}
	return insertcpm.Pass.With(set...)
}

// thresholds is the pass that sets them.
func (r Recipe) thresholds(s Settings) passes.Step {
	per := normalizethresholds.Per.Set(s.Per)
	if r.balanced {
		return normalizethresholds.Pass.With(normalizethresholds.Method.Set(normalizethresholds.ByBalance), per)
	}
	return normalizethresholds.Pass.With(normalizethresholds.Percentile.Set(s.Percentile), normalizethresholds.Over.Set(s.Over), per)
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
