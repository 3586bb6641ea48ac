package graph

import "fmt"

// Attr is an attribute's value, a closed sum of the types below.
type Attr interface{ isAttr() }

// The attribute types of ONNX.
type (
	Int           int64
	Float         float32
	String        string
	Ints          []int64
	Floats        []float32
	Strings       []string
	Tensors       []*Tensor
	Graphs        []*Graph
	Types         []Type
	SparseTensors []*SparseTensor
)

// Ref is an attribute of a node in a function body that takes the value of the
// function's attribute Name.
type Ref struct {
	Name string
	Type AttrType
}

func (Int) isAttr()           {}
func (Float) isAttr()         {}
func (String) isAttr()        {}
func (Ints) isAttr()          {}
func (Floats) isAttr()        {}
func (Strings) isAttr()       {}
func (*Tensor) isAttr()       {}
func (Tensors) isAttr()       {}
func (*Graph) isAttr()        {}
func (Graphs) isAttr()        {}
func (Type) isAttr()          {}
func (Types) isAttr()         {}
func (*SparseTensor) isAttr() {}
func (SparseTensors) isAttr() {}
func (Ref) isAttr()           {}

// AttrType numbers the attribute types as AttributeProto.AttributeType does.
type AttrType int32

// The attribute types by number.
const (
	AttrUndefined AttrType = iota
	AttrFloat
	AttrInt
	AttrString
	AttrTensor
	AttrGraph
	AttrFloats
	AttrInts
	AttrStrings
	AttrTensors
	AttrGraphs
	AttrSparseTensor
	AttrSparseTensors
	AttrTypeProto
	AttrTypeProtos
)

var attrTypeNames = [...]string{"undefined", "float", "int", "string", "tensor", "graph",
	"floats", "ints", "strings", "tensors", "graphs", "sparse_tensor", "sparse_tensors",
	"type_proto", "type_protos"}

// String is the type's name in the ONNX textual syntax.
func (t AttrType) String() string {
	if t < 0 || int(t) >= len(attrTypeNames) {
		return fmt.Sprintf("attribute type %d", int32(t))
	}
	return attrTypeNames[t]
}

// ParseAttrType is the inverse of [AttrType.String].
func ParseAttrType(name string) (AttrType, bool) {
	for i, n := range attrTypeNames[1:] {
		if n == name {
			return AttrType(i + 1), true
		}
	}
	return AttrUndefined, false
}

// TypeOf gives the number of an attribute's type.
func TypeOf(a Attr) AttrType {
	switch a := a.(type) {
	case Float:
		return AttrFloat
	case Int:
		return AttrInt
	case String:
		return AttrString
	case *Tensor:
		return AttrTensor
	case *Graph:
		return AttrGraph
	case Floats:
		return AttrFloats
	case Ints:
		return AttrInts
	case Strings:
		return AttrStrings
	case Tensors:
		return AttrTensors
	case Graphs:
		return AttrGraphs
	case *SparseTensor:
		return AttrSparseTensor
	case SparseTensors:
		return AttrSparseTensors
	case Type:
		return AttrTypeProto
	case Types:
		return AttrTypeProtos
	case Ref:
		return a.Type
	}
	return AttrUndefined
}

// NamedAttr is one attribute of a node.
type NamedAttr struct {
	Name    string
	Value   Attr
	Doc     string
	Unknown []byte // wire bytes of fields not modelled
}

// Attrs is a node's attributes in file order.
type Attrs []NamedAttr

// Lookup gives the attribute called name.
func (as Attrs) Lookup(name string) (Attr, bool) {
	for _, a := range as {
		if a.Name == name {
			return a.Value, true
		}
	}
	return nil, false
}

// Set replaces the attribute called name in place, or appends it.
func (as *Attrs) Set(name string, value Attr) {
	for i := range *as {
		if (*as)[i].Name == name {
			(*as)[i].Value = value
			return
		}
	}
	*as = append(*as, NamedAttr{Name: name, Value: value})
}

// Delete removes the attribute called name.
func (as *Attrs) Delete(name string) {
	for i := range *as {
		if (*as)[i].Name == name {
			*as = append((*as)[:i:i], (*as)[i+1:]...)
			return
		}
	}
}

// Get gives the attribute called name, def when it is absent, and an error
// when it has another type than def.
func Get[T Attr](as Attrs, name string, def T) (T, error) {
	a, ok := as.Lookup(name)
	if !ok {
		return def, nil
	}
	v, ok := a.(T)
	if ref, isRef := a.(Ref); !ok && isRef {
		return def, fmt.Errorf("attribute %q refers to attribute %q of the function, want a value: "+
			"inline the function first", name, ref.Name)
	}
	if !ok {
		return def, fmt.Errorf("attribute %q is of type %v, want %v", name, TypeOf(a), TypeOf(def))
	}
	return v, nil
}
