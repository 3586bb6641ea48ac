package onnxio

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// binder gives the values of a graph their declared types.
type binder struct {
	d     *decoder
	g     *graph.Graph
	bound map[*graph.Value]bool // values that have their declaration
}

func (b *binder) inputs(list []*onnxpb.ValueInfoProto) error {
	for _, p := range list {
		if err := fresh(b.g, p.GetName()); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		v := b.g.AddInput(p.GetName(), graph.Type{})
		if err := b.bind(v, p); err != nil {
			return fmt.Errorf("input %q: %w", p.GetName(), err)
		}
	}
	return nil
}

func (b *binder) outputs(list []*onnxpb.ValueInfoProto) error {
	for _, p := range list {
		v := b.g.Value(p.GetName())
		if v == nil && b.g.Resolve(p.GetName()) != nil {
			return fmt.Errorf("output %q of subgraph %q is a value from outside of it, "+
				"want one of its own: put an Identity between", p.GetName(), b.g.Name)
		}
		if v == nil {
			return fmt.Errorf("output %q is not defined anywhere", p.GetName())
		}
		b.g.AddOutput(v)
		same, err := b.bindOnce(v, p)
		if err != nil {
			return fmt.Errorf("output %q: %w", p.GetName(), err)
		}
		if !same {
			b.d.warn(fmt.Errorf("output %q declares a type that differs from the one it has "+
				"as an input; that one holds", p.GetName()))
		}
	}
	return nil
}

// declareAll handles value_info entries. It appends those that the IR has no
// place for to unknown as field n.
func (b *binder) declareAll(list []*onnxpb.ValueInfoProto, unknown []byte, n protowire.Number) (
	[]byte, error,
) {
	for _, p := range list {
		dangling, err := b.declare(p)
		if err != nil {
			return nil, err
		}
		if !dangling {
			continue
		}
		content, err := marshal(p)
		if err != nil {
			return nil, err
		}
		unknown = field(unknown, n, content)
	}
	return unknown, nil
}

// declare handles a value_info entry. It reports an entry that the IR has no
// place for: of an unknown value, or a repeated one.
func (b *binder) declare(p *onnxpb.ValueInfoProto) (dangling bool, err error) {
	v := b.g.Value(p.GetName())
	if v == nil || b.bound[v] || contradicts(v, p) {
		return true, nil
	}
	if err := b.bind(v, p); err != nil {
		return false, fmt.Errorf("value_info of %q: %w", p.GetName(), err)
	}
	b.g.Declare(v)
	return false, nil
}

// contradicts reports whether p gives an initializer an element type or
// dimensions that it has not; its contents are right then.
func contradicts(v *graph.Value, p *onnxpb.ValueInfoProto) bool {
	if v.Const == nil {
		return false
	}
	t, err := decodeType(p.Type, 0)
	return err != nil || mismatch(t, v.Const) != nil
}

// bindOnce binds v; if that was done before it reports whether p says the same.
func (b *binder) bindOnce(v *graph.Value, p *onnxpb.ValueInfoProto) (same bool, err error) {
	if !b.bound[v] {
		return true, b.bind(v, p)
	}
	q, err := valueInfo(v)
	return err == nil && proto.Equal(p, q), err
}

func (b *binder) bind(v *graph.Value, p *onnxpb.ValueInfoProto) error {
	b.bound[v] = true
	t, err := decodeType(p.Type, 0)
	if err != nil {
		return err
	}
	v.Type = t
	v.Doc = p.GetDocString()
	v.Metadata = metadata(p.MetadataProps)
	if v.Unknown, err = valueFields.rest(p); err != nil {
		return err
	}
	if p.Type != nil && noType(t) {
		v.Unknown = field(v.Unknown, 2, nil)
	}
	return nil
}

func checkConstants(g *graph.Graph) error {
	for _, v := range g.Initializers() {
		if v.Const == nil {
			continue
		}
		if err := mismatch(v.Type, v.Const); err != nil {
			return fmt.Errorf("initializer %q %w", v.Name(), err)
		}
	}
	return nil
}

func mismatch(t graph.Type, c *graph.Tensor) error {
	if t.Kind == graph.NoType {
		return nil
	}
	if t.Kind != graph.TensorType || t.Elem != c.DType {
		return fmt.Errorf("holds %v but is declared %v", c.DType, t)
	}
	if dims, ok := t.Shape.Sizes(); ok && !slices.Equal(dims, c.Dims) {
		return fmt.Errorf("has dimensions %v but is declared %v", c.Dims, t)
	}
	return nil
}
