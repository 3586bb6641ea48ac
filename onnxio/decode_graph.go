package onnxio

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// The metadata keys that hold a node's provenance.
const (
	originKey = "spikingir.origin"
	passKey   = "spikingir.pass"
	regionKey = "spikingir.region"
)

var (
	graphFields = fields{full: set(1, 5, 11, 12, 13, 15, 16), nonzero: set(2, 10)}
	nodeFields  = fields{full: set(1, 2, 5, 9), nonzero: set(3, 4, 6, 7, 8)}
)

// graph decodes a graph inside of outer, nil for the model's own.
func (d *decoder) graph(p *onnxpb.GraphProto, outer *graph.Graph) (*graph.Graph, error) {
	if d.depth++; d.depth > maxDepth {
		return nil, fmt.Errorf("subgraphs are nested deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	g := graph.New(p.GetName(), outer)
	g.Doc = p.GetDocString()
	g.Metadata = d.lowMetadata(p.MetadataProps)
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
	for _, info := range p.ValueInfo {
		dangling, err := b.declare(info)
		if err != nil {
			return nil, err
		}
		if dangling {
			if g.Unknown, err = keep(g.Unknown, 13, info); err != nil {
				return nil, err
			}
		}
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

// at says which node an error concerns.
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
	n.Metadata = d.lowMetadata(p.MetadataProps)
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
		case kv.Key == originKey && n.From.Node == "":
			n.From.Node = kv.Value
		case kv.Key == passKey && n.From.Pass == "":
			n.From.Pass = kv.Value
		case kv.Key == regionKey && known && n.Region == graph.Unassigned:
			n.Region = region
		default:
			keep = append(keep, kv)
		}
	}
	n.Metadata = keep
}

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
		if !same && b.d.warn != nil {
			b.d.warn(fmt.Errorf("output %q declares a type that differs from the one it has "+
				"as an input; that one holds", p.GetName()))
		}
	}
	return nil
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
	v.Metadata = b.d.lowMetadata(p.MetadataProps)
	if v.Unknown, err = valueFields.rest(p); err != nil {
		return err
	}
	if p.Type != nil && noType(t) {
		v.Unknown = field(v.Unknown, 2, nil)
	}
	return nil
}

// checkConstants compares initializers with their declared types.
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

// mismatch says how contents c differ from the declared type t.
func mismatch(t graph.Type, c *graph.Tensor) error {
	if t.Kind == graph.NoType {
		return nil
	}
	if t.Elem != c.DType {
		return fmt.Errorf("holds %v but is declared %v", c.DType, t)
	}
	if dims, ok := t.Shape.Sizes(); ok && !slices.Equal(dims, c.Dims) {
		return fmt.Errorf("has dimensions %v but is declared %v", c.Dims, t)
	}
	return nil
}
