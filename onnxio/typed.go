package onnxio

import (
	"encoding/binary"
	"fmt"
	"math"

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
	add := func(name string, held bool) {
		if held {
			names = append(names, name)
		}
	}
	add("float_data", len(p.FloatData) > 0)
	add("int32_data", len(p.Int32Data) > 0)
	add("string_data", len(p.StringData) > 0)
	add("int64_data", len(p.Int64Data) > 0)
	add("raw_data", p.RawData != nil)
	add("double_data", len(p.DoubleData) > 0)
	add("uint64_data", len(p.Uint64Data) > 0)
	return names
}

// packTyped gives the raw form of the elements in the typed field of p.
func packTyped(d graph.DType, p *onnxpb.TensorProto) ([]byte, error) {
	le := binary.LittleEndian
	f := typedFieldOf(d)
	data := []byte{}
	switch f.name {
	case "float_data":
		data = make([]byte, 0, 4*len(p.FloatData))
		for _, x := range p.FloatData {
			data = le.AppendUint32(data, math.Float32bits(x))
		}
	case "double_data":
		data = make([]byte, 0, 8*len(p.DoubleData))
		for _, x := range p.DoubleData {
			data = le.AppendUint64(data, math.Float64bits(x))
		}
	case "int64_data":
		data = make([]byte, 0, 8*len(p.Int64Data))
		for _, x := range p.Int64Data {
			data = le.AppendUint64(data, uint64(x))
		}
	case "uint64_data":
		return packUint64(f, p.Uint64Data)
	case "int32_data":
		return packInt32(d, f, p.Int32Data)
	}
	return data, nil
}

func packUint64(f typedField, elems []uint64) ([]byte, error) {
	data := make([]byte, 0, f.width*len(elems))
	for i, x := range elems {
		if f.width == 8 {
			data = binary.LittleEndian.AppendUint64(data, x)
			continue
		}
		if x > math.MaxUint32 {
			return nil, fmt.Errorf("element %d of uint64_data is %d, too large for uint32", i, x)
		}
		data = binary.LittleEndian.AppendUint32(data, uint32(x))
	}
	return data, nil
}

// packInt32 takes each number modulo the width of the type, but refuses one
// that is in the range of neither its signed nor its unsigned reading.
func packInt32(d graph.DType, f typedField, elems []int32) ([]byte, error) {
	data := make([]byte, 0, f.width*len(elems))
	for i, x := range elems {
		limit := int64(1) << (8*f.width - 1)
		if f.width < 4 && (int64(x) < -limit || int64(x) >= 2*limit) {
			return nil, fmt.Errorf("element %d of int32_data is %d, out of range for %v", i, x, d)
		}
		switch f.width {
		case 1:
			data = append(data, byte(x))
		case 2:
			data = binary.LittleEndian.AppendUint16(data, uint16(x))
		default:
			data = binary.LittleEndian.AppendUint32(data, uint32(x))
		}
	}
	return data, nil
}

// unpackTyped puts raw elements into the typed field of their type.
func unpackTyped(t *graph.Tensor, p *onnxpb.TensorProto) {
	le := binary.LittleEndian
	data, f := t.Bytes(), typedFieldOf(t.DType)
	if f.name == "string_data" {
		p.StringData = t.Strings()
		return
	}
	for ; f.width > 0 && len(data) >= f.width; data = data[f.width:] {
		switch f.name {
		case "float_data":
			p.FloatData = append(p.FloatData, math.Float32frombits(le.Uint32(data)))
		case "double_data":
			p.DoubleData = append(p.DoubleData, math.Float64frombits(le.Uint64(data)))
		case "int64_data":
			p.Int64Data = append(p.Int64Data, int64(le.Uint64(data)))
		case "uint64_data":
			if f.width == 8 {
				p.Uint64Data = append(p.Uint64Data, le.Uint64(data))
			} else {
				p.Uint64Data = append(p.Uint64Data, uint64(le.Uint32(data)))
			}
		case "int32_data":
			p.Int32Data = append(p.Int32Data, unpackInt32(t.DType, data))
		}
	}
}

// unpackInt32 reads one number: signed integers with their sign, everything
// else as its bits.
func unpackInt32(d graph.DType, data []byte) int32 {
	le := binary.LittleEndian
	switch d {
	case graph.Int8:
		return int32(int8(data[0]))
	case graph.Int16:
		return int32(int16(le.Uint16(data)))
	case graph.Int32:
		return int32(le.Uint32(data))
	}
	if d.Bits() == 16 {
		return int32(le.Uint16(data))
	}
	return int32(data[0])
}
