package onnxio

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// liftFrom makes elements of so many bytes large ones for the time of a test.
func liftFrom(t testing.TB, size int) {
	before := liftSize
	liftSize = size
	t.Cleanup(func() { liftSize = before })
}

// numbers is a tensor of small numbers in a field.
func numbers(name string, field protowire.Number, n int) *onnxpb.TensorProto {
	p := &onnxpb.TensorProto{Name: proto.String(name), Dims: []int64{int64(n)}, DataType: proto.Int32(1)}
	for i := range n {
		switch x := float64(i) / 4; field {
		case floatField:
			p.FloatData = append(p.FloatData, float32(x))
		case doubleField:
			p.DoubleData, p.DataType = append(p.DoubleData, x), proto.Int32(11)
		default:
			p.RawData = protowire.AppendFixed32(p.RawData, math.Float32bits(float32(x)))
		}
	}
	return p
}

// everywhere is a model with tensors in every place that the IR has for them.
func everywhere() *onnxpb.ModelProto {
	m := base()
	fields := []protowire.Number{rawField, floatField, doubleField}
	sparse := func(field protowire.Number) *onnxpb.SparseTensorProto {
		indices := numbers("", rawField, 6) // 3 numbers of 64 bits
		indices.DataType, indices.Dims = proto.Int32(7), []int64{3}
		return &onnxpb.SparseTensorProto{Values: numbers("", field, 3), Indices: indices, Dims: []int64{9}}
	}
	for i, f := range fields {
		name := string(rune('a' + i))
		m.Graph.Initializer = append(m.Graph.Initializer, numbers(name, f, 5))
		s := sparse(f)
		s.Values.Name = proto.String("sparse" + name)
		m.Graph.SparseInitializer = append(m.Graph.SparseInitializer, s)
		inner := &onnxpb.GraphProto{Name: proto.String("inner"), Initializer: []*onnxpb.TensorProto{numbers("in"+name, f, 4)}}
		of := func(name string, t onnxpb.AttributeProto_AttributeType) *onnxpb.AttributeProto {
			return &onnxpb.AttributeProto{Name: proto.String(name), Type: t.Enum()}
		}
		t, ts, g, gs, x, xs := of("t", onnxpb.AttributeProto_TENSOR), of("ts", onnxpb.AttributeProto_TENSORS), of("g", onnxpb.AttributeProto_GRAPH),
			of("gs", onnxpb.AttributeProto_GRAPHS), of("x", onnxpb.AttributeProto_SPARSE_TENSOR), of("xs", onnxpb.AttributeProto_SPARSE_TENSORS)
		t.T, ts.Tensors = numbers("", f, 4), []*onnxpb.TensorProto{numbers("", f, 4), numbers("", rawField, 2)}
		g.G, gs.Graphs = inner, []*onnxpb.GraphProto{proto.Clone(inner).(*onnxpb.GraphProto)}
		x.SparseTensor, xs.SparseTensors = sparse(f), []*onnxpb.SparseTensorProto{sparse(f)}
		odd := of("odd", onnxpb.AttributeProto_INT) // what it holds beside is kept as it is
		odd.T, odd.G = numbers("", f, 4), proto.Clone(inner).(*onnxpb.GraphProto)
		n := op("const"+name, "Constant", "", "c"+name)
		n.Input, n.Attribute = nil, []*onnxpb.AttributeProto{t, ts, g, gs, x, xs, odd}
		m.Graph.Node = append(m.Graph.Node, n)
	}
	addFunctions(m)
	m.Functions[0].Node[0].Attribute = append(m.Functions[0].Node[0].Attribute, m.Graph.Node[2].Attribute[0])
	odd := numbers("odd", floatField, 3)
	odd.DataType = proto.Int32(99) // a type of no known size
	m.Graph.Initializer = append(m.Graph.Initializer, odd)
	m.TrainingInfo = []*onnxpb.TrainingInfoProto{{Algorithm: &onnxpb.GraphProto{Initializer: []*onnxpb.TensorProto{numbers("train", rawField, 4)}}}}
	m.Graph.ProtoReflect().SetUnknown(unknown())
	m.Graph.Initializer[1].ProtoReflect().SetUnknown(unknown())
	return m
}

// ownForm is a model as the writer itself writes it.
func ownForm(t testing.TB, m *graph.Model) []byte {
	t.Helper()
	own, err := (&encoder{}).encode(m)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := own.writeTo(&b); err != nil || b.Len() != own.size(own.root) {
		t.Fatalf("%d bytes are written of %d: %v", b.Len(), own.size(own.root), err)
	}
	return b.Bytes()
}

// checkLift holds that elements which are not copied give the same model and the same
// bytes as those that are.
func checkLift(t *testing.T, data []byte, lifts bool) {
	t.Helper()
	want := &onnxpb.ModelProto{}
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, want); err != nil {
		t.Fatal(err)
	}
	got, typed, err := unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	for p, x := range typed {
		x.copyTo(p)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), cmpopts.EquateNaNs()); diff != "" {
		t.Fatalf("the messages differ:\n%s", diff)
	}
	l := &lifter{}
	if l.cut(data, inModel, 0); len(l.table) > 0 != lifts {
		t.Errorf("%d tensors are lifted", len(l.table))
	}
	liftFrom(t, math.MaxInt)
	copied, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	plain := ownForm(t, copied)
	liftFrom(t, 8)
	m, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ownForm(t, m), plain) || m.Source.Fingerprint != copied.Source.Fingerprint {
		t.Error("the writer's own encoding differs")
	}
	if got, err := Encode(m); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the unchanged model is written as other bytes: %v", err)
	}
}

func TestLift(t *testing.T) {
	liftFrom(t, 8)
	checkLift(t, wire(t, everywhere()), true)
	for _, path := range testModels(t) {
		data := readAll(t, path)
		l := &lifter{}
		l.cut(data, inModel, 0)
		checkLift(t, data, len(l.table) > 0)
	}
	for _, c := range features {
		p := base()
		c.edit(p)
		data := wire(t, p)
		l := &lifter{}
		l.cut(data, inModel, 0)
		checkLift(t, data, len(l.table) > 0)
	}
}

// TestLiftOdd holds that files in which a mark would not be understood are read as
// protobuf reads them: those that have such a field themselves, or a message in two parts.
func TestLiftOdd(t *testing.T) {
	liftFrom(t, 8)
	mark := protowire.AppendVarint(protowire.AppendTag(nil, markField, protowire.VarintType), 0)
	for name, edit := range map[string]func(p *onnxpb.ModelProto) []byte{
		"mark in a small tensor": func(p *onnxpb.ModelProto) []byte {
			small := numbers("small", rawField, 1)
			small.ProtoReflect().SetUnknown(mark)
			p.Graph.Initializer = append(p.Graph.Initializer, small)
			return wire(t, p)
		},
		"mark of another type": func(p *onnxpb.ModelProto) []byte {
			small := numbers("small", rawField, 1)
			small.ProtoReflect().SetUnknown(field(nil, markField, []byte("x")))
			p.Graph.Initializer = append(p.Graph.Initializer, small)
			return wire(t, p)
		},
		"tensor in two parts": func(p *onnxpb.ModelProto) []byte {
			second := &onnxpb.ModelProto{Graph: &onnxpb.GraphProto{Node: []*onnxpb.NodeProto{{
				OpType: proto.String("Constant"), Output: []string{"c"},
				Attribute: []*onnxpb.AttributeProto{{Name: proto.String("value"), Type: onnxpb.AttributeProto_TENSOR.Enum()}}}}}}
			a := second.Graph.Node[0].Attribute[0]
			parts := field(wire(t, a), 5, wire(t, numbers("", rawField, 4)))
			parts = field(parts, 5, wire(t, &onnxpb.TensorProto{RawData: bytes.Repeat([]byte{1}, 16)}))
			node := proto.Clone(second.Graph.Node[0]).(*onnxpb.NodeProto)
			node.Attribute = nil
			return append(wire(t, p), field(nil, 7, field(nil, 1, field(wire(t, node), 5, parts)))...)
		},
		"elements in two fields": func(p *onnxpb.ModelProto) []byte {
			x := numbers("two", floatField, 4)
			return append(wire(t, p), field(nil, 7, field(nil, 5, append(wire(t, x), field(nil, floatField, make([]byte, 8))...)))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := base()
			p.Graph.Initializer = append(p.Graph.Initializer, numbers("large", rawField, 4))
			data := edit(p)
			want := &onnxpb.ModelProto{}
			if err := proto.Unmarshal(data, want); err != nil {
				t.Fatal(err)
			}
			got, typed, err := unmarshal(data)
			if err != nil {
				t.Fatal(err)
			}
			for p, x := range typed {
				x.copyTo(p)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform(), cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("the messages differ:\n%s", diff)
			}
		})
	}
}

// weighty writes a model with so many bytes of weights in a few tensors.
func weighty(t *testing.T, size int, external bool) string {
	t.Helper()
	p := base()
	var files map[string][]byte
	const tensors = 4
	data := bytes.Repeat([]byte{1, 2, 3, 4}, size/tensors/4)
	for i := range tensors {
		x := &onnxpb.TensorProto{Name: proto.String(string(rune('a' + i))), Dims: []int64{int64(len(data) / 4)}, DataType: proto.Int32(1)}
		switch {
		case external:
			x.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
			x.ExternalData = []*onnxpb.StringStringEntryProto{entry("location", *x.Name)}
			if files == nil {
				files = map[string][]byte{}
			}
			files[*x.Name] = data
		case i == 0:
			x.FloatData = make([]float32, len(data)/4)
		case i == 1:
			a := &onnxpb.AttributeProto{Name: proto.String("value"), Type: onnxpb.AttributeProto_TENSOR.Enum(), T: x}
			x.RawData, x.Name = data, nil
			n := op("const", "Constant", "", "constant")
			n.Input, n.Attribute = nil, []*onnxpb.AttributeProto{a}
			p.Graph.Node = append(p.Graph.Node, n)
			continue
		default:
			x.RawData = data
		}
		p.Graph.Initializer = append(p.Graph.Initializer, x)
	}
	return store(t, p, files)
}

// allocated is the bytes that f takes from the heap, those that it gives back included.
func allocated(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestReadingMemory holds that a model is read, and written, in half as much memory again
// as its file takes, whether its weights lie in it or outside.
func TestReadingMemory(t *testing.T) {
	const size = 64 << 20
	for _, external := range []bool{false, true} {
		path := weighty(t, size, external)
		var m *graph.Model
		took := allocated(func() {
			var err error
			if m, err = ReadFile(path); err != nil {
				t.Fatal(err)
			}
		})
		if took > size*3/2 {
			t.Errorf("external data %t: reading %d bytes takes %d", external, size, took)
		}
		m.Doc = "changed"
		took = allocated(func() {
			if err := WriteFile(filepath.Join(t.TempDir(), "out.onnx"), m); err != nil {
				t.Fatal(err)
			}
		})
		if took > size/2 {
			t.Errorf("external data %t: writing %d bytes takes %d", external, size, took)
		}
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
	}
}
