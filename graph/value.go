package graph

import "slices"

// Value is one tensor-carrying edge: a graph input, an initializer, or one
// output of exactly one Node. A value may be an input and an initializer at
// once (the default value of an input, ONNX IR version 3 and before).
type Value struct {
	Type     Type          // element type and shape; zero when unknown
	Const    *Tensor       // contents of an initializer, else nil
	Sparse   *SparseTensor // contents of a sparse initializer, else nil
	Doc      string
	Metadata Metadata
	Unknown  []byte // wire bytes of fields of its ValueInfo not modelled

	name     string
	graph    *Graph
	input    bool // among the inputs of graph
	declared bool // among its values with a declared type
	outs     int  // how often it is among its outputs
	def      *Node
	index    int // among the outputs of def
	uses     sequence[Use]
}

// Use is one place where a Value is an input.
type Use struct {
	Node  *Node
	Index int
}

// Name is the value's name, unique in its graph and the graphs around it.
func (v *Value) Name() string { return v.name }

// Graph is the graph that holds the value; nil once it was removed.
func (v *Value) Graph() *Graph { return v.graph }

// Producer is the node whose output the value is; nil for graph inputs and
// initializers.
func (v *Value) Producer() *Node { return v.def }

// Index is the value's place among its producer's outputs.
func (v *Value) Index() int { return v.index }

// Uses is a snapshot of the value's uses in order of creation. Uses by nodes
// of subgraphs are among them; being a graph output is not.
func (v *Value) Uses() []Use { return slices.Clone(v.uses.all()) }

// NumUses is the number of uses.
func (v *Value) NumUses() int { return v.uses.len() }

// IsInput reports whether v is an input of its graph.
func (v *Value) IsInput() bool { return v.input }

// IsOutput reports whether v is an output of its graph.
func (v *Value) IsOutput() bool { return v.graph != nil && v.outs > 0 }

// IsDeclared reports whether v's type is written to the file (see [Graph.Declare]).
func (v *Value) IsDeclared() bool { return v.declared }

// IsInitializer reports whether v has constant contents held by its graph.
func (v *Value) IsInitializer() bool { return v.Const != nil || v.Sparse != nil }

// IsConstant reports whether v is an initializer that no caller can override,
// that is, not an input at the same time.
func (v *Value) IsConstant() bool { return v.IsInitializer() && !v.IsInput() }

func (v *Value) addUse(n *Node, i int) { v.uses.add(Use{n, i}) }

func (v *Value) dropUse(n *Node, i int) {
	if !v.uses.remove(Use{n, i}) {
		panic("graph: use of " + v.name + " by node " + n.Name + " is not recorded")
	}
}
