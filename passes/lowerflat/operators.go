package lowerflat

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
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
		ys[t] = l.at(n, t, "biased", "Add", nil, ys[t], b.B)
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
		fire = l.node(n, "post_theta", "Mul", nil, s.Theta, s.Alpha)
	}
	v := l.node(n, "start", "Mul", nil, spiking.Parameter(n, "v0", nil, []float32{s.V0}), s.Theta)
	ys := make([]*graph.Value, len(xs))
	for t, c := range xs {
		t, level := int64(t), s.Theta
		if t >= s.Timesteps {
			level = fire
		} else if s.Bias != nil {
			c = l.at(n, t, "current", "Add", nil, c, s.Bias)
		}
		if c != nil {
			v = l.at(n, t, "potential", "Add", nil, v, c)
		}
		fires := l.at(n, t, "fires", "GreaterOrEqual", nil, v, level)
		spikes := l.at(n, t, "spikes", "Cast",
			graph.Attrs{{Name: "to", Value: graph.Int(graph.Float32)}}, fires)
		ys[t] = l.at(n, t, "y", "Mul", nil, s.Theta, spikes)
		if t+1 < int64(len(xs)) || wanted(s.VRes) {
			v = l.at(n, t, "v", "Sub", nil, v, ys[t])
		}
	}
	l.emit(n, ys)
	if wanted(s.VRes) {
		l.heirs[s.VRes] = v
	}
	return nil
}

func (l *lowering) decode(n *graph.Node) error {
	d, err := op.DecodeOf(n)
	if err != nil {
		return err
	}
	l.heirs[n.Output(0)] = l.node(n, "rate", "Div", nil, l.total(n, d.X, d.Steps), l.steps(n, d.Steps))
	return nil
}

func (l *lowering) cpm(n *graph.Node) error {
	m, err := op.CPMOf(n)
	if err != nil {
		return err
	}
	var attrs graph.Attrs
	for _, a := range n.Attrs {
		if a.Name != "timesteps" && a.Name != "post" {
			attrs = append(attrs, a)
		}
	}
	residual := m.VRes
	if v := l.heirs[residual]; v != nil {
		residual = v
	}
	mapped := l.node(n, "mapped", "Conv", attrs, l.total(n, m.Y, m.Steps), m.W)
	o := l.node(n, "compensated", "Add", nil, mapped, residual)
	o = l.node(n, "mean", "Div", nil, o, l.steps(n, m.Steps))
	if m.B != nil {
		axes := make([]int64, len(m.Kernel))
		for i := range axes {
			axes[i] = int64(i) + 1
		}
		b := l.node(n, "bias", "Unsqueeze", nil, m.B, l.whole(n, "axes", axes...))
		o = l.node(n, "biased", "Add", nil, o, b)
	}
	l.heirs[n.Output(0)] = o
	return nil
}

func (l *lowering) total(n *graph.Node, y *graph.Value, s op.Steps) *graph.Value {
	var terms []*graph.Value
	for _, v := range l.split(n, y, s) {
		if v != nil {
			terms = append(terms, v)
		}
	}
	return l.node(n, "total", "Sum", nil, terms...)
}

func (l *lowering) steps(n *graph.Node, s op.Steps) *graph.Value {
	return spiking.Parameter(n, "timesteps", nil, []float32{float32(s.Timesteps)})
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
	l.heirs[y] = l.node(n, "time_major", "Concat", graph.Attrs{{Name: "axis", Value: graph.Int(0)}}, whole...)
}

func (l *lowering) zeros(n *graph.Node, x *graph.Value) *graph.Value {
	zero := spiking.Parameter(n, "zero", nil, []float32{0})
	return l.node(n, "zeros", "Expand", nil, zero, l.node(n, "shape", "Shape", nil, x))
}

func wanted(v *graph.Value) bool { return v != nil && (v.NumUses() > 0 || v.IsOutput()) }

// node adds a node that descends from n before it; role tells it from n's others.
func (l *lowering) node(n *graph.Node, role, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	name := n.Label() + "." + role
	return l.Insert(n, n, name, graph.Op{Type: typ}, attrs, in, n.Graph().FreshName(name)).Output(0)
}

// at is node for timestep t, from 0.
func (l *lowering) at(n *graph.Node, t int64, role, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	return l.node(n, fmt.Sprintf("%s.t%d", role, t+1), typ, attrs, in...)
}

func (l *lowering) whole(n *graph.Node, name string, xs ...int64) *graph.Value {
	g := n.Graph()
	return g.AddInitializer(g.FreshName(n.Label()+"."+name), graph.NewInt64([]int64{int64(len(xs))}, xs))
}
