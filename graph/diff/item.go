package diff

import (
	"fmt"
	"strings"

	"spikingir/graph"
)

func headerItems(m *graph.Model) []item {
	list := []item{
		{"ir_version", fmt.Sprint(m.IRVersion)},
		{"producer", strings.TrimSpace(m.ProducerName + " " + m.ProducerVersion)},
		{"domain", m.Domain},
		{"model_version", fmt.Sprint(m.ModelVersion)},
		{"doc", m.Doc},
	}
	return append(append(list, opsets(m.Opsets)...), metadata(m.Metadata)...)
}

func opsets(os []graph.Opset) []item {
	var list []item
	for _, o := range os {
		name := o.Domain
		if name == "" {
			name = "ai.onnx"
		}
		list = append(list, item{"opset " + name, fmt.Sprint(o.Version)})
	}
	return list
}

func metadata(m graph.Metadata) []item {
	var list []item
	for _, kv := range m {
		if kv.Key == graph.MetaNeurons || kv.Key == graph.MetaMeasured {
			continue // says of the nodes what they were, or how they fire
		}
		list = append(list, item{"metadata " + kv.Key, quoted(kv.Value)})
	}
	return list
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func graphItems(g *graph.Graph) []item {
	list := []item{{"graph", g.Name}, {"graph doc", g.Doc}}
	for _, it := range metadata(g.Metadata) {
		list = append(list, item{"graph " + it.name, it.text})
	}
	return list
}

// boundary is the inputs or outputs of a graph, by place.
func boundary(what string, vs []*graph.Value) []item {
	var list []item
	for i, v := range vs {
		list = append(list, item{fmt.Sprintf("%s %d", what, i), v.Name() + " " + v.Type.String()})
		list = append(list, notes(fmt.Sprintf("%s %d.", what, i), v)...)
	}
	return list
}

// notes is what a value carries besides its type.
func notes(prefix string, v *graph.Value) []item {
	list := []item{{prefix + "doc", v.Doc}}
	for _, it := range metadata(v.Metadata) {
		list = append(list, item{prefix + it.name, it.text})
	}
	return list
}

// values is the values that nodes make.
func values(g *graph.Graph) []item {
	var list []item
	for n := range g.Nodes() {
		list = append(list, results(n.Outputs())...)
	}
	return list
}

// results is the types and notes of what a node gives.
func results(vs []*graph.Value) []item {
	var list []item
	for _, v := range vs {
		if v == nil {
			continue
		}
		if v.Type.Kind != graph.NoType {
			list = append(list, item{v.Name(), v.Type.String()})
		}
		if !v.IsOutput() { // else boundary has them
			list = append(list, notes(v.Name()+".", v)...)
		}
	}
	return list
}

// keyed is a node with the name it is compared by.
type keyed struct {
	key  string
	node *graph.Node
}

// nodes names each node by its own name or its first output's; a name that
// occurs again gets a number.
func nodes(g *graph.Graph) []keyed {
	var list []keyed
	taken := map[string]bool{}
	for n := range g.Nodes() {
		key := n.Label()
		for i := 2; taken[key]; i++ {
			key = fmt.Sprintf("%s#%d", n.Label(), i)
		}
		taken[key] = true
		list = append(list, keyed{key, n})
	}
	return list
}

func describe(ns []keyed) []item {
	var list []item
	for _, x := range ns {
		list = append(list, item{x.key, signature(x.node)})
	}
	return list
}

// signature is a node as "y = Op(x, w)"; the overload of a function it calls
// follows the operator behind a colon.
func signature(n *graph.Node) string {
	names := func(vs []*graph.Value) string {
		parts := make([]string, len(vs))
		for i, v := range vs {
			if v != nil {
				parts[i] = v.Name()
			}
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s = %s(%s)", names(n.Outputs()), opKey(n.Op(), n.Overload),
		names(n.Inputs()))
}

func opKey(op graph.Op, overload string) string {
	if overload == "" {
		return op.String()
	}
	return op.String() + ":" + overload
}

// nodeItems is a node's attributes and annotations. The contents of subgraphs
// are compared apart.
func nodeItems(n *graph.Node) []item {
	list := attributes(n.Attrs)
	list = append(list, item{"region", n.Region.String()}, item{"doc", n.Doc})
	return append(list, metadata(n.Metadata)...)
}

func attributes(as graph.Attrs) []item {
	var list []item
	for _, a := range as {
		list = append(list, item{a.Name, attribute(a.Value)})
	}
	return list
}

// subgraph is a graph and the attribute that holds it.
type subgraph struct {
	name  string
	graph *graph.Graph
}

func subgraphs(n *graph.Node) []subgraph {
	var list []subgraph
	for _, a := range n.Attrs {
		switch x := a.Value.(type) {
		case *graph.Graph:
			list = append(list, subgraph{a.Name, x})
		case graph.Graphs:
			for i, g := range x {
				list = append(list, subgraph{fmt.Sprintf("%s/%d", a.Name, i), g})
			}
		}
	}
	return list
}

func functionKey(f *graph.Function) string { return opKey(f.Op(), f.Overload) }

func functions(m *graph.Model) []item {
	var list []item
	for _, f := range m.Functions {
		n := 0
		if f.Body != nil {
			n = f.Body.NumNodes()
		}
		list = append(list, item{functionKey(f), fmt.Sprintf("%d nodes", n)})
	}
	return list
}

// functionItems is what a function declares besides its body.
func functionItems(f *graph.Function) []item {
	list := []item{{"attributes", strings.Join(f.Attrs, ", ")}, {"doc", f.Doc}}
	for _, it := range attributes(f.Defaults) {
		list = append(list, item{"default " + it.name, it.text})
	}
	return append(append(list, opsets(f.Opsets)...), metadata(f.Metadata)...)
}
