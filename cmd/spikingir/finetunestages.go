package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"spikingir/runtime/train"
)

// calibrate is the stage without steps.
const calibrate = "calibrate"

// stageKinds are the stages of steps.
var stageKinds = map[string]struct {
	mode train.Mode
	back bool
}{
	"rates":  {train.Rates, false},
	"fast":   {train.Spikes, true},
	"spikes": {train.Spikes, false},
	"means":  {train.ANN, false},
}

// stageNames are their names, in the order that they make sense in.
var stageNames = []string{"rates", "fast", "spikes", "means"}

// steppedStage reports an error where no stage of steps has that name.
func steppedStage(flag, text, name string) error {
	if _, ok := stageKinds[name]; ok {
		return nil
	}
	return fmt.Errorf("--%s %s: no stage is called %q, want %s", flag, text, name, strings.Join(stageNames, ", "))
}

// A stagePlan is one stage as --stages has it: steps, or a share of them all.
type stagePlan struct {
	name  string
	steps int     // 0 where share says it
	share float64 // 0 to 1
}

// parseStages reads "calibrate,fast=70%,spikes=30%": all with steps, or all with
// percentages that make 100, where those left out share the rest evenly. Calibrate has
// neither. It gives none for "".
func parseStages(text string) ([]stagePlan, error) {
	if text == "" {
		return nil, nil
	}
	var list []stagePlan
	stepped, open, counted, total := 0, 0, 0, 0.0
	for _, part := range strings.Split(text, ",") {
		name, value, valued := strings.Cut(strings.TrimSpace(part), "=")
		s := stagePlan{name: name}
		if name == calibrate {
			if valued {
				return nil, fmt.Errorf("--stages %s: calibrate has no steps, want it without a number", text)
			}
			list = append(list, s)
			continue
		}
		if err := steppedStage("stages", text, name); err != nil {
			return nil, fmt.Errorf("%w or %s", err, calibrate)
		}
		stepped++
		number, percent := strings.CutSuffix(value, "%")
		switch {
		case !valued:
			open++
		case percent:
			x, err := strconv.ParseFloat(number, 64)
			if err != nil || !(x > 0 && x <= 100) {
				return nil, fmt.Errorf("--stages %s: %s%% for %s, want more than 0%% and at most 100%%", text, number, name)
			}
			s.share = x / 100
			total += s.share
		default:
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("--stages %s: %q for %s, want a number of steps or PERCENT%%", text, value, name)
			}
			s.steps = int(n)
			counted++
		}
		list = append(list, s)
	}
	return list, shareRest(text, list, stepped, open, counted, total)
}

// shareRest gives the stages without a number what the others leave.
func shareRest(text string, list []stagePlan, stepped, open, counted int, total float64) error {
	const slack = 1e-9
	switch rest := 1 - total; {
	case counted == stepped:
		return nil
	case counted > 0:
		return fmt.Errorf("--stages %s: some stages have a number of steps and others none, want all or none", text)
	case open == 0 && math.Abs(rest) > slack, rest < -slack, open > 0 && rest <= slack:
		return fmt.Errorf("--stages %s: the percentages make %.4g, want 100", text, 100*total)
	default:
		for i := range list {
			if list[i].share == 0 && list[i].name != calibrate {
				list[i].share = rest / float64(open)
			}
		}
		return nil
	}
}

// stepsOf is the number of steps of each stage; nil where the time decides.
func (t *tuning) stepsOf() []int {
	var steps []int
	done, before := 0.0, 0
	for _, s := range t.plan {
		if s.share > 0 && t.steps == 0 {
			return nil
		}
		n := s.steps
		if s.share > 0 {
			// Rounding the ends of stages makes the sum come out.
			done += s.share
			end := int(math.Round(done * float64(t.steps)))
			n, before = end-before, end
		}
		steps = append(steps, n)
	}
	return steps
}

// parseRates reads "3e-4", for all stages, or "fast=3e-4,spikes=1e-4".
func parseRates(text string) (all float64, each map[string]float64, err error) {
	if text == "" {
		return 0, nil, nil
	}
	each = map[string]float64{}
	for _, part := range strings.Split(text, ",") {
		name, value, named := strings.Cut(strings.TrimSpace(part), "=")
		if !named {
			name, value = "", name
		} else if err := steppedStage("rate", text, name); err != nil {
			return 0, nil, err
		}
		rate, err := strconv.ParseFloat(value, 64)
		if err != nil || !(rate > 0) || math.IsInf(rate, 1) {
			return 0, nil, fmt.Errorf("--rate %s: learning rate %q, want a positive number such as 3e-4", text, value)
		}
		if named {
			each[name] = rate
		} else {
			all = rate
		}
	}
	return all, each, nil
}

// formatRates is the default of --rate.
func formatRates() string {
	var list []string
	for _, name := range stageNames {
		list = append(list, name+"="+strconv.FormatFloat(defaultRates[name], 'g', -1, 64))
	}
	return strings.Join(list, ",")
}
