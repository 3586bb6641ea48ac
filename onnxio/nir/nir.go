// Package nir writes spiking networks as NIR, the Neuromorphic Intermediate Representation of
// simulators and chips (Pedersen et al., Nature Communications 2024): a graph of nodes such as
// Conv2d and IF, in HDF5, as the project's own reader takes it. What NIR cannot say of a
// network is told in a [Report]; docs/nir.md has the whole of it.
package nir

import (
	"io"

	"spikingir/graph"
	"spikingir/onnxio/hdf5"
)

// Version is the version of NIR that files state.
const Version = "1.0"

// A Network is a NIR graph. A node that several edges lead to gets the sum of what they carry.
type Network struct {
	Nodes    []*Node
	Edges    []Edge
	Metadata graph.Metadata
}

// A Node is one node of a NIR graph, of a type such as "Conv2d", with the fields that the type has.
type Node struct {
	Name, Type string
	Fields     map[string]hdf5.Dataset
	Metadata   graph.Metadata

	bias []float32 // of a Conv2d, Affine or Linear; nil: none
}

// Edge leads from one node to another, by their names.
type Edge struct{ From, To string }

// Write writes the network as a file. The same network gives the same bytes.
func (n *Network) Write(w io.Writer) error {
	root := &hdf5.Group{}
	root.Set("version", hdf5.Strings(nil, Version))
	g := root.Group("node")
	g.Set("type", hdf5.Strings(nil, "NIRGraph"))
	annotate(g, n.Metadata)
	nodes := g.Group("nodes")
	for _, x := range n.Nodes {
		sub := nodes.Group(x.Name)
		sub.Set("type", hdf5.Strings(nil, x.Type))
		for name, d := range x.Fields {
			sub.Set(name, d)
		}
		annotate(sub, x.Metadata)
	}
	var ends []string
	for _, e := range n.Edges {
		ends = append(ends, e.From, e.To)
	}
	g.Set("edges", hdf5.Strings([]int64{int64(len(n.Edges)), 2}, ends...))
	return hdf5.Write(w, root)
}

// annotate adds metadata, where there are any: NIR's reader hands them to who asks.
func annotate(g *hdf5.Group, list graph.Metadata) {
	if len(list) == 0 {
		return
	}
	sub := g.Group("metadata")
	for _, kv := range list {
		sub.Set(kv.Key, hdf5.Strings(nil, kv.Value))
	}
}

// Count is how many nodes are of a type.
func (n *Network) Count(typ string) int {
	count := 0
	for _, x := range n.Nodes {
		if x.Type == typ {
			count++
		}
	}
	return count
}
