package onnxio

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"spikingir/onnxio/onnxpb"
)

// base is a small valid model: y = Relu(x + w).
func base() *onnxpb.ModelProto {
	return &onnxpb.ModelProto{
		IrVersion:   proto.Int64(10),
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(21)}},
		Graph: &onnxpb.GraphProto{
			Name:   proto.String("g"),
			Input:  []*onnxpb.ValueInfoProto{info("x", 2)},
			Output: []*onnxpb.ValueInfoProto{info("y", 2)},
			Initializer: []*onnxpb.TensorProto{{
				Name: proto.String("w"), Dims: []int64{2}, DataType: proto.Int32(1),
				RawData: []byte{0, 0, 128, 63, 0, 0, 0, 64},
			}},
			Node: []*onnxpb.NodeProto{
				op("add", "Add", "x w", "s"),
				op("relu", "Relu", "s", "y"),
			},
		},
	}
}

// info declares a float value.
func info(name string, dims ...int64) *onnxpb.ValueInfoProto {
	shape := &onnxpb.TensorShapeProto{}
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &onnxpb.TensorShapeProto_Dimension{DimValue: proto.Int64(d)})
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{
		TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(1), Shape: shape},
	}}
}

// op makes a node; inputs and outputs are separated by spaces, "-" omits one.
func op(name, typ, inputs, outputs string) *onnxpb.NodeProto {
	return &onnxpb.NodeProto{
		Name: proto.String(name), OpType: proto.String(typ),
		Input: words(inputs), Output: words(outputs),
	}
}

func words(s string) (list []string) {
	word := ""
	for _, r := range s + " " {
		switch {
		case r == ' ' && word == "-":
			list, word = append(list, ""), ""
		case r == ' ' && word != "":
			list, word = append(list, word), ""
		case r != ' ':
			word += string(r)
		}
	}
	return list
}

func wire(t testing.TB, m proto.Message) []byte {
	t.Helper()
	data, err := marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unknown is a field that no version of ONNX has.
func unknown() []byte {
	return field(nil, 1000, []byte("from the future"))
}

// fieldSize is the size of the first field of b, negative when it is damaged.
func fieldSize(b []byte) int {
	_, _, n := protowire.ConsumeField(b)
	return n
}

func entry(key, value string) *onnxpb.StringStringEntryProto {
	return &onnxpb.StringStringEntryProto{Key: proto.String(key), Value: proto.String(value)}
}
