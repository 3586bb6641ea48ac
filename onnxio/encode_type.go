package onnxio

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

func encodeType(t graph.Type) (*onnxpb.TypeProto, error) {
	p := &onnxpb.TypeProto{}
	if err := merge(t.Unknown, p); err != nil {
		return nil, err
	}
	p.Denotation = nonzero(p.Denotation, t.Denotation)
	var of *onnxpb.TypeProto
	if t.Of != nil {
		var err error
		if of, err = encodeType(*t.Of); err != nil {
			return nil, err
		}
	}
	return p, encodeKind(p, t, of)
}

// encodeKind fills the field of p for the kind of t; of is the element type. A
// message that the unknown fields have brought is filled, not replaced.
func encodeKind(p *onnxpb.TypeProto, t graph.Type, of *onnxpb.TypeProto) (err error) {
	elem := nonzero(nil, int32(t.Elem))
	switch t.Kind {
	case graph.TensorType:
		q := held(p.TensorType)
		q.ElemType = or(elem, q.ElemType)
		q.Shape, err = encodeShape(q.Shape, t.Shape)
		p.TensorType = q
	case graph.SparseTensorType:
		q := held(p.SparseTensorType)
		q.ElemType = or(elem, q.ElemType)
		q.Shape, err = encodeShape(q.Shape, t.Shape)
		p.SparseTensorType = q
	case graph.SequenceType:
		q := held(p.SequenceType)
		q.ElemType = of
		p.SequenceType = q
	case graph.OptionalType:
		q := held(p.OptionalType)
		q.ElemType = of
		p.OptionalType = q
	case graph.MapType:
		q := held(p.MapType)
		q.KeyType, q.ValueType = or(elem, q.KeyType), of
		p.MapType = q
	case graph.OpaqueType:
		q := held(p.OpaqueType)
		q.Domain, q.Name = nonzero(q.Domain, t.Domain), nonzero(q.Name, t.Name)
		p.OpaqueType = q
	case graph.NoType:
	default:
		err = fmt.Errorf("type of unknown kind %d", t.Kind)
	}
	return err
}

// held is p, or a new message when p is nil.
func held[T any](p *T) *T {
	if p == nil {
		return new(T)
	}
	return p
}

func or[T any](a, b *T) *T {
	if a != nil {
		return a
	}
	return b
}

func encodeShape(kept *onnxpb.TensorShapeProto, s graph.Shape) (*onnxpb.TensorShapeProto, error) {
	if s == nil {
		return nil, nil
	}
	p := held(kept)
	for _, dim := range s {
		q := &onnxpb.TensorShapeProto_Dimension{}
		if err := merge([]byte(dim.Unknown), q); err != nil {
			return nil, err
		}
		if n, ok := dim.Size(); ok {
			q.DimValue = proto.Int64(n)
		} else if param := dim.Param(); param != "" {
			q.DimParam = proto.String(param)
		}
		if dim.Denotation != "" {
			q.Denotation = proto.String(dim.Denotation)
		}
		p.Dim = append(p.Dim, q)
	}
	return p, nil
}
