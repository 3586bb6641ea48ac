package lowerflat

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/plain"
	"spikingir/passes/spiking"
)

func (l *lowering) encode(n *graph.Node) error {
	e, err := op.EncodeOf(n)
	if err != nil {
		return err
	}
	ys := make([]*graph.Value, e.Slices())
	for t := range e.Timesteps {
		ys[t] = e.X
	}
	l.emit(n, ys)
	return nil
}

func (l *lowering) bias(n *graph.Node) error {
	b, err := op.BiasOf(n)
	if err != nil {
		return err
	}
	ys := append([]*graph.Value(nil), l.split(n, b.X, b.Steps)...)
	for t := range b.Timesteps {
		ys[t] = l.At(n, t, "biased", "Add", nil, ys[t], b.B)
	}
	l.emit(n, ys)
	return nil
}

// neuron unrolls Eq. 1-3, and 13-16 at the post step.
func (l *lowering) neuron(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	xs := l.split(n, s.X, s.Steps)
	fire := s.Theta
	if s.Alpha != nil {
		fire = l.Node(n, "post_theta", "Mul", nil, s.Theta, s.Alpha)
	}
	v := l.Node(n, "start", "Mul", nil, spiking.Parameter(n, "v0", nil, []float32{s.V0}), s.Theta)
	ys := make([]*graph.Value, len(xs))
	for t, c := range xs {
		t, level := int64(t), s.Theta
		if t >= s.Timesteps {
			level = fire
		} else if s.Bias != nil {
			c = l.At(n, t, "current", "Add", nil, c, s.Bias)
		}
		if c != nil {
			v = l.At(n, t, "potential", "Add", nil, v, c)
		}
		fires := l.At(n, t, "fires", "GreaterOrEqual", nil, v, level)
		spikes := l.At(n, t, "spikes", "Cast", plain.Cast(), fires)
		ys[t] = l.At(n, t, "y", "Mul", nil, s.Theta, spikes)
		if t+1 < int64(len(xs)) || plain.Wanted(s.VRes) {
			v = l.At(n, t, "v", "Sub", nil, v, ys[t])
		}
	}
	l.emit(n, ys)
	if plain.Wanted(s.VRes) {
		l.Heirs[s.VRes] = v
	}
	return nil
}

func (l *lowering) decode(n *graph.Node) error {
	d, err := op.DecodeOf(n)
	if err != nil {
		return err
	}
	l.Decode(n, d, l.total(n, d.X, d.Steps))
	return nil
}

func (l *lowering) cpm(n *graph.Node) error {
	m, err := op.CPMOf(n)
	if err != nil {
		return err
	}
	l.CPM(n, m, l.total(n, m.Y, m.Steps))
	return nil
}

func (l *lowering) total(n *graph.Node, y *graph.Value, s op.Steps) *graph.Value {
	var terms []*graph.Value
	for _, v := range l.split(n, y, s) {
		if v != nil {
			terms = append(terms, v)
		}
	}
	return l.Node(n, "total", "Sum", nil, terms...)
}

func (l *lowering) split(n *graph.Node, v *graph.Value, s op.Steps) []*graph.Value {
	if xs, ok := l.slices[v]; ok {
		return xs
	}
	count := s.Slices()
	if count == 1 {
		return []*graph.Value{v}
	}
	attrs := graph.Attrs{{Name: "axis", Value: graph.Int(0)}}
	if l.Model.Opset("") >= 18 {
		attrs = append(attrs, graph.NamedAttr{Name: "num_outputs", Value: graph.Int(count)})
	}
	names := make([]string, count)
	for t := range names {
		names[t] = n.Graph().FreshName(fmt.Sprintf("%s.t%d", v.Name(), t+1))
	}
	cut := l.Insert(n, n, n.Label()+".slices", graph.Op{Type: "Split"}, attrs, []*graph.Value{v}, names...)
	l.slices[v] = cut.Outputs()
	return l.slices[v]
}

// emit makes ys the slices of n's first output, and joins them where a standard
// operator or a caller of the model reads that.
func (l *lowering) emit(n *graph.Node, ys []*graph.Value) {
	y := n.Output(0)
	if y == nil {
		return
	}
	l.slices[y] = ys
	read := y.IsOutput()
	for _, u := range y.Uses() {
		read = read || u.Node.Op().Domain != graph.Spiking
	}
	if !read {
		return
	}
	whole := append([]*graph.Value(nil), ys...)
	for t, v := range whole {
		if v == nil {
			whole[t] = l.zeros(n, whole[0])
		}
	}
	l.Heirs[y] = l.Node(n, "time_major", "Concat", graph.Attrs{{Name: "axis", Value: graph.Int(0)}}, whole...)
}

func (l *lowering) zeros(n *graph.Node, x *graph.Value) *graph.Value {
	zero := spiking.Parameter(n, "zero", nil, []float32{0})
	return l.Node(n, "zeros", "Expand", nil, zero, l.Node(n, "shape", "Shape", nil, x))
}
