// Package inlinefunctions holds the pass inline-functions, which puts the bodies
// of a model's own functions in the place of their calls.
package inlinefunctions

import (
	"slices"

	"spikingir/graph"
	"spikingir/passes"
)

// name is the pass's, for provenance.
const name = "inline-functions"

// Pass replaces every call of a model-local function by the function's body.
//
// Before: y = F <a = 2> (x), where the model defines F <a> (u) => (v).
// After: the nodes of the body, with x for u and 2 for a. An attribute that the
// call leaves out takes the function's default, or is left out. Inputs that the
// call omits are omitted by the nodes that read them. What the call makes keeps
// its names; the rest is called CALL_NAME, after the call and the body.
// Calls in bodies and in subgraphs are inlined too. A function goes when nothing
// calls it any more.
// Conditions: no function calls itself, directly or through others. Body and
// model import the same opset, or the operators that the body uses mean the same
// in both. Functions of domain ai.spikingir state neurons and stay.
// Algebra: none; a call is defined to mean its body.
//
// An output that repeats another one, or passes an input through, becomes an
// Identity: two public names must not merge.
var Pass = &passes.Pass{
	Name: name,
	Doc: "put the bodies of functions in the place of their calls\n\n" +
		"Exporters keep modules of a network as functions of the model; the other\n" +
		"passes look at plain operators. Spiking operators keep their functions.",
	Gives: passes.NoCalls,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	in := &inliner{c: c, m: c.Model, functions: c.Model.FunctionIndex(), names: takenNames(c.Model.Graph)}
	if in.checkFunctions(); c.Refused() > 0 {
		return false, nil
	}
	if err := in.checkGrowth(); err != nil {
		return false, err
	}
	if err := in.graph(c.Model.Graph); err != nil || c.Refused() > 0 {
		return in.inlined, err
	}
	dropped := in.dropFunctions()
	return in.inlined || dropped, nil
}

// inliner is one run: it collects what it cannot inline.
type inliner struct {
	c         *passes.Context
	m         *graph.Model
	names     *names
	made      int // nodes so far
	functions graph.FunctionIndex
	inlined   bool
}

// callee is the function that n calls, nil when n is no call to inline.
func (in *inliner) callee(n *graph.Node) *graph.Function {
	if n.Op().Domain == graph.Spiking {
		return nil
	}
	return in.functions.Of(n)
}

func (in *inliner) graph(g *graph.Graph) error {
	for n := range g.Nodes() {
		if err := in.node(n); err != nil {
			return err
		}
	}
	return nil
}

// node inlines the calls in n's subgraphs, then n if it is one, then the calls
// that came with its body.
func (in *inliner) node(n *graph.Node) error {
	for _, sub := range n.Subgraphs() {
		if err := in.graph(sub); err != nil {
			return err
		}
	}
	f := in.callee(n)
	if f == nil || !in.accepts(n, f) {
		return nil
	}
	nodes, err := in.inline(n, f)
	if err != nil {
		return err
	}
	for _, k := range nodes {
		if err := in.node(k); err != nil {
			return err
		}
	}
	return nil
}

func (in *inliner) inline(n *graph.Node, f *graph.Function) ([]*graph.Node, error) {
	label := n.Label()
	inputs, outputs := n.Arity()
	n.TrimOutputs()
	nodes, outs := n.Graph().Splice(n, f.Body, graph.Splice{
		Inputs: n.Inputs()[:inputs],
		Attr:   func(ref graph.Ref) graph.Attr { return f.Argument(n, ref.Name) },
		Name:   func(base string) string { return in.names.freshValue(label + "_" + base) },
	})
	in.inlined = true
	for _, k := range nodes {
		in.descend(k, n, label)
	}
	if in.made > maxNodes {
		return nil, tooLarge(n)
	}
	outs = outs[:outputs]
	for i, v := range outs {
		switch {
		case n.Output(i) == nil:
			outs[i] = nil
		case !slices.Contains(nodes, v.Producer()) || slices.Contains(outs[:i], v):
			outs[i] = in.copyOf(v, n, label+"_"+f.Body.Outputs()[i].Name())
		}
	}
	return nodes, in.c.SupersedeAll(n, outs)
}

// copyOf is v under a name of its own; its Identity is unnamed where the call is.
func (in *inliner) copyOf(v *graph.Value, call *graph.Node, base string) *graph.Value {
	node := ""
	if call.Name != "" {
		node = in.names.freshNode(base)
	}
	id := in.c.Insert(call, call, node, graph.Op{Type: "Identity"}, nil, []*graph.Value{v},
		in.names.freshValue(base))
	return id.Output(0)
}

// descend gives n, a copy of a body's node, and the nodes of its subgraphs a
// name, provenance and region. An unnamed node stays unnamed.
func (in *inliner) descend(n, call *graph.Node, label string) {
	in.made++
	if n.Name != "" {
		n.Name = in.names.freshNode(label + "_" + n.Name)
	}
	n.From = graph.Origin{Node: call.OriginLabel(), Pass: name}
	n.Region = call.Region
	for _, sub := range n.Subgraphs() {
		for k := range sub.Nodes() {
			in.descend(k, call, label)
		}
	}
}

// dropFunctions removes the functions that nothing calls: those that neither
// are spiking operators nor serve one.
func (in *inliner) dropFunctions() bool {
	keep := map[*graph.Function]bool{}
	var need func(f *graph.Function)
	need = func(f *graph.Function) {
		if keep[f] {
			return
		}
		keep[f] = true
		for _, n := range nodesOf(f) {
			if g := in.functions.Of(n); g != nil {
				need(g)
			}
		}
	}
	for _, f := range in.m.Functions {
		if f.Domain == graph.Spiking {
			need(f)
		}
	}
	before := len(in.m.Functions)
	in.m.Functions = slices.DeleteFunc(in.m.Functions,
		func(f *graph.Function) bool { return !keep[f] })
	return len(in.m.Functions) < before
}

// nodesOf is every node of a function: of its body, of subgraphs, and of graphs
// that are defaults of its attributes.
func nodesOf(f *graph.Function) []*graph.Node {
	list := nodesUnder(f.Body)
	for _, g := range (&graph.Node{Attrs: f.Defaults}).Subgraphs() {
		list = append(list, nodesUnder(g)...)
	}
	return list
}

// nodesUnder is every node of g and its subgraphs, in order.
func nodesUnder(g *graph.Graph) []*graph.Node {
	var list []*graph.Node
	for n := range g.Nodes() {
		list = slices.AppendSeq(list, n.Within())
	}
	return list
}
