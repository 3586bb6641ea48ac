package graph

import (
	"iter"
	"slices"
)

// Op identifies an operator. The domain of the standard operators is "".
type Op struct{ Domain, Type string }

// String is the operator as the textual syntax writes it.
func (o Op) String() string {
	if o.Domain == "" {
		return o.Type
	}
	return o.Domain + "." + o.Type
}

// Spiking is the domain of the operators that state neurons.
const Spiking = "ai.spikingir"

// Region tells which part of a converted model a node belongs to.
type Region uint8

// The regions of docs/design.md, Regions. Unassigned is the region of every node
// of a model that was not split.
const (
	Unassigned    Region = iota
	AnalogPre            // before the first neuron: runs once, on analog values
	SpikingRegion        // between encoding and readout: runs at every timestep
	AnalogPost           // after the readout: runs once, on analog values
)

var regionNames = [...]string{"", "analog-pre", "spiking", "analog-post"}

func (r Region) String() string { return regionNames[r] }

// ParseRegion is the inverse of [Region.String].
func ParseRegion(s string) (Region, bool) {
	i := slices.Index(regionNames[:], s)
	return Region(max(i, 0)), i >= 0
}

// Origin says where a node comes from: the node of the imported model that it
// descends from, and the pass that made it. Both are empty on an imported node.
type Origin struct{ Node, Pass string }

// Node is one operator applied to values. It owns its outputs for life.
type Node struct {
	Name     string
	Attrs    Attrs
	Overload string // selects one of several functions of the same name
	Doc      string
	Metadata Metadata
	From     Origin
	Region   Region
	Unknown  []byte // wire bytes of fields not modelled

	op      Op
	graph   *Graph
	inputs  []*Value // nil: an omitted optional input
	outputs []*Value // nil: an omitted optional output
}

// Op is the node's operator; it never changes.
func (n *Node) Op() Op { return n.op }

// SetOp makes n a node of another operator, which takes the same inputs, outputs and
// attributes.
func (n *Node) SetOp(o Op) { n.op = o }

// Is reports whether n applies the standard operator typ.
func (n *Node) Is(typ string) bool { return n.op == Op{Type: typ} }

// IsSpiking reports whether n applies the operator typ of domain [Spiking].
func (n *Node) IsSpiking(typ string) bool { return n.op == Op{Spiking, typ} }

// Graph is the graph that holds n; nil once n was removed.
func (n *Node) Graph() *Graph { return n.graph }

// NumInputs counts the inputs, omitted ones between others included.
func (n *Node) NumInputs() int { return len(n.inputs) }

// Input is input i, nil when it is omitted or past the end.
func (n *Node) Input(i int) *Value {
	if i < len(n.inputs) {
		return n.inputs[i]
	}
	return nil
}

// Inputs is a snapshot of the inputs.
func (n *Node) Inputs() []*Value { return slices.Clone(n.inputs) }

// NumOutputs counts the outputs, omitted ones between others included.
func (n *Node) NumOutputs() int { return len(n.outputs) }

// Output is output i, nil when it is omitted or past the end.
func (n *Node) Output(i int) *Value {
	if i < len(n.outputs) {
		return n.outputs[i]
	}
	return nil
}

// Outputs is a snapshot of the outputs.
func (n *Node) Outputs() []*Value { return slices.Clone(n.outputs) }

// SetInput makes v (nil: omitted) input i, adding omitted inputs up to i.
func (n *Node) SetInput(i int, v *Value) {
	if v != nil {
		n.graph.mustSee(v)
	}
	for len(n.inputs) <= i {
		n.inputs = append(n.inputs, nil)
	}
	if old := n.inputs[i]; old != nil {
		old.dropUse(n, i)
	}
	n.inputs[i] = v
	if v != nil {
		v.addUse(n, i)
	}
}

// TruncateInputs drops the inputs from k on.
func (n *Node) TruncateInputs(k int) {
	for i := k; i < len(n.inputs); i++ {
		n.SetInput(i, nil)
	}
	n.inputs = n.inputs[:min(k, len(n.inputs))]
}

// Arity counts inputs and outputs without the omitted ones at the end: some exporters
// write optional outputs that nothing needs as empty names.
func (n *Node) Arity() (in, out int) { return arity(n.inputs), arity(n.outputs) }

func arity(vs []*Value) int {
	for len(vs) > 0 && vs[len(vs)-1] == nil {
		vs = vs[:len(vs)-1]
	}
	return len(vs)
}

// TrimOutputs drops the omitted outputs at the end.
func (n *Node) TrimOutputs() { n.outputs = n.outputs[:arity(n.outputs)] }

// Subgraphs is the graphs among the node's attributes, in order.
func (n *Node) Subgraphs() []*Graph {
	var gs []*Graph
	for _, a := range n.Attrs {
		switch x := a.Value.(type) {
		case *Graph:
			gs = append(gs, x)
		case Graphs:
			gs = append(gs, x...)
		}
	}
	return gs
}

// Within iterates over n and the nodes of its subgraphs, outer ones first.
func (n *Node) Within() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.within(yield) }
}

func (n *Node) within(yield func(*Node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, sub := range n.Subgraphs() {
		for m := range sub.Nodes() {
			if !m.within(yield) {
				return false
			}
		}
	}
	return true
}

// Label names n for messages: its own name, or its first output's.
func (n *Node) Label() string {
	if n.Name != "" {
		return n.Name
	}
	for _, v := range n.outputs {
		if v != nil {
			return v.name
		}
	}
	return n.op.String()
}

// OriginLabel names the node of the imported model that n descends from.
func (n *Node) OriginLabel() string {
	if n.From.Node != "" {
		return n.From.Node
	}
	return n.Label()
}
