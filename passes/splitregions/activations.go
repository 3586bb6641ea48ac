package splitregions

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
)

// others names the activations of a network that no neuron stands for, with their number
// and some of their nodes, and the way out.
func (s *split) others() string {
	nodes := map[string][]string{}
	var kinds []string
	for _, n := range s.order {
		kind := activation(n)
		if kind == "" {
			continue
		}
		if nodes[kind] == nil {
			kinds = append(kinds, kind)
		}
		nodes[kind] = append(nodes[kind], fmt.Sprintf("%q", n.OriginLabel()))
	}
	const retrain = "train it with ReLU, LeakyReLU, PReLU or ReLU6"
	if kinds == nil {
		return "; the network has no activation at all: " + retrain
	}
	var list []string
	for _, kind := range kinds {
		names := nodes[kind]
		text := fmt.Sprintf("%d %s (%s", len(names), kind, strings.Join(names[:min(3, len(names))], ", "))
		if len(names) > 3 {
			text += ", ..."
		}
		list = append(list, text+")")
	}
	return "; the network has " + strings.Join(list, ", ") + ", which neurons do not stand for: " + retrain
}

// named is operators that are activations by themselves.
var named = map[string]string{
	"Gelu": "GELU", "Erf": "GELU", "Elu": "ELU", "Selu": "SELU", "Celu": "CELU", "HardSwish": "HardSwish",
	"Swish": "SiLU", "Mish": "Mish", "Softplus": "Softplus", "Softsign": "Softsign", "Sigmoid": "Sigmoid",
	"HardSigmoid": "HardSigmoid", "Tanh": "Tanh", "ThresholdedRelu": "ThresholdedRelu", "Softmax": "Softmax",
	"Sin": "sine",
}

// products is activations that are x times a function of x.
var products = map[string]string{"Sigmoid": "SiLU", "HardSigmoid": "HardSwish", "Tanh": "Mish"}

// activation is the usual name of what n does to its input, "" where it is none. Of
// several operators that make up one activation, one counts.
func activation(n *graph.Node) string {
	switch {
	case n.Op().Domain != "" || op.Constant(n.Input(0)) != nil:
		return ""
	case n.Is("Max") && n.NumInputs() > 1 && !slices.ContainsFunc(n.Inputs(), constant):
		return "maxout (Max)"
	case n.Is("Softplus") && only(n, "Tanh"):
		return "" // counted as Mish
	case n.Is("Mul") && n.NumInputs() == 2 && op.Constant(n.Input(0)) == nil && op.Constant(n.Input(1)) == nil:
		for i, v := range n.Inputs() {
			if kind := products[gate(v, n.Input(1-i))]; kind != "" {
				return kind
			}
		}
		return ""
	case products[n.Op().Type] != "" && timesInput(n):
		return "" // counted with its product
	}
	return named[n.Op().Type]
}

func constant(v *graph.Value) bool { return op.Constant(v) != nil }

// only reports whether nothing but one operator of a type reads n.
func only(n *graph.Node, typ string) bool {
	uses := n.Output(0).Uses()
	return len(uses) == 1 && uses[0].Node.Is(typ)
}

// timesInput reports whether n's result only scales what it is computed from.
func timesInput(n *graph.Node) bool {
	uses := n.Output(0).Uses()
	return len(uses) == 1 && uses[0].Node.Is("Mul") && gate(n.Output(0), uses[0].Node.Input(1-uses[0].Index)) != ""
}

// gate is the operator that makes v of x, directly or, for Tanh, of Softplus(x).
func gate(v, x *graph.Value) string {
	p := v.Producer()
	if p == nil || p.Op().Domain != "" {
		return ""
	}
	if p.Is("Tanh") {
		q := p.Input(0).Producer()
		if q == nil || !q.Is("Softplus") {
			return ""
		}
		if q.Input(0) == x {
			return "Tanh"
		}
		return ""
	}
	if p.Input(0) == x {
		return p.Op().Type
	}
	return ""
}
