package main

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir"
	"spikingir/runtime/eval"
)

// printSteps shows what was measured at several numbers of timesteps as one table, and the
// firing rates of the layers as another.
func (a *app) printSteps(all []*spikingir.Report) {
	first := all[0]
	head := table.Row{"", "PSNR (dB)", "SSIM", "energy (mJ)", "firing rate"}
	if first.Ref != nil {
		head = append(head, "agreement (dB)", "conversion rate (%)", "energy saved (%)")
	}
	t := a.table()
	t.AppendHeader(head)
	if first.Input.PSNR != 0 {
		t.AppendRow(table.Row{"input", decibel(first.Input.PSNR), r4(first.Input.SSIM)})
	}
	if first.Ref != nil {
		t.AppendRow(table.Row{"reference", decibel(first.Ref.PSNR), r4(first.Ref.SSIM), fmt.Sprintf("%.3f", *first.Energy.RefMJ)})
	}
	for _, r := range all {
		row := table.Row{fmt.Sprintf("T = %d", r.Timesteps), decibel(r.Model.PSNR), r4(r.Model.SSIM), fmt.Sprintf("%.3f", r.Energy.ModelMJ), r4(r.FiringRate)}
		if first.Ref != nil {
			row = append(row, agreementCell(r.Agreement), rateCell(r), savedCell(r.Energy.SavingPC))
		}
		t.AppendRow(row)
	}
	t.Render()
	for _, r := range all {
		if r.Timing != nil {
			fmt.Fprintln(a.out, r.Timing)
		}
		a.printFindings(fmt.Sprintf("T = %d: ", r.Timesteps), r.Findings)
	}
	a.printStepLayers(all)
	a.printTerms(first)
}

// printStepLayers is the firing rate of each layer at each number of timesteps.
func (a *app) printStepLayers(all []*spikingir.Report) {
	if len(all[0].Layers) == 0 {
		return
	}
	t := a.table()
	head, foot := table.Row{"firing rate of layer", "neuron"}, table.Row{"all", ""}
	for _, r := range all {
		head = append(head, fmt.Sprintf("T = %d", r.Timesteps))
		foot = append(foot, r4(r.FiringRate))
	}
	t.AppendHeader(head)
	for i, l := range all[0].Layers {
		row := table.Row{l.Origin, l.Neuron}
		for _, r := range all {
			row = append(row, r4(r.Layers[i].FiringRate))
		}
		t.AppendRow(row)
	}
	t.AppendFooter(foot)
	t.Render()
}

func agreementCell(x *eval.Agreement) string {
	if x == nil {
		return ""
	}
	return decibel(x.PSNR)
}

func rateCell(r *spikingir.Report) string {
	if r.Rate == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", r.Rate.Mean)
}

func savedCell(x *float64) string {
	if x == nil {
		return ""
	}
	return fmt.Sprintf("%.1f", *x)
}
