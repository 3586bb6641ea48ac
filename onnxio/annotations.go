package onnxio

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// Metadata of nodes, values, graphs and functions are part of ONNX since IR version 10. In
// the file of an older version they lie in one property of the model, a JSON document:
//
//	{"nodes": {"conv1": {"spikingir.origin": "Conv_0", ...}, ...}, ...}
//
// An object of a graph has the members
//
//	metadata   properties of the graph, or of the function that it is the body of
//	nodes      by name: properties of a node
//	outputs    by the name of their first output: those of nodes without a name of their own
//	values     by name: properties of a value that the graph declares
//	subgraphs  by the first output of a node and an attribute: the object of a graph
//
// and that of the main graph the member functions too, by domain and name. Properties keep
// their order. What has no such place (metadata of tensors, of nodes that nothing tells
// apart, text that is no UTF-8) stays where it is: readers of the version skip the field.

// site is where a message holds metadata, and its place in the document.
type site struct {
	path  []string
	props *[]*onnxpb.StringStringEntryProto
}

// sites iterates over the places of metadata below the model.
func sites(p *onnxpb.ModelProto) iter.Seq[site] {
	return func(yield func(site) bool) {
		w := &siteWalk{yield: yield}
		w.graph(p.Graph, nil)
		for _, f := range p.Functions {
			if f.GetOverload() != "" {
				continue // which needs IR version 10 itself
			}
			at := []string{"functions", f.GetDomain(), f.GetName()}
			w.site(at, "metadata", "", &f.MetadataProps)
			w.nodes(f.Node, at)
			w.values(f.ValueInfo, at)
		}
	}
}

type siteWalk struct {
	yield func(site) bool
	ended bool
}

// site is the place at kind and, unless it is empty, name.
func (w *siteWalk) site(at []string, kind, name string, props *[]*onnxpb.StringStringEntryProto) {
	if w.ended {
		return
	}
	path := append(slices.Clone(at), kind)
	if name != "" {
		path = append(path, name)
	}
	w.ended = !w.yield(site{path, props})
}

func (w *siteWalk) graph(p *onnxpb.GraphProto, at []string) {
	if p == nil {
		return
	}
	w.site(at, "metadata", "", &p.MetadataProps)
	w.nodes(p.Node, at)
	for _, list := range [][]*onnxpb.ValueInfoProto{p.Input, p.Output, p.ValueInfo} {
		w.values(list, at)
	}
}

func (w *siteWalk) nodes(list []*onnxpb.NodeProto, at []string) {
	count := map[string]int{}
	for _, n := range list {
		count[n.GetName()]++
	}
	for _, n := range list {
		i := slices.IndexFunc(n.Output, func(name string) bool { return name != "" })
		switch name := n.GetName(); {
		case name != "" && count[name] == 1:
			w.site(at, "nodes", name, &n.MetadataProps)
		case i >= 0:
			w.site(at, "outputs", n.Output[i], &n.MetadataProps)
		}
		for _, a := range n.Attribute {
			if i < 0 {
				break
			}
			in := append(slices.Clone(at), "subgraphs", n.Output[i], a.GetName())
			w.graph(a.G, in)
			for k, g := range a.Graphs {
				w.graph(g, append(slices.Clone(in), strconv.Itoa(k)))
			}
		}
	}
}

func (w *siteWalk) values(list []*onnxpb.ValueInfoProto, at []string) {
	for _, v := range list {
		if v.GetName() != "" {
			w.site(at, "values", v.GetName(), &v.MetadataProps)
		}
	}
}

// gather moves metadata below the model to the document, which becomes the last property of
// the model. A value is declared twice where it is input and output at once.
func gather(p *onnxpb.ModelProto) {
	doc := &jsonObject{}
	for s := range sites(p) {
		if len(*s.props) == 0 || !isText(s) {
			continue
		}
		x := propertyObject(*s.props)
		if old := doc.at(s.path); old == nil {
			doc.put(s.path, x)
		} else if !old.equal(x) {
			continue
		}
		*s.props = nil
	}
	if len(doc.members) == 0 {
		return
	}
	p.MetadataProps = slices.DeleteFunc(p.MetadataProps, isDocument)
	p.MetadataProps = append(p.MetadataProps, &onnxpb.StringStringEntryProto{
		Key: proto.String(graph.MetaNodes), Value: proto.String(doc.String()),
	})
}

func isDocument(p *onnxpb.StringStringEntryProto) bool { return p.GetKey() == graph.MetaNodes }

func isText(s site) bool {
	for _, name := range s.path {
		if !utf8.ValidString(name) {
			return false
		}
	}
	for _, kv := range *s.props {
		if !utf8.ValidString(kv.GetKey()) || !utf8.ValidString(kv.GetValue()) {
			return false
		}
	}
	return true
}

func propertyObject(props []*onnxpb.StringStringEntryProto) *jsonObject {
	o := &jsonObject{}
	for _, kv := range props {
		o.members = append(o.members, member{name: kv.GetKey(), text: kv.GetValue()})
	}
	return o
}

// scatter puts the metadata of the document back where they belong, and takes it off the
// properties of the model. A document that is damaged stays there. The error says what is
// lost.
func scatter(p *onnxpb.ModelProto) error {
	i := slices.IndexFunc(p.MetadataProps, isDocument)
	if i < 0 {
		return nil
	}
	doc, err := parseObject(p.MetadataProps[i].GetValue())
	if err != nil {
		return fmt.Errorf("the metadata %q are damaged (%w): what they say of nodes is lost", graph.MetaNodes, err)
	}
	p.MetadataProps = slices.Delete(p.MetadataProps, i, i+1)
	placed := map[*jsonObject]bool{}
	for s := range sites(p) {
		x := doc.at(s.path)
		if x == nil || !x.flat() {
			continue
		}
		placed[x] = true
		own := *s.props
		for _, m := range x.members {
			if !slices.ContainsFunc(own, func(kv *onnxpb.StringStringEntryProto) bool { return kv.GetKey() == m.name }) {
				*s.props = append(*s.props, &onnxpb.StringStringEntryProto{Key: proto.String(m.name), Value: proto.String(m.text)})
			}
		}
	}
	gone, first := 0, ""
	for path, x := range doc.leaves() {
		if placed[x] {
			continue
		}
		if gone++; gone == 1 {
			first = path
		}
	}
	if gone > 0 {
		return fmt.Errorf("the metadata %q speak of %d nodes or values that are not in the model, the first is %q: that is lost",
			graph.MetaNodes, gone, first)
	}
	return nil
}
