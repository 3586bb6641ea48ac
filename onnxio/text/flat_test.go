package text_test

import (
	"fmt"

	"spikingir/graph"
)

// The flat types hold everything of a model that the syntax carries, as plain
// data: the oracle for round trips. Types are written by package graph.
type (
	flatModel struct {
		IRVersion, ModelVersion                int64
		Producer, ProducerVersion, Domain, Doc string
		Opsets                                 []graph.Opset
		Metadata                               graph.Metadata
		Graph                                  *flatGraph
		Functions                              []flatFunction
	}
	flatFunction struct {
		Domain, Name, Overload, Doc string
		Attrs                       []string
		Defaults                    []flatAttr
		Opsets                      []graph.Opset
		Metadata                    graph.Metadata
		Body                        *flatGraph
	}
	flatGraph struct {
		Name, Doc                     string
		Metadata                      graph.Metadata
		Inputs, Outputs, Inits, Infos []flatValue
		Nodes                         []flatNode
	}
	flatValue struct {
		Name, Type, Doc string
		Metadata        graph.Metadata
		Const           *flatTensor
		Sparse          *flatSparse
	}
	flatTensor struct {
		Name     string
		DType    graph.DType
		Dims     []int64
		Data     []byte
		Strings  []string
		External graph.Metadata
	}
	flatSparse struct {
		Values, Indices *flatTensor
		Dims            []int64
	}
	flatNode struct {
		Name, Overload, Doc string
		Op                  graph.Op
		Inputs, Outputs     []string
		Attrs               []flatAttr
		From                graph.Origin
		Region              graph.Region
		Metadata            graph.Metadata
	}
	flatAttr struct {
		Name  string
		Type  graph.AttrType
		Value any
	}
)

func flatten(m *graph.Model) flatModel {
	f := flatModel{
		IRVersion: m.IRVersion, ModelVersion: m.ModelVersion, Producer: m.ProducerName,
		ProducerVersion: m.ProducerVersion, Domain: m.Domain, Doc: m.Doc,
		Opsets: some(m.Opsets), Metadata: some(m.Metadata), Graph: flattenGraph(m.Graph),
	}
	for _, h := range m.Functions {
		f.Functions = append(f.Functions, flatFunction{
			Domain: h.Domain, Name: h.Name, Overload: h.Overload, Doc: h.Doc,
			Attrs: some(h.Attrs), Defaults: flattenAttrs(h.Defaults), Opsets: some(h.Opsets),
			Metadata: some(h.Metadata), Body: flattenGraph(h.Body),
		})
	}
	return f
}

func flattenGraph(g *graph.Graph) *flatGraph {
	f := &flatGraph{
		Name: g.Name, Doc: g.Doc, Metadata: some(g.Metadata),
		Inputs: flattenValues(g.Inputs()), Outputs: flattenValues(g.Outputs()),
		Inits: flattenValues(g.Initializers()), Infos: flattenValues(g.Declared()),
	}
	for n := range g.Nodes() {
		f.Nodes = append(f.Nodes, flatNode{
			Name: n.Name, Overload: n.Overload, Doc: n.Doc, Op: n.Op(),
			Inputs: names(n.Inputs()), Outputs: names(n.Outputs()),
			Attrs: flattenAttrs(n.Attrs), From: n.From, Region: n.Region, Metadata: some(n.Metadata),
		})
	}
	return f
}

func flattenValues(vs []*graph.Value) (list []flatValue) {
	for _, v := range vs {
		f := flatValue{
			Name: v.Name(), Type: v.Type.String(), Doc: v.Doc, Metadata: some(v.Metadata),
			Const: flattenTensor(v.Const),
		}
		if v.Sparse != nil {
			f.Sparse = flattenSparse(v.Sparse)
		}
		list = append(list, f)
	}
	return list
}

func flattenTensor(t *graph.Tensor) *flatTensor {
	if t == nil {
		return nil
	}
	f := &flatTensor{Name: t.Name, DType: t.DType, Dims: some(t.Dims), Data: some(t.Bytes())}
	for _, s := range t.Strings() {
		f.Strings = append(f.Strings, string(s))
	}
	if t.External != nil {
		f.External = some(t.External.Entries)
	}
	return f
}

func flattenSparse(s *graph.SparseTensor) *flatSparse {
	return &flatSparse{flattenTensor(s.Values), flattenTensor(s.Indices), some(s.Dims)}
}

func names(vs []*graph.Value) (list []string) {
	for _, v := range vs {
		if v == nil {
			list = append(list, "")
		} else {
			list = append(list, v.Name())
		}
	}
	return list
}

func flattenAttrs(as graph.Attrs) (list []flatAttr) {
	for _, a := range as {
		list = append(list, flatAttr{a.Name, graph.TypeOf(a.Value), flattenAttr(a.Value)})
	}
	return list
}

func flattenAttr(a graph.Attr) any {
	switch x := a.(type) {
	case *graph.Tensor:
		return flattenTensor(x)
	case graph.Tensors:
		return each(x, func(t *graph.Tensor) any { return flattenTensor(t) })
	case *graph.SparseTensor:
		return flattenSparse(x)
	case graph.SparseTensors:
		return each(x, func(s *graph.SparseTensor) any { return flattenSparse(s) })
	case *graph.Graph:
		return flattenGraph(x)
	case graph.Graphs:
		return each(x, func(g *graph.Graph) any { return flattenGraph(g) })
	case graph.Type:
		return x.String()
	case graph.Types:
		return each(x, func(t graph.Type) any { return t.String() })
	case graph.Ints:
		return some(x)
	case graph.Strings:
		return some(x)
	case graph.Float:
		return bits(float32(x))
	case graph.Floats:
		return each(x, func(f float32) any { return bits(f) })
	}
	return a
}

// each maps a list; it is nil when the list is empty, as every empty list here.
func each[T any](xs []T, f func(T) any) (list []any) {
	for _, x := range xs {
		list = append(list, f(x))
	}
	return list
}

func some[T any](xs []T) []T { return append([]T(nil), xs...) }

// bits tells NaNs and zeros apart.
func bits(f float32) string { return fmt.Sprintf("%08x", float32Bits(f)) }
