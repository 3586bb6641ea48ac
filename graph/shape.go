package graph

import (
	"strconv"
	"strings"
)

// Dim is one dimension: a number, a symbolic parameter such as "N" or an
// expression over parameters such as "2*H+1" (package infer makes and reads
// those), or unknown. The zero Dim is unknown. Dims compare with ==.
type Dim struct {
	size       int64
	param      string
	known      bool
	Denotation string // ONNX dimension denotation, usually empty
	Unknown    string // wire bytes of fields not modelled; a string, so that Dims compare
}

// Known is the dimension of size n.
func Known(n int64) Dim { return Dim{size: n, known: true} }

// Symbol is the dimension named by a parameter or expression.
func Symbol(param string) Dim { return Dim{param: param} }

// Size gives the number of a known dimension.
func (d Dim) Size() (n int64, ok bool) { return d.size, d.known }

// Param gives the parameter or expression, "" when there is none.
func (d Dim) Param() string { return d.param }

// Same reports whether two dimensions are certainly equal: the same number or
// the same parameter.
func (d Dim) Same(e Dim) bool {
	if d.known || e.known {
		return d.known && e.known && d.size == e.size
	}
	return d.param != "" && d.param == e.param
}

// String is the dimension in ONNX textual syntax; "?" when unknown.
func (d Dim) String() string {
	switch {
	case d.known:
		return strconv.FormatInt(d.size, 10)
	case d.param != "":
		return d.param
	}
	return "?"
}

// Shape is a tensor's dimensions. nil: rank unknown; empty: a scalar.
type Shape []Dim

// ShapeOf makes a fully known shape.
func ShapeOf(dims ...int64) Shape {
	s := make(Shape, len(dims))
	for i, n := range dims {
		s[i] = Known(n)
	}
	return s
}

// Sizes gives the numbers of a fully known shape.
func (s Shape) Sizes() (dims []int64, ok bool) {
	if s == nil {
		return nil, false
	}
	dims = make([]int64, len(s))
	for i, d := range s {
		if dims[i], ok = d.Size(); !ok {
			return nil, false
		}
	}
	return dims, true
}

// Equal reports whether both shapes are written the same, dimension by
// dimension.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) || (s == nil) != (t == nil) {
		return false
	}
	for i := range s {
		if s[i] != t[i] {
			return false
		}
	}
	return true
}

// String is the shape as "[1,C,H,W]"; "[...]" when the rank is unknown.
func (s Shape) String() string {
	if s == nil {
		return "[...]"
	}
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = d.String()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// TypeKind tells the kinds of ONNX types apart.
type TypeKind uint8

// The kinds of ONNX types. NoType, the zero kind, is an unknown type.
const (
	NoType TypeKind = iota
	TensorType
	SparseTensorType
	SequenceType
	MapType
	OptionalType
	OpaqueType
)

// Type is the type of a value. The zero Type is unknown.
type Type struct {
	Kind       TypeKind
	Elem       DType  // tensor and sparse tensor: element; map: key
	Shape      Shape  // tensor and sparse tensor
	Of         *Type  // sequence and optional: element; map: value
	Denotation string // ONNX type denotation, usually empty
	Domain     string // opaque
	Name       string // opaque
	Unknown    []byte // wire bytes of fields not modelled
}

// TensorOf is the type of a dense tensor.
func TensorOf(elem DType, shape Shape) Type {
	return Type{Kind: TensorType, Elem: elem, Shape: shape}
}

// Equal compares two types, dimensions by spelling.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || t.Elem != u.Elem || !t.Shape.Equal(u.Shape) ||
		t.Domain != u.Domain || t.Name != u.Name || (t.Of == nil) != (u.Of == nil) {
		return false
	}
	return t.Of == nil || t.Of.Equal(*u.Of)
}

// String is the type as the ONNX textual syntax writes it.
func (t Type) String() string {
	switch t.Kind {
	case TensorType, SparseTensorType:
		name := t.Elem.String()
		if len(t.Shape) > 0 {
			name += t.Shape.String()
		} else if t.Shape == nil {
			name += "[]"
		}
		if t.Kind == SparseTensorType {
			return "sparse_tensor(" + name + ")"
		}
		return name
	case SequenceType:
		return "seq(" + ofString(t.Of) + ")"
	case MapType:
		return "map(" + t.Elem.String() + ", " + ofString(t.Of) + ")"
	case OptionalType:
		return "optional(" + ofString(t.Of) + ")"
	case OpaqueType:
		return "opaque(" + t.Domain + "," + t.Name + ")"
	}
	return "?"
}

func ofString(t *Type) string {
	if t == nil {
		return "?"
	}
	return t.String()
}
