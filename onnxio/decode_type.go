package onnxio

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

var (
	valueFields = fields{full: set(2, 4), nonzero: set(1, 3)}
	tensorType  = fields{full: set(2), nonzero: set(1)} // sparse tensors and maps, too
	elementType = fields{full: set(1)}                  // sequence and optional
	opaqueType  = fields{nonzero: set(1, 2)}
	typeFields  = fields{nonzero: set(6)} // and the field in use
	shapeFields = fields{full: set(1)}
	dimFields   = fields{nonzero: set(3)} // and the field in use
)

// noType reports whether t stands for an absent TypeProto.
func noType(t graph.Type) bool {
	return t.Kind == graph.NoType && t.Denotation == "" && len(t.Unknown) == 0
}

// decodeType gives the zero Type for nil. Unknown fields of the message of its
// kind are kept within that message's field, so that they merge on writing.
func decodeType(p *onnxpb.TypeProto, depth int) (graph.Type, error) {
	if p == nil {
		return graph.Type{}, nil
	}
	if depth > maxDepth {
		return graph.Type{}, fmt.Errorf("types are nested deeper than %d", maxDepth)
	}
	t := graph.Type{Denotation: p.GetDenotation()}
	number := kindOf(p)
	inner, err := decodeKind(&t, p, depth)
	if err != nil {
		return t, err
	}
	f := typeFields
	f.full = set(number) // set(0) names no field
	if t.Unknown, err = f.rest(p); err != nil {
		return t, err
	}
	if len(inner) > 0 {
		t.Unknown = field(t.Unknown, number, inner)
	}
	return t, nil
}

// kindOf gives the field that holds the type, 0 when none does. A file that
// sets several is outside of the specification; the others stay wire bytes.
func kindOf(p *onnxpb.TypeProto) protowire.Number {
	switch {
	case p.TensorType != nil:
		return 1
	case p.SequenceType != nil:
		return 4
	case p.MapType != nil:
		return 5
	case p.OpaqueType != nil:
		return 7
	case p.SparseTensorType != nil:
		return 8
	case p.OptionalType != nil:
		return 9
	}
	return 0
}

// decodeKind fills t from the field of p that holds the type, and gives the
// rest of that field's message.
func decodeKind(t *graph.Type, p *onnxpb.TypeProto, depth int) (inner []byte, err error) {
	of := func(q *onnxpb.TypeProto) {
		if q != nil && err == nil {
			var u graph.Type
			u, err = decodeType(q, depth+1)
			t.Of = &u
		}
	}
	left := func(f fields, m proto.Message) {
		if err == nil {
			inner, err = f.rest(m)
		}
	}
	switch kindOf(p) {
	case 1:
		t.Kind, t.Elem = graph.TensorType, graph.DType(p.TensorType.GetElemType())
		inner, err = decodeShape(t, p.TensorType, p.TensorType.Shape)
	case 4:
		t.Kind = graph.SequenceType
		of(p.SequenceType.ElemType)
		left(elementType, p.SequenceType)
	case 5:
		t.Kind, t.Elem = graph.MapType, graph.DType(p.MapType.GetKeyType())
		of(p.MapType.ValueType)
		left(tensorType, p.MapType)
	case 7:
		t.Kind = graph.OpaqueType
		t.Domain, t.Name = p.OpaqueType.GetDomain(), p.OpaqueType.GetName()
		left(opaqueType, p.OpaqueType)
	case 8:
		t.Kind, t.Elem = graph.SparseTensorType, graph.DType(p.SparseTensorType.GetElemType())
		inner, err = decodeShape(t, p.SparseTensorType, p.SparseTensorType.Shape)
	case 9:
		t.Kind = graph.OptionalType
		of(p.OptionalType.ElemType)
		left(elementType, p.OptionalType)
	}
	return inner, err
}

// decodeShape reads the dimensions of a tensor type m; it gives the rest of m.
func decodeShape(t *graph.Type, m proto.Message, p *onnxpb.TensorShapeProto) ([]byte, error) {
	inner, err := tensorType.rest(m)
	if err != nil || p == nil {
		return inner, err
	}
	t.Shape = graph.Shape{}
	for _, q := range p.Dim {
		dim, err := decodeDim(q)
		if err != nil {
			return nil, err
		}
		t.Shape = append(t.Shape, dim)
	}
	left, err := shapeFields.rest(p)
	if len(left) > 0 {
		inner = field(inner, 2, left)
	}
	return inner, err
}

// decodeDim takes a negative number, which old exporters write for a dimension
// they do not know, and an empty parameter as unknown.
func decodeDim(p *onnxpb.TensorShapeProto_Dimension) (graph.Dim, error) {
	var dim graph.Dim
	f := dimFields
	switch {
	case p.DimValue != nil && *p.DimValue >= 0:
		dim = graph.Known(*p.DimValue)
		f.full = set(1)
	case p.DimValue == nil && p.GetDimParam() != "":
		dim = graph.Symbol(*p.DimParam)
		f.full = set(2)
	}
	dim.Denotation = p.GetDenotation()
	rest, err := f.rest(p)
	dim.Unknown = string(rest)
	return dim, err
}
