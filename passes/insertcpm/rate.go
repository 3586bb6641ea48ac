package insertcpm

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/spiking"
)

// rate reads x out by its firing rate, without the residual potential. It also
// gives the neuron that stands for v's own, if v is a neuron's output.
func (r *readout) rate(x *graph.Value) (o *graph.Value, s *graph.Node, err error) {
	if r.neuron {
		s = r.outputNeuron(x)
		if v0, ok := r.from.Attrs.Lookup("v0"); ok {
			s.Attrs.Set("v0", v0)
		}
		o = r.decode(".rate", s.Output(0))
	} else {
		neg := r.add(".out.neg", graph.Op{Type: "Neg"}, nil, []*graph.Value{x}, ".neg")
		on, off := r.half(x, ".on"), r.half(neg.Output(0), ".off")
		o = r.analog(".rate", "Sub", nil, r.decode(".rate.on", on), r.decode(".rate.off", off))
	}
	if Readout.Of(r.Context) == Rate || !Conv.Of(r.Context) {
		return o, s, nil
	}
	w, attrs, err := r.dirac(".conv.weight")
	if err != nil {
		return nil, nil, err
	}
	op.StateConv(&attrs, len(w.Const.Dims)-2)
	return r.analog(".conv", "Conv", attrs, o, w), s, nil
}

// half is the neuron of one side of a signed value.
func (r *readout) half(x *graph.Value, side string) *graph.Value {
	n := r.add(".out"+side, spiking.Op("IF"), spiking.NeuronAttrs(V0.Of(r.Context)), []*graph.Value{x},
		".spikes"+side)
	n.SetInput(op.NeuronTheta, spiking.Open(n))
	return n.Output(0)
}

// membrane reads x out as the potential of a neuron that integrates and never fires, divided
// by T: the mean current. It also gives the node that stands where a neuron would.
func (r *readout) membrane(x *graph.Value) (o *graph.Value, s *graph.Node) {
	if r.neuron && r.from.Input(op.NeuronBias) != nil {
		b := r.add(".bias", spiking.Op("Bias"), spiking.Attrs(op.Steps{}), []*graph.Value{x, r.from.Input(op.NeuronBias)}, ".biased")
		x = b.Output(0)
	}
	o = r.decode(".membrane", x)
	s = o.Producer()
	if r.alone {
		s.Doc, s.Metadata = r.from.Doc, r.from.Metadata.Clone()
	}
	return o, s
}

func (r *readout) decode(name string, y *graph.Value) *graph.Value {
	n := r.add(name, spiking.Op("Decode"), spiking.Attrs(op.Steps{}), []*graph.Value{y}, name)
	return n.Output(0)
}

// redirect makes the readers outside of the region read o. A neuron that nothing
// else reads gives its place and name to s.
func (r *readout) redirect(o *graph.Value, s *graph.Node) error {
	if !r.alone {
		return r.move(o)
	}
	name := r.from.Name
	if err := r.Supersede(r.v, o, r.from); err != nil {
		return err
	}
	s.Name = name
	return nil
}

// move hands the uses of v outside of the region over to o, and v's place
// among the graph's outputs with its name.
func (r *readout) move(o *graph.Value) error {
	g := r.v.Graph()
	for _, u := range r.v.Uses() {
		if outside(u) {
			u.Node.SetInput(u.Index, o)
		}
	}
	if !r.v.IsOutput() {
		return nil
	}
	for i, out := range g.Outputs() {
		if out == r.v {
			g.SetOutput(i, o)
		}
	}
	name, inner := r.v.Name(), r.v.Name()+".current"
	if r.neuron {
		inner = name + ".hidden"
	}
	if err := g.Rename(r.v, g.FreshName(inner)); err != nil {
		return err
	}
	if err := g.Rename(o, name); err != nil {
		return err
	}
	o.Doc, o.Metadata, o.Unknown = r.v.Doc, r.v.Metadata, r.v.Unknown
	o.Type = r.v.Type
	r.v.Doc, r.v.Metadata, r.v.Unknown = "", nil, nil
	return nil
}
