package splitregions

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
)

// others names the nonlinear operators of a network that has none which a neuron stands for,
// with their number and some of their nodes, and the way out.
func (s *split) others() string {
	nodes := map[string][]string{}
	var kinds []string
	for _, n := range s.order {
		kind := kindOf(n)
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

// kindOf names n by what it does to its input where that is not linear, "" where it is, or where
// n is part of an activation that is counted already.
func kindOf(n *graph.Node) string {
	kind, part := activation(n)
	if kind != "" || part {
		return kind
	}
	data := map[*graph.Value]bool{} // a node may have very many inputs
	for i, v := range n.Inputs() {
		data[v] = data[v] || !op.StatesSize(n, i)
	}
	varies := func(v *graph.Value) bool {
		return op.Constant(v) == nil && data[v] && (v.Type.Elem.IsFloat() || v.Type.Elem == graph.Bool)
	}
	y := n.Output(0)
	whole := y != nil && !y.Type.Elem.IsFloat() && y.Type.Elem != graph.Bool
	rounds := whole && slices.ContainsFunc(n.Inputs(), varies) && (n.Is("Cast") || n.Is("QuantizeLinear") || n.Is("DynamicQuantizeLinear"))
	switch {
	case rounds && n.Is("Cast"):
		return fmt.Sprintf("Cast to %v", y.Type.Elem)
	case rounds:
		return n.Op().String()
	case len(n.Subgraphs()) == 0 && (y == nil || !y.Type.Elem.IsFloat() || !op.Bends(n, varies)):
		return ""
	case n.Is("Mul") && slices.ContainsFunc(n.Inputs(), activated):
		return "" // its gate is counted
	case n.Is("Mul"), n.Is("MatMul"), n.Is("Einsum"), n.Is("Gemm"):
		return n.Op().Type + " of two results"
	case n.Is("Div"):
		return "Div by a result"
	}
	return n.Op().String()
}

// activated reports whether v is the result of an activation, which constants may have been
// added to and multiplied by.
func activated(v *graph.Value) bool {
	for v != nil && v.Producer() != nil {
		p := v.Producer()
		if named[p.Op().Type] != "" && p.Op().Domain == "" {
			return true
		}
		x, _, _, ok := op.Binary{A: p.Input(0), B: p.Input(1)}.Const()
		if p.NumInputs() != 2 || !ok || !p.Is("Add") && !p.Is("Mul") && !p.Is("Div") && !p.Is("Sub") {
			return false
		}
		v = x
	}
	return false
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

// activation is the usual name of what n does to its input, "" where it is no activation by
// itself. Of several operators that make up one activation, one counts; the others are part of it.
func activation(n *graph.Node) (kind string, part bool) {
	switch {
	case n.Op().Domain != "" || op.Constant(n.Input(0)) != nil:
		return "", false
	case n.Is("Max") && n.NumInputs() > 1 && !slices.ContainsFunc(n.Inputs(), constant):
		return "maxout (Max)", false
	case n.Is("Softplus") && only(n, "Tanh"):
		return "", true // counted as Mish
	case n.Is("Mul") && n.NumInputs() == 2 && op.Constant(n.Input(0)) == nil && op.Constant(n.Input(1)) == nil:
		for i, v := range n.Inputs() {
			if kind := products[gate(v, n.Input(1-i))]; kind != "" {
				return kind, false
			}
		}
		return "", false
	case products[n.Op().Type] != "" && timesInput(n):
		return "", true // counted with its product
	}
	return named[n.Op().Type], false
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
