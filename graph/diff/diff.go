// Package diff compares two models part by part: header, interface, nodes,
// attributes, values, initializers and functions, each keyed by its name, with a
// table of operator counts. Names are what users see and keep, so a renamed node
// is one removed and one added. [Structure] compares without them, by operator,
// attributes and wiring.
//
// Not compared, since they do not change what a model means: the order of nodes,
// initializers and functions, the storage of tensors, the origin of nodes, what lowered models
// state of their neurons, and fields of the file that package graph does not model.
package diff

import (
	"cmp"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Change tells what happened to an entry from A to B.
type Change string

// The changes.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
	Moved   Change = "moved" // a node that computes the same, at another place
)

// Kind is what an entry is about.
type Kind string

// The kinds of entries, in the order of a report.
const (
	Header      Kind = "header"
	Interface   Kind = "interface" // the graph's inputs and outputs
	NodeKind    Kind = "node"
	Attribute   Kind = "attribute"
	ValueKind   Kind = "value"
	Initializer Kind = "initializer"
	Function    Kind = "function"
)

var kinds = []Kind{Header, Interface, NodeKind, Attribute, ValueKind, Initializer, Function}

// Kinds are all kinds of parts, in the order of a report.
func Kinds() []Kind { return slices.Clone(kinds) }

// Entry is one difference.
type Entry struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`
	Change Change `json:"change"`
	A      string `json:"a,omitempty"`
	B      string `json:"b,omitempty"`
}

// OpCount is how often an operator occurs, in graphs, subgraphs and functions.
type OpCount struct {
	Op string `json:"op"`
	A  int    `json:"a"`
	B  int    `json:"b"`
}

// Report is the difference of two models.
type Report struct {
	Same    bool      `json:"same"`
	Ops     []OpCount `json:"ops"`
	Entries []Entry   `json:"differences"`
	Stat    []Count   `json:"stat"`
	Weights Weights   `json:"weights"`
	// TimingA and TimingB are of two-phase networks; nil for others.
	TimingA *op.TimingReport `json:"timing_a,omitempty"`
	TimingB *op.TimingReport `json:"timing_b,omitempty"`
}

// Models compares a with b. Entries stand by kind, then in the order of a, then
// of what b adds.
func Models(a, b *graph.Model) *Report { return compare(a, b, false) }

func compare(a, b *graph.Model, structure bool) *Report {
	_, r := examine(a, b, structure)
	return r
}

// examine compares, and gives the nodes behind the report too.
func examine(a, b *graph.Model, structure bool) (*differ, *Report) {
	d := &differ{entries: []Entry{}, both: map[string][2]*graph.Node{},
		content: &matcher{consts: map[*graph.Value]string{}}}
	d.pair(Header, "", headerItems(a), headerItems(b))
	d.graphs("", a.Graph, b.Graph)
	d.functions(a, b)
	d.moves(structure)
	slices.SortStableFunc(d.entries, func(x, y Entry) int {
		return cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind))
	})
	return d, &Report{Same: len(d.entries) == 0, Ops: counts(a, b), Entries: d.entries,
		Stat: statistics(d.entries), Weights: d.weights.weights(), TimingA: timing(a), TimingB: timing(b)}
}

// timing is the schedule and latency of a two-phase network, nil for others.
func timing(m *graph.Model) *op.TimingReport {
	if m.Graph == nil {
		return nil
	}
	t, err := op.TimingOf(m.Graph)
	if err != nil {
		return nil // nothing runs it
	}
	return t.Report(t.Timesteps)
}

// counts is the table of operators, those of A in order of appearance first.
func counts(a, b *graph.Model) []OpCount {
	list := []OpCount{}
	at := map[string]int{}
	add := func(m *graph.Model, field func(*OpCount) *int) {
		for g := range m.Graphs() {
			for n := range g.Nodes() {
				name := n.Op().String()
				i, ok := at[name]
				if !ok {
					i = len(list)
					at[name] = i
					list = append(list, OpCount{Op: name})
				}
				*field(&list[i])++
			}
		}
	}
	add(a, func(c *OpCount) *int { return &c.A })
	add(b, func(c *OpCount) *int { return &c.B })
	return list
}

type differ struct {
	entries []Entry
	weights weighing
	// both, gone and fresh are the nodes behind the entries: in A and B, in one alone.
	both        map[string][2]*graph.Node
	gone, fresh []located
	moved       map[string]located // of those that have gone, by name: what they are in B
	content     *matcher
}

// located is a node with its name in the report.
type located struct {
	name string
	node *graph.Node
}

// note records a difference; equal strings are none, an empty one means that
// the part is missing on that side.
func (d *differ) note(kind Kind, name, a, b string) {
	if a == b {
		return
	}
	change := Changed
	switch {
	case a == "":
		change = Added
	case b == "":
		change = Removed
	}
	d.entries = append(d.entries, Entry{kind, name, change, a, b})
}

// item is one named part of a side, printed.
type item struct{ name, text string }

// pair compares two lists by name, in the order of a, then of b's additions.
func (d *differ) pair(kind Kind, prefix string, a, b []item) {
	a, b = numbered(a), numbered(b)
	inB := map[string]string{}
	for _, x := range b {
		inB[x.name] = x.text
	}
	inA := map[string]bool{}
	for _, x := range a {
		inA[x.name] = true
		d.note(kind, prefix+x.name, x.text, inB[x.name])
	}
	for _, x := range b {
		if !inA[x.name] {
			d.note(kind, prefix+x.name, "", x.text)
		}
	}
}

// numbered leaves out empty items, which count as missing, and makes the names
// of the others unique: the second x becomes "x#2".
func numbered(list []item) []item {
	taken := map[string]bool{}
	var out []item
	for _, x := range list {
		if x.text == "" {
			continue
		}
		name := x.name
		for k := 2; taken[name]; k++ {
			name = fmt.Sprintf("%s#%d", x.name, k)
		}
		taken[name] = true
		out = append(out, item{name, x.text})
	}
	return out
}

// graphs compares two graphs or subgraphs; a nil graph is an empty one. prefix
// tells apart the names of subgraphs and functions.
func (d *differ) graphs(prefix string, a, b *graph.Graph) {
	if a == nil {
		a = graph.New("", nil)
	}
	if b == nil {
		b = graph.New("", nil)
	}
	d.pair(Header, prefix, graphItems(a), graphItems(b))
	d.pair(Interface, prefix, boundary("input", a.Inputs()), boundary("input", b.Inputs()))
	d.pair(Interface, prefix, boundary("output", a.Outputs()), boundary("output", b.Outputs()))
	d.nodes(prefix, a, b)
	d.pair(ValueKind, prefix, values(a), values(b))
	d.initializers(prefix, a, b)
}

func (d *differ) nodes(prefix string, a, b *graph.Graph) {
	na, nb := nodes(a), nodes(b)
	d.pair(NodeKind, prefix, describe(na), describe(nb))
	byName, inA := map[string]*graph.Node{}, map[string]bool{}
	for _, y := range nb {
		byName[y.key] = y.node
	}
	for _, x := range na {
		inA[x.key] = true
		y := byName[x.key]
		if y == nil {
			d.gone = append(d.gone, located{prefix + x.key, x.node})
			continue
		}
		d.both[prefix+x.key] = [2]*graph.Node{x.node, y}
		d.pair(Attribute, prefix+x.key+".", nodeItems(x.node), nodeItems(y))
		d.subgraphs(prefix+x.key+"/", x.node, y)
	}
	for _, y := range nb {
		if !inA[y.key] {
			d.fresh = append(d.fresh, located{prefix + y.key, y.node})
		}
	}
}

// subgraphs compares the graphs that two nodes hold under the same attribute.
func (d *differ) subgraphs(prefix string, a, b *graph.Node) {
	inB := map[string]*graph.Graph{}
	for _, s := range subgraphs(b) {
		inB[s.name] = s.graph
	}
	for _, s := range subgraphs(a) {
		if h := inB[s.name]; h != nil {
			d.graphs(prefix+s.name+"/", s.graph, h)
		}
	}
}

func (d *differ) initializers(prefix string, a, b *graph.Graph) {
	inB := map[string]*graph.Value{}
	for _, v := range b.Initializers() {
		inB[v.Name()] = v
	}
	for _, v := range a.Initializers() {
		w := inB[v.Name()]
		delete(inB, v.Name())
		switch {
		case w == nil:
			d.note(Initializer, prefix+v.Name(), contents(v), "")
		case !sameContents(v, w):
			d.weights.add(v.Const, w.Const)
			d.entries = append(d.entries, Entry{Initializer, prefix + v.Name(), Changed,
				contents(v), contents(w) + distance(v.Const, w.Const)})
		}
	}
	for _, w := range b.Initializers() {
		if inB[w.Name()] != nil {
			d.note(Initializer, prefix+w.Name(), "", contents(w))
		}
	}
}

func (d *differ) functions(a, b *graph.Model) {
	d.pair(Function, "", functions(a), functions(b))
	index := b.FunctionIndex()
	for _, f := range a.Functions {
		if h := index.Called(f); h != nil {
			key := functionKey(f)
			d.pair(Function, key+".", functionItems(f), functionItems(h))
			d.graphs(key+"/", f.Body, h.Body)
		}
	}
}
