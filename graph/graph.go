package graph

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Graph is a list of nodes in evaluation order over named values.
type Graph struct {
	Name     string
	Doc      string
	Metadata Metadata
	Unknown  []byte // wire bytes of fields not modelled

	outer   *Graph // the graph around this one, whose values it may use
	inputs  sequence[*Value]
	outputs []*Value
	inits   sequence[*Value]
	infos   sequence[*Value] // values with a declared type (value_info), in file order
	nodes   sequence[*Node]
	byName  map[string]*Value
	subs    []*Graph       // made as subgraphs of this one; some may have been removed
	numbers map[string]int // by base, a number below which FreshName found all taken
}

// New makes an empty graph. A subgraph names the graph around it, whose values
// its nodes may use; a model's or function's graph gives nil.
func New(name string, outer *Graph) *Graph {
	g := &Graph{Name: name, outer: outer, byName: map[string]*Value{}}
	if outer != nil {
		outer.subs = append(outer.subs, g)
	}
	return g
}

// Outer is the graph around a subgraph, nil for the others.
func (g *Graph) Outer() *Graph { return g.outer }

// Inputs is a snapshot of the graph's inputs.
func (g *Graph) Inputs() []*Value { return slices.Clone(g.inputs.all()) }

// Outputs is a snapshot of the graph's outputs.
func (g *Graph) Outputs() []*Value { return slices.Clone(g.outputs) }

// Initializers is a snapshot of the graph's initializers.
func (g *Graph) Initializers() []*Value { return slices.Clone(g.inits.all()) }

// Declared is a snapshot of the values with a value_info entry.
func (g *Graph) Declared() []*Value { return slices.Clone(g.infos.all()) }

// NumNodes counts the nodes.
func (g *Graph) NumNodes() int { return g.nodes.len() }

// Nodes iterates over a snapshot of the nodes in evaluation order; it skips
// nodes that were removed meanwhile.
func (g *Graph) Nodes() iter.Seq[*Node] {
	nodes := slices.Clone(g.nodes.all())
	return func(yield func(*Node) bool) {
		for _, n := range nodes {
			if n.graph == g && !yield(n) {
				return
			}
		}
	}
}

// Values is a snapshot of the graph's values: inputs, initializers, nodes' outputs.
func (g *Graph) Values() []*Value {
	list := append(g.Inputs(), slices.DeleteFunc(g.Initializers(), (*Value).IsInput)...)
	for _, n := range g.nodes.all() {
		for _, v := range n.outputs {
			if v != nil {
				list = append(list, v)
			}
		}
	}
	return list
}

// Value finds a value of this graph by name.
func (g *Graph) Value(name string) *Value { return g.byName[name] }

// Resolve finds a value by name in this graph or the nearest one around it.
func (g *Graph) Resolve(name string) *Value {
	for ; g != nil; g = g.outer {
		if v := g.byName[name]; v != nil {
			return v
		}
	}
	return nil
}

// FreshName is base, or base with a number appended that makes it differ from every
// name in sight: the smallest, as far as the names of this graph and its subgraphs go.
func (g *Graph) FreshName(base string) string {
	if name := base; name != "" && !g.taken(name) {
		return name
	}
	for i := max(1, g.numbers[base]); ; i++ {
		if name := base + "_" + strconv.Itoa(i); !g.taken(name) {
			if g.numbers == nil {
				g.numbers = map[string]int{}
			}
			g.numbers[base] = i
			return name
		}
	}
}

// taken reports whether a value in sight of g, or of a subgraph, has the name.
func (g *Graph) taken(name string) bool { return g.Resolve(name) != nil || g.hides(name) }

// hides reports whether a subgraph of g has a value called name, which one of
// g would shadow.
func (g *Graph) hides(name string) bool {
	for _, sub := range g.subs {
		if sub.byName[name] != nil || sub.hides(name) {
			return true
		}
	}
	return false
}

// release makes the name of a value free again, in g and the graphs around it, whose
// names count from the smallest free number.
func (g *Graph) release(name string) {
	delete(g.byName, name)
	cut := strings.LastIndexByte(name, '_')
	if cut < 0 {
		return
	}
	k, err := strconv.Atoi(name[cut+1:])
	if err != nil {
		return
	}
	for ; g != nil; g = g.outer {
		if base := name[:cut]; k < g.numbers[base] {
			g.numbers[base] = k
		}
	}
}

// NodeNames is the names of a graph's nodes, for who names many.
type NodeNames struct {
	taken   map[string]bool
	numbers map[string]int // by base, a number below which all are taken
}

// NodeNames is the names that the nodes have now.
func (g *Graph) NodeNames() *NodeNames {
	x := &NodeNames{taken: make(map[string]bool, g.nodes.len()), numbers: map[string]int{}}
	for _, n := range g.nodes.all() {
		x.taken[n.Name] = true
	}
	return x
}

// Fresh is base, or base with the smallest number, unlike every name known and given so
// far.
func (x *NodeNames) Fresh(base string) string {
	name := base
	for i := max(1, x.numbers[base]); x.taken[name]; i++ {
		name = base + "_" + strconv.Itoa(i)
		x.numbers[base] = i
	}
	x.taken[name] = true
	return name
}

// FreshNodeName is base, or base with the smallest number, unlike every node's name.
func (g *Graph) FreshNodeName(base string) string { return g.NodeNames().Fresh(base) }

// NewValue makes a value that nothing produces yet; it serves the reader, for
// names that are used before they are defined. Check refuses it if it stays.
func (g *Graph) NewValue(name string) (*Value, error) {
	if name == "" {
		return nil, fmt.Errorf("a value without a name")
	}
	if g.byName[name] != nil {
		return nil, fmt.Errorf("two values are called %q", name)
	}
	v := &Value{name: name, graph: g}
	g.byName[name] = v
	return v, nil
}

func (g *Graph) mustValue(name string) *Value {
	v, err := g.NewValue(name)
	if err != nil {
		panic("graph: " + err.Error())
	}
	return v
}

// AddInput appends an input; the name must be new.
func (g *Graph) AddInput(name string, t Type) *Value {
	v := g.mustValue(name)
	v.Type, v.input = t, true
	g.inputs.add(v)
	return v
}

// AddInitializer appends a constant; the name must be new. Its type is the
// tensor's.
func (g *Graph) AddInitializer(name string, t *Tensor) *Value {
	v := g.mustValue(name)
	v.Type = TensorOf(t.DType, ShapeOf(t.Dims...))
	v.Const = t
	g.inits.add(v)
	return v
}

// RemoveInput takes v off the graph's inputs. An initializer stays, as a
// constant that no caller can override; any other value must be unused and
// disappears.
func (g *Graph) RemoveInput(v *Value) error {
	if v.graph != g || !v.input {
		return fmt.Errorf("%q is not an input of graph %q", v.name, g.Name)
	}
	if err := g.drop(v, "input", v.IsInitializer()); err != nil {
		return err
	}
	g.inputs.remove(v)
	v.input = false
	return nil
}

// SetInitializer gives a value without producer constant contents, dense or
// sparse: an input becomes overridable, a fresh value an initializer. The type
// of v stays as it is.
func (g *Graph) SetInitializer(v *Value, t *Tensor, sparse *SparseTensor) {
	if v.graph != g || v.def != nil || (t == nil) == (sparse == nil) {
		panic("graph: " + v.name + " cannot be an initializer here")
	}
	if !v.IsInitializer() {
		g.inits.add(v)
	}
	v.Const, v.Sparse = t, sparse
}

// RemoveInitializer takes the constant contents of v away; unless v is an
// input too, it must be unused and disappears.
func (g *Graph) RemoveInitializer(v *Value) error {
	if v.graph != g || !v.IsInitializer() {
		return fmt.Errorf("%q is not an initializer of graph %q", v.name, g.Name)
	}
	if err := g.drop(v, "initializer", v.IsInput()); err != nil {
		return err
	}
	g.inits.remove(v)
	v.Const, v.Sparse = nil, nil
	return nil
}

// AddOutput appends v, a value of this graph, to the graph's outputs.
func (g *Graph) AddOutput(v *Value) {
	if v.graph != g {
		panic("graph: output " + v.name + " belongs to another graph")
	}
	g.outputs = append(g.outputs, v)
	v.outs++
}

// SetOutput makes v output i of the graph.
func (g *Graph) SetOutput(i int, v *Value) {
	if v.graph != g {
		panic("graph: output " + v.name + " belongs to another graph")
	}
	g.outputs[i].outs--
	g.outputs[i] = v
	v.outs++
}

// Declare records that v's type is written to the file (value_info). Inputs
// and outputs of the graph carry their type anyway and are left out.
func (g *Graph) Declare(v *Value) {
	if v.graph == g && !v.declared {
		v.declared = true
		g.infos.add(v)
	}
}

// Undeclare drops all recorded value_info of values between nodes.
func (g *Graph) Undeclare() {
	for _, v := range g.infos.all() {
		v.declared = false
	}
	g.infos = sequence[*Value]{}
}

// AddNode appends a node with fresh outputs. An empty output name omits that
// output; the others must be new.
func (g *Graph) AddNode(op Op, attrs Attrs, inputs []*Value, outputs ...string) *Node {
	n := g.node(op, attrs, inputs, outputs)
	g.nodes.add(n)
	return n
}

// InsertBefore is AddNode with a place: right before mark.
func (g *Graph) InsertBefore(mark *Node, op Op, attrs Attrs, inputs []*Value, outputs ...string) *Node {
	if mark.graph != g {
		panic("graph: InsertBefore a node of another graph")
	}
	n := g.node(op, attrs, inputs, outputs)
	g.nodes.insert(mark, n)
	return n
}

// node makes a node of g that stands in no list yet.
func (g *Graph) node(op Op, attrs Attrs, inputs []*Value, outputs []string) *Node {
	for _, v := range inputs {
		if v != nil {
			g.mustSee(v)
		}
	}
	n := &Node{op: op, Attrs: attrs, graph: g}
	for i, name := range outputs {
		var v *Value
		if name != "" {
			v = g.byName[name]
			if v == nil || v.def != nil || !v.isLoose() {
				v = g.mustValue(name)
			}
			v.def, v.index = n, i
		}
		n.outputs = append(n.outputs, v)
	}
	for i, v := range inputs {
		n.inputs = append(n.inputs, v)
		if v != nil {
			v.addUse(n, i)
		}
	}
	return n
}

// isLoose reports whether nothing defines v yet (see NewValue).
func (v *Value) isLoose() bool {
	return v.def == nil && !v.IsInput() && !v.IsInitializer()
}

// sees reports whether nodes of g may use v: it belongs to g or a graph around g.
func (g *Graph) sees(v *Value) bool {
	for h := g; h != nil; h = h.outer {
		if v.graph == h {
			return true
		}
	}
	return false
}

// mustSee panics unless nodes of g may use v.
func (g *Graph) mustSee(v *Value) {
	if g == nil {
		panic("graph: " + v.name + " cannot be an input of a removed node")
	}
	if !g.sees(v) {
		panic("graph: " + v.name + " is not visible in graph " + g.Name)
	}
}

// drop forgets v, which must be unused, unless it stays as something else.
func (g *Graph) drop(v *Value, what string, stays bool) error {
	if stays {
		return nil
	}
	if v.NumUses() > 0 || v.IsOutput() {
		return fmt.Errorf("%s %q is in use", what, v.name)
	}
	g.forget(v)
	return nil
}

func (g *Graph) forget(v *Value) {
	g.release(v.name)
	if v.declared {
		v.declared = false
		g.infos.remove(v)
	}
	v.graph = nil
}
