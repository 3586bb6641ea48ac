package annotations

import (
	"cmp"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// A Record is a network as it was before a lowering.
type Record struct {
	model   *graph.Model
	doc     Document
	layers  []standing
	consts  []constant
	Copies  map[*graph.Node]*graph.Node // of layers that the lowering replaces, the node to take them from
	Sources map[*graph.Value]Tensor     // of initializers that the file states in another way: From and what belongs to it
}

// standing is a standard node with its wiring.
type standing struct {
	node  *graph.Node
	state Layer
	read  bool // by a spiking operator
}

type constant struct {
	name   string
	value  *graph.Value
	tensor *graph.Tensor
	spare  bool // a spiking operator reads it
}

// Begin takes down the spiking network that m is.
func Begin(m *graph.Model, form string) *Record {
	r := &Record{model: m, doc: Document{Version: Version, Form: form, Opset: max(m.Opset(graph.Spiking), op.SpikingVersion)},
		Copies: map[*graph.Node]*graph.Node{}, Sources: map[*graph.Value]Tensor{}}
	for n := range m.Graph.Nodes() {
		in, out := names(n.Inputs()), names(n.Outputs())
		if n.Op().Domain != graph.Spiking {
			read := slices.ContainsFunc(n.Outputs(), spikingReads)
			r.layers = append(r.layers, standing{n, Layer{Name: n.Name, Inputs: in, Outputs: out}, read})
			continue
		}
		state := Node{Name: n.Name, Op: n.Op().Type, Inputs: in, Outputs: out, Attrs: attrsOf(n),
			Origin: n.From.Node, Pass: n.From.Pass, Region: n.Region.String(), Doc: n.Doc}
		for _, kv := range n.Metadata {
			state.Metadata = append(state.Metadata, [2]string{kv.Key, kv.Value})
		}
		r.doc.Nodes = append(r.doc.Nodes, state)
	}
	for _, v := range m.Graph.Initializers() {
		if v.Const != nil {
			r.consts = append(r.consts, constant{v.Name(), v, v.Const, spikingReads(v) && v.Const.Loaded()})
		}
	}
	return r
}

// spikingReads reports whether a spiking operator reads v.
func spikingReads(v *graph.Value) bool {
	return v != nil && slices.ContainsFunc(v.Uses(), func(u graph.Use) bool { return u.Node.Op().Domain == graph.Spiking })
}

// Renew writes the document of a model anew whose operators stand in the file, after their
// numbers have changed. A model without one is left alone.
func Renew(m *graph.Model) error {
	d, err := Of(m)
	if d == nil || err != nil {
		return err
	}
	return Begin(m, d.Form).Finish()
}

func names(vs []*graph.Value) []string {
	list := make([]string, len(vs))
	for i, v := range vs {
		if v != nil {
			list[i] = v.Name()
		}
	}
	return list
}

// Finish writes down what of the network the lowered model no longer shows.
func (r *Record) Finish() error {
	g := r.model.Graph
	for i := range r.doc.Nodes {
		r.doc.Nodes[i].Kept = kept(g, r.doc.Nodes[i].Outputs)
	}
	for _, l := range r.layers {
		switch c := r.Copies[l.node]; {
		case c != nil:
			l.state.Value, l.state.Copy, l.state.Kept = c.Output(0).Name(), c.Name, kept(g, l.state.Outputs)
		case l.node.Graph() == nil:
			continue
		case slices.Equal(names(l.node.Inputs()), l.state.Inputs):
			if l.state.Spare = l.read; !l.read || l.state.Name == "" {
				continue
			}
		}
		r.doc.Layers = append(r.doc.Layers, l.state)
	}
	slices.SortStableFunc(r.doc.Layers, func(a, b Layer) int { return slices.Compare(a.Outputs, b.Outputs) })
	for _, c := range r.consts {
		v := g.Value(c.name)
		stands := v != nil && v.IsInitializer() && v.Const == c.tensor
		if stands && !c.spare {
			continue
		}
		t := r.Sources[c.value]
		if stands {
			t = Tensor{Spare: true}
		}
		t.Name, t.Type, t.Dims = c.name, c.tensor.DType.String(), c.tensor.Dims
		if t.Grid == nil { // else only what is not on it
			t.Data = c.tensor.Bytes()
		}
		r.doc.Tensors = append(r.doc.Tensors, t)
	}
	slices.SortStableFunc(r.doc.Tensors, func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	return r.doc.Put(r.model)
}

// kept is those of the names that g has values of.
func kept(g *graph.Graph, names []string) (list []string) {
	for _, name := range names {
		if name != "" && g.Value(name) != nil {
			list = append(list, name)
		}
	}
	return list
}
