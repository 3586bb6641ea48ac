package onnxgo

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	onnx "github.com/owulveryck/onnx-go"
	"gorgonia.org/tensor"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// ErrUnsupported is wrapped by errors about models that are valid, but hold
// something that onnx-go cannot carry.
var ErrUnsupported = errors.New("onnx-go cannot carry this model")

// Read decodes a model with onnx-go. The model's Source has the hash of data
// only.
func Read(data []byte) (*graph.Model, error) {
	header, err := readHeader(data)
	if err != nil {
		return nil, err
	}
	b := newBackend()
	if err := decode(b, data); err != nil {
		return nil, err
	}
	m := &graph.Model{
		IRVersion:       header.GetIrVersion(),
		ProducerName:    header.GetProducerName(),
		ProducerVersion: header.GetProducerVersion(),
		Source:          &graph.Source{SHA256: sha256.Sum256(data)},
	}
	for _, o := range header.OpsetImport {
		m.Opsets = append(m.Opsets, graph.Opset{Domain: o.GetDomain(), Version: o.GetVersion()})
	}
	c := &builder{
		g: graph.New(header.Graph.GetName(), nil), data: map[string]tensor.Tensor{},
		pending: map[*graph.Value]bool{},
	}
	for _, n := range b.nodes {
		if n.data != nil && n.name != "" {
			c.data[n.name] = n.data
		}
	}
	m.Graph = c.g
	return m, c.build(header.Graph, b.ops)
}

func decode(b *backend, data []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: it panicked: %v", ErrUnsupported, r)
		}
	}()
	if err := onnx.NewModel(b).UnmarshalBinary(data); err != nil {
		return fmt.Errorf("onnx-go: %w", err)
	}
	return nil
}

// builder makes a graph from what the backend recorded. Values are joined by
// name: onnx-go makes a second node for a value that is declared twice.
type builder struct {
	g        *graph.Graph
	data     map[string]tensor.Tensor
	pending  map[*graph.Value]bool // outputs of operators that come later
	unsorted bool
}

func (c *builder) build(p *onnxpb.GraphProto, ops []operation) error {
	constant := map[string]bool{}
	for _, t := range p.Initializer {
		constant[t.GetName()] = true
	}
	for _, v := range p.Input {
		if constant[v.GetName()] {
			continue
		}
		if v.GetName() == "" || c.g.Value(v.GetName()) != nil {
			return fmt.Errorf("input %q is defined twice or has no name", v.GetName())
		}
		c.g.AddInput(v.GetName(), typeOf(v))
	}
	if err := c.constants(p); err != nil {
		return err
	}
	if len(ops) != len(p.Node) {
		return fmt.Errorf("%w: it gives %d operators of %d", ErrUnsupported, len(ops), len(p.Node))
	}
	for i, n := range p.Node {
		if len(n.Input) == 0 {
			ops[i].inputs = nil // onnx-go invents an input for an operator without
		}
	}
	if err := c.operations(ops); err != nil {
		return err
	}
	for _, v := range p.Output {
		w := c.g.Value(v.GetName())
		if w == nil {
			return fmt.Errorf("output %q is not defined", v.GetName())
		}
		if !w.IsInput() && !w.IsInitializer() {
			w.Type = typeOf(v)
		}
		c.g.AddOutput(w)
	}
	if c.unsorted {
		return c.g.Sort()
	}
	return nil
}

// constants takes the contents from onnx-go and only the order from the file.
func (c *builder) constants(p *onnxpb.GraphProto) error {
	for _, t := range p.Initializer {
		name := t.GetName()
		if name == "" || c.g.Value(name) != nil {
			return fmt.Errorf("initializer %q is defined twice or has no name", name)
		}
		x := c.data[name]
		if x == nil {
			return fmt.Errorf("%w: it gives initializer %q no contents", ErrUnsupported, name)
		}
		u, err := convert(x)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", name, err)
		}
		c.g.AddInitializer(name, u)
	}
	return nil
}

func (c *builder) operations(ops []operation) error {
	for _, o := range ops {
		for _, v := range o.outputs {
			if v.name == "" {
				continue
			}
			w, err := c.g.NewValue(v.name)
			if err != nil {
				return fmt.Errorf("operator %s: %w", o.typ, err)
			}
			c.pending[w] = true
		}
	}
	for _, o := range ops {
		if err := c.operation(o); err != nil {
			return fmt.Errorf("operator %s that makes %q: %w", o.typ, o.outputs[0].name, err)
		}
	}
	return nil
}

func (c *builder) operation(o operation) error {
	inputs := make([]*graph.Value, len(o.inputs))
	for i, v := range o.inputs {
		if v == nil {
			return fmt.Errorf("input %d is missing", i)
		}
		if v.name == "" {
			continue
		}
		w := c.g.Value(v.name)
		if w == nil {
			return fmt.Errorf("input %d, %q, is not defined anywhere", i, v.name)
		}
		c.unsorted = c.unsorted || c.pending[w]
		inputs[i] = w
	}
	var attrs graph.Attrs
	for _, name := range slices.Sorted(maps.Keys(o.attrs)) {
		value, err := attribute(o.attrs[name])
		if err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
		attrs = append(attrs, graph.NamedAttr{Name: name, Value: value})
	}
	outputs := make([]string, len(o.outputs))
	for i, v := range o.outputs {
		outputs[i] = v.name
		delete(c.pending, c.g.Value(v.name))
	}
	c.g.AddNode(graph.Op{Type: o.typ}, attrs, inputs, outputs...)
	return nil
}

func attribute(x any) (graph.Attr, error) {
	switch x := x.(type) {
	case float32:
		return graph.Float(x), nil
	case int64:
		return graph.Int(x), nil
	case string:
		return graph.String(x), nil
	case []float32:
		return graph.Floats(x), nil
	case []int64:
		return graph.Ints(x), nil
	case []string:
		return graph.Strings(x), nil
	case tensor.Tensor:
		return convert(x)
	}
	return nil, fmt.Errorf("%w: it gives the value as %T", ErrUnsupported, x)
}
