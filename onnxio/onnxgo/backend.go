package onnxgo

import (
	"errors"
	"fmt"
	"slices"

	onnx "github.com/owulveryck/onnx-go"
	gonum "gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/iterator"
	"gorgonia.org/tensor"
)

// valueNode is a value as onnx-go sees it: a node of its graph. It implements
// onnx.Namer and onnx.DataCarrier.
type valueNode struct {
	id   int64
	name string
	data tensor.Tensor // contents, or an empty tensor that states the type
}

func (n *valueNode) ID() int64                       { return n.id }
func (n *valueNode) SetName(name string)             { n.name = name }
func (n *valueNode) GetName() string                 { return n.name }
func (n *valueNode) SetTensor(t tensor.Tensor) error { n.data = t; return nil }
func (n *valueNode) GetTensor() tensor.Tensor        { return n.data }

// inputEdge leads from an output of an operator to one of its inputs. Its
// weight is the input's place. Unlike a simple graph's edges, several may join
// the same two nodes: Mul(x, x) has two.
type inputEdge struct {
	from, to gonum.Node
	weight   float64
}

func (e inputEdge) From() gonum.Node         { return e.from }
func (e inputEdge) To() gonum.Node           { return e.to }
func (e inputEdge) ReversedEdge() gonum.Edge { return inputEdge{e.to, e.from, e.weight} }
func (e inputEdge) Weight() float64          { return e.weight }

// operation is one operator as onnx-go reports it.
type operation struct {
	typ     string
	attrs   map[string]any
	inputs  []*valueNode
	outputs []*valueNode
}

// backend records what onnx-go decodes. It implements onnx.Backend.
type backend struct {
	nodes []*valueNode // by ID
	edges map[int64][]inputEdge
	ops   []operation
}

var _ onnx.Backend = (*backend)(nil)

func newBackend() *backend { return &backend{edges: map[int64][]inputEdge{}} }

// ApplyOperation records one operator. Its inputs are found on the edges from
// an output that has a name: the nameless ones are omitted outputs, which all
// operators share.
func (b *backend) ApplyOperation(op onnx.Operation, outputs ...gonum.Node) error {
	o := operation{typ: op.Name, attrs: op.Attributes}
	first := -1
	for i, n := range outputs {
		v, ok := n.(*valueNode)
		if !ok {
			return fmt.Errorf("output %d of %s is a %T", i, op.Name, n)
		}
		o.outputs = append(o.outputs, v)
		if first < 0 && v.name != "" {
			first = i
		}
	}
	if first < 0 {
		return fmt.Errorf("%w: operator %s has no output", ErrUnsupported, op.Name)
	}
	for _, e := range b.edges[o.outputs[first].id] {
		i := int(e.weight)
		for len(o.inputs) <= i {
			o.inputs = append(o.inputs, nil)
		}
		if o.inputs[i] != nil {
			return fmt.Errorf("value %q is defined twice", o.outputs[first].name)
		}
		v, ok := e.to.(*valueNode)
		if !ok {
			return fmt.Errorf("input %d of %s is a %T", i, op.Name, e.to)
		}
		o.inputs[i] = v
	}
	b.ops = append(b.ops, o)
	return nil
}

// NewNode makes a node with the next ID; AddNode brings it into the graph.
func (b *backend) NewNode() gonum.Node { return &valueNode{id: int64(len(b.nodes))} }

// AddNode adds the node that NewNode made last.
func (b *backend) AddNode(n gonum.Node) {
	if v, ok := n.(*valueNode); ok && v.id == int64(len(b.nodes)) {
		b.nodes = append(b.nodes, v)
		return
	}
	panic(errors.New("onnxgo: a node was added that NewNode did not make"))
}

// NewWeightedEdge makes an edge without adding it.
func (b *backend) NewWeightedEdge(from, to gonum.Node, weight float64) gonum.WeightedEdge {
	return inputEdge{from, to, weight}
}

// SetWeightedEdge adds an edge beside those there are.
func (b *backend) SetWeightedEdge(e gonum.WeightedEdge) {
	from := e.From().ID()
	b.edges[from] = append(b.edges[from], inputEdge{e.From(), e.To(), e.Weight()})
}

// Node gives the node with an ID, nil when there is none.
func (b *backend) Node(id int64) gonum.Node {
	if id < 0 || id >= int64(len(b.nodes)) {
		return nil
	}
	return b.nodes[id]
}

// Nodes iterates over all nodes in order of creation.
func (b *backend) Nodes() gonum.Nodes {
	list := make([]gonum.Node, len(b.nodes))
	for i, n := range b.nodes {
		list[i] = n
	}
	return iterator.NewOrderedNodes(list)
}

// From iterates over the inputs of the operator that makes the value.
func (b *backend) From(id int64) gonum.Nodes {
	var list []gonum.Node
	for _, e := range b.edges[id] {
		if !slices.Contains(list, e.to) {
			list = append(list, e.to)
		}
	}
	return iterator.NewOrderedNodes(list)
}

// To iterates over the outputs of the operators that the value is an input of.
func (b *backend) To(id int64) gonum.Nodes {
	var list []gonum.Node
	for _, n := range b.nodes {
		if b.HasEdgeFromTo(n.id, id) {
			list = append(list, n)
		}
	}
	return iterator.NewOrderedNodes(list)
}

// Edge gives the first edge between two nodes, nil when there is none.
func (b *backend) Edge(from, to int64) gonum.Edge {
	for _, e := range b.edges[from] {
		if e.to.ID() == to {
			return e
		}
	}
	return nil
}

// HasEdgeFromTo reports whether an edge leads from one node to the other.
func (b *backend) HasEdgeFromTo(from, to int64) bool { return b.Edge(from, to) != nil }

// HasEdgeBetween reports whether an edge joins two nodes.
func (b *backend) HasEdgeBetween(x, y int64) bool {
	return b.HasEdgeFromTo(x, y) || b.HasEdgeFromTo(y, x)
}
