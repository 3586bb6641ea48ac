package onnxio

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

func (e *encoder) graph(g *graph.Graph) (*onnxpb.GraphProto, error) {
	p := &onnxpb.GraphProto{}
	defer e.form.holding(p)()
	if err := merge(g.Unknown, p); err != nil {
		return nil, fmt.Errorf("graph %q: %w", g.Name, err)
	}
	p.Name = nonzero(p.Name, g.Name)
	p.DocString = nonzero(p.DocString, g.Doc)
	p.MetadataProps = properties(g.Metadata)
	var err error
	if p.Node, err = e.nodes(g); err != nil {
		return nil, err
	}
	if err := e.initializers(g, p); err != nil {
		return nil, err
	}
	return p, declarations(g, p)
}

// declarations writes the types of inputs, outputs and declared values. An
// input or output among the declared ones is written once.
func declarations(g *graph.Graph, p *onnxpb.GraphProto) error {
	var err error
	if p.Input, err = each(g.Inputs(), p.Input, valueInfo); err != nil {
		return err
	}
	if p.Output, err = each(g.Outputs(), p.Output, valueInfo); err != nil {
		return err
	}
	dangling := p.ValueInfo
	p.ValueInfo = nil
	for _, v := range g.Declared() {
		if v.IsInput() || v.IsOutput() {
			continue
		}
		q, err := valueInfo(v)
		if err != nil {
			return err
		}
		p.ValueInfo = append(p.ValueInfo, q)
	}
	p.ValueInfo = append(p.ValueInfo, dangling...)
	return nil
}

func (e *encoder) initializers(g *graph.Graph, p *onnxpb.GraphProto) error {
	for _, v := range g.Initializers() {
		if v.Sparse != nil {
			q, err := e.sparse(v.Sparse)
			if err != nil {
				return fmt.Errorf("initializer %q: %w", v.Name(), err)
			}
			q.Values.Name = proto.String(v.Name())
			p.SparseInitializer = append(p.SparseInitializer, q)
			continue
		}
		q, err := e.tensor(v.Const)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", v.Name(), err)
		}
		q.Name = proto.String(v.Name())
		p.Initializer = append(p.Initializer, q)
	}
	return nil
}

func valueInfo(v *graph.Value) (*onnxpb.ValueInfoProto, error) {
	p := &onnxpb.ValueInfoProto{}
	if err := merge(v.Unknown, p); err != nil {
		return nil, fmt.Errorf("value %q: %w", v.Name(), err)
	}
	p.Name = proto.String(v.Name())
	p.DocString = nonzero(p.DocString, v.Doc)
	p.MetadataProps = properties(v.Metadata)
	if noType(v.Type) {
		return p, nil
	}
	var err error
	if p.Type, err = encodeType(v.Type); err != nil {
		return nil, fmt.Errorf("type of value %q: %w", v.Name(), err)
	}
	return p, nil
}

func (e *encoder) nodes(g *graph.Graph) ([]*onnxpb.NodeProto, error) {
	list := make([]*onnxpb.NodeProto, 0, g.NumNodes())
	for n := range g.Nodes() {
		p, err := e.node(n)
		if err != nil {
			return nil, &nodeError{label: n.Label(), op: n.Op().String(), err: err}
		}
		list = append(list, p)
	}
	return list, nil
}

func (e *encoder) node(n *graph.Node) (*onnxpb.NodeProto, error) {
	p := &onnxpb.NodeProto{}
	defer e.form.holding(p)()
	if err := merge(n.Unknown, p); err != nil {
		return nil, err
	}
	p.Name = nonzero(p.Name, n.Name)
	p.OpType = nonzero(p.OpType, n.Op().Type)
	p.Domain = nonzero(p.Domain, n.Op().Domain)
	p.Overload = nonzero(p.Overload, n.Overload)
	p.DocString = nonzero(p.DocString, n.Doc)
	p.Input, p.Output = names(n.Inputs()), names(n.Outputs())
	p.MetadataProps = properties(withProvenance(n))
	var err error
	p.Attribute, err = e.attrs(n.Attrs)
	return p, err
}

// withProvenance is the node's metadata with our properties at the end.
func withProvenance(n *graph.Node) graph.Metadata {
	m := n.Metadata.Clone()
	for _, kv := range []graph.KV{
		{Key: graph.MetaOrigin, Value: n.From.Node},
		{Key: graph.MetaPass, Value: n.From.Pass},
		{Key: graph.MetaRegion, Value: n.Region.String()},
	} {
		if kv.Value != "" {
			m = append(m, kv)
		}
	}
	return m
}
