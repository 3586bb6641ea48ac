package onnxio

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// maxIRVersion is the newest IR version that the schema covers.
const maxIRVersion = 13

// maxDepth bounds the nesting of subgraphs and of types.
const maxDepth = 64

// decoder turns the messages of one file into the IR.
type decoder struct {
	external *externalFiles                 // nil: external data stays unloaded
	typed    map[*onnxpb.TensorProto]lifted // elements that are not in the messages
	warn     func(error)
	depth    int                   // of the graph being decoded
	pending  map[*graph.Value]bool // node outputs whose node is still to come
	unsorted bool                  // some node uses a pending value
}

// The fields of the messages around graphs that the IR carries.
var (
	modelFields    = fields{full: set(7, 8, 14, 25), nonzero: set(1, 2, 3, 4, 5, 6)}
	opsetFields    = fields{nonzero: set(1, 2)}
	functionFields = fields{full: set(4, 5, 6, 7, 9, 11, 12, 14), nonzero: set(1, 8, 10, 13)}
)

func (d *decoder) model(p *onnxpb.ModelProto) (*graph.Model, error) {
	if err := checkHeader(p); err != nil {
		return nil, err
	}
	m := &graph.Model{
		IRVersion:       p.GetIrVersion(),
		ProducerName:    p.GetProducerName(),
		ProducerVersion: p.GetProducerVersion(),
		Domain:          p.GetDomain(),
		ModelVersion:    p.GetModelVersion(),
		Doc:             p.GetDocString(),
		Metadata:        metadata(p.MetadataProps),
	}
	var err error
	if m.Opsets, err = opsets(p.OpsetImport); err != nil {
		return nil, err
	}
	if m.Unknown, err = modelFields.rest(p); err != nil {
		return nil, err
	}
	if m.Graph, err = d.graph(p.Graph, nil); err != nil {
		return nil, err
	}
	functions := graph.FunctionIndex{}
	for _, f := range p.Functions {
		h, err := d.function(f)
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", f.GetName(), err)
		}
		if !functions.Add(h) {
			return nil, fmt.Errorf("function %q is defined twice", h.Op())
		}
		m.Functions = append(m.Functions, h)
	}
	return m, d.sort(m)
}

// checkHeader tells an ONNX model from other protobuf messages.
func checkHeader(p *onnxpb.ModelProto) error {
	v := p.GetIrVersion()
	switch {
	case p.Graph == nil && p.IrVersion == nil:
		return errors.New("not an ONNX model: it has neither an ir_version nor a graph")
	case p.IrVersion == nil || v < 1:
		return fmt.Errorf("ir_version is %d, want 1 to %d", v, maxIRVersion)
	case v > maxIRVersion:
		return fmt.Errorf("ir_version is %d, want at most %d: export the model "+
			"for an older version of ONNX", v, maxIRVersion)
	case p.Graph == nil:
		return errors.New("the model holds no graph")
	case v >= 3 && len(p.OpsetImport) == 0:
		return fmt.Errorf("opset_import is empty, want at least one operator set "+
			"at ir_version %d", v)
	}
	return nil
}

// sort brings all nodes into evaluation order if the file did not.
func (d *decoder) sort(m *graph.Model) error {
	if !d.unsorted {
		return nil
	}
	if err := m.Graph.Sort(); err != nil {
		return err
	}
	for _, f := range m.Functions {
		if err := f.Body.Sort(); err != nil {
			return fmt.Errorf("function %q: %w", f.Name, err)
		}
	}
	return nil
}

func opsets(list []*onnxpb.OperatorSetIdProto) ([]graph.Opset, error) {
	var sets []graph.Opset
	for _, p := range list {
		rest, err := opsetFields.rest(p)
		if err != nil {
			return nil, err
		}
		sets = append(sets, graph.Opset{
			Domain: p.GetDomain(), Version: p.GetVersion(), Unknown: rest,
		})
	}
	return sets, nil
}

func metadata(list []*onnxpb.StringStringEntryProto) graph.Metadata {
	var m graph.Metadata
	for _, p := range list {
		m = append(m, graph.KV{Key: p.GetKey(), Value: p.GetValue()})
	}
	return m
}

// canonical gives the one name of the standard domain that the IR uses.
func canonical(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// domainFields leaves the domain, field n, to the unknown fields where the file
// spells the standard domain out.
func domainFields(f fields, domain string, n protowire.Number) fields {
	if domain != canonical(domain) {
		return f.without(n)
	}
	return f
}

func (d *decoder) function(p *onnxpb.FunctionProto) (*graph.Function, error) {
	if p.GetName() == "" {
		return nil, errors.New("it has no name")
	}
	f := &graph.Function{
		Domain:   canonical(p.GetDomain()),
		Name:     p.GetName(),
		Overload: p.GetOverload(),
		Doc:      p.GetDocString(),
		Attrs:    p.Attribute,
		Metadata: metadata(p.MetadataProps),
		Body:     graph.New(p.GetName(), nil),
	}
	var err error
	if f.Unknown, err = domainFields(functionFields, p.GetDomain(), 10).rest(p); err != nil {
		return nil, err
	}
	if f.Opsets, err = opsets(p.OpsetImport); err != nil {
		return nil, err
	}
	if f.Defaults, err = d.attrs(p.AttributeProto, f.Body); err != nil {
		return nil, err
	}
	return f, d.body(f, p)
}

func (d *decoder) body(f *graph.Function, p *onnxpb.FunctionProto) error {
	g := f.Body
	for _, name := range p.Input {
		if err := fresh(g, name); err != nil {
			return fmt.Errorf("input: %w", err)
		}
		g.AddInput(name, graph.Type{})
	}
	if err := d.nodes(g, p.Node); err != nil {
		return err
	}
	for _, name := range p.Output {
		v := g.Value(name)
		if v == nil {
			return fmt.Errorf("output %q is not defined", name)
		}
		g.AddOutput(v)
	}
	b := &binder{d: d, g: g, bound: map[*graph.Value]bool{}}
	var err error
	f.Unknown, err = b.declareAll(p.ValueInfo, f.Unknown, 12)
	return err
}
