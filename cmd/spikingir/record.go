package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir"
	"spikingir/graph"
	"spikingir/runtime/eval"
)

// recordOf is what a file states of firing rates and energy; nil where it states nothing. Damaged
// metadata are a warning.
func (a *app) recordOf(path string, m *graph.Model) *spikingir.Record {
	rec, err := eval.RecordOf(m)
	if err != nil {
		a.Warnf("%s: %v: firing rates and energy are not shown", path, err)
	}
	return rec
}

// recordedOn says what a record was measured on.
func recordedOn(rec *spikingir.Record) string {
	return fmt.Sprintf("measured at T = %d on %d %s images of %.6g pixels", rec.Timesteps, rec.Images, rec.On, rec.Pixels)
}

// recorded is what a file states of a node.
type recorded struct {
	FiringRate *float64 `json:"firing_rate,omitempty"` // of neurons
	// Of what takes energy, in mJ for an image, and what the ANN takes there.
	Source   string   `json:"driven_by,omitempty"`
	SpikesIn *float64 `json:"spikes_per_input,omitempty"`
	EnergyMJ *float64 `json:"energy_mj,omitempty"`
	ANNMJ    *float64 `json:"ann_mj,omitempty"`
}

// rate is a firing rate for a table.
func (r *recorded) rate() string {
	if r == nil || r.FiringRate == nil {
		return ""
	}
	return r4(*r.FiringRate)
}

// energy is an energy for a table.
func (r *recorded) energy() string {
	if r == nil || r.EnergyMJ == nil {
		return ""
	}
	return fmt.Sprintf("%.4g", *r.EnergyMJ)
}

func (r *recorded) String() string {
	var parts []string
	if r.FiringRate != nil {
		parts = append(parts, "firing rate "+r.rate())
	}
	if r.EnergyMJ != nil {
		parts = append(parts, fmt.Sprintf("%s mJ an image, driven by %s at %.4g spikes for each input; %.4g mJ in the ANN",
			r.energy(), r.Source, *r.SpikesIn, *r.ANNMJ))
	}
	return strings.Join(parts, "; ")
}

// recordedNodes is a record by node.
func recordedNodes(rec *spikingir.Record) (names []string, nodes map[string]*recorded) {
	nodes = map[string]*recorded{}
	of := func(name string) *recorded {
		if nodes[name] == nil {
			names = append(names, name)
			nodes[name] = &recorded{}
		}
		return nodes[name]
	}
	for _, l := range rec.Layers {
		r := of(l.Node)
		r.Source, r.SpikesIn, r.EnergyMJ, r.ANNMJ = string(l.Source), &l.SpikesIn, &l.EnergyMJ, &l.ANNMJ
	}
	for _, n := range rec.Neurons {
		of(n.Node).FiringRate = &n.FiringRate
	}
	return names, nodes
}

// noteRecord notes what a file states of the nodes of a list.
func noteRecord(rec *spikingir.Record, list []explanation) {
	if rec == nil {
		return
	}
	_, nodes := recordedNodes(rec)
	for i := range list {
		list[i].Measured = nodes[list[i].Node]
	}
}

// printRecord shows what a file states of firing rates and energy.
func (a *app) printRecord(rec *spikingir.Record) {
	if rec == nil {
		return
	}
	fmt.Fprintf(a.out, "%s: firing rate %s, %.4g mJ an image (mode %s, first layer %s)\n",
		recordedOn(rec), r4(rec.FiringRate), rec.EnergyMJ, rec.Mode, rec.First)
	names, nodes := recordedNodes(rec)
	t := a.table()
	t.AppendHeader(table.Row{"layer", "firing rate", "driven by", "spikes per input", "mJ", "mJ in the ANN"})
	for _, name := range names {
		r := nodes[name]
		row := table.Row{name, r.rate(), r.Source, "", r.energy(), ""}
		if r.EnergyMJ != nil {
			row[3], row[5] = fmt.Sprintf("%.4g", *r.SpikesIn), fmt.Sprintf("%.4g", *r.ANNMJ)
		}
		t.AppendRow(row)
	}
	t.Render()
}
