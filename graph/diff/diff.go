// Package diff compares two models part by part: header, nodes, attributes,
// values and initializers, each keyed by its name, with a table of operator
// counts. Names are what users see and keep, so a renamed node is one removed
// and one added.
package diff

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
)

// Change tells what happened to an entry from A to B.
type Change string

// The changes.
const (
	Added   Change = "added"
	Removed Change = "removed"
	Changed Change = "changed"
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
}

// Models compares a with b.
func Models(a, b *graph.Model) *Report {
	d := &differ{}
	d.header(a, b)
	d.boundary("input", a.Graph.Inputs(), b.Graph.Inputs())
	d.boundary("output", a.Graph.Outputs(), b.Graph.Outputs())
	d.graphs("", a.Graph, b.Graph)
	d.functions(a, b)
	slices.SortStableFunc(d.entries, func(x, y Entry) int {
		return cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind))
	})
	return &Report{Same: len(d.entries) == 0, Ops: counts(a, b), Entries: d.entries}
}

// counts is the table of operators, those of A in order of appearance first.
func counts(a, b *graph.Model) []OpCount {
	var list []OpCount
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

type differ struct{ entries []Entry }

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
	inB := map[string]string{}
	for _, x := range b {
		inB[x.name] = x.text
	}
	seen := map[string]bool{}
	for _, x := range a {
		if !seen[x.name] {
			seen[x.name] = true
			d.note(kind, prefix+x.name, x.text, inB[x.name])
		}
	}
	for _, x := range b {
		if !seen[x.name] {
			seen[x.name] = true
			d.note(kind, prefix+x.name, "", x.text)
		}
	}
}

func (d *differ) header(a, b *graph.Model) {
	d.pair(Header, "", headerItems(a), headerItems(b))
}

func headerItems(m *graph.Model) []item {
	list := []item{
		{"ir_version", fmt.Sprint(m.IRVersion)},
		{"producer", strings.TrimSpace(m.ProducerName + " " + m.ProducerVersion)},
		{"domain", m.Domain},
		{"model_version", fmt.Sprint(m.ModelVersion)},
		{"doc", m.Doc},
	}
	for _, o := range m.Opsets {
		name := o.Domain
		if name == "" {
			name = "ai.onnx"
		}
		list = append(list, item{"opset " + name, fmt.Sprint(o.Version)})
	}
	return append(list, metadata(m.Metadata)...)
}

func metadata(m graph.Metadata) []item {
	var list []item
	for _, kv := range m {
		list = append(list, item{"metadata " + kv.Key, quoted(kv.Value)})
	}
	return list
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func (d *differ) boundary(what string, a, b []*graph.Value) {
	items := func(vs []*graph.Value) []item {
		var list []item
		for i, v := range vs {
			list = append(list, item{fmt.Sprintf("%s %d", what, i), v.Name() + " " + v.Type.String()})
		}
		return list
	}
	d.pair(Interface, "", items(a), items(b))
}

func (d *differ) graphs(prefix string, a, b *graph.Graph) {
	na, nb := nodes(a), nodes(b)
	d.pair(NodeKind, prefix, describe(na), describe(nb))
	for _, x := range na.list {
		if y := nb.byName[x.key]; y != nil {
			d.attributes(prefix+x.key, x.node, y)
		}
	}
	d.pair(ValueKind, prefix, values(a), values(b))
	d.initializers(prefix, a, b)
}

// keyed is the nodes of a graph with the names they are compared by.
type keyed struct {
	list []struct {
		key  string
		node *graph.Node
	}
	byName map[string]*graph.Node
}

// nodes names each node by its own name or its first output's; a name that
// occurs again gets a number.
func nodes(g *graph.Graph) *keyed {
	k := &keyed{byName: map[string]*graph.Node{}}
	for n := range g.Nodes() {
		key := n.Label()
		for i := 2; k.byName[key] != nil; i++ {
			key = fmt.Sprintf("%s#%d", n.Label(), i)
		}
		k.byName[key] = n
		k.list = append(k.list, struct {
			key  string
			node *graph.Node
		}{key, n})
	}
	return k
}

func describe(k *keyed) []item {
	var list []item
	for _, x := range k.list {
		list = append(list, item{x.key, signature(x.node)})
	}
	return list
}

// signature is a node as "y = Op(x, w)".
func signature(n *graph.Node) string {
	names := func(vs []*graph.Value) string {
		parts := make([]string, len(vs))
		for i, v := range vs {
			if v != nil {
				parts[i] = v.Name()
			}
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s = %v(%s)", names(n.Outputs()), n.Op(), names(n.Inputs()))
}

func (d *differ) attributes(key string, a, b *graph.Node) {
	items := func(n *graph.Node) []item {
		var list []item
		for _, at := range n.Attrs {
			if graph.TypeOf(at.Value) == graph.AttrGraph || graph.TypeOf(at.Value) == graph.AttrGraphs {
				continue
			}
			list = append(list, item{at.Name, attribute(at.Value)})
		}
		if n.Region != graph.Unassigned {
			list = append(list, item{"region", n.Region.String()})
		}
		return append(list, metadata(n.Metadata)...)
	}
	d.pair(Attribute, key+".", items(a), items(b))
	ga, gb := a.Subgraphs(), b.Subgraphs()
	for i := range min(len(ga), len(gb)) {
		d.graphs(fmt.Sprintf("%s/%d/", key, i), ga[i], gb[i])
	}
	if len(ga) != len(gb) {
		d.note(Attribute, key+".subgraphs", fmt.Sprint(len(ga)), fmt.Sprint(len(gb)))
	}
}

// attribute prints a value; tensors by type, size and digest.
func attribute(a graph.Attr) string {
	switch x := a.(type) {
	case *graph.Tensor:
		return tensor(x)
	case graph.Tensors:
		var parts []string
		for _, t := range x {
			parts = append(parts, tensor(t))
		}
		return strings.Join(parts, ", ")
	case graph.String:
		return quoted(string(x))
	case graph.Ref:
		return "@" + x.Name
	}
	return fmt.Sprint(a)
}

func values(g *graph.Graph) []item {
	var list []item
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil && v.Type.Kind != graph.NoType {
				list = append(list, item{v.Name(), v.Type.String()})
			}
		}
	}
	return list
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
		case !sameTensor(v.Const, w.Const):
			x, y := contents(v), contents(w)
			if delta := distance(v.Const, w.Const); delta != "" {
				y += delta
			}
			d.note(Initializer, prefix+v.Name(), x, y)
		}
	}
	for _, w := range b.Initializers() {
		if inB[w.Name()] != nil {
			d.note(Initializer, prefix+w.Name(), "", contents(w))
		}
	}
}

func contents(v *graph.Value) string {
	if v.Const == nil {
		return "sparse"
	}
	return tensor(v.Const)
}

func sameTensor(a, b *graph.Tensor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.DType == b.DType && slices.Equal(a.Dims, b.Dims) && bytes.Equal(a.Bytes(), b.Bytes()) &&
		slices.EqualFunc(a.Strings(), b.Strings(), bytes.Equal)
}

func (d *differ) functions(a, b *graph.Model) {
	key := func(f *graph.Function) string { return f.Op().String() + f.Overload }
	items := func(m *graph.Model) []item {
		var list []item
		for _, f := range m.Functions {
			list = append(list, item{key(f), fmt.Sprintf("%d nodes", f.Body.NumNodes())})
		}
		return list
	}
	d.pair(Function, "", items(a), items(b))
	for _, f := range a.Functions {
		for _, h := range b.Functions {
			if key(f) == key(h) {
				d.graphs(key(f)+"/", f.Body, h.Body)
			}
		}
	}
}
