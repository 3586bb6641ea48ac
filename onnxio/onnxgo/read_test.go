package onnxgo

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/onnxio"
)

// summary is a graph as far as onnx-go carries it.
type summary struct {
	IRVersion       int64
	Opsets          []graph.Opset
	Inputs, Outputs []value
	Constants       []value
	Nodes           []node
}

type value struct{ Name, Type, Data string }

type node struct {
	Op              string
	Inputs, Outputs []string
	Attrs           []attr
}

type attr struct {
	Name  string
	Value any
}

func summarise(m *graph.Model) summary {
	s := summary{IRVersion: m.IRVersion}
	for _, o := range m.Opsets {
		s.Opsets = append(s.Opsets, graph.Opset{Domain: o.Domain, Version: o.Version})
	}
	for _, v := range m.Graph.Inputs() {
		if !v.IsInitializer() {
			s.Inputs = append(s.Inputs, value{v.Name(), v.Type.String(), ""})
		}
	}
	for _, v := range m.Graph.Outputs() {
		s.Outputs = append(s.Outputs, value{v.Name(), v.Type.String(), ""})
	}
	for _, v := range m.Graph.Initializers() {
		s.Constants = append(s.Constants, value{
			v.Name(), graph.TensorOf(v.Const.DType, graph.ShapeOf(v.Const.Dims...)).String(),
			string(v.Const.Bytes()),
		})
	}
	for n := range m.Graph.Nodes() {
		s.Nodes = append(s.Nodes, summariseNode(n))
	}
	return s
}

func summariseNode(n *graph.Node) node {
	s := node{Op: n.Op().String()}
	for _, v := range n.Inputs() {
		s.Inputs = append(s.Inputs, name(v))
	}
	for _, v := range n.Outputs() {
		s.Outputs = append(s.Outputs, name(v))
	}
	for _, a := range n.Attrs {
		x := any(a.Value)
		if t, ok := x.(*graph.Tensor); ok {
			x = value{"", graph.TensorOf(t.DType, graph.ShapeOf(t.Dims...)).String(),
				string(t.Bytes())}
		}
		s.Attrs = append(s.Attrs, attr{a.Name, x})
	}
	slices.SortFunc(s.Attrs, func(a, b attr) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

func name(v *graph.Value) string {
	if v == nil {
		return ""
	}
	return v.Name()
}

// TestAgainstMainReader holds that both readers see the same topology,
// operators, attributes and weights.
func TestAgainstMainReader(t *testing.T) {
	paths, err := filepath.Glob("../../fixtures/models/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("../testdata/plain/*.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 || len(own) == 0 {
		t.Fatalf("found %d fixtures and %d test models, want some of both", len(paths), len(own))
	}
	paths = append(paths, own...)
	if data := os.Getenv("SPIKINGIR_DATA"); data != "" {
		more, err := filepath.Glob(filepath.Join(data, "models", "*.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, more...)
	} else {
		t.Log("SPIKINGIR_DATA is unset: the real models are left out")
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) { compare(t, path) })
	}
}

func compare(t *testing.T, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := onnxio.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
	if diff := gocmp.Diff(summarise(want), summarise(got)); diff != "" {
		t.Errorf("onnx-go differs from the main reader (-main +onnx-go):\n%.4000s", diff)
	}
	if _, err := onnxio.Encode(got); err != nil {
		t.Errorf("the model cannot be written: %v", err)
	}
}
