package nir

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio/hdf5"
)

type dataset = hdf5.Dataset

// ints is a list of whole numbers as a dataset.
func ints(list ...int64) dataset { return hdf5.Ints([]int64{int64(len(list))}, list...) }

// A signal is what a value of the model is in the file: a sum of what nodes give. So sums
// and concatenations need no node of their own, which NIR has not.
type signal struct {
	terms []term
	shape []int64 // without the batch
}

// A term is what a node gives, with its sign, as the channels of a signal from a place on; the
// others are zero.
type term struct {
	node         *Node
	at, channels int64
	negative     bool
	free         bool // nothing else reads the node: a bias may be added in it
}

// whole reports whether a term is all channels of what its node gives, as it gives it.
func (t term) whole(s signal) bool { return !t.negative && t.at == 0 && t.channels == s.shape[0] }

// shared is a signal that several read.
func (s signal) shared() signal {
	s.terms = slices.Clone(s.terms)
	for i := range s.terms {
		s.terms[i].free = false
	}
	return s
}

// negated is a signal with the other sign.
func (s signal) negated() signal {
	s.terms = slices.Clone(s.terms)
	for i := range s.terms {
		s.terms[i].negative = !s.terms[i].negative
		s.terms[i].free = false
	}
	return s
}

// shapeOf is the shape, without its batch or time, of a value that n reads or makes.
func shapeOf(n *graph.Node, v *graph.Value) ([]int64, error) {
	dims, ok := v.Type.Shape.Sizes()
	if !ok || len(dims) < 2 || !v.Type.Elem.IsFloat() {
		return nil, op.Unsupportedf(n, "%q is %v, and NIR has numbers of a batch and channels of known sizes", v.Name(), v.Type)
	}
	return dims[1:], nil
}

// name is a name of a node that is not taken: letters, digits and underscores, which names of Python have.
func (e *exporter) name(label string) string {
	base := strings.Trim(strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, label), "_")
	if base == "" {
		base = "node"
	}
	name := base
	for i := 2; e.names[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	e.names[name] = true
	return name
}

// node adds a node of the file.
func (e *exporter) node(label, typ string, fields map[string]dataset) *Node {
	n := &Node{Name: e.name(label), Type: typ, Fields: fields}
	if n.Name != label {
		n.Metadata.Set("name", label)
	}
	e.net.Nodes = append(e.net.Nodes, n)
	return n
}

// made is the signal of a node that makes a whole value.
func made(n *Node, shape []int64) signal {
	return signal{[]term{{node: n, channels: shape[0], free: true}}, shape}
}

// link leads all of a signal to a node.
func (e *exporter) link(s signal, to *Node) {
	seen := map[*Node]bool{}
	for _, t := range s.terms {
		n := e.plain(t, s)
		if seen[n] { // an edge counts once
			n = e.scale(n.Name+".again", made(n, s.shape), []float32{1})
		}
		seen[n] = true
		e.net.Edges = append(e.net.Edges, Edge{n.Name, to.Name})
	}
}

// embedding is a place of a node's channels among others.
type embedding struct {
	from      *Node
	at, total int64
	negative  bool
}

// plain is a node that gives just a term: its own, or one that changes its sign or puts its channels
// at their place.
func (e *exporter) plain(t term, s signal) *Node {
	if t.whole(s) {
		return t.node
	}
	key := embedding{t.node, t.at, s.shape[0], t.negative}
	if n := e.embedded[key]; n != nil {
		return n
	}
	sign := float32(1)
	if t.negative {
		sign = -1
	}
	own := s
	own.shape = slices.Clone(s.shape)
	own.shape[0] = t.channels
	own.terms = []term{{node: t.node, channels: t.channels}}
	var n *Node
	if t.channels == s.shape[0] {
		n = e.scale(t.node.Name+".negative", own, []float32{sign})
	} else {
		w := make([]float32, s.shape[0]*t.channels)
		for c := range t.channels {
			w[(t.at+c)*t.channels+c] = sign
		}
		n = e.pointwise(t.node.Name+".place", own, s.shape[0], w)
	}
	e.embedded[key] = n
	return n
}

// scale is a node that multiplies a signal: by one number, or one for each channel.
func (e *exporter) scale(label string, s signal, factors []float32) *Node {
	n := e.node(label, "Scale", map[string]dataset{"scale": spread(s.shape, factors)})
	e.link(s, n)
	return n
}

// spread is one number for each element, made of one for all or for each channel.
func spread(shape []int64, list []float32) dataset {
	if !slices.ContainsFunc(list, func(x float32) bool { return x != list[0] }) {
		return hdf5.Filled(shape, list[0])
	}
	per := int64(1)
	for _, d := range shape[1:] {
		per *= d
	}
	all := make([]float32, 0, per*shape[0])
	for _, x := range list {
		all = append(all, slices.Repeat([]float32{x}, int(per))...)
	}
	return hdf5.Floats(shape, all)
}

// pointwise is a layer that mixes channels at each place alone, by a matrix.
func (e *exporter) pointwise(label string, s signal, out int64, w []float32) *Node {
	var n *Node
	if len(s.shape) == 3 {
		n = e.node(label, "Conv2d", convolution(s.shape[1:], []int64{out, s.shape[0], 1, 1}, w,
			[]int64{1, 1}, []int64{0, 0}, []int64{1, 1}))
	} else {
		n = e.node(label, "Linear", map[string]dataset{"weight": hdf5.Floats([]int64{out, s.shape[0]}, w)})
	}
	e.link(s, n)
	return n
}

// biased is a signal with a constant added to each channel: in a layer that makes it, or
// behind one that passes it on. n is the node of the model that adds it.
func (e *exporter) biased(n *graph.Node, s signal, b []float32) (signal, error) {
	if !slices.ContainsFunc(b, nonzero) {
		return s, nil
	}
	for _, t := range s.terms {
		if t.free && t.whole(s) && t.node.layer() {
			t.node.add(b)
			return s, nil
		}
	}
	if r := len(s.shape); r != 1 && r != 3 {
		return s, op.Unsupportedf(n, "it adds a constant to %d dimensions, and NIR has biases of images and of vectors only", r)
	}
	w := make([]float32, len(b)*len(b))
	for c := range b {
		w[c*len(b)+c] = 1
	}
	k := e.pointwise(n.OriginLabel()+".bias", s, s.shape[0], w)
	k.add(b)
	return made(k, s.shape), nil
}

// layer reports whether a node may have a bias.
func (n *Node) layer() bool { return n.Type == "Conv2d" || n.Type == "Linear" }

// add adds to the bias of a layer.
func (n *Node) add(b []float32) {
	if n.bias == nil {
		n.bias = make([]float32, len(b))
	}
	for i, x := range b {
		n.bias[i] += x
	}
}

// settle writes the bias of a layer: a Conv2d has one in any case, and a Linear with one is
// called Affine.
func (n *Node) settle() {
	switch {
	case n.Type == "Conv2d" && n.bias == nil:
		n.Fields["bias"] = hdf5.Filled([]int64{n.Fields["weight"].Dims()[0]}, 0)
	case n.bias != nil:
		n.Fields["bias"] = hdf5.Floats([]int64{int64(len(n.bias))}, n.bias)
		if n.Type == "Linear" {
			n.Type = "Affine"
		}
	}
}
