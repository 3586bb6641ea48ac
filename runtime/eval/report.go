package eval

import (
	"fmt"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
)

// LayerOps turns the work of a run into the rows of the energy model, for all
// images of the run: one row for an operator, charged as what drives it, and one
// for a neuron population. What computes the constant current of an encoding is
// the first layer. An operator that mixes spikes and that current runs in full at
// every step.
func LayerOps(res *exec.Result) []metric.LayerOps {
	var rows []metric.LayerOps
	for _, w := range res.Work {
		row := metric.LayerOps{
			Name: w.Node, MACs: w.MACs, OnceMACs: w.MACs, ExactMACs: w.ExactMACs, Inputs: w.Inputs,
			Adds: w.Adds, Muls: w.Muls, SpikesIn: w.SpikesIn, SynOps: w.ExactOps,
			SpikingOnly: w.Op == graph.Op{Domain: graph.Spiking, Type: "CPM"},
		}
		if w.Bias {
			row.BiasAdds = w.Outputs
		}
		switch {
		case w.Driven:
			row.Source = metric.FromSpikes
		case w.Current:
			row.Source = metric.FromInput
		default:
			row.Source = metric.FromAnalog
			runs := float64(w.Runs)
			row.MACs, row.ExactMACs, row.BiasAdds = row.MACs*runs, row.ExactMACs*runs, row.BiasAdds*runs
		}
		rows = append(rows, row)
	}
	for _, n := range res.Neurons {
		row := metric.LayerOps{
			Name: n.Node, Source: metric.FromSpikes, Neurons: float64(n.Elements),
			SpikesOut: float64(n.Spikes), PostStep: n.Post,
		}
		if n.Bias {
			row.BiasAdds = row.Neurons
		}
		rows = append(rows, row)
	}
	return rows
}

// merge adds the neurons of one more image.
func merge(sum, more []exec.NeuronReport) ([]exec.NeuronReport, error) {
	if sum == nil {
		return append(sum, more...), nil
	}
	if len(sum) != len(more) {
		return nil, fmt.Errorf("%d neuron layers, earlier images had %d", len(more), len(sum))
	}
	for i, n := range more {
		s := &sum[i]
		s.Elements += n.Elements
		s.Spikes += n.Spikes
		s.PostStep += n.PostStep
		s.Residual.Add(n.Residual)
	}
	return sum, nil
}

// report computes the means for one number of timesteps.
func (t *tally) report(k *track) (*Report, error) {
	r := &Report{Images: len(t.names), Timesteps: k.timesteps, Timing: t.Model.Timing.Report(int64(k.timesteps))}
	r.Seconds = t.seconds / float64(len(t.names))
	r.Pixels = float64(t.pixels) / float64(len(t.names))
	if !t.Blind {
		if err := t.qualities(r, k); err != nil {
			return nil, err
		}
	}
	if err := t.energy(r, k); err != nil {
		return nil, err
	}
	if t.Ref != nil {
		r.Agreement = &Agreement{metric.DB(mean(k.agree))}
	}
	r.layers(k.neurons)
	for i, name := range t.names {
		m := ImageReport{Name: name}
		if !t.Blind {
			m.Model = quality(k.quality[i])
		}
		if t.Ref != nil {
			a := metric.DB(k.agree[i])
			m.Agreement = &a
		}
		if t.Ref != nil && !t.Blind {
			ref := quality(t.ref[i])
			m.Ref = &ref
		}
		r.PerImage = append(r.PerImage, m)
	}
	r.Findings = r.judge()
	return r, nil
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// qualities is what the ground truth tells.
func (t *tally) qualities(r *Report, k *track) error {
	q, err := metric.MeanQuality(k.quality)
	if err != nil {
		return err
	}
	r.Model = quality(q)
	if len(t.inputs) > 0 {
		in, err := metric.MeanQuality(t.inputs)
		if err != nil {
			return err
		}
		r.Input = quality(in)
	}
	if t.Ref == nil {
		return nil
	}
	ref, err := metric.MeanQuality(t.ref)
	if err != nil {
		return err
	}
	rq := quality(ref)
	r.Ref = &rq
	// An ANN that is exact, or worthless, leaves no rate to speak of.
	if rate, err := metric.ConversionRate(q, ref, false); err == nil {
		r.Rate = &rate
	}
	return nil
}

func quality(q metric.Quality) Quality { return Quality{metric.DB(q.PSNR), q.SSIM} }

func (t *tally) energy(r *Report, k *track) error {
	rows, err := k.ops.Mean()
	if err != nil {
		return err
	}
	r.Energy = Energy{Mode: t.Energy.Mode, First: t.Energy.FirstLayer}
	r.SpikeShare, r.CurrentShare = shares(rows)
	model, err := t.cost(rows, k.timesteps)
	if err != nil {
		return err
	}
	r.Energy.ModelMJ = model.MJ
	if r.Energy.Layers, err = t.layerEnergies(rows, model, k.timesteps); err != nil {
		return err
	}
	if t.Ref == nil {
		return nil
	}
	rows, err = t.refOps.Mean()
	if err != nil {
		return err
	}
	ann, err := t.cost(rows, t.Ref.T)
	if err != nil {
		return err
	}
	saving, err := metric.Saving(ann, model)
	if err != nil {
		return err
	}
	r.Energy.RefMJ, r.Energy.SavingPC = &ann.MJ, &saving
	return nil
}

// layerEnergies is the energy of a spiking model of T timesteps layer by layer, beside that of
// the same layers run once on analog values; nothing of an ANN.
func (t *tally) layerEnergies(rows []metric.LayerOps, model metric.Energy, timesteps int) ([]LayerEnergy, error) {
	if timesteps == 0 {
		return nil, nil
	}
	var counted []metric.LayerOps
	for _, r := range rows {
		if r.SpikingOnly && t.Energy.Mode == metric.Paper {
			continue // as metric.SNNEnergy has it
		}
		counted = append(counted, r)
	}
	var list []LayerEnergy
	for i, l := range model.Layers {
		r := counted[i]
		e := LayerEnergy{Node: l.Name, Source: r.Source, ModelMJ: l.MJ}
		if r.Inputs > 0 {
			e.SpikesIn = r.SpikesIn / r.Inputs
		}
		ann, err := metric.ANNEnergy([]metric.LayerOps{once(r)}, t.Energy.Mode)
		if err != nil {
			return nil, err
		}
		if e.ANNMJ = ann.MJ; e.ModelMJ > 0 || e.ANNMJ > 0 {
			list = append(list, e)
		}
	}
	return list, nil
}

// once is one application of a layer that may stand for several, without neurons.
func once(r metric.LayerOps) metric.LayerOps {
	if r.MACs > 0 {
		share := r.OnceMACs / r.MACs
		r.ExactMACs, r.BiasAdds = r.ExactMACs*share, r.BiasAdds*share
	}
	r.MACs = r.OnceMACs
	if r.Neurons > 0 {
		r.BiasAdds = 0
	}
	return r
}

// shares is what part of the multiply-accumulates of the ANN spikes drive, and what part
// reads currents, which multiply in full at every step.
func shares(rows []metric.LayerOps) (spikes, currents float64) {
	var all, driven, full float64
	for _, r := range rows {
		if r.SpikingOnly {
			continue
		}
		all += r.OnceMACs
		if r.Source == metric.FromSpikes {
			driven += r.OnceMACs
		}
		if r.Source == metric.FromAnalog && r.MACs > r.OnceMACs {
			full += r.OnceMACs
		}
	}
	if all == 0 {
		return 0, 0
	}
	return driven / all, full / all
}

// cost prices a spiking model of T timesteps, or with T = 0 an ANN.
func (t *tally) cost(rows []metric.LayerOps, timesteps int) (metric.Energy, error) {
	if timesteps > 0 {
		return metric.SNNEnergy(rows, timesteps, t.Energy)
	}
	return metric.ANNEnergy(rows, t.Energy.Mode)
}

// layers fills in the neurons' figures.
func (r *Report) layers(neurons []exec.NeuronReport) {
	r.Layers = []Layer{}
	var spikes, slots float64
	for _, n := range neurons {
		spikes += float64(n.Spikes)
		slots += float64(n.Elements) * float64(n.Steps)
		l := Layer{Node: n.Node, Origin: n.Origin, Neuron: n.Op, FiringRate: n.FiringRate()}
		if n.Spikes > 0 {
			l.PostShare = float64(n.PostStep) / float64(n.Spikes)
		}
		if e := float64(n.Residual.Elements); e > 0 {
			l.Residual = n.Residual.Sum / e
			l.Half = float64(n.Residual.Half) / e
			l.Full = float64(n.Residual.Full) / e
		}
		r.Layers = append(r.Layers, l)
	}
	if slots > 0 {
		r.FiringRate = spikes / slots
	}
}
