package onnxio

import (
	"errors"
	"fmt"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

var (
	graphFields = fields{full: set(1, 5, 11, 12, 13, 15, 16), nonzero: set(2, 10)}
	nodeFields  = fields{full: set(1, 2, 5, 9), nonzero: set(3, 4, 6, 7, 8)}
)

func (d *decoder) graph(p *onnxpb.GraphProto, outer *graph.Graph) (*graph.Graph, error) {
	if d.depth++; d.depth > maxDepth {
		return nil, fmt.Errorf("subgraphs are nested deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	g := graph.New(p.GetName(), outer)
	g.Doc = p.GetDocString()
	g.Metadata = metadata(p.MetadataProps)
	var err error
	if g.Unknown, err = graphFields.rest(p); err != nil {
		return nil, err
	}
	b := &binder{d: d, g: g, bound: map[*graph.Value]bool{}}
	if err := b.inputs(p.Input); err != nil {
		return nil, err
	}
	if err := d.initializers(g, p); err != nil {
		return nil, err
	}
	if err := d.nodes(g, p.Node); err != nil {
		return nil, err
	}
	if err := b.outputs(p.Output); err != nil {
		return nil, err
	}
	if g.Unknown, err = b.declareAll(p.ValueInfo, g.Unknown, 13); err != nil {
		return nil, err
	}
	return g, checkConstants(g)
}

// fresh checks that name can be given to a new value of g.
func fresh(g *graph.Graph, name string) error {
	if name == "" {
		return errors.New("a value has no name")
	}
	v := g.Resolve(name)
	switch {
	case v == nil:
		return nil
	case v.Graph() != g:
		return fmt.Errorf("value %q of subgraph %q is defined outside of it, too", name, g.Name)
	case v.Producer() != nil:
		return fmt.Errorf("value %q is defined twice, first by node %q",
			name, v.Producer().Label())
	}
	return fmt.Errorf("value %q is defined twice", name)
}

func (d *decoder) initializers(g *graph.Graph, p *onnxpb.GraphProto) error {
	for _, q := range p.Initializer {
		t, err := d.tensor(q)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", q.GetName(), err)
		}
		t.Name = ""
		if err := initializer(g, q.GetName(), t, nil); err != nil {
			return fmt.Errorf("initializer: %w", err)
		}
	}
	for _, q := range p.SparseInitializer {
		name := q.GetValues().GetName()
		s, err := d.sparse(q)
		if err != nil {
			return fmt.Errorf("sparse initializer %q: %w", name, err)
		}
		s.Values.Name = ""
		if err := initializer(g, name, nil, s); err != nil {
			return fmt.Errorf("sparse initializer: %w", err)
		}
	}
	return nil
}

// initializer gives contents to the input called name or to a new value.
func initializer(g *graph.Graph, name string, t *graph.Tensor, s *graph.SparseTensor) error {
	if v := g.Value(name); v != nil && !v.IsInitializer() {
		g.SetInitializer(v, t, s)
		return nil
	}
	if err := fresh(g, name); err != nil {
		return err
	}
	if t != nil {
		g.AddInitializer(name, t)
		return nil
	}
	v, err := g.NewValue(name)
	if err != nil {
		return err
	}
	v.Type = graph.Type{
		Kind: graph.SparseTensorType, Elem: s.Values.DType, Shape: graph.ShapeOf(s.Dims...),
	}
	g.SetInitializer(v, nil, s)
	return nil
}

// nodes names all outputs first, so that nodes may stand in any order.
func (d *decoder) nodes(g *graph.Graph, list []*onnxpb.NodeProto) error {
	for _, p := range list {
		for _, name := range p.Output {
			if name == "" {
				continue
			}
			if err := fresh(g, name); err != nil {
				return at(p, err)
			}
			v, err := g.NewValue(name)
			if err != nil {
				return at(p, err)
			}
			d.pending[v] = true
		}
	}
	for _, p := range list {
		if err := d.node(g, p); err != nil {
			return at(p, err)
		}
	}
	return nil
}

func at(p *onnxpb.NodeProto, err error) error {
	e := &nodeError{label: p.GetName(), op: p.GetOpType(), err: err}
	for _, name := range p.Output {
		if e.label == "" {
			e.label = name
		}
	}
	if e.label == "" {
		e.label = e.op
	}
	return e
}

func (d *decoder) node(g *graph.Graph, p *onnxpb.NodeProto) error {
	if p.GetOpType() == "" {
		return errors.New("it has no operator (op_type)")
	}
	inputs := make([]*graph.Value, len(p.Input))
	for i, name := range p.Input {
		if name == "" {
			continue
		}
		v := g.Resolve(name)
		if v == nil {
			return fmt.Errorf("input %d, %q, is not defined anywhere", i, name)
		}
		d.unsorted = d.unsorted || d.pending[v]
		inputs[i] = v
	}
	attrs, err := d.attrs(p.Attribute, g)
	if err != nil {
		return err
	}
	rest, err := domainFields(nodeFields, p.GetDomain(), 7).rest(p)
	if err != nil {
		return err
	}
	op := graph.Op{Domain: canonical(p.GetDomain()), Type: p.GetOpType()}
	n := g.AddNode(op, attrs, inputs, p.Output...)
	n.Name = p.GetName()
	n.Overload = p.GetOverload()
	n.Doc = p.GetDocString()
	n.Metadata = metadata(p.MetadataProps)
	n.Unknown = rest
	takeProvenance(n)
	for _, v := range n.Outputs() {
		delete(d.pending, v)
	}
	return nil
}

// takeProvenance moves our properties from the metadata to the fields. Values
// that we would not write stay where they are.
func takeProvenance(n *graph.Node) {
	var keep graph.Metadata
	for _, kv := range n.Metadata {
		region, known := graph.ParseRegion(kv.Value)
		switch {
		case kv.Value == "":
			keep = append(keep, kv)
		case kv.Key == graph.MetaOrigin && n.From.Node == "":
			n.From.Node = kv.Value
		case kv.Key == graph.MetaPass && n.From.Pass == "":
			n.From.Pass = kv.Value
		case kv.Key == graph.MetaRegion && known && n.Region == graph.Unassigned:
			n.Region = region
		default:
			keep = append(keep, kv)
		}
	}
	n.Metadata = keep
}
