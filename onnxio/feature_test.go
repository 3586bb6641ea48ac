package onnxio

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// features change the base model. Unless kept is set, the writer's own encoding
// must be the file.
var features = []struct {
	name string
	edit func(*onnxpb.ModelProto)
	kept bool
}{
	{name: "base", edit: func(*onnxpb.ModelProto) {}},
	{name: "explicit defaults", edit: func(m *onnxpb.ModelProto) {
		m.ProducerName, m.DocString = proto.String(""), proto.String("")
		m.ModelVersion = proto.Int64(0)
		m.Graph.DocString = proto.String("")
		m.Graph.Node[0].Domain = proto.String("")
		m.Graph.Node[0].DocString = proto.String("")
		m.Graph.Initializer[0].DataLocation = onnxpb.TensorProto_DEFAULT.Enum()
		m.Graph.Initializer[0].DocString = proto.String("")
		m.Graph.Input[0].DocString = proto.String("")
		m.Graph.Input[0].Type.Denotation = proto.String("")
	}},
	{name: "standard domain spelled out", edit: func(m *onnxpb.ModelProto) {
		m.OpsetImport[0].Domain = proto.String("ai.onnx")
		m.Graph.Node[0].Domain = proto.String("ai.onnx")
	}},
	{name: "unknown fields", edit: func(m *onnxpb.ModelProto) {
		g := m.Graph
		for _, p := range []proto.Message{
			m, m.OpsetImport[0], g, g.Node[0], g.Initializer[0], g.Input[0], g.Input[0].Type,
			g.Input[0].Type.TensorType, g.Input[0].Type.TensorType.Shape,
			g.Input[0].Type.TensorType.Shape.Dim[0],
		} {
			p.ProtoReflect().SetUnknown(unknown())
		}
	}},
	{name: "unknown field of a metadata entry", kept: true, edit: func(m *onnxpb.ModelProto) {
		m.MetadataProps = append(m.MetadataProps, entry("a", "b"))
		m.MetadataProps[0].ProtoReflect().SetUnknown(unknown())
	}},
	{name: "metadata everywhere", edit: func(m *onnxpb.ModelProto) {
		list := []*onnxpb.StringStringEntryProto{entry("a", "b"), entry("a", ""), entry("", "c")}
		m.MetadataProps, m.Graph.MetadataProps = list, list
		m.Graph.Node[0].MetadataProps = list
		m.Graph.Initializer[0].MetadataProps = list
		m.Graph.Input[0].MetadataProps = list
	}},
	{name: "dimensions", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Input[0].Type.TensorType.Shape.Dim = []*onnxpb.TensorShapeProto_Dimension{
			{DimParam: proto.String("N")}, {DimParam: proto.String("")}, {},
			{DimValue: proto.Int64(0)}, {DimValue: proto.Int64(-1)},
			{Denotation: proto.String("DATA_CHANNEL")},
		}
	}},
	{name: "types left out", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Input[0].Type.TensorType.Shape = nil
		m.Graph.Output[0].Type = nil
		m.Graph.ValueInfo = []*onnxpb.ValueInfoProto{
			{Name: proto.String("s"), Type: &onnxpb.TypeProto{}},
			{Name: proto.String("w"), Type: &onnxpb.TypeProto{
				SequenceType: &onnxpb.TypeProto_Sequence{ElemType: &onnxpb.TypeProto{}}}},
		}
	}},
	{name: "dangling and repeated value_info", edit: func(m *onnxpb.ModelProto) {
		m.Graph.ValueInfo = []*onnxpb.ValueInfoProto{
			info("s", 2), info("s", 3), info("gone", 1), info("x", 2), info("w", 5),
		}
	}},
	{name: "device configurations", edit: func(m *onnxpb.ModelProto) {
		m.IrVersion = proto.Int64(11)
		m.Configuration = []*onnxpb.DeviceConfigurationProto{
			{Name: proto.String("two"), NumDevices: proto.Int32(2), Device: []string{"a", "b"}},
		}
		m.Graph.Node[0].DeviceConfigurations = []*onnxpb.NodeDeviceConfigurationProto{{
			ConfigurationId: proto.String("two"), PipelineStage: proto.Int32(0),
			ShardingSpec: []*onnxpb.ShardingSpecProto{{
				TensorName: proto.String("x"), Device: []int64{0, 1},
				ShardedDim: []*onnxpb.ShardedDimProto{{Axis: proto.Int64(0)}},
			}},
		}}
	}},
	{name: "attributes", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Node[0].Attribute = allAttributes()
	}},
	{name: "untyped attributes", kept: true, edit: func(m *onnxpb.ModelProto) {
		m.IrVersion = proto.Int64(1)
		m.Graph.Node[0].Attribute = allAttributes()
		for i, a := range m.Graph.Node[0].Attribute {
			if a.Type = nil; i%2 == 0 {
				a.Type = onnxpb.AttributeProto_UNDEFINED.Enum()
			}
		}
	}},
	{name: "an attribute with nothing", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{Name: proto.String("a")}}
	}},
	{name: "an attribute with too much", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Node[0].Attribute = []*onnxpb.AttributeProto{{
			Name: proto.String("a"), Type: onnxpb.AttributeProto_INT.Enum(),
			I: proto.Int64(1), F: proto.Float32(2), Ints: []int64{3},
		}}
	}},
	{name: "functions", edit: addFunctions},
	{name: "omitted inputs and outputs", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Node[0] = op("mystery", "Mystery", "x - w -", "- s -")
	}},
	{name: "output is an input", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Output = append(m.Graph.Output, info("x", 2), info("w", 2))
	}},
	{name: "default of an input", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Input = append(m.Graph.Input, info("w", 2))
	}},
	{name: "empty tensors", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Initializer = append(m.Graph.Initializer,
			&onnxpb.TensorProto{Name: proto.String("e"), Dims: []int64{0, 3},
				DataType: proto.Int32(1)},
			&onnxpb.TensorProto{Name: proto.String("r"), Dims: []int64{3, 0},
				DataType: proto.Int32(1), RawData: []byte{}})
	}},
	{name: "element type of the future", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Initializer = append(m.Graph.Initializer, &onnxpb.TensorProto{
			Name: proto.String("q"), Dims: []int64{3}, DataType: proto.Int32(77),
			RawData: []byte{1, 2, 3, 4, 5},
		})
	}},
	{name: "segment", edit: func(m *onnxpb.ModelProto) {
		m.Graph.Initializer[0].Segment = &onnxpb.TensorProto_Segment{
			Begin: proto.Int64(0), End: proto.Int64(2)}
	}},
	{name: "nodes out of order", kept: true, edit: func(m *onnxpb.ModelProto) {
		n := m.Graph.Node
		n[0], n[1] = n[1], n[0]
	}},
}

// allAttributes has every type of attribute, with and without contents.
func allAttributes() []*onnxpb.AttributeProto {
	tensor := &onnxpb.TensorProto{
		Name: proto.String("inner"), DataType: proto.Int32(7), Int64Data: []int64{-5},
	}
	sparse := &onnxpb.SparseTensorProto{
		Values: &onnxpb.TensorProto{Dims: []int64{1}, DataType: proto.Int32(1),
			FloatData: []float32{1}},
		Indices: &onnxpb.TensorProto{Dims: []int64{1}, DataType: proto.Int32(7),
			Int64Data: []int64{3}},
		Dims: []int64{4},
	}
	sub := func(prefix string) *onnxpb.GraphProto {
		return &onnxpb.GraphProto{
			Name:   proto.String(prefix),
			Node:   []*onnxpb.NodeProto{op("", "Add", "x "+prefix+"w", prefix+"y")},
			Output: []*onnxpb.ValueInfoProto{info(prefix+"y", 2)},
			Initializer: []*onnxpb.TensorProto{{Name: proto.String(prefix + "w"),
				DataType: proto.Int32(1), FloatData: []float32{2}}},
		}
	}
	list := []*onnxpb.AttributeProto{
		{F: proto.Float32(0)}, {I: proto.Int64(0)}, {S: []byte{}}, {S: []byte("\xff text")},
		{T: tensor}, {G: sub("a")}, {SparseTensor: sparse}, {Tp: info("", 1, 2).Type},
		{Floats: []float32{0, 1}}, {Ints: []int64{0, -1}}, {Strings: [][]byte{{}, []byte("a")}},
		{Tensors: []*onnxpb.TensorProto{tensor, tensor}},
		{Graphs: []*onnxpb.GraphProto{sub("b"), sub("c")}},
		{SparseTensors: []*onnxpb.SparseTensorProto{sparse}},
		{TypeProtos: []*onnxpb.TypeProto{{}, info("", 3).Type}},
	}
	numbers := map[protoreflect.FieldNumber]graph.AttrType{}
	for t, n := range content {
		numbers[n] = t
	}
	for i, a := range list {
		a.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			a.Type = onnxpb.AttributeProto_AttributeType(numbers[fd.Number()]).Enum()
			return false
		})
		a.Name = proto.String(string(rune('a' + i)))
		a.DocString = proto.String("doc")
	}
	return list
}

func addFunctions(m *onnxpb.ModelProto) {
	call := op("call", "F", "x w", "s")
	call.Domain, call.Overload = proto.String("my"), proto.String("two")
	m.Graph.Node[0] = call
	m.OpsetImport = append(m.OpsetImport, &onnxpb.OperatorSetIdProto{
		Domain: proto.String("my"), Version: proto.Int64(1)})
	body := op("body", "LeakyRelu", "a", "c")
	body.Attribute = []*onnxpb.AttributeProto{{Name: proto.String("alpha"),
		RefAttrName: proto.String("slope"), Type: onnxpb.AttributeProto_FLOAT.Enum()}}
	for _, overload := range []string{"", "two"} {
		f := &onnxpb.FunctionProto{
			Name: proto.String("F"), Domain: proto.String("my"), Overload: proto.String(overload),
			Input: []string{"a", "b"}, Output: []string{"c", "b"}, Attribute: []string{"slope"},
			AttributeProto: []*onnxpb.AttributeProto{{Name: proto.String("k"),
				Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(3)}},
			Node:          []*onnxpb.NodeProto{body},
			OpsetImport:   m.OpsetImport[:1],
			DocString:     proto.String("doc"),
			ValueInfo:     []*onnxpb.ValueInfoProto{info("a", 2), info("none", 2)},
			MetadataProps: []*onnxpb.StringStringEntryProto{entry("k", "v")},
		}
		f.ProtoReflect().SetUnknown(unknown())
		m.Functions = append(m.Functions, f)
	}
}

func TestFeatures(t *testing.T) {
	for _, f := range features {
		t.Run(f.name, func(t *testing.T) {
			p := base()
			f.edit(p)
			want := wire(t, p)
			m, err := Decode(want)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Check(); err != nil {
				t.Error(err)
			}
			if m.Source.Bytes != nil != f.kept {
				t.Errorf("the reader kept the file: %v, want %v", m.Source.Bytes != nil, f.kept)
			}
			for _, c := range []*graph.Model{m, m.Clone()} {
				got, err := Encode(c)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Error("the model is written as other bytes")
				}
			}
		})
	}
}

// TestFeaturesAreModelled looks at the IR: the round trip alone would also
// succeed if everything were kept as unknown bytes.
func TestFeaturesAreModelled(t *testing.T) {
	p := base()
	addFunctions(p)
	p.Graph.Node[1].Attribute = allAttributes()
	p.Graph.Node[1].Domain = proto.String("ai.onnx")
	m, err := Decode(wire(t, p))
	if err != nil {
		t.Fatal(err)
	}
	g := m.Graph
	add := g.Value("s").Producer()
	if add.Op() != (graph.Op{Domain: "my", Type: "F"}) || add.Overload != "two" ||
		add.Input(0) != g.Value("x") || add.Input(1) != g.Value("w") {
		t.Errorf("node of s is %v overload %q", add.Op(), add.Overload)
	}
	f := m.Function(add.Op(), "two")
	if f == nil || f.Doc != "doc" || len(f.Body.Inputs()) != 2 || f.Body.NumNodes() != 1 {
		t.Fatalf("function F is %+v", f)
	}
	ref, _ := f.Body.Value("c").Producer().Attrs.Lookup("alpha")
	if ref != (graph.Ref{Name: "slope", Type: graph.AttrFloat}) {
		t.Errorf("attribute alpha is %#v", ref)
	}
	relu := g.Value("y").Producer()
	if !relu.Is("Relu") {
		t.Errorf("node of y is %v, want Relu", relu.Op())
	}
	var types []graph.AttrType
	for _, a := range relu.Attrs {
		types = append(types, graph.TypeOf(a.Value))
		if a.Doc != "doc" || a.Unknown != nil {
			t.Errorf("attribute %q is %+v", a.Name, a)
		}
	}
	want := []graph.AttrType{
		graph.AttrFloat, graph.AttrInt, graph.AttrString, graph.AttrString, graph.AttrTensor,
		graph.AttrGraph, graph.AttrSparseTensor, graph.AttrTypeProto, graph.AttrFloats,
		graph.AttrInts, graph.AttrStrings, graph.AttrTensors, graph.AttrGraphs,
		graph.AttrSparseTensors, graph.AttrTypeProtos,
	}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
	if uses := g.Value("x").NumUses(); uses != 4 { // F and three subgraphs
		t.Errorf("x has %d uses, want 4", uses)
	}
}

// TestUntypedAttributes demands that a changed model states the types that its file left
// out, as IR version 1 did and other programs refuse, and that what tells no type is
// refused.
func TestUntypedAttributes(t *testing.T) {
	untyped := func(edit func(*onnxpb.AttributeProto)) (*graph.Model, error) {
		p := base()
		p.Graph.Node[0].Attribute = allAttributes()
		for _, a := range p.Graph.Node[0].Attribute {
			a.Type = nil
		}
		edit(p.Graph.Node[0].Attribute[1])
		return Decode(wire(t, p))
	}
	m, err := untyped(func(*onnxpb.AttributeProto) {})
	if err != nil {
		t.Fatal(err)
	}
	m.Doc = "changed"
	data, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	p := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		t.Fatal(err)
	}
	for i, want := range allAttributes() {
		if got := p.Graph.Node[0].Attribute[i]; got.GetType() != want.GetType() {
			t.Errorf("attribute %q is written as %v, want %v", want.GetName(), got.GetType(), want.GetType())
		}
	}

	_, err = untyped(func(a *onnxpb.AttributeProto) { a.F = proto.Float32(1) })
	if err == nil || !strings.Contains(err.Error(), `attribute "b": it states no type and holds a value of type float and one of type int`) {
		t.Errorf("two values and no type: %v", err)
	}
	m, err = untyped(func(a *onnxpb.AttributeProto) { a.I = nil })
	if err != nil {
		t.Fatal(err)
	}
	m.Doc = "changed"
	if _, err = Encode(m); err == nil || !strings.Contains(err.Error(), `attribute "b" states neither a type nor a value`) {
		t.Errorf("neither a value nor a type: %v", err)
	}
}

// TestElements compares the elements of every type, typed and raw, with those
// that Python wrote as raw data.
func TestElements(t *testing.T) {
	m, err := ReadFile("testdata/elements.onnx")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, v := range m.Graph.Initializers() {
		raw := m.Graph.Value(v.Name() + "_raw")
		if raw == nil {
			continue
		}
		compared++
		if !bytes.Equal(v.Const.Bytes(), raw.Const.Bytes()) || len(v.Const.Bytes()) == 0 {
			t.Errorf("%s: typed elements %x, raw %x", v.Name(), v.Const.Bytes(), raw.Const.Bytes())
		}
		if v.Const.Store != graph.TypedData || raw.Const.Store != graph.RawData {
			t.Errorf("%s: stores %v and %v", v.Name(), v.Const.Store, raw.Const.Store)
		}
	}
	if compared != 14 {
		t.Errorf("compared %d types, want 14", compared)
	}
	words := m.Graph.Value("string").Const.Strings()
	if diff := cmp.Diff([][]byte{[]byte("a"), {0xff, 0}}, words); diff != "" {
		t.Error(diff)
	}
}

// TestPackedTypes covers the types under 8 bits and the 8-bit floats, which
// are newer than the Python package.
func TestPackedTypes(t *testing.T) {
	for _, c := range []struct {
		dtype graph.DType
		typed []int32
		bytes []byte
	}{
		{graph.Uint4, []int32{0x21, 0x03}, []byte{0x21, 0x03}},
		{graph.Int4, []int32{0xff, 0x08}, []byte{0xff, 0x08}},
		{graph.Float4E2M1, []int32{0x21, 0x03}, []byte{0x21, 0x03}},
		{graph.Uint2, []int32{0x39}, []byte{0x39}},
		{graph.Int2, []int32{0x39}, []byte{0x39}},
		{graph.Float8E4M3FN, []int32{1, 128, 255}, []byte{1, 128, 255}},
		{graph.Float8E5M2FNUZ, []int32{1, 128, 255}, []byte{1, 128, 255}},
		{graph.Float8E8M0, []int32{1, 128, 255}, []byte{1, 128, 255}},
	} {
		p := base()
		p.IrVersion = proto.Int64(13)
		p.Graph.Initializer = append(p.Graph.Initializer, &onnxpb.TensorProto{
			Name: proto.String("q"), Dims: []int64{3}, DataType: proto.Int32(int32(c.dtype)),
			Int32Data: c.typed,
		})
		m, err := Decode(wire(t, p))
		if err != nil {
			t.Errorf("%v: %v", c.dtype, err)
			continue
		}
		if got := m.Graph.Value("q").Const.Bytes(); !bytes.Equal(got, c.bytes) {
			t.Errorf("%v: elements are %x, want %x", c.dtype, got, c.bytes)
		}
		if m.Source.Bytes != nil {
			t.Errorf("%v: the writer's own encoding is not the file", c.dtype)
		}
	}
}

// TestWarning holds that an output which contradicts itself is reported.
func TestWarning(t *testing.T) {
	p := base()
	p.Graph.Output = append(p.Graph.Output, info("x", 3))
	var heard []error
	o := ReadOptions{Warn: func(err error) { heard = append(heard, err) }}
	m, err := o.Decode(wire(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if len(heard) != 1 {
		t.Errorf("heard %v, want one warning", heard)
	}
	if got, _ := Encode(m); !bytes.Equal(got, wire(t, p)) {
		t.Error("the unchanged model is written as other bytes")
	}
}
