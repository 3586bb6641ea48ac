package onnxio

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// encoder turns the IR of one model into messages.
type encoder struct {
	// place gives the form of a tensor whose elements go elsewhere: nil leaves each
	// as its Store says.
	place func(*graph.Tensor) *graph.Tensor
	// untyped is the first attribute that states no type, and no value that would
	// tell it.
	untyped string
	form    *form // of the messages that are made
}

// encode gives the form in which the writer itself writes m.
func (e *encoder) encode(m *graph.Model) (*form, error) {
	e.form = newForm()
	p, err := e.model(m)
	if err != nil {
		return nil, err
	}
	e.form.root = p
	if size := e.form.size(p); size > maxMessage {
		return nil, fmt.Errorf("the model takes %d bytes, protobuf allows %d: "+
			"store large tensors outside of the file (external data)", size, maxMessage)
	}
	return e.form, nil
}

// maxMessage is the most bytes a protobuf message can have.
const maxMessage = 1<<31 - 1

func (e *encoder) model(m *graph.Model) (*onnxpb.ModelProto, error) {
	if m.Graph == nil {
		return nil, errors.New("the model holds no graph")
	}
	p := &onnxpb.ModelProto{}
	defer e.form.holding(p)()
	if err := merge(m.Unknown, p); err != nil {
		return nil, err
	}
	p.IrVersion = nonzero(p.IrVersion, m.IRVersion)
	p.ProducerName = nonzero(p.ProducerName, m.ProducerName)
	p.ProducerVersion = nonzero(p.ProducerVersion, m.ProducerVersion)
	p.Domain = nonzero(p.Domain, m.Domain)
	p.ModelVersion = nonzero(p.ModelVersion, m.ModelVersion)
	p.DocString = nonzero(p.DocString, m.Doc)
	p.MetadataProps = properties(m.Metadata)
	var err error
	if p.OpsetImport, err = encodeOpsets(m.Opsets); err != nil {
		return nil, err
	}
	if p.Graph, err = e.graph(m.Graph); err != nil {
		return nil, err
	}
	for _, f := range m.Functions {
		q, err := e.function(f)
		if err != nil {
			return nil, fmt.Errorf("function %q: %w", f.Op(), err)
		}
		p.Functions = append(p.Functions, q)
	}
	if p.GetIrVersion() < graph.MetadataIR {
		gather(p)
	}
	return p, nil
}

// nonzero is x as an optional field, or what the file held when x is zero.
func nonzero[T comparable](held *T, x T) *T {
	var zero T
	if x == zero {
		return held
	}
	return &x
}

func properties(m graph.Metadata) []*onnxpb.StringStringEntryProto {
	var list []*onnxpb.StringStringEntryProto
	for _, kv := range m {
		list = append(list, &onnxpb.StringStringEntryProto{
			Key: proto.String(kv.Key), Value: proto.String(kv.Value),
		})
	}
	return list
}

func encodeOpsets(sets []graph.Opset) ([]*onnxpb.OperatorSetIdProto, error) {
	var list []*onnxpb.OperatorSetIdProto
	for _, s := range sets {
		p := &onnxpb.OperatorSetIdProto{}
		if err := merge(s.Unknown, p); err != nil {
			return nil, fmt.Errorf("operator set %q: %w", s.Domain, err)
		}
		p.Domain = nonzero(p.Domain, s.Domain)
		p.Version = nonzero(p.Version, s.Version)
		list = append(list, p)
	}
	return list, nil
}

func (e *encoder) function(f *graph.Function) (*onnxpb.FunctionProto, error) {
	p := &onnxpb.FunctionProto{}
	defer e.form.holding(p)()
	if err := merge(f.Unknown, p); err != nil {
		return nil, err
	}
	p.Name = nonzero(p.Name, f.Name)
	p.Domain = nonzero(p.Domain, f.Domain)
	p.Overload = nonzero(p.Overload, f.Overload)
	p.DocString = nonzero(p.DocString, f.Doc)
	p.Attribute = f.Attrs
	p.MetadataProps = properties(f.Metadata)
	p.Input, p.Output = names(f.Body.Inputs()), names(f.Body.Outputs())
	if n := len(f.Body.Initializers()); n > 0 {
		return nil, fmt.Errorf("its body has %d initializers, which ONNX does not allow: "+
			"make them Constant nodes", n)
	}
	var err error
	if p.AttributeProto, err = e.attrs(f.Defaults); err != nil {
		return nil, err
	}
	if p.Node, err = e.nodes(f.Body); err != nil {
		return nil, err
	}
	if p.OpsetImport, err = encodeOpsets(f.Opsets); err != nil {
		return nil, err
	}
	declared, err := each(f.Body.Declared(), []*onnxpb.ValueInfoProto{}, valueInfo)
	p.ValueInfo = append(declared, p.ValueInfo...)
	return p, err
}

// names gives "" for an omitted value.
func names(vs []*graph.Value) []string {
	var list []string
	for _, v := range vs {
		if v == nil {
			list = append(list, "")
		} else {
			list = append(list, v.Name())
		}
	}
	return list
}
