package onnxio

import (
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// typedField is the field of TensorProto that holds the elements of a type when
// they are not raw, and the numbers it holds of so many bytes in raw form.
type typedField struct {
	name  string
	width int // bytes that one number of the field stands for in raw form
}

// typedFieldOf gives the zero typedField for types that have none.
func typedFieldOf(d graph.DType) typedField {
	switch d {
	case graph.Float32, graph.Complex64:
		return typedField{"float_data", 4}
	case graph.Float64, graph.Complex128:
		return typedField{"double_data", 8}
	case graph.Int64:
		return typedField{"int64_data", 8}
	case graph.Uint32:
		return typedField{"uint64_data", 4}
	case graph.Uint64:
		return typedField{"uint64_data", 8}
	case graph.StringType:
		return typedField{"string_data", 0}
	}
	if bits := d.Bits(); bits > 0 {
		return typedField{"int32_data", max(bits/8, 1)}
	}
	return typedField{}
}

// dataFields names the fields of p that hold elements, raw_data included.
func dataFields(p *onnxpb.TensorProto) []string {
	var names []string
	m := p.ProtoReflect()
	for _, name := range []protoreflect.Name{"float_data", "int32_data", "string_data", "int64_data",
		"raw_data", "double_data", "uint64_data"} {
		if m.Has(m.Descriptor().Fields().ByName(name)) {
			names = append(names, string(name))
		}
	}
	return names
}

// packTyped gives the raw form of the elements in the typed field of p.
func packTyped(d graph.DType, p *onnxpb.TensorProto) ([]byte, error) {
	f := typedFieldOf(d)
	switch f.name {
	case "float_data":
		return pack(p.FloatData, f.width, func(x float32) uint64 { return uint64(math.Float32bits(x)) }), nil
	case "double_data":
		return pack(p.DoubleData, f.width, math.Float64bits), nil
	case "int64_data":
		return pack(p.Int64Data, f.width, func(x int64) uint64 { return uint64(x) }), nil
	case "uint64_data":
		i := slices.IndexFunc(p.Uint64Data, func(x uint64) bool { return f.width == 4 && x > math.MaxUint32 })
		if i >= 0 {
			return nil, fmt.Errorf("element %d of uint64_data is %d, too large for uint32", i, p.Uint64Data[i])
		}
		return pack(p.Uint64Data, f.width, func(x uint64) uint64 { return x }), nil
	case "int32_data":
		// Each number counts modulo the width of the type, but must be in the range of
		// its signed or its unsigned reading.
		limit := int64(1) << (8*f.width - 1)
		i := slices.IndexFunc(p.Int32Data, func(x int32) bool {
			return f.width < 4 && (int64(x) < -limit || int64(x) >= 2*limit)
		})
		if i >= 0 {
			return nil, fmt.Errorf("element %d of int32_data is %d, out of range for %v", i, p.Int32Data[i], d)
		}
		return pack(p.Int32Data, f.width, func(x int32) uint64 { return uint64(x) }), nil
	}
	return []byte{}, nil
}

// pack writes the low bytes of each number, the lowest first.
func pack[T any](xs []T, width int, bits func(T) uint64) []byte {
	data := make([]byte, 0, width*len(xs))
	for _, x := range xs {
		n := bits(x)
		for range width {
			data = append(data, byte(n))
			n >>= 8
		}
	}
	return data
}

func unpack[T any](data []byte, width int, of func(uint64) T) []T {
	xs := slices.Grow([]T(nil), len(data)/max(width, 1))
	for ; len(data) >= width; data = data[width:] {
		var n uint64
		for i := range width {
			n |= uint64(data[i]) << (8 * i)
		}
		xs = append(xs, of(n))
	}
	return xs
}

// unpackTyped puts raw elements into the typed field of their type. Signed integers
// keep their sign, everything else that int32_data holds is its bits.
func unpackTyped(t *graph.Tensor, p *onnxpb.TensorProto) {
	data, f := t.Bytes(), typedFieldOf(t.DType)
	switch f.name {
	case "string_data":
		p.StringData = t.Strings()
	case "float_data":
		p.FloatData = unpack(data, f.width, func(n uint64) float32 { return math.Float32frombits(uint32(n)) })
	case "double_data":
		p.DoubleData = unpack(data, f.width, math.Float64frombits)
	case "int64_data":
		p.Int64Data = unpack(data, f.width, func(n uint64) int64 { return int64(n) })
	case "uint64_data":
		p.Uint64Data = unpack(data, f.width, func(n uint64) uint64 { return n })
	case "int32_data":
		p.Int32Data = unpack(data, f.width, func(n uint64) int32 {
			switch t.DType {
			case graph.Int8:
				return int32(int8(n))
			case graph.Int16:
				return int32(int16(n))
			}
			return int32(n)
		})
	}
}
