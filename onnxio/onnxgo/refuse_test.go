package onnxgo

import (
	"errors"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"spikingir/onnxio/onnxpb"
)

// edit changes the typed test model and gives its bytes.
func edit(t *testing.T, change func(*onnxpb.ModelProto)) []byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/plain/typed.onnx")
	if err != nil {
		t.Fatal(err)
	}
	m := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if data, err = proto.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRefused(t *testing.T) {
	attr := func(a *onnxpb.AttributeProto) func(m *onnxpb.ModelProto) {
		a.Name = proto.String("extra")
		return func(m *onnxpb.ModelProto) {
			m.Graph.Node[0].Attribute = append(m.Graph.Node[0].Attribute, a)
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(*onnxpb.ModelProto)
	}{
		{"functions", "1 functions", func(m *onnxpb.ModelProto) {
			m.Functions = []*onnxpb.FunctionProto{{Name: proto.String("F")}}
		}},
		{"domain", `node "f_y": operator Cast is of domain "my"`, func(m *onnxpb.ModelProto) {
			m.Graph.Node[0].Domain = proto.String("my")
		}},
		{"subgraph", `node "f_y" (Cast): attribute "extra": its type is GRAPH`,
			attr(&onnxpb.AttributeProto{Type: onnxpb.AttributeProto_GRAPH.Enum()})},
		{"untyped attribute", "its type is UNDEFINED",
			attr(&onnxpb.AttributeProto{I: proto.Int64(1)})},
		{"half attribute", "its elements are float16", attr(&onnxpb.AttributeProto{
			Type: onnxpb.AttributeProto_TENSOR.Enum(),
			T:    &onnxpb.TensorProto{DataType: proto.Int32(10), RawData: []byte{0, 0}}})},
		{"sparse", "sparse initializers", func(m *onnxpb.ModelProto) {
			m.Graph.SparseInitializer = []*onnxpb.SparseTensorProto{{}}
		}},
		{"external", `initializer "f": its data is external`, func(m *onnxpb.ModelProto) {
			m.Graph.Initializer[0].DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
		}},
		{"bool", "its elements are bool", func(m *onnxpb.ModelProto) {
			m.Graph.Initializer[0].DataType = proto.Int32(9)
		}},
		{"empty tensor", "its dimensions are [0]", func(m *onnxpb.ModelProto) {
			m.Graph.Initializer[0].Dims = []int64{0}
		}},
		{"huge type", `value "f_y": its dimensions are`, func(m *onnxpb.ModelProto) {
			m.Graph.Output[0].Type.TensorType.Shape.Dim[0].DimValue = proto.Int64(1 << 40)
		}},
		{"half type", `value "f_y": its elements are float16`, func(m *onnxpb.ModelProto) {
			m.Graph.Output[0].Type.TensorType.ElemType = proto.Int32(10)
		}},
		{"sequence", "it is no tensor", func(m *onnxpb.ModelProto) {
			m.Graph.Output[0].Type = &onnxpb.TypeProto{SequenceType: &onnxpb.TypeProto_Sequence{}}
		}},
		{"no nodes", "no nodes", func(m *onnxpb.ModelProto) { m.Graph.Node = nil }},
		{"node without outputs", "operator Cast has no output", func(m *onnxpb.ModelProto) {
			m.Graph.Node[0].Output = nil
		}},
		{"a panic", "it panicked", func(m *onnxpb.ModelProto) {
			m.Graph.Initializer[0].Dims = []int64{3} // for two elements
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(edit(t, c.change))
			if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want ErrUnsupported with %q", err, c.want)
			}
		})
	}
}

// TestInvalid covers models that are wrong and not only out of reach.
func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*onnxpb.ModelProto)
	}{
		{"no graph", "holds no graph", func(m *onnxpb.ModelProto) { m.Graph = nil }},
		{"unknown input", `"typo", is not defined`, func(m *onnxpb.ModelProto) {
			m.Graph.Node[0].Input[0] = "typo"
		}},
		{"nameless input", "has no name", func(m *onnxpb.ModelProto) {
			m.Graph.Input = []*onnxpb.ValueInfoProto{{}}
		}},
		{"unknown output", `output "typo" is not defined`, func(m *onnxpb.ModelProto) {
			m.Graph.Output[0].Name = proto.String("typo")
		}},
		{"two definitions", `"f_y" is defined twice`, func(m *onnxpb.ModelProto) {
			m.Graph.Node[1].Output[0] = "f_y"
		}},
		{"cycle", "cycle", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[0] = "f_y" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(edit(t, c.change))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
	if _, err := Read([]byte("no model")); err == nil {
		t.Error("text was taken for a model")
	}
}

// FuzzRead holds that nothing makes the reader panic.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"typed", "optional", "ir3_defaults", "unsorted"} {
		data, err := os.ReadFile("../testdata/plain/" + name + ".onnx")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err != nil {
			return
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
	})
}
