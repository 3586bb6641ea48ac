package inlinefunctions

import (
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
)

// checkFunctions refuses every function in use that calls itself, directly or
// through others, and those whose operators do not suit the model.
func (in *inliner) checkFunctions() {
	done := map[*graph.Function]bool{}
	var path []*graph.Function
	var visit func(list []*graph.Node)
	visit = func(list []*graph.Node) {
		for _, n := range list {
			f := in.callee(n)
			if f == nil || done[f] {
				continue
			}
			if at := slices.Index(path, f); at >= 0 {
				in.c.Refuse(n, "the function calls itself (%s), want functions without recursion",
					chain(append(path[at:len(path):len(path)], f)))
				continue
			}
			in.checkOperators(n, f)
			path = append(path, f)
			visit(nodesOf(f))
			path = path[:len(path)-1]
			done[f] = true
		}
	}
	visit(nodesUnder(in.m.Graph))
}

func chain(path []*graph.Function) string {
	names := make([]string, len(path))
	for i, f := range path {
		names[i] = f.Op().String()
	}
	return strings.Join(names, " -> ")
}

// accepts reports whether the call n of f can be inlined; it refuses what keeps
// it from that.
func (in *inliner) accepts(n *graph.Node, f *graph.Function) bool {
	before := in.c.Refused()
	inputs, outputs := n.Arity()
	if most := len(f.Body.Inputs()); inputs > most {
		in.c.Refuse(n, "%d inputs, want at most the function's %d", inputs, most)
	}
	if most := len(f.Body.Outputs()); outputs > most {
		in.c.Refuse(n, "%d outputs, want at most the function's %d", outputs, most)
	}
	if in.c.Refused() == before {
		in.checkAttrs(n, f)
		in.checkOmitted(n, f)
	}
	return in.c.Refused() == before
}

// checkAttrs holds the attributes of a call against those that the function
// declares and the types that its body wants.
func (in *inliner) checkAttrs(n *graph.Node, f *graph.Function) {
	for _, a := range n.Attrs {
		_, hasDefault := f.Defaults.Lookup(a.Name)
		if !hasDefault && !slices.Contains(f.Attrs, a.Name) {
			in.c.Refuse(n, "attribute %q is none of the function's%s", a.Name, declared(f))
		}
		if ref, ok := a.Value.(graph.Ref); ok {
			in.c.Refuse(n, "attribute %q refers to attribute %q of a function,"+
				" but the call stands in no function, want a value", a.Name, ref.Name)
		}
	}
	seen := map[graph.Ref]bool{}
	for _, k := range nodesOf(f) {
		for _, a := range k.Attrs {
			ref, ok := a.Value.(graph.Ref)
			if !ok || seen[ref] {
				continue
			}
			seen[ref] = true
			value := f.Argument(n, ref.Name)
			if found := graph.TypeOf(value); value != nil && found != ref.Type {
				in.c.Refuse(n, "attribute %q is of type %v, want %v for node %q of the function",
					ref.Name, found, ref.Type, k.OriginLabel())
			}
		}
	}
}

func declared(f *graph.Function) string {
	list := slices.Clone(f.Attrs)
	for _, a := range f.Defaults {
		list = append(list, a.Name)
	}
	if list == nil {
		return "; it has none"
	}
	return "; it has " + strings.Join(list, ", ")
}

// checkOmitted refuses a call that omits an input which the body cannot do
// without: one that is an output, that a subgraph reads, or that an operator
// needs.
func (in *inliner) checkOmitted(n *graph.Node, f *graph.Function) {
	omitted := map[*graph.Value]bool{}
	for i, v := range f.Body.Inputs() {
		omitted[v] = n.Input(i) == nil
	}
	for i, v := range f.Body.Outputs() {
		if n.Output(i) != nil && omitted[v] {
			in.c.Refuse(n, "input %q is omitted, but the function's output %d is it, want a value",
				v.Name(), i)
		}
	}
	for k := range f.Body.Nodes() {
		for i, v := range k.Inputs() {
			if v != nil && omitted[v] && in.needs(k, i, f.Opset("")) {
				in.c.Refuse(n, "input %q is omitted, but node %q (%v) of the function needs it as"+
					" input %d, want a value", v.Name(), k.OriginLabel(), k.Op(), i)
			}
		}
		for _, sub := range k.Subgraphs() {
			if v := captures(sub, omitted); v != nil {
				in.c.Refuse(n, "input %q is omitted, but a subgraph of node %q (%v) of the function"+
					" reads it, want a value", v.Name(), k.OriginLabel(), k.Op())
			}
		}
	}
}

// needs reports whether an operator certainly cannot do without input i: it is
// required, or one of any number.
func (in *inliner) needs(n *graph.Node, i int, opset int64) bool {
	if n.Op().Domain == graph.Spiking {
		opset = op.NewestSpiking // it knows all operators
	}
	spec := op.Lookup(n.Op())
	if spec == nil || in.callee(n) != nil {
		return false
	}
	form := spec.Form(opset)
	return form != nil && (form.In.Max < 0 || i < form.In.Min) &&
		!slices.Contains(spec.Omissible, i)
}

// captures gives an omitted value that g or a subgraph of it reads, nil when
// there is none.
func captures(g *graph.Graph, omitted map[*graph.Value]bool) *graph.Value {
	for _, n := range nodesUnder(g) {
		for _, v := range n.Inputs() {
			if v != nil && omitted[v] {
				return v
			}
		}
	}
	return nil
}
