package report

import (
	"cmp"
	"html/template"
	"slices"

	"spikingir"
	"spikingir/cmd/internal/chart"
	"spikingir/cmd/internal/cli"
	"spikingir/graph/op"
	"spikingir/runtime/eval"
	"spikingir/runtime/metric"
)

// QualityCharts are PSNR, SSIM and agreement against T; none of one T alone.
func (p *Page) QualityCharts() []template.HTML {
	if len(p.Reports) < 2 {
		return nil
	}
	first := p.Reports[0]
	psnr := against("PSNR against T", "PSNR (dB)", p.Reports, func(r *spikingir.Report) float64 { return float64(r.Model.PSNR) })
	ssim := against("SSIM against T", "SSIM", p.Reports, func(r *spikingir.Report) float64 { return r.Model.SSIM })
	if first.Ref != nil {
		psnr.Levels = append(psnr.Levels, chart.Level{Name: "ANN", At: float64(first.Ref.PSNR)})
		ssim.Levels = append(ssim.Levels, chart.Level{Name: "ANN", At: first.Ref.SSIM})
	}
	if first.Input.PSNR != 0 {
		psnr.Levels = append(psnr.Levels, chart.Level{Name: "input", At: float64(first.Input.PSNR)})
		ssim.Levels = append(ssim.Levels, chart.Level{Name: "input", At: first.Input.SSIM})
	}
	var list []template.HTML
	if first.Model.PSNR != 0 {
		list = append(list, psnr.SVG(), ssim.SVG())
	}
	if first.Agreement != nil {
		list = append(list, against("Agreement with the ANN against T", "agreement (dB)", p.Reports,
			func(r *spikingir.Report) float64 { return float64(r.Agreement.PSNR) }).SVG())
	}
	energy := against("Energy against T", "energy (mJ)", p.Reports, func(r *spikingir.Report) float64 { return r.Energy.ModelMJ })
	if first.Energy.RefMJ != nil {
		energy.Levels = []chart.Level{{Name: "ANN", At: *first.Energy.RefMJ}}
	}
	return append(list, energy.SVG())
}

// against is a figure at each number of timesteps.
func against(title, what string, all []*spikingir.Report, figure func(*spikingir.Report) float64) chart.Lines {
	s := chart.Series{Name: "SNN"}
	for _, r := range all {
		s.X, s.Y = append(s.X, float64(r.Timesteps)), append(s.Y, figure(r))
	}
	return chart.Lines{Title: title, X: "T", Y: what, Series: []chart.Series{s}, Steps: true}
}

// layerBars is bars for each neuron layer.
func (p *Page) layerBars(title, axis string, groups ...chart.Group) template.HTML {
	b := chart.Bars{Title: title, X: axis, Groups: groups}
	for _, l := range p.Main().Layers {
		b.Names = append(b.Names, cli.Shown(l.Origin))
	}
	return b.SVG()
}

// RateChart is the firing rate of each layer.
func (p *Page) RateChart() template.HTML {
	var rates []float64
	for _, l := range p.Main().Layers {
		rates = append(rates, l.FiringRate)
	}
	return p.layerBars("Firing rate of each layer", "spikes per neuron and timestep", chart.Group{Name: "firing rate", Values: rates})
}

// ResidualChart is what potential each layer is left with.
func (p *Page) ResidualChart() template.HTML {
	half, full := chart.Group{Name: "half a threshold or more"}, chart.Group{Name: "a threshold or more"}
	for _, l := range p.Main().Layers {
		half.Values, full.Values = append(half.Values, l.Half), append(full.Values, l.Full)
	}
	return p.layerBars("Residual potential of each layer", "share of the neurons", half, full)
}

// energies is what layers cost, in the order of the network; what it does not have by name
// comes last.
func (p *Page) energies() []eval.LayerEnergy {
	at := map[string]int{}
	for i, n := range p.Nodes() {
		at[n.Name] = i
	}
	place := func(l eval.LayerEnergy) int {
		if i, ok := at[l.Node]; ok {
			return i
		}
		return len(at)
	}
	list := slices.Clone(p.Main().Energy.Layers)
	slices.SortStableFunc(list, func(a, b eval.LayerEnergy) int { return cmp.Compare(place(a), place(b)) })
	return list
}

// EnergyChart is the energy of each layer beside that of the ANN's.
func (p *Page) EnergyChart() template.HTML {
	b := chart.Bars{Title: "Energy of each layer", X: "energy (mJ)"}
	snn, ann := chart.Group{Name: "SNN"}, chart.Group{Name: "ANN"}
	for _, l := range p.energies() {
		b.Names = append(b.Names, cli.Shown(l.Node))
		snn.Values, ann.Values = append(snn.Values, l.ModelMJ), append(ann.Values, l.ANNMJ)
	}
	b.Groups = []chart.Group{snn, ann}
	return b.SVG()
}

// BreakEvenChart is how many spikes each input of a layer gets, beside the number at which a
// layer costs what its ANN's does.
func (p *Page) BreakEvenChart() template.HTML {
	b := chart.Bars{Title: "Spikes per input of each layer", X: "T × firing rate of what the layer reads",
		Levels: []chart.Level{{Name: "break-even: T × rate = 4.6/0.9", At: metric.BreakEven}}}
	g := chart.Group{Name: "spikes per input"}
	for _, l := range p.energies() {
		if l.Source == metric.FromSpikes && l.ANNMJ > 0 {
			b.Names, g.Values = append(b.Names, cli.Shown(l.Node)), append(g.Values, l.SpikesIn)
		}
	}
	b.Groups = []chart.Group{g}
	return b.SVG()
}

// ThresholdChart is the thresholds of each layer, from the least to the greatest.
func (p *Page) ThresholdChart() (template.HTML, error) {
	b := chart.Bars{Title: "Thresholds of each layer", X: "threshold"}
	g := chart.Group{Name: "from the least to the greatest of a layer's channels", From: []float64{}}
	for top := range p.Network.Graph.Nodes() {
		for n := range top.Within() {
			if !op.IsNeuron(n) {
				continue
			}
			s, err := op.NeuronOf(n)
			if err != nil {
				return "", err
			}
			if low, high, ok := span(s.Theta); ok {
				b.Names = append(b.Names, cli.Shown(n.OriginLabel()))
				g.From, g.Values = append(g.From, low), append(g.Values, high)
			}
		}
	}
	b.Groups = []chart.Group{g}
	return b.SVG(), nil
}
