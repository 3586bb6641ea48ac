package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
)

// maxTimesteps bounds T as models do.
const maxTimesteps = op.MaxTimesteps

// checkTimesteps demands rising numbers of timesteps.
func checkTimesteps(list []int) error {
	last := 0
	for _, t := range list {
		if t < 1 || t > maxTimesteps {
			return fmt.Errorf("--timesteps %d, want 1 to %d", t, maxTimesteps)
		}
		if t <= last {
			return fmt.Errorf("--timesteps %d after %d, want rising numbers", t, last)
		}
		last = t
	}
	return nil
}

// ownTimesteps is T of the first neuron; 0 where there is none in time.
func ownTimesteps(m *graph.Model) int {
	for top := range m.Graph.Nodes() {
		for n := range top.Within() {
			if !op.IsNeuron(n) {
				continue
			}
			if s, err := op.NeuronOf(n); err == nil {
				return int(s.Timesteps)
			}
		}
	}
	return 0
}

// noteTimesteps says at which of some numbers of timesteps a model is not what another, made
// for that number, would be.
func (a *app) noteTimesteps(path string, m *graph.Model, list []int) {
	made, why, instead := madeFor(m)
	if made == 0 {
		return
	}
	var others []string
	for _, t := range list {
		if t != made {
			others = append(others, strconv.Itoa(t))
		}
	}
	if len(others) > 0 {
		a.Warnf("%s: %s for T = %d: at T = %s it does worse than one made for it; %s", path, why, made, strings.Join(others, ", "), instead)
	}
}

// madeFor is the number of timesteps that the parameters of a model depend on, and how to have a
// model of another; 0 where they suit any.
func madeFor(m *graph.Model) (timesteps int, why, instead string) {
	own := ownTimesteps(m)
	for top := range m.Graph.Nodes() {
		for n := range top.Within() {
			if _, shifted := n.Metadata.Get(graph.MetaShift); shifted && op.IsNeuron(n) {
				return own, "its biases were shifted", "to compare, convert with each -T"
			}
		}
	}
	if stages, _ := m.Metadata.Get(graph.MetaFinetune + "_stages"); stages != "" && own > 0 && slices.ContainsFunc(strings.Split(stages, ","), spikes) {
		return own, "it was fine-tuned", "to compare, convert and fine-tune with each -T"
	}
	return 0, "", ""
}

// spikes reports whether a stage of training, as metadata state it, is one of a spiking network.
func spikes(stage string) bool {
	name, _, _ := strings.Cut(stage, "=")
	return name != "ann"
}
