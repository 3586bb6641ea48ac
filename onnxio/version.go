package onnxio

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"spikingir/graph"
)

// schema is the package of the messages.
const schema = "spikingir.onnxpb."

// since is the IR version that introduced a field, where it is later than [leastIR].
var since = map[string]int64{
	"GraphProto.quantization_annotation": 5,
	"AttributeProto.sparse_tensor":       6,
	"AttributeProto.sparse_tensors":      6,
	"GraphProto.sparse_initializer":      6,
	"ModelProto.training_info":           7,
	"AttributeProto.tp":                  8,
	"AttributeProto.type_protos":         8,
	"ModelProto.functions":               8,
	"TypeProto.optional_type":            8,
	"TypeProto.sparse_tensor_type":       8,
	"FunctionProto.attribute_proto":      9,
	"FunctionProto.metadata_props":       10,
	"FunctionProto.overload":             10,
	"FunctionProto.value_info":           10,
	"GraphProto.metadata_props":          10,
	"NodeProto.metadata_props":           10,
	"NodeProto.overload":                 10,
	"TensorProto.metadata_props":         10,
	"ValueInfoProto.metadata_props":      10,
	"ModelProto.configuration":           11,
	"NodeProto.device_configurations":    11,
}

// elemFields are the fields that hold an element type.
var elemFields = map[string]bool{
	"TensorProto.data_type":            true,
	"TypeProto.Tensor.elem_type":       true,
	"TypeProto.SparseTensor.elem_type": true,
	"TypeProto.Map.key_type":           true,
}

// leastIR is the IR version from which on an initializer need not be an input; in those before
// one that is cannot be overridden, so that a model means something else there.
const leastIR = 4

// LeastIR is the lowest IR version that carries the model, 4 or later: its metadata below the model are
// no reason for a later one, as they have a place in each. Fields that this package does not know
// stay in the version that the model has.
func LeastIR(m *graph.Model) (int64, error) {
	low := *m
	low.IRVersion = leastIR
	p, err := (&encoder{form: newForm()}).model(&low)
	if err != nil {
		return 0, err
	}
	least, unknown := needed(p.ProtoReflect())
	if unknown {
		least = max(least, m.IRVersion)
	}
	return max(least, leastIR), nil
}

// needed is the latest IR version that introduced something in m, and whether m has fields
// that no version up to [maxIRVersion] has.
func needed(m protoreflect.Message) (least int64, unknown bool) {
	unknown = len(m.GetUnknown()) > 0
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		name := strings.TrimPrefix(string(fd.FullName()), schema)
		least = max(least, since[name])
		within := func(x protoreflect.Message) {
			n, odd := needed(x)
			least, unknown = max(least, n), unknown || odd
		}
		switch {
		case fd.Message() != nil && fd.IsList():
			for i := range v.List().Len() {
				within(v.List().Get(i).Message())
			}
		case fd.Message() != nil:
			within(v.Message())
		case elemFields[name]:
			least = max(least, typeSince(graph.DType(v.Int())))
		}
		return true
	})
	return least, unknown
}

// typeSince is the IR version that introduced an element type.
func typeSince(t graph.DType) int64 {
	switch {
	case t >= graph.Uint2:
		return 13
	case t >= graph.Float8E8M0:
		return 12
	case t >= graph.Float4E2M1:
		return 11
	case t >= graph.Uint4:
		return 10
	case t >= graph.Float8E4M3FN:
		return 9
	}
	return leastIR
}
