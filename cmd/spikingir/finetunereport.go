package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir"
)

// tuned is the report of finetune; its JSON form is a contract.
type tuned struct {
	Model string `json:"model"`
	*spikingir.FinetuneReport
}

// printTuned shows the report.
func (a *app) printTuned(s *tuned) error {
	if a.format == "json" {
		return a.json(s)
	}
	if a.Quiet {
		return nil
	}
	var stages []string
	for _, g := range s.Stages {
		if g.Steps > 0 {
			stages = append(stages, fmt.Sprintf("%s %d", g.Name, g.Steps))
		} else {
			stages = append(stages, g.Name)
		}
	}
	fmt.Fprintf(a.out, "%s -> %s\n%s\n%d of %d steps (%s), %d patches in %s, %.2f patches a second of training\n", s.Model, s.Output,
		s.Data, s.Steps, s.Planned, strings.Join(stages, ", "), s.Patches, duration(s.Seconds), s.Throughput)
	if x := s.Exchange; x != nil {
		fmt.Fprintf(a.out, "%d processes exchange gradients for %s of a step, %s of it after the last patch\n", x.Processes, duration(x.Seconds), duration(x.Waited))
	}
	if s.Best != nil {
		t := a.table()
		t.AppendHeader(table.Row{"held-out images", "PSNR (dB)", "SSIM", "firing rate", "energy (mJ)"})
		row := func(name string, m *spikingir.Measured) {
			if m != nil {
				t.AppendRow(table.Row{name, fmt.Sprintf("%.3f", m.PSNR), r4(m.SSIM), r4(m.FiringRate), fmt.Sprintf("%.3f", m.EnergyMJ)})
			}
		}
		row("before", s.Before)
		row("best: "+place(s.Best.Stage, int(s.Best.Step), 0), s.Best)
		t.Render()
	}
	if b := s.Best; b != nil && s.Before != nil && b.Step == 0 && s.Steps > 0 {
		fmt.Fprintln(a.out, "no step made it better on the held-out images: the network is written as it was")
	}
	if s.Ended == "stalled" {
		fmt.Fprintf(a.out, "nothing became better for a long time (--patience): stopped %d steps before the last. What may help: "+
			"a lower --rate, more images, --distill-output 0 to aim at the true image and not at the ANN's; --resume --patience 0 goes on from %s\n",
			s.Planned-int(s.Steps), s.Checkpoint)
	}
	if s.Ended == "time" {
		fmt.Fprintf(a.out, "the time was over before the last step; --resume with more --max-minutes goes on from %s\n", s.Checkpoint)
	}
	return nil
}
