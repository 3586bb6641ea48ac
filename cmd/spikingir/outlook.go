package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/passes"
	"spikingir/passes/splitregions"
)

// outlook is what convert would make of a network, by the default recipe.
type outlook struct {
	Recipe   string `json:"recipe"`
	Converts bool   `json:"converts"`
	// Neurons is the operators that would become neurons.
	Neurons []opCount `json:"neurons"`
	// Layers is how many layers of weights there are, and Spiking on how many of them spikes
	// would work.
	Layers  int `json:"layers"`
	Spiking int `json:"spiking_layers"`
	// Refused is the nodes that cannot be spiking. With --analog keep they stay as they are.
	Refused []cli.RefusedNode `json:"refused"`
	// Why is why nothing can be converted; empty where something can.
	Why string `json:"why,omitempty"`
}

// outlookOf tries the passes of a conversion that decide what becomes spiking, on a copy.
// Nothing is calibrated. What is spiking already, or was, has none.
func (a *app) outlookOf(ctx context.Context, m *graph.Model) (*outlook, error) {
	if spikingir.Spiking(m) || spikingir.Lowered(m) {
		return nil, nil
	}
	const split, last = "split-regions", "insert-cpm" // behind which thresholds are calibrated
	o := &outlook{Recipe: spikingir.Recipes()[0], Neurons: []opCount{}, Refused: []cli.RefusedNode{}}
	s := spikingir.DefaultSettings()
	s.Analog = splitregions.Keep
	m = m.Clone()
	_, err := spikingir.Convert(ctx, m, spikingir.Options{Recipe: o.Recipe, Settings: s, StopAfter: last, Threads: a.Threads,
		After: func(r passes.Report, m *graph.Model) error {
			if r.Step.Pass.Name == split {
				o.note(r.Notes, m)
				o.count(m)
			}
			return nil
		}})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		o.Why = cli.OneLine(err)
		o.Neurons, o.Layers, o.Spiking = []opCount{}, 0, 0
		o.Refused = append(o.Refused, cli.RefusedNodes(err)...)
		return o, nil
	}
	o.Converts = len(o.Refused) == 0
	return o, nil
}

// note takes the nodes that stay analog.
func (o *outlook) note(notes []passes.Note, m *graph.Model) {
	ops := map[string]string{}
	for n := range m.Graph.Nodes() {
		ops[n.OriginLabel()] = n.Op().String()
	}
	for _, n := range notes {
		if why, ok := strings.CutPrefix(n.Text, "stays analog: "); ok {
			o.Refused = append(o.Refused, cli.RefusedNode{Node: n.Node, Op: ops[n.Node], Why: why})
		}
	}
}

// count counts neurons and layers of a network whose nodes have their regions.
func (o *outlook) count(m *graph.Model) {
	for n := range m.Graph.Nodes() {
		spikes := n.Region == graph.SpikingRegion
		if splitregions.IsLayer(n) {
			o.Layers++
			if spikes {
				o.Spiking++
			}
		}
		if !spikes || !splitregions.IsActivation(n) {
			continue
		}
		name := n.Op().String()
		at := slices.IndexFunc(o.Neurons, func(c opCount) bool { return c.Op == name })
		if at < 0 {
			at = len(o.Neurons)
			o.Neurons = append(o.Neurons, opCount{Op: name})
		}
		o.Neurons[at].Count++
	}
}

// printOutlook says what convert would do.
func (a *app) printOutlook(o *outlook) {
	if o.Why != "" {
		fmt.Fprintf(a.out, "convert would refuse it: %s\n", cli.Line(o.Why))
		return
	}
	var list []string
	for _, c := range o.Neurons {
		list = append(list, fmt.Sprintf("%d %s", c.Count, c.Op))
	}
	would := "convert would make"
	if !o.Converts {
		would = "convert --analog keep would make"
	}
	fmt.Fprintf(a.out, "%s neurons of %s; spikes would drive %d of %d layers of weights\n", would, cli.Line(strings.Join(list, ", ")), o.Spiking, o.Layers)
	if o.Converts {
		return
	}
	fmt.Fprintln(a.out, "convert alone would refuse it for these, which stay as they are with --analog keep:")
	for _, r := range o.Refused {
		fmt.Fprintf(a.out, "  node %q (%s): %s\n", r.Node, cli.Line(r.Op), cli.Line(r.Why))
	}
}
