package diff

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
)

// matcher finds which nodes and values of B stand for which of A, whatever they are
// called: by what a node computes (operator, attributes, constants), by what it is
// computed from, back to the inputs, and by what is made of it, up to the outputs.
type matcher struct {
	nodes  map[*graph.Node]*graph.Node   // of B, to A's
	values map[*graph.Value]*graph.Value // of B, to A's
	used   map[*graph.Node]bool          // of A
	usedV  map[*graph.Value]bool         // of A
	// scope numbers the matched values alike on both sides, for subgraphs that read them.
	scope  map[*graph.Value]int
	consts map[*graph.Value]string // what initializers hold, printed
}

func match(a, b *graph.Model) *matcher {
	m := &matcher{map[*graph.Node]*graph.Node{}, map[*graph.Value]*graph.Value{}, map[*graph.Node]bool{},
		map[*graph.Value]bool{}, map[*graph.Value]int{}, map[*graph.Value]string{}}
	m.graphs(a.Graph, b.Graph)
	index := b.FunctionIndex()
	for _, f := range a.Functions {
		if h := index.Called(f); h != nil {
			m.graphs(f.Body, h.Body)
		}
	}
	return m
}

// graphs matches two graphs and the subgraphs of their matched nodes.
func (m *matcher) graphs(a, b *graph.Graph) {
	if a == nil || b == nil {
		return
	}
	m.boundary(a.Inputs(), b.Inputs())
	x, y := m.side(a, true), m.side(b, true)
	m.places(x, y)
	m.spread(a, b, x, y)
	m.unique(weighted(x), weighted(y), at(x.self), at(y.self))
	m.spread(a, b, x, y)
	k, l := m.side(a, false), m.side(b, false) // weights or attributes may have changed
	m.places(k, l)
	m.spread(a, b, k, l)
	m.unique(x.nodes, y.nodes, at(x.self), at(y.self))
	m.twins(x, y)
	m.boundary(a.Outputs(), b.Outputs())
	for n := range b.Nodes() {
		if o := m.nodes[n]; o != nil {
			m.boundary(o.Outputs(), n.Outputs())
			m.boundary(constants(o), constants(n))
		}
	}
	m.unread(a, b)
	for n := range b.Nodes() {
		if o := m.nodes[n]; o != nil {
			inA := map[string]*graph.Graph{}
			for _, s := range subgraphs(o) {
				inA[s.name] = s.graph
			}
			for _, s := range subgraphs(n) {
				m.graphs(inA[s.name], s.graph)
			}
		}
	}
}

// boundary matches values that stand at the same place.
func (m *matcher) boundary(a, b []*graph.Value) {
	for i := range min(len(a), len(b)) {
		m.value(a[i], b[i])
	}
}

func (m *matcher) value(v, w *graph.Value) {
	if v == nil || w == nil || m.values[w] != nil || m.usedV[v] || isMade(v) != isMade(w) {
		return
	}
	if isMade(v) && m.nodes[w.Producer()] != v.Producer() {
		return
	}
	m.values[w], m.usedV[v] = v, true
	m.scope[v] = len(m.values)
	m.scope[w] = len(m.values)
}

func isMade(v *graph.Value) bool { return v.Producer() != nil }

func isConst(v *graph.Value) bool { return v != nil && v.IsConstant() }

// constants is the inputs of n with nil for what is no constant of its own graph.
func constants(n *graph.Node) []*graph.Value {
	vs := n.Inputs()
	for i, v := range vs {
		if !isConst(v) || v.Graph() != n.Graph() {
			vs[i] = nil
		}
	}
	return vs
}

// unread matches the initializers that no matched node reads, by content.
func (m *matcher) unread(a, b *graph.Graph) {
	free := map[string][]*graph.Value{}
	for _, v := range a.Initializers() {
		if !m.usedV[v] && v.IsConstant() {
			free[m.constant(v)] = append(free[m.constant(v)], v)
		}
	}
	for _, w := range b.Initializers() {
		if list := free[m.constant(w)]; m.values[w] == nil && w.IsConstant() && len(list) > 0 {
			m.value(list[0], w)
			free[m.constant(w)] = list[1:]
		}
	}
}

func (m *matcher) constant(v *graph.Value) string {
	text, ok := m.consts[v]
	if !ok {
		text = contents(v)
		m.consts[v] = text
	}
	return text
}

// side is one graph with the keys of its nodes.
type side struct {
	nodes []*graph.Node
	self  map[*graph.Node]string // what the node does
	up    map[*graph.Node]string // and what it is computed from
	down  map[*graph.Node]string // and what is made of it
}

// side computes keys; strict ones tell attributes and constants apart.
func (m *matcher) side(g *graph.Graph, strict bool) *side {
	s := &side{slices.Collect(g.Nodes()), map[*graph.Node]string{}, map[*graph.Node]string{}, map[*graph.Node]string{}}
	inputs := places(g.Inputs())
	for _, n := range s.nodes {
		s.self[n] = m.content(n, strict)
		parts := []string{s.self[n]}
		for _, v := range n.Inputs() {
			parts = append(parts, m.source(s, inputs, g, v))
		}
		s.up[n] = digest(parts)
	}
	outputs := places(g.Outputs())
	for _, n := range slices.Backward(s.nodes) {
		var parts []string
		for i, v := range n.Outputs() {
			if v == nil {
				continue
			}
			for _, at := range outputs[v] {
				parts = append(parts, fmt.Sprint(i, " out ", at))
			}
			for _, u := range v.Uses() {
				if u.Node.Graph() == g {
					parts = append(parts, fmt.Sprint(i, " ", u.Index, " ", s.down[u.Node]))
				} else {
					parts = append(parts, fmt.Sprint(i, " within ", u.Index, u.Node.Op()))
				}
			}
		}
		slices.Sort(parts)
		s.down[n] = digest(append(parts, s.self[n]))
	}
	return s
}

// source is where a node's input comes from.
func (m *matcher) source(s *side, inputs map[*graph.Value][]int, g *graph.Graph, v *graph.Value) string {
	switch {
	case v == nil:
		return "none"
	case len(inputs[v]) > 0:
		return fmt.Sprint("in ", inputs[v])
	case isConst(v):
		return "const" // its content is the reader's own matter
	case v.Graph() != g:
		return fmt.Sprint("scope ", m.scope[v])
	}
	return fmt.Sprint(v.Index(), " ", s.up[v.Producer()])
}

func places(vs []*graph.Value) map[*graph.Value][]int {
	at := map[*graph.Value][]int{}
	for i, v := range vs {
		at[v] = append(at[v], i)
	}
	return at
}

func digest(parts []string) string {
	h := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return string(h[:16])
}

// content is what a node does: its operator, and where strict its attributes and
// constants too.
func (m *matcher) content(n *graph.Node, strict bool) string {
	parts := []string{opKey(n.Op(), n.Overload)}
	if !strict {
		return parts[0]
	}
	for _, it := range attributes(n.Attrs) {
		parts = append(parts, it.name+"="+it.text)
	}
	slices.Sort(parts[1:])
	for _, s := range subgraphs(n) {
		for k := range s.graph.Nodes() {
			parts = append(parts, s.name+" "+m.content(k, true))
		}
	}
	for i, v := range n.Inputs() {
		if isConst(v) {
			parts = append(parts, fmt.Sprint(i, " ", m.constant(v)))
		}
	}
	return strings.Join(parts, "\x00")
}

// places matches nodes by their keys, most telling first: nodes between the same
// inputs and outputs, before the same outputs, behind the same inputs. Only what is one
// of its kind on both sides matches.
func (m *matcher) places(a, b *side) {
	both := func(s *side) func(*graph.Node) string {
		return func(n *graph.Node) string { return s.up[n] + s.down[n] }
	}
	m.unique(a.nodes, b.nodes, both(a), both(b))
	m.unique(a.nodes, b.nodes, at(a.down), at(b.down))
	m.unique(a.nodes, b.nodes, at(a.up), at(b.up))
}

func at(keys map[*graph.Node]string) func(*graph.Node) string {
	return func(n *graph.Node) string { return keys[n] }
}

// weighted is the nodes that read constants, which tell them apart wherever they are.
func weighted(s *side) []*graph.Node {
	return slices.DeleteFunc(slices.Clone(s.nodes), func(n *graph.Node) bool {
		return !slices.ContainsFunc(n.Inputs(), isConst)
	})
}

// twins matches in order what is left of nodes that compute the same from the same.
func (m *matcher) twins(a, b *side) {
	free := map[string][]*graph.Node{}
	for _, n := range a.nodes {
		if !m.used[n] {
			free[a.up[n]] = append(free[a.up[n]], n)
		}
	}
	for _, n := range b.nodes {
		if list := free[b.up[n]]; m.nodes[n] == nil && len(list) > 0 {
			m.pair(list[0], n)
			free[b.up[n]] = list[1:]
		}
	}
}

// unique matches the free nodes of two lists that alone have their key.
func (m *matcher) unique(a, b []*graph.Node, keyA, keyB func(*graph.Node) string) (pairs [][2]*graph.Node) {
	inA, inB := map[string][]*graph.Node{}, map[string]int{}
	for _, n := range a {
		if !m.used[n] {
			inA[keyA(n)] = append(inA[keyA(n)], n)
		}
	}
	for _, n := range b {
		if m.nodes[n] == nil {
			inB[keyB(n)]++
		}
	}
	for _, n := range b {
		if m.nodes[n] != nil {
			continue
		}
		k := keyB(n)
		if list := inA[k]; len(list) == 1 && inB[k] == 1 {
			m.pair(list[0], n)
			pairs = append(pairs, [2]*graph.Node{list[0], n})
		}
	}
	return pairs
}

func (m *matcher) pair(x, y *graph.Node) { m.nodes[y], m.used[x] = x, true }

// spread matches the neighbours of what is matched: producers of the same input, and
// readers of the same output, where they apply the same operator.
func (m *matcher) spread(a, b *graph.Graph, x, y *side) {
	var work [][2]*graph.Node
	producers := func(vs, ws []*graph.Value) {
		for i := range min(len(vs), len(ws)) {
			v, w := vs[i], ws[i]
			if v == nil || w == nil || v.Graph() != a || w.Graph() != b || v.Index() != w.Index() {
				continue
			}
			p, q := v.Producer(), w.Producer()
			if p != nil && q != nil && !m.used[p] && m.nodes[q] == nil && sameOperator(p, q) {
				m.pair(p, q)
				work = append(work, [2]*graph.Node{p, q})
			}
		}
	}
	readers := func(vs, ws []*graph.Value) {
		for i := range min(len(vs), len(ws)) {
			if vs[i] != nil && ws[i] != nil {
				work = append(work, m.readers(vs[i], ws[i], x, y)...)
			}
		}
	}
	producers(a.Outputs(), b.Outputs())
	readers(a.Inputs(), b.Inputs())
	for _, n := range y.nodes {
		if o := m.nodes[n]; o != nil {
			work = append(work, [2]*graph.Node{o, n})
		}
	}
	for len(work) > 0 {
		p := work[len(work)-1]
		work = work[:len(work)-1]
		producers(p[0].Inputs(), p[1].Inputs())
		readers(p[0].Outputs(), p[1].Outputs())
	}
}

// readers matches the nodes that read two matched values, the most alike first.
func (m *matcher) readers(v, w *graph.Value, x, y *side) [][2]*graph.Node {
	list := func(v *graph.Value, s *side) (ns []*graph.Node, at map[*graph.Node]string) {
		at = map[*graph.Node]string{}
		for _, u := range v.Uses() {
			if _, own := s.self[u.Node]; own && at[u.Node] == "" {
				ns, at[u.Node] = append(ns, u.Node), fmt.Sprint(u.Index, " ", opKey(u.Node.Op(), u.Node.Overload), " ")
			}
		}
		return ns, at
	}
	ns, atA := list(v, x)
	ks, atB := list(w, y)
	pairs := m.unique(ns, ks, func(n *graph.Node) string { return atA[n] + x.self[n] },
		func(n *graph.Node) string { return atB[n] + y.self[n] })
	return append(pairs, m.unique(ns, ks, func(n *graph.Node) string { return atA[n] },
		func(n *graph.Node) string { return atB[n] })...)
}

func sameOperator(p, q *graph.Node) bool { return p.Op() == q.Op() && p.Overload == q.Overload }
