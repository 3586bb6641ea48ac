package graph

import (
	"errors"
	"fmt"
	"slices"
)

// Check verifies every invariant of the model's graphs and reports all
// violations, joined.
func (m *Model) Check() error {
	if m.Graph == nil {
		return errors.New("the model holds no graph")
	}
	var errs []error
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
// evaluation order; constants match their types.
func (g *Graph) Check() error {
	c := &checker{g: g, place: map[*Node]int{}}
	for i, n := range g.nodes {
		c.place[n] = i
	}
	c.names()
	for _, n := range g.nodes {
		c.node(n)
	}
	for _, v := range c.values() {
		c.value(v)
	}
	for _, v := range g.outputs {
		if v.graph != g {
			c.addf("output %q is not a value of the graph", v.name)
		}
	}
	return errors.Join(c.errs...)
}

type checker struct {
	g     *Graph
	place map[*Node]int
	errs  []error
}

func (c *checker) addf(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("graph %q: "+format, append([]any{c.g.Name}, args...)...))
}

// values is every value of the graph in a fixed order.
func (c *checker) values() []*Value {
	vs := slices.Concat(c.g.inputs, c.g.inits)
	for _, n := range c.g.nodes {
		for _, v := range n.outputs {
			if v != nil {
				vs = append(vs, v)
			}
		}
	}
	return vs
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
	var loose []string
	for name, v := range c.g.byName {
		if !defined[v] {
			loose = append(loose, name)
		}
	}
	slices.Sort(loose)
	for _, name := range loose {
		c.addf("value %q is used but nothing defines it", name)
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
		if !slices.Contains(v.uses, Use{n, i}) {
			c.addf("input %q of node %q does not record the use", v.name, n.Label())
		}
		if !c.reaches(v) {
			c.addf("node %q uses %q of a graph out of sight", n.Label(), v.name)
		}
		if v.def != nil && v.graph == c.g && c.place[v.def] >= c.place[n] {
			c.addf("node %q stands before node %q, which it needs", n.Label(), v.def.Label())
		}
	}
	for _, sub := range n.Subgraphs() {
		if sub.outer != c.g {
			c.addf("a subgraph of node %q does not know its outer graph", n.Label())
		}
	}
}

func (c *checker) reaches(v *Value) bool {
	for h := c.g; h != nil; h = h.outer {
		if v.graph == h {
			return true
		}
	}
	return false
}

func (c *checker) value(v *Value) {
	for i, u := range v.uses {
		if u.Node.Input(u.Index) != v || u.Node.graph == nil {
			c.addf("value %q records a use by node %q that is none", v.name, u.Node.Label())
		}
		if slices.Contains(v.uses[:i], u) {
			c.addf("value %q records a use by node %q twice", v.name, u.Node.Label())
		}
	}
	if v.def != nil && (v.IsInput() || v.IsInitializer()) {
		c.addf("value %q is both computed and given", v.name)
	}
	if v.IsInitializer() != slices.Contains(c.g.inits, v) {
		c.addf("value %q and the list of initializers disagree", v.name)
	}
	if v.Const == nil || v.Type.Kind == NoType {
		return
	}
	if v.Type.Elem != v.Const.DType {
		c.addf("initializer %q holds %v but is declared %v", v.name, v.Const.DType, v.Type)
	}
	if v.Type.Shape == nil {
		return
	}
	if dims, ok := v.Type.Shape.Sizes(); ok && !slices.Equal(dims, v.Const.Dims) {
		c.addf("initializer %q has dimensions %v but is declared %v", v.name, v.Const.Dims, v.Type)
	}
}
