package main

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"spikingir"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
)

// A figure is a row of the paper's Tables 1 to 4: what a method reaches on a test set.
type figure struct {
	table                int
	variant, set, method string
	timesteps            int
	psnr, ssim, rate, mj string // as printed; empty where the paper has none
}

// paperTable is Tables 1 to 4 of Ouyang et al., SpikingIR, AAAI 2026, a line for each test set.
//
//go:embed paper.tsv
var paperTable string

// paperFigures reads the table.
func paperFigures() ([]figure, error) {
	var list []figure
	for i, line := range strings.Split(strings.Trim(paperTable, "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 9 {
			return nil, fmt.Errorf("paper.tsv, line %d: %d columns, want 9", i+1, len(f))
		}
		if i == 0 {
			continue
		}
		number, err := strconv.Atoi(f[0])
		if err != nil {
			return nil, fmt.Errorf("paper.tsv, line %d: %w", i+1, err)
		}
		steps, err := strconv.Atoi(f[4])
		if err != nil {
			return nil, fmt.Errorf("paper.tsv, line %d: %w", i+1, err)
		}
		list = append(list, figure{number, f[1], f[2], f[3], steps, f[5], f[6], f[7], f[8]})
	}
	return list, nil
}

// method is how a row of the paper is measured here.
type method struct {
	name     string // the paper's
	recipe   string
	settings spikingir.Settings
	trained  bool   // the paper's figures are of a trained network
	file     string // of a trained network, behind the name of its ANN
}

// methods are those of Tables 1 to 3.
var methods = []method{
	{name: "Rueckauer", recipe: "rueckauer"},
	{name: "QCFS", recipe: "qcfs", trained: true, file: "qcfs"},
	{name: "Burst Spike", recipe: "burst"},
	{name: "Lan", recipe: "lan2023"},
	{name: "Ternary Spike", recipe: "ternary", trained: true, file: "ternary"},
	{name: "DnSNN", recipe: "dnsnn", trained: true, file: "dnsnn"},
	{name: "SpikingIR", recipe: "spikingir", trained: true, file: "spikingir"},
}

// ablation is the rows of Table 4, each as a conversion and as a trained network.
var ablation = []method{
	{name: "none", recipe: "rueckauer", settings: spikingir.Settings{Per: normalizethresholds.PerChannel}},
	{name: "FT", recipe: "rueckauer", settings: spikingir.Settings{Per: normalizethresholds.PerChannel}, trained: true, file: "ft"},
	{name: "Conv, FT", trained: true, file: "conv"},
	{name: "Conv, RMPIS, FT", recipe: "rueckauer", settings: spikingir.Settings{Per: normalizethresholds.PerChannel, Readout: insertcpm.CPM}, trained: true, file: "rmpis"},
	{name: "Conv, RMPIS, MPRN, FT", recipe: "spikingir", trained: true, file: "spikingir"},
	{name: "no output neuron, FT", recipe: "rueckauer", settings: spikingir.Settings{Per: normalizethresholds.PerChannel, Readout: insertcpm.Membrane}, trained: true, file: "membrane"},
}
