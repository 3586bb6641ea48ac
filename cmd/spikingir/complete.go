package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir/onnxio/nir"
	"spikingir/passes/encodeinput"
	"spikingir/passes/insertcpm"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/recipes"
	"spikingir/passes/splitregions"
	"spikingir/passes/standard"
)

// choices are the flags whose values come from a fixed list; one that has other values with
// one command stands with its name.
func choices() map[string][]string {
	after := []string{"all"}
	for _, p := range standard.Passes() {
		after = append(after, p.Name)
	}
	return map[string][]string{
		"recipe":           recipes.Names(),
		"print-ir-after":   after,
		"print-ir-before":  after,
		"stop-after":       after[1:],
		"over":             normalizethresholds.Over.Words(),
		"per":              normalizethresholds.Per.Words(),
		"convert readout":  insertcpm.Readout.Words(),
		"analog":           splitregions.Analog.Words(),
		"currents":         recipes.CurrentsWords(),
		"lower":            recipes.Forms(),
		"reader":           {"onnx", "onnx-go"},
		"task":             {"denoise", "sr", "dehaze", "pairs"},
		"sr-input":         {"bicubic", "lowres"},
		"sr-crop":          {"scale", "cumulative"},
		"colour":           {"luma", "channels"},
		"ssim":             {"gaussian", "uniform7"},
		"energy":           {"paper", "exact"},
		"first-layer":      {"once", "per-step"},
		"against":          {"gorgonia", "onnxruntime"},
		"schedule":         {"cosine", "constant"},
		"convert schedule": encodeinput.Schedule.Words(),
		"to":               {"nir"},
		"lower to":         recipes.Forms(),
		"readout":          nir.Readouts(),
		"loss":             {"mse", "l1", "charbonnier"},
		"optimizer":        {"adam", "adamw", "muon"},
		"surrogate":        {"sigmoid", "triangle", "arctan"},
	}
}

// choose refuses a value that is not on the list of its flag.
func choose(flag, value string) error { return oneOf(flag, value, choices()[flag]) }

func oneOf(flag, value string, words []string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return fmt.Errorf("--%s %s, want %s", flag, value, strings.Join(words, " or "))
}

// completions makes `completion` refuse a shell that it does not know.
func completions(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// offerChoices offers the choices of flags in every shell. Cobra keeps them, and the commands, for as long as
// the process lives, so that it is done where a shell asks only.
func offerChoices(root *cobra.Command) {
	words := choices()
	for _, cmd := range append(root.Commands(), root) {
		offer := func(f *pflag.Flag) {
			if f.Name == "format" {
				return
			}
			list, ok := words[cmd.Name()+" "+f.Name]
			if !ok {
				list, ok = words[f.Name]
			}
			if !ok {
				return
			}
			err := cmd.RegisterFlagCompletionFunc(f.Name,
				cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
			if err != nil {
				panic(err) // a flag registered twice
			}
		}
		cmd.LocalNonPersistentFlags().VisitAll(offer)
		if cmd == root {
			cmd.PersistentFlags().VisitAll(offer)
		}
	}
	err := root.RegisterFlagCompletionFunc("format", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return formats(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err)
	}
}
