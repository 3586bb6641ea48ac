package lowerfunctions

import (
	"spikingir/graph"
	"spikingir/passes/plain"
)

// graded scans over the slices with the membrane potential as state, and with what was sent of a
// neuron that may take spikes back.
func graded(f *function, _ bool) {
	x, b, theta := f.input("x"), f.input("bias"), f.input("theta")
	none := f.number("no_bias", 0)
	s := gradedStep{unit: theta, none: none}
	switch f.Name {
	case "BurstIF":
		s.most = f.node("most", "Cast", plain.Cast(), f.attribute("burst"))
	case "MultiThresholdIF":
		finest := f.attribute("finest")
		s.unit = f.node("unit", "Mul", nil, theta, finest)
		s.most = f.node("most", "Sub", nil, f.node("values", "Div", nil, f.number("four", 4), finest), f.number("first", 1))
	default:
		s.one = f.number("first", 1)
	}
	slices := f.slices()
	xs := f.split(x, slices)
	main := f.mains(slices)
	slice := f.node("slice", "Shape", from(1), xs)
	start := f.node("start", "Mul", nil, f.attribute("v0"), theta)
	states := []*graph.Value{f.node("v", "Expand", nil, start, slice)}
	names := []string{"vres"}
	if s.one != nil {
		states = append(states, f.node("nothing", "Expand", nil, none, slice))
		names = append(names, "sent")
	}
	scan := f.g.AddNode(graph.Op{Type: "Scan"}, graph.Attrs{
		{Name: "num_scan_inputs", Value: graph.Int(2)},
		{Name: "body", Value: f.gradedStep(b, s)},
	}, append(states, xs, main), append(names, "ys")...)
	f.output(f.node("y", "Reshape", nil, scan.Output(len(names)), f.node("time_major", "Shape", nil, x)))
	f.output(scan.Output(0))
}

// gradedStep is what a step of a graded neuron reads from outside.
type gradedStep struct {
	unit, most *graph.Value // most is nil for a SignedIF
	none, one  *graph.Value // one is nil for others
}

// gradedStep is the body of the Scan.
func (f *function) gradedStep(b *graph.Value, c gradedStep) *graph.Graph {
	s := block{graph.New("step", f.g)}
	float, boolean := graph.Type{Kind: graph.TensorType, Elem: graph.Float32},
		graph.TensorOf(graph.Bool, graph.Shape{})
	v := s.g.AddInput("v_in", float)
	var sent *graph.Value
	if c.one != nil {
		sent = s.g.AddInput("sent_in", float)
	}
	x, main := s.g.AddInput("x_t", float), s.g.AddInput("main_t", boolean)
	current := s.node("current", "Add", nil, x, s.node("bias_t", "Where", nil, main, b, c.none))
	potential := s.node("potential", "Add", nil, v, current)
	var k *graph.Value
	if sent == nil {
		k = s.node("spikes", "Clip", nil, s.node("quotient", "Floor", nil, s.node("ratio", "Div", nil, potential, c.unit)), c.none, c.most)
	} else {
		fires := s.node("fires", "Cast", plain.Cast(), s.node("above", "GreaterOrEqual", nil, potential, c.unit))
		low := s.node("low", "Cast", plain.Cast(), s.node("below", "GreaterOrEqual", nil, s.node("negative", "Neg", nil, potential), c.unit))
		some := s.node("some", "Cast", plain.Cast(), s.node("has_sent", "GreaterOrEqual", nil, sent, c.one))
		k = s.node("spikes", "Sub", nil, fires, s.node("back", "Mul", nil, low, some))
	}
	emitted := s.node("y_t", "Mul", nil, c.unit, k)
	s.output(s.node("v_out", "Sub", nil, potential, emitted))
	if sent != nil {
		s.output(s.node("sent_out", "Add", nil, sent, k))
	}
	s.output(emitted)
	for _, out := range s.g.Outputs() {
		out.Type = float
	}
	return s.g
}
