package diff

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"spikingir/graph"
)

// Structure compares a with b by structure: values, nodes, graphs and symbolic
// dimensions stand for each other by operator, attributes, constants and wiring, whatever
// they are called. The report calls what is in both by A's names. What B alone has keeps
// its name, with a prime where A calls something else so.
func Structure(a, b *graph.Model) *Report {
	a, b = alignNames(a, b)
	return compare(a, b, true)
}

// alignNames gives copies of two models of which what is in both has A's names.
func alignNames(a, b *graph.Model) (x, y *graph.Model) {
	a, b = a.Clone(), b.Clone()
	single(a)
	r := &renamer{matcher: match(a, b), taken: map[string]bool{}}
	r.allValues(a, b)
	r.labels(a, b)
	r.symbols(b)
	return a, b
}

// single gives nodes that share a name names of their own, so that the order of nodes
// does not tell them apart.
func single(m *graph.Model) {
	for g := range m.Graphs() {
		for _, k := range nodes(g) {
			if k.key != k.node.Label() {
				k.node.Name = k.key
			}
		}
	}
}

// renamer gives B the names of A.
type renamer struct {
	*matcher
	taken map[string]bool // by A, and by what only B has
}

// allValues renames B's values, by way of names that nothing has.
func (r *renamer) allValues(a, b *graph.Model) {
	var list []*graph.Value
	old := map[*graph.Value]string{}
	collect := func(m *graph.Model, add func(*graph.Value)) {
		for g := range m.Graphs() {
			seen := map[*graph.Value]bool{}
			each := func(vs []*graph.Value) {
				for _, v := range vs {
					if v != nil && v.Graph() == g && !seen[v] {
						seen[v] = true
						add(v)
					}
				}
			}
			each(g.Inputs())
			each(g.Initializers())
			for n := range g.Nodes() {
				each(n.Outputs())
			}
		}
	}
	collect(a, func(v *graph.Value) { r.taken[v.Name()] = true })
	collect(b, func(v *graph.Value) { list, old[v] = append(list, v), v.Name() })
	for i, v := range list {
		r.rename(v, fmt.Sprintf("\x00%d", i))
	}
	for _, v := range list {
		if o := r.values[v]; o != nil {
			r.rename(v, o.Name())
		}
	}
	for _, v := range list {
		if r.values[v] == nil {
			r.rename(v, r.free(old[v]))
		}
	}
}

// rename gives v a name, with primes where that is taken after all: in models with two
// functions of one name.
func (r *renamer) rename(v *graph.Value, name string) {
	if err := v.Graph().Rename(v, name); err != nil {
		r.rename(v, r.free(name+"'"))
	}
}

// free is name, with primes where it is taken.
func (r *renamer) free(name string) string {
	for r.taken[name] {
		name += "'"
	}
	r.taken[name] = true
	return name
}

// labels renames B's nodes and graphs.
func (r *renamer) labels(a, b *graph.Model) {
	taken := map[string]bool{}
	for g := range a.Graphs() {
		for n := range g.Nodes() {
			taken[n.Label()] = true
		}
	}
	for g := range b.Graphs() {
		for n := range g.Nodes() {
			if o := r.nodes[n]; o != nil {
				n.Name = o.Label()
				continue
			}
			for taken[n.Label()] {
				n.Name = n.Label() + "'"
			}
			taken[n.Label()] = true
		}
	}
	var same func(x, y *graph.Graph)
	same = func(x, y *graph.Graph) {
		if x == nil || y == nil {
			return
		}
		y.Name = x.Name
		for n := range y.Nodes() {
			if o := r.nodes[n]; o != nil {
				xs := o.Subgraphs()
				for i, s := range n.Subgraphs() {
					if i < len(xs) {
						same(xs[i], s)
					}
				}
			}
		}
	}
	same(a.Graph, b.Graph)
}

var symbol = regexp.MustCompile(`[\pL_][\pL\pN_.]*`)

// symbols renames B's symbolic dimensions to those that stand at the same places in A,
// where that is one to one.
func (r *renamer) symbols(b *graph.Model) {
	to, from := map[string]string{}, map[string]string{}
	var all []*graph.Value
	for g := range b.Graphs() {
		all = append(all, g.Inputs()...)
		for n := range g.Nodes() {
			all = append(all, n.Outputs()...)
		}
	}
	all = slices.DeleteFunc(all, func(v *graph.Value) bool { return v == nil })
	for _, v := range all {
		o := r.values[v]
		if o == nil || len(o.Type.Shape) != len(v.Type.Shape) {
			continue
		}
		for i, d := range v.Type.Shape {
			p, q := o.Type.Shape[i].Param(), d.Param()
			if isSymbol(p) && isSymbol(q) && to[q] == "" && from[p] == "" {
				to[q], from[p] = p, q
			}
		}
	}
	for _, v := range all {
		shape := slices.Clone(v.Type.Shape)
		for i, d := range shape {
			if d.Param() == "" {
				continue
			}
			e := graph.Symbol(symbol.ReplaceAllStringFunc(d.Param(), func(q string) string {
				if p := to[q]; p != "" {
					return p
				}
				if from[q] != "" { // A calls another so
					return q + "'"
				}
				return q
			}))
			e.Denotation, e.Unknown = d.Denotation, d.Unknown
			shape[i] = e
		}
		v.Type.Shape = shape
	}
}

func isSymbol(s string) bool { return s != "" && symbol.FindString(s) == s }

// moves tells nodes that moved from such as were removed here and added there. A node of
// both models moved when it computes the same and has neither a producer nor a reader of
// before; one that has gone moved when there is a new one that computes the same: in
// another graph under its name or, where names do not count, anywhere.
func (d *differ) moves(structure bool) {
	for i, e := range d.entries {
		if e.Kind == NodeKind && e.Change == Changed && d.elsewhere(d.both[e.Name]) {
			d.entries[i].Change = Moved
		}
	}
	key := func(n located) string {
		k := d.content.content(n.node, true)
		if !structure {
			k += "\x00" + n.node.Label()
		}
		return k
	}
	gone := map[string][]located{}
	for _, n := range d.gone {
		gone[key(n)] = append(gone[key(n)], n)
	}
	drop := map[string]bool{}
	d.moved = map[string]located{}
	for _, n := range d.fresh {
		if list := gone[key(n)]; len(list) > 0 {
			d.moved[list[0].name] = n
			drop[n.name] = true
			gone[key(n)] = list[1:]
		}
	}
	var kept []Entry
	for _, e := range d.entries {
		n, moved := d.moved[e.Name]
		switch {
		case e.Kind == NodeKind && e.Change == Removed && moved:
			kept = append(kept, Entry{NodeKind, e.Name, Moved, e.A, cmp.Or(n.label(e.Name), signature(n.node))})
		case e.Kind == NodeKind && e.Change == Added && drop[e.Name]:
		default:
			kept = append(kept, e)
		}
	}
	d.entries = append([]Entry{}, kept...)
}

// label is the node with the name it has in B, "" where that is the one it has in A.
func (n located) label(inA string) string {
	if n.name == inA {
		return ""
	}
	return n.name + ": " + signature(n.node)
}

// elsewhere reports whether two nodes of one name compute the same, but from nothing and
// for nothing that is the same.
func (d *differ) elsewhere(p [2]*graph.Node) bool {
	x, y := p[0], p[1]
	if x == nil || d.content.content(x, true) != d.content.content(y, true) {
		return false
	}
	had := around(x)
	for k := range around(y) {
		if had[k] {
			return false
		}
	}
	return len(had) > 0
}

// around is what a node reads besides constants, and what reads it.
func around(n *graph.Node) map[string]bool {
	set := map[string]bool{}
	for _, v := range n.Inputs() {
		if v != nil && !isConst(v) {
			set["from "+v.Name()] = true
		}
	}
	for i, v := range n.Outputs() {
		if v == nil {
			continue
		}
		for k, o := range n.Graph().Outputs() {
			if o == v {
				set[fmt.Sprint("output ", k)] = true
			}
		}
		for _, u := range v.Uses() {
			set[fmt.Sprint("to ", i, u.Node.Label(), u.Index)] = true
		}
	}
	return set
}
