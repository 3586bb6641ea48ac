// Package raiseforms holds the pass raise-forms, which puts the spiking operators of a
// lowered file back.
package raiseforms

import (
	"cmp"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/annotations"
	"spikingir/passes/deadnode"
)

// Pass makes the spiking network again that a file of standard operators was lowered from.
//
// Before: a model without spiking operators, whose metadata spikingir.neurons state those that
// lower-flat, lower-unrolled, lower-counts, lower-qdq or lower-functions found; of the last, one of which
// another tool has put the functions' bodies in the place of the calls.
// After: the spiking operators, between the values of the file that have the names of their
// inputs and outputs; a node that made an output under the name of its neuron does where another
// tool has renamed that value. Layers that the form took apart, or wired otherwise, are single again.
// What only computed the operators goes, and so do the metadata. Of a model that has spiking
// operators the metadata go.
// Conditions: each value that joins an operator with the rest is there; else the model is
// refused, with the names of all that is missing.
// Algebra: none; the lowerings state the operators' definitions. Numbers come from the
// initializers of the file. Those that it states as a product are taken from the metadata where
// that gives the file's bits, and from the file otherwise; those that it does not state, from
// the metadata.
var Pass = &passes.Pass{
	Name: "raise-forms",
	Doc: "put the spiking operators of a lowered file back\n\n" +
		"Neurons, encoding and readouts take the place of the standard operators that\n" +
		"a lowering wrote for them, as the file's metadata state them, with the\n" +
		"numbers of the file.",
	Drops:   passes.Lowered,
	Changes: "sums of another order, and 8 bits in qdq, may move a spike",
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	_, stated := c.Model.Metadata.Get(graph.MetaNeurons)
	for n := range c.Model.Graph.Nodes() {
		if n.Op().Domain == graph.Spiking {
			c.Model.Metadata.Delete(graph.MetaNeurons)
			return stated, nil
		}
	}
	doc, err := annotations.Of(c.Model)
	if doc == nil || err != nil {
		return false, err
	}
	r := &raising{Context: c, doc: doc, g: c.Model.Graph, makers: map[string]*maker{}, values: map[string]*graph.Value{}, names: map[string]*graph.Node{},
		fused: map[*annotations.Layer]bool{}}
	for n := range r.g.Nodes() {
		if r.mark == nil {
			r.mark = n
		}
		if n.Name != "" {
			r.names[n.Name] = n
		}
	}
	if r.mark == nil || len(doc.Nodes) == 0 {
		return false, fmt.Errorf("metadata %q state %d spiking operators, and the model has %d nodes, want one of each or more",
			graph.MetaNeurons, len(doc.Nodes), r.g.NumNodes())
	}
	c.Model.SetOpset(graph.Spiking, doc.Opset)
	for _, step := range []func() error{r.index, r.tensors, r.build, r.rewire, r.connect, r.clear} {
		if err := step(); err != nil {
			return true, err
		}
	}
	c.Model.Metadata.Delete(graph.MetaNeurons)
	if err := op.CheckSpiking(c.Model); err != nil {
		return true, err
	}
	return true, r.types()
}

// raising is one run of the pass.
type raising struct {
	*passes.Context
	doc     *annotations.Document
	g       *graph.Graph
	mark    *graph.Node // in front of which new nodes stand, until they are sorted
	makers  map[string]*maker
	all     []*maker
	values  map[string]*graph.Value // new ones, by their names in the document
	missing []string
	names   map[string]*graph.Node // of the file
	fused   map[*annotations.Layer]bool
}

// maker is a node to make.
type maker struct {
	spiking *annotations.Node // nil for a layer
	layer   *annotations.Layer
	inputs  []string
	outputs []string
	kept    []string
	begun   bool
	node    *graph.Node // nil where something is missing
	done    bool
}

// label names the maker in errors.
func (m *maker) label() string {
	switch {
	case m.spiking != nil && m.spiking.Name != "":
		return m.spiking.Name
	case m.layer != nil && m.layer.Name != "":
		return m.layer.Name
	case len(m.outputs) > 0:
		return m.outputs[0]
	}
	return "?"
}

// index finds what makes each value.
func (r *raising) index() error {
	for i := range r.doc.Nodes {
		n := &r.doc.Nodes[i]
		if op.Lookup(graph.Op{Domain: graph.Spiking, Type: n.Op}) == nil {
			return fmt.Errorf("metadata %q: node %q: there is no spiking operator %q", graph.MetaNeurons, n.Name, n.Op)
		}
		r.all = append(r.all, &maker{spiking: n, inputs: n.Inputs, outputs: n.Outputs, kept: n.Kept})
	}
	for i := range r.doc.Layers {
		l := &r.doc.Layers[i]
		r.fused[l] = r.isFused(l)
		if l.Value != "" || r.fused[l] {
			r.all = append(r.all, &maker{layer: l, inputs: l.Inputs, outputs: l.Outputs, kept: l.Kept})
		}
	}
	for _, m := range r.all {
		if len(m.outputs) == 0 || m.outputs[0] == "" {
			return fmt.Errorf("metadata %q: node %q has no output", graph.MetaNeurons, m.label())
		}
		for _, name := range m.outputs {
			if r.makers[name] != nil {
				return fmt.Errorf("metadata %q: value %q has two nodes that make it", graph.MetaNeurons, name)
			}
			if name != "" {
				r.makers[name] = m
			}
		}
	}
	return nil
}

// isFused reports whether a layer that should stand in the file has lost its output, but not its
// name: another tool has put what stood behind into it, such as a bias.
func (r *raising) isFused(l *annotations.Layer) bool {
	if l.Value != "" || len(l.Outputs) == 0 || r.names[l.Name] == nil {
		return false
	}
	v := r.g.Value(l.Outputs[0])
	return v == nil || v.Producer() == nil
}

// build makes the nodes.
func (r *raising) build() error {
	for _, m := range r.all {
		if err := r.make(m); err != nil {
			return err
		}
	}
	return r.complain()
}

func (r *raising) make(m *maker) error {
	switch {
	case m.done:
		return nil
	case m.begun:
		return fmt.Errorf("metadata %q: node %q depends on itself", graph.MetaNeurons, m.label())
	}
	m.begun = true
	in := make([]*graph.Value, len(m.inputs))
	for i, name := range m.inputs {
		if m.layer != nil && m.layer.Value != "" && r.makers[name] == nil {
			continue // as the copy has it
		}
		v, err := r.resolve(m.label(), name)
		if err != nil {
			return err
		}
		in[i] = v
	}
	names := make([]string, len(m.outputs))
	for i, name := range m.outputs {
		for base := name; name != "" && (names[i] == "" || slices.Contains(names[:i], names[i])); base += "_" {
			names[i] = r.g.FreshName(base + "/raised")
		}
	}
	m.done = true
	if m.spiking != nil {
		m.node = r.operator(m.spiking, in, names)
	} else if m.node = r.standard(m.layer, in, names); m.node == nil {
		return nil
	}
	for i, name := range m.outputs {
		if name != "" {
			r.values[name] = m.node.Output(i)
		}
	}
	return nil
}

// resolve finds an input of the node label. A missing one is noted, and nil stands for it.
func (r *raising) resolve(label, name string) (*graph.Value, error) {
	if name == "" {
		return nil, nil
	}
	if m := r.makers[name]; m != nil {
		if err := r.make(m); err != nil {
			return nil, err
		}
		return r.values[name], nil
	}
	v := r.g.Value(name)
	if v == nil {
		r.miss("value %q, which %q reads", name, label)
	}
	return v, nil
}

func (r *raising) operator(n *annotations.Node, in []*graph.Value, names []string) *graph.Node {
	made := r.Insert(r.mark, r.mark, n.Name, graph.Op{Domain: graph.Spiking, Type: n.Op}, n.Attributes(), in, names...)
	if made.From.Node = n.Origin; n.Origin == "" {
		made.From.Node = n.Name
	}
	if made.From.Node == "" {
		made.From.Node = n.Outputs[0]
	}
	if n.Pass != "" {
		made.From.Pass = n.Pass
	}
	made.Name, made.Doc, made.Region = n.Name, n.Doc, graph.SpikingRegion
	if region, ok := graph.ParseRegion(n.Region); ok && region != graph.Unassigned {
		made.Region = region
	}
	made.Metadata = nil
	for _, kv := range n.Metadata {
		made.Metadata = append(made.Metadata, graph.KV{Key: kv[0], Value: kv[1]})
	}
	return made
}

// standard makes a layer of one of its copies; nil where that is missing.
func (r *raising) standard(l *annotations.Layer, in []*graph.Value, names []string) *graph.Node {
	from := r.names[cmp.Or(l.Copy, l.Name)]
	if v := r.g.Value(l.Value); v != nil && v.Producer() != nil {
		from = v.Producer()
	}
	if from == nil || from.Op().Domain != "" {
		r.miss("value %q, which stands for the layer %q at a timestep", l.Value, l.Name)
		return nil
	}
	if l.Value != "" { // what does not vary over time is as another opset may have it
		own := from.Inputs()
		for i, v := range in {
			if v != nil && i < len(own) {
				own[i] = v
			}
		}
		in = own
	}
	made := r.Insert(r.mark, from, l.Name, from.Op(), slices.Clone(from.Attrs), in, names...)
	made.Name, made.Doc, made.Metadata = l.Name, from.Doc, from.Metadata.Clone()
	return made
}

// rewire gives layers that stand in the file the inputs that they had.
func (r *raising) rewire() error {
	for i := range r.doc.Layers {
		l := &r.doc.Layers[i]
		if l.Value != "" || l.Spare || len(l.Outputs) == 0 || r.fused[l] {
			continue
		}
		v := r.g.Value(l.Outputs[0])
		if v == nil || v.Producer() == nil {
			r.miss("value %q, which the layer %q gives", l.Outputs[0], l.Name)
			continue
		}
		for k, name := range l.Inputs {
			in, err := r.resolve(l.Name, name)
			if err != nil {
				return err
			}
			v.Producer().SetInput(k, in)
		}
		v.Producer().TruncateInputs(len(l.Inputs))
	}
	return r.complain()
}

// connect lets what read the file's values read the new nodes.
func (r *raising) connect() error {
	for _, m := range r.all {
		for i, name := range m.outputs {
			if !slices.Contains(m.kept, name) {
				continue
			}
			old := r.g.Value(name)
			if n := r.names[m.label()]; old == nil && i == 0 && n != nil {
				old = n.Output(0)
			}
			if old == nil || old.Producer() == nil {
				r.miss("value %q, which %q gives", name, m.label())
				continue
			}
			v := m.node.Output(i)
			v.Doc, v.Metadata = old.Doc, old.Metadata.Clone()
			if from := old.Producer(); from.Name == m.label() { // its heir, which took its metadata
				for _, kv := range from.Metadata {
					m.node.Metadata.Set(kv.Key, kv.Value)
				}
			}
			if err := r.g.ReplaceUses(old, v); err != nil {
				return err
			}
		}
	}
	return r.complain()
}

// clear removes what nothing reads any more, and gives the new values their names.
func (r *raising) clear() error {
	if _, err := deadnode.Pass.Run(r.Context); err != nil {
		return err
	}
	for _, m := range r.all {
		if m.node.Graph() == nil {
			continue // nothing reads it
		}
		for i, name := range m.outputs {
			v := m.node.Output(i)
			if v == nil || v.Name() == name {
				continue
			}
			if err := r.g.Rename(v, name); err != nil {
				return fmt.Errorf("the value that %q gives is computed elsewhere, too: %w", m.label(), err)
			}
		}
	}
	return r.g.Sort()
}

// types forgets the types of what is in time, which of some forms are those of a slice or a
// sum, and infers all.
func (r *raising) types() error {
	timed := map[*graph.Value]bool{}
	for n := range r.g.Nodes() {
		inTime := n.IsSpiking("Encode") || slices.ContainsFunc(n.Inputs(), func(v *graph.Value) bool { return timed[v] })
		for i, v := range n.Outputs() {
			if v == nil || !inTime && n.Op().Domain != graph.Spiking {
				continue
			}
			timed[v] = inTime && !(op.IsNeuron(n) && i == op.NeuronVRes) && !n.IsSpiking("Decode") && !n.IsSpiking("CPM")
			if !v.IsOutput() {
				v.Type = graph.Type{}
			}
		}
	}
	return infer.Model(r.Model)
}

func (r *raising) miss(format string, args ...any) {
	r.missing = append(r.missing, fmt.Sprintf(format, args...))
}

// mostMissing is how many missing values an error lists.
const mostMissing = 8

// complain is the error of what is missing.
func (r *raising) complain() error {
	if len(r.missing) == 0 {
		return nil
	}
	list, more := r.missing, ""
	if len(list) > mostMissing {
		list, more = list[:mostMissing], fmt.Sprintf(" and %d more", len(list)-mostMissing)
	}
	return &Lost{Form: r.doc.Form, Missing: list, more: more}
}
