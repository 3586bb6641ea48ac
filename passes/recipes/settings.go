package recipes

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/downgradeopset"
	"spikingir/passes/encodeinput"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/splitregions"
)

// Settings is what a user may set of a recipe.
type Settings struct {
	Timesteps  int                             // main timesteps T
	Percentile float64                         // of the activations, 1 to 100; 0 takes the one that measured best
	Over       graph.Over                      // "" takes the recipe's own
	Per        normalizethresholds.Granularity // "" takes the recipe's own
	V0         float64                         // initial membrane potential in units of the threshold, 0 to 1; 0 takes the recipe's own or the best one, see NoV0
	Beta       float64                         // of MPRN
	Readout    insertcpm.Kind                  // "" takes the recipe's own
	Schedule   op.Schedule                     // "" takes the recipe's own
	Analog     splitregions.Treatment
	Paper      bool // the publication's settings where others measured better, for what is open here
	Currents   Currents
	Unit       bool // thresholds 1, scales in the weights
	// Exact makes every runtime compute the same bits: unit form, in which all numbers are
	// multiples of powers of two.
	Exact bool
	// WeightBits is the bits of weights behind spikes: 8 or 12, which rounds them in the file, or
	// 16 for those of the network as they are; QDQ takes 8. 0 takes 12 with two phases and for MPRNs
	// that start above 0 in lock-step, else 16.
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

// NoV0 is an initial potential of 0. V0 = 0 takes the recipe's own or, for an MPRN and with two
// phases, the one at which rates are rounded to the nearest: alpha - 1/2 for an MPRN and 1/2 for
// an IF.
const NoV0 = -1

// Defaults is the settings of a conversion that sets nothing.
func Defaults() Settings {
	return Settings{
		Timesteps: 10, Analog: splitregions.Refuse, Currents: KeepCurrents, Lower: Functions,
	}
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
