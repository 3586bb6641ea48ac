package onnxio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"spikingir/onnxio/onnxpb"
)

// invalidModels change the base model; the error must say each of the texts,
// separated by "|".
var invalidModels = []struct {
	name string
	edit func(m *onnxpb.ModelProto)
	want string
	node string
}{
	{"no graph", func(m *onnxpb.ModelProto) { m.Graph = nil }, "holds no graph", ""},
	{"no header", func(m *onnxpb.ModelProto) { m.Graph, m.IrVersion = nil, nil },
		"not an ONNX model|neither", ""},
	{"no version", func(m *onnxpb.ModelProto) { m.IrVersion = nil }, "ir_version is 0|1 to 13", ""},
	{"version of the future", func(m *onnxpb.ModelProto) { m.IrVersion = proto.Int64(14) },
		"ir_version is 14|at most 13", ""},
	{"no opset", func(m *onnxpb.ModelProto) { m.OpsetImport = nil }, "opset_import is empty", ""},
	{"input twice", func(m *onnxpb.ModelProto) {
		m.Graph.Input = append(m.Graph.Input, info("x", 2))
	}, `input|"x" is defined twice`, ""},
	{"initializer twice", func(m *onnxpb.ModelProto) {
		m.Graph.Initializer = append(m.Graph.Initializer, m.Graph.Initializer[0])
	}, `initializer|"w" is defined twice`, ""},
	{"node computes an input", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Output[0] = "x" },
		`node "add" (Add)|"x" is defined twice`, "add"},
	{"two nodes make a value", func(m *onnxpb.ModelProto) { m.Graph.Node[1].Output[0] = "s" },
		`node "relu" (Relu)|"s" is defined twice`, "relu"},
	{"unknown input", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[1] = "typo" },
		`node "add" (Add): input 1, "typo", is not defined`, "add"},
	{"unknown output", func(m *onnxpb.ModelProto) { m.Graph.Output[0] = info("typo", 2) },
		`output "typo" is not defined`, ""},
	{"no operator", func(m *onnxpb.ModelProto) { m.Graph.Node[1].OpType = nil },
		"no operator", "relu"},
	{"cycle", func(m *onnxpb.ModelProto) { m.Graph.Node[0].Input[0] = "y" },
		"cycle|add -> relu|relu -> add", ""},
	{"own output", func(m *onnxpb.ModelProto) { m.Graph.Node[1].Input[0] = "y" },
		"cycle: relu -> relu", ""},
	{"own output in a subgraph", func(m *onnxpb.ModelProto) { addBranch(m, "y", "inner") },
		"cycle: relu -> relu", ""},
	{"subgraph shadows", func(m *onnxpb.ModelProto) { addBranch(m, "x", "s") },
		`node "relu"|attribute "body"|"s" of subgraph "sub" is defined outside`, "relu"},
	{"subgraph passes a value", func(m *onnxpb.ModelProto) {
		addBranch(m, "x", "inner").Output[0] = info("x", 2)
	}, `output "x" of subgraph "sub"|Identity`, "relu"},
	{"deep subgraphs", func(m *onnxpb.ModelProto) {
		g := addBranch(m, "x", "inner")
		for range 200 {
			body := &onnxpb.AttributeProto{Name: proto.String("b"),
				Type: onnxpb.AttributeProto_GRAPH.Enum(), G: g}
			g = &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{{
				OpType: proto.String("If"), Attribute: []*onnxpb.AttributeProto{body}}}}
		}
		m.Graph.Node[1].Attribute[0].G = g
	}, "nested deeper than 64", ""},
	{"deep types", func(m *onnxpb.ModelProto) {
		for range 200 {
			m.Graph.Input[0].Type = &onnxpb.TypeProto{
				SequenceType: &onnxpb.TypeProto_Sequence{ElemType: m.Graph.Input[0].Type}}
		}
	}, `input "x"|nested deeper than 64`, ""},
	{"short raw data", func(m *onnxpb.ModelProto) {
		t := m.Graph.Initializer[0]
		t.RawData = t.RawData[:7]
	}, `initializer "w"|7 bytes|want 8`, ""},
	{"short typed data", func(m *onnxpb.ModelProto) {
		t := m.Graph.Initializer[0]
		t.RawData, t.FloatData = nil, []float32{1}
	}, `initializer "w"|4 bytes|want 8`, ""},
	{"no data", func(m *onnxpb.ModelProto) { m.Graph.Initializer[0].RawData = nil },
		`initializer "w"|0 bytes|want 8`, ""},
	{"two kinds of data", func(m *onnxpb.ModelProto) {
		m.Graph.Initializer[0].FloatData = []float32{1, 2}
	}, "float_data and raw_data", ""},
	{"data of another type", func(m *onnxpb.ModelProto) {
		t := m.Graph.Initializer[0]
		t.RawData, t.Int64Data = nil, []int64{1, 2}
	}, "float in int64_data, want float_data", ""},
	{"raw strings", func(m *onnxpb.ModelProto) { m.Graph.Initializer[0].DataType = proto.Int32(8) },
		"strings in raw_data", ""},
	{"int8 out of range", func(m *onnxpb.ModelProto) {
		t := m.Graph.Initializer[0]
		t.RawData, t.DataType, t.Int32Data = nil, proto.Int32(3), []int32{1, 256}
	}, "element 1 of int32_data is 256|int8", ""},
	{"uint32 out of range", func(m *onnxpb.ModelProto) {
		t := m.Graph.Initializer[0]
		t.RawData, t.DataType, t.Uint64Data = nil, proto.Int32(12), []uint64{1 << 32, 1}
	}, "element 0 of uint64_data is 4294967296|uint32", ""},
	{"negative dimension", func(m *onnxpb.ModelProto) {
		m.Graph.Initializer[0].Dims = []int64{-2, -1}
	}, "negative dimension -2", ""},
	{"overflowing dimensions", func(m *onnxpb.ModelProto) {
		m.Graph.Initializer[0].Dims = []int64{1 << 40, 1 << 40}
	}, "too large", ""},
	{"huge dimensions", func(m *onnxpb.ModelProto) {
		m.Graph.Initializer[0].Dims = []int64{1 << 50}
	}, "8 bytes|want 4503599627370496", ""},
	{"initializer of another type than its input", func(m *onnxpb.ModelProto) {
		m.Graph.Input = append(m.Graph.Input, info("w", 3))
	}, `initializer "w"|[2]|[3]`, ""},
	{"attribute twice", func(m *onnxpb.ModelProto) {
		a := &onnxpb.AttributeProto{Name: proto.String("a"), I: proto.Int64(1)}
		m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{a, a}
	}, `attribute "a" is given twice`, "add"},
	{"attribute without a name", func(m *onnxpb.ModelProto) {
		m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{}}
	}, "attribute has no name", "add"},
	{"tensor attribute without tensor", func(m *onnxpb.ModelProto) {
		m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("a"),
			Type: onnxpb.AttributeProto_TENSOR.Enum()}}
	}, `attribute "a": its type is tensor but it holds none`, "add"},
	{"sparse tensor of the wrong shape", func(m *onnxpb.ModelProto) {
		m.Graph.SparseInitializer = []*onnxpb.SparseTensorProto{{
			Values: m.Graph.Initializer[0], Dims: []int64{4},
			Indices: &onnxpb.TensorProto{Dims: []int64{1}, DataType: proto.Int32(7),
				Int64Data: []int64{1}},
		}}
	}, `sparse initializer "w"|[1], want [2] or [2 1]`, ""},
	{"external strings", func(m *onnxpb.ModelProto) {
		makeExternal(m, "w.bin").DataType = proto.Int32(8)
	}, "string cannot be external", ""},
	{"external and raw", func(m *onnxpb.ModelProto) {
		makeExternal(m, "w.bin").RawData = []byte{1}
	}, "external but it holds raw_data", ""},
	{"function input twice", func(m *onnxpb.ModelProto) {
		addFunctions(m)
		m.Functions[0].Input[1] = "a"
	}, `function "F": input: value "a" is defined twice`, ""},
	{"function output unknown", func(m *onnxpb.ModelProto) {
		addFunctions(m)
		m.Functions[0].Output[0] = "typo"
	}, `function "F": output "typo" is not defined`, ""},
	{"function twice", func(m *onnxpb.ModelProto) {
		addFunctions(m)
		m.Functions = append(m.Functions, m.Functions[0])
	}, `function "my.F" is defined twice`, ""},
}

// addBranch gives the node relu a subgraph inner = Neg(input).
func addBranch(m *onnxpb.ModelProto, input, inner string) *onnxpb.GraphProto {
	g := &onnxpb.GraphProto{
		Name:   proto.String("sub"),
		Node:   []*onnxpb.NodeProto{op("neg", "Neg", input, inner)},
		Output: []*onnxpb.ValueInfoProto{info(inner, 2)},
	}
	m.Graph.Node[1].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("body"),
		Type: onnxpb.AttributeProto_GRAPH.Enum(), G: g}}
	return g
}

func TestInvalidModels(t *testing.T) {
	for _, c := range invalidModels {
		t.Run(c.name, func(t *testing.T) {
			m := base()
			c.edit(m)
			_, err := ReadOptions{Path: "dir/m.onnx"}.Decode(wire(t, m))
			checkError(t, err, "dir/m.onnx: |"+c.want)
			var e *Error
			if errors.As(err, &e) && c.node != "" && e.Node != c.node {
				t.Errorf("the error is about node %q, want %q", e.Node, c.node)
			}
		})
	}
}

// checkError wants an *Error that says all the texts.
func checkError(t *testing.T, err error, texts string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one about %s", texts)
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("the error is a %T, want an *Error: %v", err, err)
	}
	for _, text := range strings.Split(texts, "|") {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %q, want it to say %q", err, text)
		}
	}
}

func TestNoModel(t *testing.T) {
	plain := wire(t, base())
	damaged := append([]byte(nil), plain...)
	damaged[len(damaged)-3] = 0xff
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "empty"},
		{"random", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "not protobuf"},
		{"text", "This is no model at all.\n", "not an ONNX model"},
		{"zip", "PK\x03\x04\x14\x00\x00", "zip archive|torch.onnx"},
		{"pickle", "\x80\x02}q\x00.", "pickle"},
		{"lfs", "version https://git-lfs.github.com/spec/v1\noid", "Git LFS"},
		{"textual", "<ir_version: 8>\ng (", "textual syntax"},
		{"json", "{\"a\": 1}", "JSON"},
		{"truncated", string(plain[:len(plain)-20]), "truncated|at byte|field graph of ModelProto"},
		{"truncated header", string(plain[:1]), "truncated"},
		{"damaged inside", string(damaged), "at byte"},
		{"other protobuf", string(field(nil, 50, []byte("x"))), "neither an ir_version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode([]byte(c.data))
			checkError(t, err, c.want)
		})
	}
}

// TestTruncated cuts a model at every place: it must give an error or, where
// the cut falls between fields, a model; never a panic.
func TestTruncated(t *testing.T) {
	m := base()
	addFunctions(m)
	m.Graph.Node[1].Attribute = allAttributes()
	data := wire(t, m)
	for i := range data {
		_, err := Decode(data[:i])
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("cut at %d: the error is a %T: %v", i, err, err)
		}
	}
}

func TestReadLimits(t *testing.T) {
	data := wire(t, base())
	_, err := Read(strings.NewReader(string(data)), ReadOptions{MaxBytes: int64(len(data)) - 1})
	checkError(t, err, "more than")
	_, err = Read(strings.NewReader(string(data)), ReadOptions{MaxBytes: int64(len(data))})
	if err != nil {
		t.Error(err)
	}
	_, err = ReadFile(filepath.Join(t.TempDir(), "none.onnx"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v, want that the file does not exist", err)
	}
	name := filepath.Join(t.TempDir(), "empty.onnx")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = ReadFile(name)
	checkError(t, err, name+"|empty")
}
