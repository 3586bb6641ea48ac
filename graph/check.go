package graph

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Check verifies every invariant of the model's graphs and reports all
// violations, joined.
func (m *Model) Check() error {
	if m.Graph == nil {
		return errors.New("the model holds no graph")
	}
	var errs []error
	for _, f := range m.Functions {
		if f.Body == nil {
			errs = append(errs, fmt.Errorf("function %v holds no body", f.Op()))
		}
	}
	for g := range m.Graphs() {
		if err := g.Check(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Check verifies the invariants of one graph, subgraphs not included: names
// are unique and the name table is right; each value has one definition; each
// input of a node records its use and each use is an input; nodes stand in
// evaluation order, the captures of their subgraphs included; the graph's lists
// hold its own values, each once; constants match their types.
func (g *Graph) Check() error {
	c := &checker{g: g, places: map[*Graph]map[*Node]int{}, inputs: setOf(g.inputs.all()),
		inits: setOf(g.inits.all()), uses: map[*Value]map[Use]int{}}
	c.lists()
	c.names()
	for _, n := range g.nodes.all() {
		c.node(n)
	}
	for _, v := range c.values() {
		c.value(v)
	}
	return errors.Join(c.errs...)
}

type checker struct {
	g      *Graph
	places map[*Graph]map[*Node]int
	inputs map[*Value]bool
	inits  map[*Value]bool
	uses   map[*Value]map[Use]int // how often each use is recorded
	errs   []error
}

func setOf(vs []*Value) map[*Value]bool {
	set := make(map[*Value]bool, len(vs))
	for _, v := range vs {
		set[v] = true
	}
	return set
}

// recorded counts the records of a use of v.
func (c *checker) recorded(v *Value, u Use) int {
	if c.uses[v] == nil {
		times := map[Use]int{}
		for _, w := range v.uses.all() {
			times[w]++
		}
		c.uses[v] = times
	}
	return c.uses[v][u]
}

func (c *checker) addf(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("graph %q: "+format, append([]any{c.g.Name}, args...)...))
}

// place gives the place of n in its graph, false when it is not there.
func (c *checker) place(n *Node) (int, bool) {
	at, ok := c.places[n.graph]
	if !ok && n.graph != nil {
		at = make(map[*Node]int, n.graph.nodes.len())
		for i, m := range n.graph.nodes.all() {
			at[m] = i
		}
		c.places[n.graph] = at
	}
	i, ok := at[n]
	return i, ok
}

// values is every value of the graph in a fixed order.
func (c *checker) values() []*Value {
	var vs []*Value
	seen := map[*Value]bool{}
	for _, v := range c.g.Values() {
		if !seen[v] {
			seen[v] = true
			vs = append(vs, v)
		}
	}
	return vs
}

// lists verifies what the graph itself lists.
func (c *checker) lists() {
	own := func(what string, vs []*Value, once bool) {
		seen := map[*Value]bool{}
		for _, v := range vs {
			if v.graph != c.g {
				c.addf("%s %q is not a value of the graph", what, v.name)
			}
			if once && seen[v] {
				c.addf("%s %q is listed twice", what, v.name)
			}
			seen[v] = true
		}
	}
	own("input", c.g.inputs.all(), true)
	own("initializer", c.g.inits.all(), true)
	own("output", c.g.outputs, false)
	own("declared value", c.g.infos.all(), true)
	for i, n := range c.g.nodes.all() {
		if last, ok := c.place(n); ok && last != i {
			c.addf("node %q is listed twice", n.Label())
		}
	}
}

func (c *checker) names() {
	defined := map[*Value]bool{}
	for _, v := range c.values() {
		defined[v] = true
		if c.g.byName[v.name] != v {
			c.addf("value %q is not the one found under its name", v.name)
		}
		if c.g.outer != nil && c.g.outer.Resolve(v.name) != nil {
			c.addf("value %q shadows one of an outer graph", v.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.g.byName)) {
		v := c.g.byName[name]
		if !defined[v] {
			c.addf("nothing defines value %q", name)
		} else if v.name != name {
			c.addf("value %q is found under the name %q", v.name, name)
		}
	}
}

func (c *checker) node(n *Node) {
	if n.graph != c.g {
		c.addf("node %q does not know its graph", n.Label())
	}
	for i, v := range n.outputs {
		if v != nil && (v.def != n || v.index != i || v.graph != c.g) {
			c.addf("output %d of node %q is not its own", i, n.Label())
		}
	}
	for i, v := range n.inputs {
		if v == nil {
			continue
		}
		if c.recorded(v, Use{n, i}) == 0 {
			c.addf("input %q of node %q does not record the use", v.name, n.Label())
		}
		if !c.g.sees(v) {
			c.addf("node %q uses %q of a graph out of sight", n.Label(), v.name)
		} else if v.graph.byName[v.name] != v {
			c.addf("node %q uses %q, which its graph does not hold", n.Label(), v.name)
		}
	}
	for _, sub := range n.Subgraphs() {
		if sub.outer != c.g {
			c.addf("a subgraph of node %q does not know its outer graph", n.Label())
		}
	}
	c.order(n)
}

// order verifies that n stands behind the nodes it needs.
func (c *checker) order(n *Node) {
	at, _ := c.place(n)
	late := map[*Node]bool{}
	for _, m := range c.g.needs(n) {
		if i, ok := c.place(m); ok && i >= at && !late[m] {
			late[m] = true
			c.addf("node %q stands before node %q, which it needs", n.Label(), m.Label())
		}
	}
}

func (c *checker) value(v *Value) {
	seen := map[Use]bool{}
	for _, u := range v.uses.all() {
		if _, ok := c.place(u.Node); !ok || u.Node.Input(u.Index) != v {
			c.addf("value %q records a use by node %q that is none", v.name, u.Node.Label())
		}
		if seen[u] {
			c.addf("value %q records a use by node %q twice", v.name, u.Node.Label())
		}
		seen[u] = true
	}
	if v.def != nil && (v.IsInput() || v.IsInitializer()) {
		c.addf("value %q is both computed and given", v.name)
	}
	if v.IsInput() != c.inputs[v] {
		c.addf("value %q and the list of inputs disagree", v.name)
	}
	if v.IsInitializer() != c.inits[v] {
		c.addf("value %q and the list of initializers disagree", v.name)
	}
	c.constant(v)
}

// constant verifies that the type of an initializer is that of its contents.
func (c *checker) constant(v *Value) {
	if v.Const == nil || v.Type.Kind == NoType {
		return
	}
	if v.Type.Kind != TensorType || v.Type.Elem != v.Const.DType {
		c.addf("initializer %q holds %v but is declared %v", v.name, v.Const.DType, v.Type)
	}
	if dims, ok := v.Type.Shape.Sizes(); ok && !slices.Equal(dims, v.Const.Dims) {
		c.addf("initializer %q has dimensions %v but is declared %v", v.name, v.Const.Dims, v.Type)
	}
}
