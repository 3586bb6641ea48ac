// Package annotations holds what a lowered file says of the spiking network that it was made
// of: one JSON document in the model's metadata. It names the spiking operators, the values
// of the file that they stand between, and the numbers that the file states in another way,
// so that raise-forms can put the operators back.
package annotations

import (
	"bytes"
	"encoding/json"
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Version is that of the document.
const Version = 1

// A Document states a spiking network.
type Document struct {
	Version int    `json:"version"`
	Form    string `json:"form"`  // of the file
	Opset   int64  `json:"opset"` // of the spiking domain
	Nodes   []Node `json:"nodes"` // the spiking operators, in order of evaluation
	// Layers are the standard nodes that the form has taken apart, or wired otherwise, and
	// those that spiking operators read.
	Layers  []Layer  `json:"layers,omitempty"`
	Tensors []Tensor `json:"tensors,omitempty"` // initializers that the file lacks, and those of the spiking operators
}

// Node is a spiking operator. Omitted inputs and outputs are empty names.
type Node struct {
	Name    string   `json:"name,omitempty"`
	Op      string   `json:"op"`
	Inputs  []string `json:"inputs"`
	Outputs []string `json:"outputs"`
	// Kept are the outputs that are values of the file.
	Kept     []string    `json:"kept,omitempty"`
	Attrs    []Attr      `json:"attributes,omitempty"`
	Origin   string      `json:"origin,omitempty"`
	Pass     string      `json:"pass,omitempty"`
	Region   string      `json:"region,omitempty"`
	Doc      string      `json:"doc,omitempty"`
	Metadata [][2]string `json:"metadata,omitempty"`
}

// Attr is an attribute of one of the types that spiking operators have.
type Attr struct {
	Name   string   `json:"name"`
	Int    *int64   `json:"int,omitempty"`
	Float  *float32 `json:"float,omitempty"`
	Ints   []int64  `json:"ints,omitempty"`
	String *string  `json:"string,omitempty"`
}

// Layer is a standard node. Value is an output of the node in the file that has its operator,
// attributes and weights, and Copy that node's name; where Value is empty, the node itself
// stands in the file. A Spare one, which a spiking operator reads, is in the file as it was, and
// counts where another tool has made something else of its output.
type Layer struct {
	Name    string   `json:"name,omitempty"`
	Value   string   `json:"value,omitempty"`
	Copy    string   `json:"copy,omitempty"`
	Inputs  []string `json:"inputs"`
	Outputs []string `json:"outputs"`
	Kept    []string `json:"kept,omitempty"`
	Spare   bool     `json:"spare,omitempty"`
}

// Tensor is an initializer. Data are its elements as they lie in a file. Where From is
// set, that initializer of the file states them too: as the products with Factor, or with the
// initializer Over, or as whole multiples of what Grid says. A Spare one counts where
// the file has nothing of its name: another tool has computed what follows from it.
type Tensor struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Dims   []int64  `json:"dims"`
	Data   []byte   `json:"data,omitempty"`
	From   string   `json:"from,omitempty"`
	Factor *float32 `json:"factor,omitempty"`
	Over   string   `json:"over,omitempty"`
	Grid   *Grid    `json:"grid,omitempty"`
	Spare  bool     `json:"spare,omitempty"`
}

// Grid is what the weights of a convolution are multiples of: Scales by output channel,
// divided by Amplitudes by input channel. Those at the places Odd, which are near to a multiple,
// are in the tensor's Data, unless the file has changed.
type Grid struct {
	Layer      string    `json:"layer"` // an output of the convolution
	Scales     []float64 `json:"scales"`
	Amplitudes []float32 `json:"amplitudes"`
	Odd        []int     `json:"odd,omitempty"`
}

// Put writes the document into a model's metadata.
func (d *Document) Put(m *graph.Model) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("metadata %q: %w", graph.MetaNeurons, err)
	}
	m.Metadata.Set(graph.MetaNeurons, string(bytes.TrimSpace(b.Bytes())))
	return nil
}

// Of reads the document of a model; nil where there is none.
func Of(m *graph.Model) (*Document, error) {
	text, ok := m.Metadata.Get(graph.MetaNeurons)
	if !ok {
		return nil, nil
	}
	d := &Document{}
	if err := json.Unmarshal([]byte(text), d); err != nil {
		return nil, fmt.Errorf("metadata %q: %w", graph.MetaNeurons, err)
	}
	if d.Version != Version {
		return nil, fmt.Errorf("metadata %q are of version %d, want %d: the file is of another version of this program", graph.MetaNeurons, d.Version, Version)
	}
	if d.Opset < 1 || d.Opset > op.NewestSpiking {
		return nil, fmt.Errorf("metadata %q state version %d of the domain %s, want 1 to %d", graph.MetaNeurons, d.Opset, graph.Spiking, op.NewestSpiking)
	}
	return d, nil
}

// attrsOf is a node's attributes; those of other types no spiking operator has.
func attrsOf(n *graph.Node) []Attr {
	var list []Attr
	for _, a := range n.Attrs {
		to := Attr{Name: a.Name}
		switch x := a.Value.(type) {
		case graph.Int:
			i := int64(x)
			to.Int = &i
		case graph.Float:
			f := float32(x)
			to.Float = &f
		case graph.Ints:
			to.Ints = x
		case graph.String:
			s := string(x)
			to.String = &s
		default:
			continue
		}
		list = append(list, to)
	}
	return list
}

// Attributes is the attributes of the operator.
func (n *Node) Attributes() graph.Attrs {
	var list graph.Attrs
	for _, a := range n.Attrs {
		to := graph.NamedAttr{Name: a.Name}
		switch {
		case a.Int != nil:
			to.Value = graph.Int(*a.Int)
		case a.Float != nil:
			to.Value = graph.Float(*a.Float)
		case a.String != nil:
			to.Value = graph.String(*a.String)
		default:
			to.Value = graph.Ints(a.Ints)
		}
		list = append(list, to)
	}
	return list
}
