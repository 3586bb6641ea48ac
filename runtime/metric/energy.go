package metric

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Energy of one 32-bit floating-point operation in 45 nm CMOS, in pJ (Horowitz,
// ISSCC 2014). A multiply-accumulate is a multiplication and an addition.
const (
	EnergyMAC = 4.6
	EnergyAC  = 0.9
	EnergyMul = 3.7
)

// BreakEven is the number of spikes per input neuron (post step included) at
// which a spike-driven layer costs as much as its ANN: 4.6/0.9 = 5.11.
const BreakEven = EnergyMAC / EnergyAC

// A Mode is a way to count operations. Energies of different modes must not be
// compared.
type Mode string

const (
	// Paper counts k*k*Cin*Cout*Hout*Wout of every convolution, as if no tap fell
	// on padding, and neither biases, neuron updates, elementwise work nor CPM.
	Paper Mode = "paper"
	// Exact counts what is computed: taps inside the image, biases, membrane
	// updates, elementwise operations and CPM.
	Exact Mode = "exact"
)

// FirstLayer says how often a spiking network pays for a layer whose input is
// the constant analog current.
type FirstLayer string

const (
	// Once charges such a layer one time: its result is the same at every step.
	Once FirstLayer = "once"
	// PerStep charges it at each of the T main steps.
	PerStep FirstLayer = "per-step"
)

// Source is what drives a layer of the spiking network.
type Source string

// The sources of a layer's input.
const (
	// FromSpikes is a layer between spiking neurons: additions per spike.
	FromSpikes Source = "spikes"
	// FromInput is a first layer, fed with the encoded image: see FirstLayer.
	FromInput Source = "input"
	// FromAnalog is a layer of an analog part, run once as in the ANN.
	FromAnalog Source = "analog"
)

// LayerOps is what one layer does for one image, or the mean over images. The
// spiking fields are used by [SNNEnergy] only. Counts are float64 because means
// are no integers; [ConvShape] computes those of a convolution.
type LayerOps struct {
	Name   string
	Source Source

	MACs      float64 // multiply-accumulates, padding counted (Paper)
	OnceMACs  float64 // those of one application, where MACs holds several
	ExactMACs float64 // multiply-accumulates inside the image (Exact)
	BiasAdds  float64 // additions of a bias, once for the whole output
	Adds      float64 // elementwise additions and subtractions, once
	Muls      float64 // elementwise multiplications and divisions, once

	Inputs   float64 // elements of the layer's input, for the mean fan-out
	SpikesIn float64 // spikes that arrive at steps 1..T and the post step
	// SynOps is the number of additions that the spikes really caused, borders
	// respected, if it was counted; 0 means SpikesIn times the mean fan-out.
	SynOps float64

	Neurons   float64 // spiking neurons behind the layer
	SpikesOut float64 // what they fired, post step included: one reset each
	PostStep  bool    // they take part in step T+1

	// SpikingOnly marks what conversion added, as CPM: the ANN does not have it
	// and mode Paper does not charge it.
	SpikingOnly bool
}

// LayerEnergy is the cost of one layer.
type LayerEnergy struct {
	Name           string
	MACs, ACs, Mul float64 // operations
	MJ             float64 // energy in mJ
}

// Energy is the cost of one network for one image.
type Energy struct {
	Mode   Mode
	MJ     float64 // total in mJ, the sum of Layers in order
	Layers []LayerEnergy
}

// EnergyOptions choose what [SNNEnergy] counts. Empty fields mean Paper and Once.
type EnergyOptions struct {
	Mode       Mode
	FirstLayer FirstLayer
}

// ANNEnergy returns what the layers cost as an ANN: E_MAC times the
// multiply-accumulates, and in mode Exact also biases and elementwise work.
func ANNEnergy(layers []LayerOps, mode Mode) (Energy, error) {
	if err := check(layers, mode); err != nil {
		return Energy{}, fmt.Errorf("energy of the ann: %w", err)
	}
	e := Energy{Mode: mode}
	for _, l := range layers {
		if !l.SpikingOnly {
			e.add(l.once(mode))
		}
	}
	return e, nil
}

// SNNEnergy returns what the layers cost as a spiking network of T main steps:
// analog layers as in the ANN, layers on the constant input as
// multiply-accumulates once or T times, and spike-driven layers as E_AC times
// spikes in times fan-out. In mode Paper the fan-out is MACs/Inputs, which makes
// the sum E_AC * rate * T * MACs.
func SNNEnergy(layers []LayerOps, timesteps int, opt EnergyOptions) (Energy, error) {
	opt.Mode, opt.FirstLayer = cmp.Or(opt.Mode, Paper), cmp.Or(opt.FirstLayer, Once)
	if opt.FirstLayer != Once && opt.FirstLayer != PerStep {
		return Energy{}, fmt.Errorf("energy of the spiking network: first layer %q, want %s or %s",
			opt.FirstLayer, Once, PerStep)
	}
	if timesteps < 1 {
		return Energy{}, fmt.Errorf("energy of the spiking network: %d timesteps, want 1 or more",
			timesteps)
	}
	if err := check(layers, opt.Mode); err != nil {
		return Energy{}, fmt.Errorf("energy of the spiking network: %w", err)
	}
	e := Energy{Mode: opt.Mode}
	for _, l := range layers {
		if l.SpikingOnly && opt.Mode == Paper {
			continue
		}
		e.add(l.spiking(float64(timesteps), opt))
	}
	return e, nil
}

// once is the cost of a layer that runs one time on analog values.
func (l LayerOps) once(mode Mode) LayerEnergy {
	if mode == Paper {
		return LayerEnergy{Name: l.Name, MACs: l.MACs}
	}
	return LayerEnergy{Name: l.Name, MACs: l.ExactMACs, ACs: l.BiasAdds + l.Adds, Mul: l.Muls}
}

// spiking is the cost of a layer in the spiking network. In mode Exact a bias is
// added at each main step unless the whole current is computed once, and every
// neuron adds its current at each step and subtracts theta at each spike.
func (l LayerOps) spiking(steps float64, opt EnergyOptions) LayerEnergy {
	cost := l.once(opt.Mode)
	switch {
	case l.Source == FromInput && opt.FirstLayer == PerStep:
		cost.MACs *= steps
		cost.ACs *= steps
		cost.Mul *= steps
	case l.Source == FromSpikes && opt.Mode == Paper:
		cost = LayerEnergy{Name: l.Name, ACs: fanOut(l.MACs, l.Inputs) * l.SpikesIn}
	case l.Source == FromSpikes:
		cost.MACs = 0
		cost.ACs = l.SynOps + l.BiasAdds*steps + l.Adds
		if l.SynOps == 0 {
			cost.ACs += fanOut(l.ExactMACs, l.Inputs) * l.SpikesIn
		}
	}
	if opt.Mode == Exact {
		updates := steps
		if l.PostStep {
			updates++
		}
		cost.ACs += l.Neurons*updates + l.SpikesOut
	}
	return cost
}

func fanOut(macs, inputs float64) float64 {
	if inputs == 0 {
		return 0
	}
	return macs / inputs
}

// add prices the operations of a layer and appends it.
func (e *Energy) add(l LayerEnergy) {
	const millijoule = 1e-9 // in pJ
	l.MJ = (EnergyMAC*l.MACs + EnergyAC*l.ACs + EnergyMul*l.Mul) * millijoule
	e.Layers = append(e.Layers, l)
	e.MJ += l.MJ
}

// check validates a table: what is wrong first, by layer.
func check(layers []LayerOps, mode Mode) error {
	if mode != Paper && mode != Exact {
		return fmt.Errorf("unknown mode %q, want %s or %s", mode, Paper, Exact)
	}
	if len(layers) == 0 {
		return errors.New("there are no layers")
	}
	for _, l := range layers {
		if l.Source != FromSpikes && l.Source != FromInput && l.Source != FromAnalog {
			return fmt.Errorf("layer %q is driven by %q, want %s, %s or %s",
				l.Name, l.Source, FromSpikes, FromInput, FromAnalog)
		}
		for _, f := range l.fields() {
			if !(*f >= 0) || math.IsInf(*f, 1) {
				return fmt.Errorf("layer %q has a count of %g, want 0 or more", l.Name, *f)
			}
		}
		if l.SpikesIn > 0 && l.Inputs == 0 {
			return fmt.Errorf("layer %q receives %g spikes from no inputs", l.Name, l.SpikesIn)
		}
	}
	return nil
}

// fields lists the counts of a layer, for checks and sums.
func (l *LayerOps) fields() []*float64 {
	return []*float64{&l.MACs, &l.OnceMACs, &l.ExactMACs, &l.BiasAdds, &l.Adds, &l.Muls,
		&l.Inputs, &l.SpikesIn, &l.SynOps, &l.Neurons, &l.SpikesOut}
}

// MeanOps averages tables of the same layers over images, in the order in which they come; it
// keeps their sum alone. Energy is linear in the counts, so the energy of the mean is the mean energy.
type MeanOps struct {
	sum    []LayerOps
	images int
}

// Add adds the table of another image.
func (m *MeanOps) Add(table []LayerOps) error {
	m.images++
	if m.images == 1 {
		m.sum = slices.Clone(table)
		return nil
	}
	if len(table) != len(m.sum) {
		return fmt.Errorf("image %d has %d layers and the first %d, want the same", m.images-1, len(table), len(m.sum))
	}
	for k := range table {
		if err := m.sum[k].merge(table[k]); err != nil {
			return fmt.Errorf("image %d: %w", m.images-1, err)
		}
	}
	return nil
}

// Sum is the sum of the tables, as for the parts of one image.
func (m *MeanOps) Sum() []LayerOps { return slices.Clone(m.sum) }

// Mean is the mean of the tables.
func (m *MeanOps) Mean() ([]LayerOps, error) {
	if m.images == 0 {
		return nil, errors.New("cannot average the operations of no images")
	}
	mean := slices.Clone(m.sum)
	for k := range mean {
		for _, f := range mean[k].fields() {
			*f /= float64(m.images)
		}
	}
	return mean, nil
}

func (l *LayerOps) merge(o LayerOps) error {
	if l.Name != o.Name || l.Source != o.Source || l.PostStep != o.PostStep ||
		l.SpikingOnly != o.SpikingOnly {
		return fmt.Errorf("layer %q does not match layer %q of the first image", o.Name, l.Name)
	}
	theirs := o.fields()
	for i, f := range l.fields() {
		*f += *theirs[i]
	}
	return nil
}

// Saving returns how much less the spiking network costs than its ANN, in per
// cent of the ANN; it is negative if it costs more. Energies of different modes
// are refused.
func Saving(ann, snn Energy) (float64, error) {
	if ann.Mode != snn.Mode {
		return 0, fmt.Errorf("cannot compare energies of mode %q (ann) and %q (spiking network)",
			ann.Mode, snn.Mode)
	}
	if !(ann.MJ > 0) {
		return 0, fmt.Errorf("the ann's energy is %g mJ, want a positive number", ann.MJ)
	}
	return 100 * (1 - snn.MJ/ann.MJ), nil
}
