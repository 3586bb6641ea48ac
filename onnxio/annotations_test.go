package onnxio

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// annotated is a model with metadata of every kind that the document holds.
func annotated() *onnxpb.ModelProto {
	p := base()
	p.MetadataProps = props("spikingir.recipe", "spikingir")
	g := p.Graph
	g.MetadataProps = props("of", "graph")
	g.Node[0].MetadataProps = props("z", "<&>\n", "a", "1", "a", "2", graph.MetaOrigin, "old", graph.MetaPass, "p")
	g.Input[0].MetadataProps = props("of", "x")
	g.ValueInfo = append(g.ValueInfo, info("s", 2))
	g.ValueInfo[0].MetadataProps = props("of", "s", "", "")
	// Nodes without names of their own, one with a branch.
	twins := []*onnxpb.NodeProto{op("", "Neg", "s", "n"), op("twin", "Neg", "n", "- t1"), op("twin", "Neg", "n", "t2")}
	for i, n := range twins {
		n.MetadataProps = props("of", fmt.Sprint(i))
	}
	inner := op("relu", "Relu", "t2", "in")
	inner.MetadataProps = props("of", "inner")
	twins[2].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("body"), Type: onnxpb.AttributeProto_GRAPH.Enum(),
		G: &onnxpb.GraphProto{Name: proto.String("b"), Node: []*onnxpb.NodeProto{inner}, Output: []*onnxpb.ValueInfoProto{info("in", 2)}}}}
	inner.Input[0] = "n"
	g.Node = append(g.Node, twins...)
	body := op("body", "Relu", "a", "c")
	body.MetadataProps = props("of", "body")
	p.Functions = []*onnxpb.FunctionProto{{Name: proto.String("F"), Domain: proto.String("my"), Input: []string{"a"}, Output: []string{"c"},
		Node: []*onnxpb.NodeProto{body}, OpsetImport: p.OpsetImport[:1], MetadataProps: props("of", "function")}}
	return p
}

func props(list ...string) []*onnxpb.StringStringEntryProto {
	var p []*onnxpb.StringStringEntryProto
	for kv := range slices.Chunk(list, 2) {
		p = append(p, entry(kv[0], kv[1]))
	}
	return p
}

const document = `{"metadata":{"of":"graph"},` +
	`"nodes":{"add":{"z":"<&>\n","a":"1","a":"2","spikingir.origin":"old","spikingir.pass":"p"}},` +
	`"outputs":{"n":{"of":"0"},"t1":{"of":"1"},"t2":{"of":"2"}},` +
	`"subgraphs":{"t2":{"body":{"nodes":{"relu":{"of":"inner"}}}}},` +
	`"values":{"x":{"of":"x"},"s":{"of":"s","":""}},` +
	`"functions":{"my":{"F":{"metadata":{"of":"function"},"nodes":{"body":{"of":"body"}}}}}}`

// TestDocument holds that metadata below the model have a place in a file of any IR version:
// a model of version 8 is the one of version 10 but for the number.
func TestDocument(t *testing.T) {
	m := mustDecode(t, annotated())
	m.IRVersion = 8
	data, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	file := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, file); err != nil {
		t.Fatal(err)
	}
	for s := range sites(file) {
		if len(*s.props) > 0 {
			t.Errorf("metadata are left at %v", s.path)
		}
	}
	if n := len(file.MetadataProps); n != 2 || file.MetadataProps[1].GetKey() != graph.MetaNodes ||
		file.MetadataProps[1].GetValue() != document {
		t.Errorf("the properties of the model are %v, want a document\n%s", file.MetadataProps, document)
	}
	back, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Source.Warnings) > 0 || back.Source.Bytes != nil || !bytes.Equal(own(t, back), data) {
		t.Errorf("writing what was read gives other bytes; warnings %q", back.Source.Warnings)
	}
	if n := back.Graph.Value("s").Producer(); n.From != (graph.Origin{Node: "old", Pass: "p"}) || len(n.Metadata) != 3 {
		t.Errorf("read %+v, metadata %v", n.From, n.Metadata)
	}
	back.IRVersion = 10
	if !bytes.Equal(own(t, back), wire(t, annotated())) {
		t.Error("metadata are not what they were")
	}
}

// TestDocumentBeside holds that what has no place in the document stays where it is, and
// that metadata of a file's own nodes prevail.
func TestDocumentBeside(t *testing.T) {
	p := base()
	p.IrVersion = proto.Int64(8)
	p.Graph.Initializer[0].MetadataProps = props("of", "w")
	p.Graph.Node[0].MetadataProps = props("a", "\xff")
	p.Graph.Node[1].MetadataProps = props("a", "own", "b", "own")
	p.MetadataProps = props(graph.MetaNodes, `{"nodes":{"relu":{"b":"doc","c":"doc"}}}`)
	m := mustDecode(t, p)
	n := m.Graph.Value("y").Producer()
	if want := (graph.Metadata{{Key: "a", Value: "own"}, {Key: "b", Value: "own"}, {Key: "c", Value: "doc"}}); !slices.Equal(n.Metadata, want) {
		t.Errorf("metadata of the node are %v, want %v", n.Metadata, want)
	}
	if data, err := Encode(m); err != nil || !bytes.Equal(data, wire(t, p)) {
		t.Errorf("the unchanged model is written as other bytes: %v", err)
	}
	m.Doc = "changed"
	back, err := Decode(own(t, m))
	if err != nil {
		t.Fatal(err)
	}
	w, add, relu := back.Graph.Value("w"), back.Graph.Value("s").Producer(), back.Graph.Value("y").Producer()
	if len(w.Const.Metadata) != 1 || len(add.Metadata) != 1 || !slices.Equal(relu.Metadata, n.Metadata) {
		t.Errorf("read back %v, %v and %v", w.Const.Metadata, add.Metadata, relu.Metadata)
	}
	if least, err := LeastIR(back); err != nil || least != 10 {
		t.Errorf("the lowest IR version is %d, %v, want 10 for what is left below the model", least, err)
	}
}

// TestDamagedDocument holds that a document that does not fit is a warning.
func TestDamagedDocument(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 5000)
	for _, c := range []struct{ document, want string }{
		{`{}`, ""},
		{`{"nodes":{"relu":{"a":"b"}}}`, ""},
		{`{"nodes":{"relu":{"a":"b"},"gone":{"a":"b"}},"values":{"v":{"a":"b"}}}`,
			`2 nodes or values that are not in the model, the first is "nodes/gone"`},
		{`{"a":"b"}`, `1 nodes or values that are not in the model`},
		{`{"nodes":"relu"}`, `the first is ""`},
		{`{"nodes":{"relu":{"a":{"b":"c"}}}}`, `the first is "nodes/relu/a"`},
		{`{"nodes":{"relu":{"a":"b","c":{}}}}`, "want an object of objects, or of strings"},
		{`{"nodes":{"relu":{"a":1}}}`, "want an object of objects"},
		{`{"nodes":["relu"]}`, "want an object of objects"},
		{`[]`, "want an object"},
		{``, "EOF"},
		{`{"nodes":`, "are damaged"},
		{`{} {}`, "there is more behind the object"},
		{deep, "nested deeper than"},
	} {
		p := base()
		p.IrVersion = proto.Int64(8)
		p.MetadataProps = props(graph.MetaNodes, c.document)
		m := mustDecode(t, p)
		name := c.document[:min(len(c.document), 40)]
		if got := strings.Join(m.Source.Warnings, "; "); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: the warnings are %q, want %q", name, got, c.want)
		}
		if data, err := Encode(m); err != nil || !bytes.Equal(data, wire(t, p)) {
			t.Errorf("%s: the unchanged model is written as other bytes: %v", name, err)
		}
		m.Graph.Value("y").Producer().Metadata.Set("new", "1")
		data := own(t, m)
		if n := bytes.Count(data, []byte(graph.MetaNodes)); n != 1 {
			t.Errorf("%s: the changed model has %d documents", name, n)
		}
	}
}

func TestLeastIR(t *testing.T) {
	for _, c := range []struct {
		name string
		want int64
		edit func(*onnxpb.ModelProto)
	}{
		{"plain", 4, func(*onnxpb.ModelProto) {}},
		{"metadata", 4, func(p *onnxpb.ModelProto) {
			p.Graph.MetadataProps, p.Graph.Node[0].MetadataProps = props("a", "b"), props("a", "b")
		}},
		{"functions", 8, func(p *onnxpb.ModelProto) { p.Functions = annotated().Functions }},
		{"defaults of a function, overloads", 10, addFunctions},
		{"metadata of a tensor", 10, func(p *onnxpb.ModelProto) { p.Graph.Initializer[0].MetadataProps = props("a", "b") }},
		{"optional type", 8, func(p *onnxpb.ModelProto) {
			p.Graph.Input[0].Type = &onnxpb.TypeProto{OptionalType: &onnxpb.TypeProto_Optional{ElemType: p.Graph.Input[0].Type}}
		}},
		{"int4", 10, func(p *onnxpb.ModelProto) { p.Graph.Input[0].Type.TensorType.ElemType = proto.Int32(22) }},
		{"float8 in a branch", 9, func(p *onnxpb.ModelProto) {
			p.Graph.Node[1].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("body"), Type: onnxpb.AttributeProto_GRAPH.Enum(),
				G: &onnxpb.GraphProto{Initializer: []*onnxpb.TensorProto{{Name: proto.String("k"), Dims: []int64{1},
					DataType: proto.Int32(17), RawData: []byte{1}}}}}}
		}},
		{"training", 7, func(p *onnxpb.ModelProto) { p.TrainingInfo = []*onnxpb.TrainingInfoProto{{}} }},
		{"a field of the future", 13, func(p *onnxpb.ModelProto) {
			p.IrVersion = proto.Int64(13)
			p.Graph.Node[0].ProtoReflect().SetUnknown(unknown())
		}},
	} {
		p := base()
		c.edit(p)
		m := mustDecode(t, p)
		version := m.IRVersion
		got, err := LeastIR(m)
		if err != nil || got != c.want {
			t.Errorf("%s: %d, %v, want %d", c.name, got, err, c.want)
		}
		if m.IRVersion != version {
			t.Errorf("%s: the model has another version now", c.name)
		}
	}
}
