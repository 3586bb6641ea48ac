package diff

import (
	"fmt"
	"slices"
	"sort"

	"spikingir/graph"
)

// A Sheet is two models side by side, section by section.
type Sheet struct {
	*Report
	Sections []Section
}

// A Section is a part of both models: the header, a graph, a branch of a node, a function.
type Section struct {
	Title string
	Rows  []Row
}

// A Row is what stands for each other in both models. A node of B that has another place in
// the order of nodes stands where it has it in A; its number tells.
type Row struct {
	Kind    Kind
	Change  Change // empty for the same
	A, B    Side
	Details []Entry // what is changed within a node
}

// A Side is a part of one model. The zero Side is none.
type Side struct {
	Number     int // of a node in its graph, from 1; 0 for other parts
	Name, Text string
	Attributes []string // of a node
}

// SideBySide compares as [Models] does, or as [Structure] where structure is set, and gives
// what is the same too.
func SideBySide(a, b *graph.Model, structure bool) *Sheet {
	if structure {
		a, b = alignNames(a, b)
	}
	d, r := examine(a, b, structure)
	s := &sheet{differ: d, arrived: map[string]bool{}, changes: map[string]Change{}}
	for _, n := range d.moved {
		s.arrived[n.name] = true
	}
	for _, e := range r.Entries {
		if e.Kind == NodeKind {
			s.changes[e.Name] = e.Change
		}
	}
	s.section("header", parts(Header, headerItems(a), headerItems(b)))
	s.graph("", "graph", a.Graph, b.Graph)
	s.functions(a, b)
	return &Sheet{r, s.sections}
}

// sheet makes sections of what was compared.
type sheet struct {
	*differ
	arrived  map[string]bool   // nodes of B that stand with those of A which moved
	changes  map[string]Change // of nodes, by name
	sections []Section
}

func (s *sheet) section(title string, rows []Row) {
	if len(rows) > 0 {
		s.sections = append(s.sections, Section{title, rows})
	}
}

// functions is a section for each function: of those of A, then of those that B alone has.
func (s *sheet) functions(a, b *graph.Model) {
	index, shown := b.FunctionIndex(), map[*graph.Function]bool{}
	one := func(f, h *graph.Function) {
		named := f
		if f == nil {
			named = h
		}
		key := functionKey(named)
		list := func(f *graph.Function) []item {
			if f == nil {
				return nil
			}
			return append(functions(&graph.Model{Functions: []*graph.Function{f}}), functionItems(f)...)
		}
		body := func(f *graph.Function) *graph.Graph {
			if f == nil {
				return nil
			}
			return f.Body
		}
		s.section("function "+key+", declared", parts(Function, list(f), list(h)))
		s.graph(key+"/", "function "+key, body(f), body(h))
	}
	for _, f := range a.Functions {
		h := index.Called(f)
		shown[h] = true
		one(f, h)
	}
	for _, h := range b.Functions {
		if !shown[h] {
			one(nil, h)
		}
	}
}

// graph is the sections of a graph: one of its own, and those of its branches.
func (s *sheet) graph(prefix, title string, a, b *graph.Graph) {
	if a == nil && b == nil {
		return
	}
	a, b = orEmpty(a), orEmpty(b)
	rows := parts(Header, graphItems(a), graphItems(b))
	rows = append(rows, parts(Interface, boundary("input", a.Inputs()), boundary("input", b.Inputs()))...)
	order := align(nodes(a), nodes(b))
	for _, p := range order {
		if row, ok := s.node(prefix, p); ok {
			rows = append(rows, row)
		}
	}
	rows = append(rows, parts(Interface, boundary("output", a.Outputs()), boundary("output", b.Outputs()))...)
	s.section(title, append(rows, constantRows(a, b)...))
	for _, p := range order {
		s.branches(prefix, title, p)
	}
}

func orEmpty(g *graph.Graph) *graph.Graph {
	if g == nil {
		return graph.New("", nil)
	}
	return g
}

// branches is the sections of a node's subgraphs.
func (s *sheet) branches(prefix, title string, p place) {
	inB, key := map[string]*graph.Graph{}, p.a.key
	var names []string
	if p.b.node != nil {
		key = p.b.key
		for _, g := range subgraphs(p.b.node) {
			inB[g.name] = g.graph
			names = append(names, g.name)
		}
	}
	inA := map[string]*graph.Graph{}
	if p.a.node != nil {
		key = p.a.key
		for _, g := range slices.Backward(subgraphs(p.a.node)) {
			inA[g.name] = g.graph
			if inB[g.name] == nil {
				names = slices.Insert(names, 0, g.name)
			}
		}
	}
	for _, name := range names {
		s.graph(prefix+key+"/"+name+"/", title+": "+name+" of "+key, inA[name], inB[name])
	}
}

// node is the row of a node; false where B's stands in the row of one that moved.
func (s *sheet) node(prefix string, p place) (Row, bool) {
	switch {
	case p.a.node == nil && s.arrived[prefix+p.b.key]:
		return Row{}, false
	case p.a.node == nil:
		return Row{Kind: NodeKind, Change: Added, B: p.b.side(p.j)}, true
	case p.b.node == nil:
		row := Row{Kind: NodeKind, Change: Removed, A: p.a.side(p.i)}
		if n, moved := s.moved[prefix+p.a.key]; moved {
			row.Change, row.B = Moved, keyed{n.name, n.node}.side(-1)
		}
		return row, true
	}
	row := Row{Kind: NodeKind, Change: s.changes[prefix+p.a.key], A: p.a.side(p.i), B: p.b.side(p.j), Details: details(p.a.node, p.b.node)}
	if row.Change == "" && len(row.Details) > 0 {
		row.Change = Changed
	}
	return row, true
}

// side is a node that is the i-th of its graph, from 0; -1 where that does not matter.
func (k keyed) side(i int) Side {
	s := Side{Number: i + 1, Name: k.key, Text: signature(k.node)}
	for _, it := range attributes(k.node.Attrs) {
		s.Attributes = append(s.Attributes, it.name+" = "+it.text)
	}
	return s
}

// details is what differs within two nodes: attributes and the like, types of their results,
// and the constants that they read.
func details(x, y *graph.Node) []Entry {
	d := &differ{}
	d.pair(Attribute, "", nodeItems(x), nodeItems(y))
	d.pair(ValueKind, "", results(x.Outputs()), results(y.Outputs()))
	for i := range min(x.NumInputs(), y.NumInputs()) {
		v, w := x.Input(i), y.Input(i)
		if isConst(v) && isConst(w) && !sameContents(v, w) {
			d.entries = append(d.entries, Entry{Initializer, v.Name(), Changed, contents(v), contents(w) + apart(v, w)})
		}
	}
	return d.entries
}

// apart is how far two constants lie apart.
func apart(v, w *graph.Value) string {
	var k weighing
	k.add(v.Const, w.Const)
	text := distance(v.Const, w.Const)
	if n := k.weights().Norm; n != nil {
		text += fmt.Sprintf(", relative norm %.3g", *n)
	}
	return text
}

// constantRows is the constants of two graphs.
func constantRows(a, b *graph.Graph) []Row {
	inB := map[string]*graph.Value{}
	for _, w := range b.Initializers() {
		inB[w.Name()] = w
	}
	var rows []Row
	for _, v := range a.Initializers() {
		w := inB[v.Name()]
		delete(inB, v.Name())
		row := Row{Kind: Initializer, A: Side{Name: v.Name(), Text: contents(v)}}
		switch {
		case w == nil:
			row.Change = Removed
		case !sameContents(v, w):
			row.Change, row.B = Changed, Side{Name: w.Name(), Text: contents(w) + apart(v, w)}
		default:
			row.B = Side{Name: w.Name(), Text: contents(w)}
		}
		rows = append(rows, row)
	}
	for _, w := range b.Initializers() {
		if inB[w.Name()] != nil {
			rows = append(rows, Row{Kind: Initializer, Change: Added, B: Side{Name: w.Name(), Text: contents(w)}})
		}
	}
	return rows
}

// parts is a row for each item, by name: those of A, then those that B alone has.
func parts(kind Kind, a, b []item) []Row {
	a, b = numbered(a), numbered(b)
	inB := map[string]item{}
	for _, y := range b {
		inB[y.name] = y
	}
	var rows []Row
	for _, x := range a {
		row := Row{Kind: kind, Change: Removed, A: Side{Name: x.name, Text: x.text}}
		if y, both := inB[x.name]; both {
			row.Change, row.B = "", Side{Name: y.name, Text: y.text}
			if x.text != y.text {
				row.Change = Changed
			}
			delete(inB, x.name)
		}
		rows = append(rows, row)
	}
	for _, y := range b {
		if _, alone := inB[y.name]; alone {
			rows = append(rows, Row{Kind: kind, Change: Added, B: Side{Name: y.name, Text: y.text}})
		}
	}
	return rows
}

// place is a node of A, the i-th, beside one of B, the j-th. One of them may be none.
type place struct {
	a, b keyed
	i, j int
}

// align brings the nodes of two graphs into one order, in which both keep theirs: but for
// pairs of which the order is another in B, which stand where they are in A.
func align(a, b []keyed) []place {
	inB := map[string]int{}
	for j, y := range b {
		inB[y.key] = j
	}
	var pairs []place // in A's order
	paired := map[int]bool{}
	for i, x := range a {
		if j, both := inB[x.key]; both {
			pairs = append(pairs, place{x, b[j], i, j})
			paired[j] = true
		}
	}
	var list []place
	j := 0
	flush := func(end int) { // what B alone has
		for ; j < end; j++ {
			if !paired[j] {
				list = append(list, place{b: b[j], j: j})
			}
		}
	}
	steady := rising(pairs)
	next := 0
	for i, x := range a {
		if next == len(pairs) || pairs[next].i != i {
			list = append(list, place{a: x, i: i})
			continue
		}
		p := pairs[next]
		if steady[next] {
			flush(p.j)
		}
		list = append(list, p)
		next++
	}
	flush(len(b))
	return list
}

// rising marks a longest part of the pairs whose places in B rise too.
func rising(pairs []place) []bool {
	var ends []int // the pair that a rising run of each length ends with at the least place
	before := make([]int, len(pairs))
	for k, p := range pairs {
		at := sort.Search(len(ends), func(i int) bool { return pairs[ends[i]].j >= p.j })
		before[k] = -1
		if at > 0 {
			before[k] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, k)
		} else {
			ends[at] = k
		}
	}
	marked := make([]bool, len(pairs))
	if len(ends) > 0 {
		for k := ends[len(ends)-1]; k >= 0; k = before[k] {
			marked[k] = true
		}
	}
	return marked
}
