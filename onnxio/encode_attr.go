package onnxio

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

func (e *encoder) attrs(as graph.Attrs) ([]*onnxpb.AttributeProto, error) {
	var list []*onnxpb.AttributeProto
	for _, a := range as {
		p, err := e.attr(a)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		if p.Type == nil && e.untyped == "" {
			e.untyped = a.Name
		}
		list = append(list, p)
	}
	return list, nil
}

func (e *encoder) attr(a graph.NamedAttr) (*onnxpb.AttributeProto, error) {
	p := &onnxpb.AttributeProto{}
	defer e.form.holding(p)()
	if err := merge(a.Unknown, p); err != nil {
		return nil, err
	}
	p.Name = nonzero(p.Name, a.Name)
	p.DocString = nonzero(p.DocString, a.Doc)
	if t := graph.TypeOf(a.Value); t != graph.AttrUndefined {
		p.Type = onnxpb.AttributeProto_AttributeType(t).Enum()
	}
	return p, e.attrValue(p, a.Value)
}

func (e *encoder) attrValue(p *onnxpb.AttributeProto, value graph.Attr) (err error) {
	switch x := value.(type) {
	case nil: // an attribute without type and value
	case graph.Ref:
		p.RefAttrName = proto.String(x.Name)
	case graph.Float:
		p.F = proto.Float32(float32(x))
	case graph.Int:
		p.I = proto.Int64(int64(x))
	case graph.String:
		p.S = []byte(x)
	case graph.Floats:
		p.Floats = x
	case graph.Ints:
		p.Ints = x
	case graph.Strings:
		p.Strings = nil
		for _, s := range x {
			p.Strings = append(p.Strings, []byte(s))
		}
	case *graph.Tensor:
		p.T, err = e.tensor(x)
	case graph.Tensors:
		p.Tensors, err = each(x, p.Tensors, e.tensor)
	case *graph.Graph:
		p.G, err = e.graph(x)
	case graph.Graphs:
		p.Graphs, err = each(x, p.Graphs, e.graph)
	case graph.Type:
		p.Tp, err = encodeType(x)
	case graph.Types:
		p.TypeProtos, err = each(x, p.TypeProtos, encodeType)
	case *graph.SparseTensor:
		p.SparseTensor, err = e.sparse(x)
	case graph.SparseTensors:
		p.SparseTensors, err = each(x, p.SparseTensors, e.sparse)
	default:
		err = fmt.Errorf("value of unknown type %T", value)
	}
	return err
}

func (e *encoder) tensor(t *graph.Tensor) (*onnxpb.TensorProto, error) {
	if t == nil {
		return nil, errors.New("it holds no tensor")
	}
	if e.place != nil {
		t = e.place(t)
	}
	p := &onnxpb.TensorProto{}
	if err := merge(t.Unknown, p); err != nil {
		return nil, err
	}
	p.Dims = t.Dims
	p.DataType = nonzero(p.DataType, int32(t.DType))
	p.Name = nonzero(p.Name, t.Name)
	p.DocString = nonzero(p.DocString, t.Doc)
	p.MetadataProps = properties(t.Metadata)
	if t.Segment != nil {
		p.Segment = held(p.Segment)
		p.Segment.Begin, p.Segment.End = &t.Segment.Begin, &t.Segment.End
	}
	if e.form.lift(t, p) {
		return p, nil
	}
	switch t.Store {
	case graph.ExternalData:
		if t.External == nil {
			return nil, errors.New("its data is external but nothing says where")
		}
		p.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
		p.ExternalData = properties(t.External.Entries)
	case graph.TypedData:
		unpackTyped(t, p)
	default:
		// Present even when empty: an empty tensor without it is a typed one.
		if p.RawData = t.Bytes(); p.RawData == nil {
			p.RawData = []byte{}
		}
	}
	return p, nil
}

func (e *encoder) sparse(s *graph.SparseTensor) (*onnxpb.SparseTensorProto, error) {
	if s == nil {
		return nil, errors.New("it holds no tensor")
	}
	p := &onnxpb.SparseTensorProto{Dims: s.Dims}
	defer e.form.holding(p)()
	if err := merge(s.Unknown, p); err != nil {
		return nil, err
	}
	var err error
	if p.Values, err = e.tensor(s.Values); err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	if p.Indices, err = e.tensor(s.Indices); err != nil {
		return nil, fmt.Errorf("indices: %w", err)
	}
	return p, nil
}
