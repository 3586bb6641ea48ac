package graph

import "fmt"

// DType is an ONNX element type; the values are those of TensorProto.DataType.
type DType int32

// The element types of ONNX up to IR version 13.
const (
	Undefined DType = iota
	Float32
	Uint8
	Int8
	Uint16
	Int16
	Int32
	Int64
	StringType
	Bool
	Float16
	Float64
	Uint32
	Uint64
	Complex64
	Complex128
	BFloat16
	Float8E4M3FN
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Uint4
	Int4
	Float4E2M1
	Float8E8M0
	Uint2
	Int2
	numDTypes
)

// dtypes gives each element type its name in the ONNX textual syntax and the
// bits one element takes in raw data (0: no fixed size).
var dtypes = [numDTypes]struct {
	name string
	bits int
}{
	Undefined:      {"undefined", 0},
	Float32:        {"float", 32},
	Uint8:          {"uint8", 8},
	Int8:           {"int8", 8},
	Uint16:         {"uint16", 16},
	Int16:          {"int16", 16},
	Int32:          {"int32", 32},
	Int64:          {"int64", 64},
	StringType:     {"string", 0},
	Bool:           {"bool", 8},
	Float16:        {"float16", 16},
	Float64:        {"double", 64},
	Uint32:         {"uint32", 32},
	Uint64:         {"uint64", 64},
	Complex64:      {"complex64", 64},
	Complex128:     {"complex128", 128},
	BFloat16:       {"bfloat16", 16},
	Float8E4M3FN:   {"float8e4m3fn", 8},
	Float8E4M3FNUZ: {"float8e4m3fnuz", 8},
	Float8E5M2:     {"float8e5m2", 8},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 8},
	Uint4:          {"uint4", 4},
	Int4:           {"int4", 4},
	Float4E2M1:     {"float4e2m1", 4},
	Float8E8M0:     {"float8e8m0", 8},
	Uint2:          {"uint2", 2},
	Int2:           {"int2", 2},
}

// Valid reports whether d is a defined element type other than Undefined.
func (d DType) Valid() bool { return d > Undefined && d < numDTypes }

// Bits is the size of one element in raw data, 0 for strings and undefined.
// Types under 8 bits are packed, low bits first.
func (d DType) Bits() int {
	if d < 0 || d >= numDTypes {
		return 0
	}
	return dtypes[d].bits
}

// String is the type's name in the ONNX textual syntax.
func (d DType) String() string {
	if d < 0 || d >= numDTypes {
		return fmt.Sprintf("dtype(%d)", int32(d))
	}
	return dtypes[d].name
}

// ParseDType is the inverse of [DType.String].
func ParseDType(name string) (DType, bool) {
	for d := Float32; d < numDTypes; d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return Undefined, false
}

// IsFloat reports whether d is a real floating point type.
func (d DType) IsFloat() bool {
	switch d {
	case Float32, Float64, Float16, BFloat16, Float8E4M3FN, Float8E4M3FNUZ,
		Float8E5M2, Float8E5M2FNUZ, Float4E2M1, Float8E8M0:
		return true
	}
	return false
}
