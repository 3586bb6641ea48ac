package splitregions

import (
	"fmt"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

func (s *split) refuse(c *passes.Context) {
	for _, n := range s.order {
		if err := s.forced[n]; err != nil {
			c.Refuse(n, "%s; %s", op.Problem(err), s.advice(n))
		}
	}
}

func (s *split) advice(n *graph.Node) string {
	const keep = "--analog keep leaves it analog"
	if n.Is("MaxPool") {
		return "add maxpool-to-averagepool in front, or " + keep
	}
	return keep
}

// nothing is the error of a network without neurons: which activations it has
// and why none of them becomes one.
func (s *split) nothing(name string) error {
	var seen []string
	for _, n := range s.order {
		if !isActivation(n) {
			continue
		}
		why := "it stands behind the last layer of weights"
		switch {
		case s.unfit[n] != nil:
			why = op.Problem(s.unfit[n])
		case !s.neuron[n]:
			why = "it only limits the network's input"
		case !s.peeled[n]:
			why = "it belongs to a gate of one number a channel, which stays analog"
		}
		seen = append(seen, fmt.Sprintf("%v %q: %s", n.Op(), n.OriginLabel(), why))
	}
	why := "nothing to convert: " + strings.Join(seen, ", ")
	if seen == nil {
		why = "nothing to convert: neurons stand for Relu, LeakyRelu, PRelu and Clip, and there is none" + s.others()
	}
	return &passes.Unsupported{Refusals: []passes.Refusal{{Node: name, Op: "graph", Why: why}}}
}
