package lowerfunctions

import "spikingir/graph"

// encode repeats x [N, ...] T times and pads with zeros: [S, N, ...], viewed as
// [S*N, ...].
func encode(f *function, _ bool) {
	x := f.input("x")
	steps, post := f.times()
	sizes := f.node("sizes", "Shape", nil, x)
	repeated := f.node("repeated", "Expand", nil, x,
		f.node("repeated_shape", "Concat", axis(0), steps, sizes))
	one := f.whole("one", 1)
	rank := f.node("rank", "Shape", nil, sizes)
	before := f.node("before", "ConstantOfShape", fill(0), f.node("axes", "Add", nil, rank, one))
	after := f.node("after", "ConstantOfShape", fill(0), rank)
	padded := f.node("padded", "Pad", nil, repeated,
		f.node("pads", "Concat", axis(0), before, post, after))
	rest := f.node("rest", "Shape", from(1), x)
	open := f.whole("open", -1)
	f.output(f.node("y", "Reshape", nil, padded,
		f.node("time_major", "Concat", axis(0), open, rest)))
}

func bias(f *function, _ bool) {
	x, b := f.input("x"), f.input("b")
	slices := f.slices()
	xs := f.split(x, slices)
	main := f.mains(slices)
	inner := f.node("inner", "Shape", nil, f.node("slice", "Shape", nil, x))
	gate := f.node("gate", "Reshape", nil, main,
		f.node("gate_shape", "Concat", axis(0), slices,
			f.node("inner_ones", "ConstantOfShape", fill(1), inner)))
	gated := f.node("gated", "Where", nil, gate, b, f.number("no_bias", 0))
	sum := f.node("sum", "Add", nil, xs, gated)
	f.output(f.node("y", "Reshape", nil, sum, f.g.Value("slice")))
}

// neuron scans over the slices with the membrane potential as state. An MPRN has
// the further input alpha.
func neuron(f *function, _ bool) {
	x, b, theta := f.input("x"), f.input("bias"), f.input("theta")
	fire := theta
	if f.Name == "MPRN" {
		fire = f.node("post_theta", "Mul", nil, theta, f.input("alpha"))
	}
	slices := f.slices()
	xs := f.split(x, slices)
	main := f.mains(slices)
	slice := f.node("slice", "Shape", from(1), xs)
	start := f.node("start", "Mul", nil, f.attribute("v0"), theta)
	v := f.node("v", "Expand", nil, start, slice)
	scan := f.g.AddNode(graph.Op{Type: "Scan"}, graph.Attrs{
		{Name: "num_scan_inputs", Value: graph.Int(2)},
		{Name: "body", Value: f.step(b, theta, fire, f.number("no_bias", 0))},
	}, []*graph.Value{v, xs, main}, "vres", "ys")
	whole := f.node("time_major", "Shape", nil, x)
	f.output(f.node("y", "Reshape", nil, scan.Output(1), whole))
	f.output(scan.Output(0))
}

// step is the body of the Scan: one timestep of Eq. 1-3.
func (f *function) step(b, theta, fire, none *graph.Value) *graph.Graph {
	s := block{graph.New("step", f.g)}
	float, boolean := graph.Type{Kind: graph.TensorType, Elem: graph.Float32},
		graph.TensorOf(graph.Bool, graph.Shape{})
	v, x, main := s.g.AddInput("v_in", float), s.g.AddInput("x_t", float),
		s.g.AddInput("main_t", boolean)
	current := s.node("current", "Add", nil, x, s.node("bias_t", "Where", nil, main, b, none))
	potential := s.node("potential", "Add", nil, v, current)
	level := theta
	if fire != theta {
		level = s.node("level", "Where", nil, main, theta, fire)
	}
	spikes := s.node("spikes", "Cast", graph.Attrs{{Name: "to", Value: graph.Int(graph.Float32)}},
		s.node("fires", "GreaterOrEqual", nil, potential, level))
	emitted := s.node("y_t", "Mul", nil, theta, spikes)
	s.output(s.node("v_out", "Sub", nil, potential, emitted))
	s.output(emitted)
	for _, out := range s.g.Outputs() {
		out.Type = float
	}
	return s.g
}

// total is the sum of time-major y over all slices, and T as a number.
func (f *function) total(y *graph.Value) (sum, steps *graph.Value) {
	slices := f.slices()
	xs := f.split(y, slices)
	sum = f.node("total", "ReduceSum", graph.Attrs{{Name: "keepdims", Value: graph.Int(0)}}, xs,
		f.g.Value("zero"))
	return sum, f.node("steps", "Cast", graph.Attrs{{Name: "to", Value: graph.Int(graph.Float32)}},
		f.g.Value("timesteps"))
}

func decode(f *function, _ bool) {
	sum, steps := f.total(f.input("y"))
	f.output(f.node("r", "Div", nil, sum, steps))
}

func cpm(f *function, biased bool) {
	y, residual, w := f.input("y"), f.input("vres"), f.input("W")
	var b *graph.Value
	if biased {
		b = f.input("b")
	}
	sum, steps := f.total(y)
	mapped := f.node("mapped", "Conv", graph.Attrs{
		{Name: "kernel_shape", Value: graph.Ref{Name: "kernel_shape", Type: graph.AttrInts}},
		{Name: "pads", Value: graph.Ref{Name: "pads", Type: graph.AttrInts}},
	}, sum, w)
	count := f.node("compensated", "Add", nil, mapped, residual)
	o := f.node("o", "Div", nil, count, steps)
	if b != nil {
		o = f.node("biased", "Add", nil, o, f.perChannel(b, w))
	}
	f.output(o)
}

// perChannel views b [C] as [C, 1, ...] for a convolution with weights w.
func (f *function) perChannel(b, w *graph.Value) *graph.Value {
	kernel := f.node("kernel", "Shape", from(2), w)
	ones := f.node("ones", "ConstantOfShape", fill(1), f.node("axes", "Shape", nil, kernel))
	shape := f.node("channels", "Concat", axis(0), f.whole("all", -1), ones)
	return f.node("b_channels", "Reshape", nil, b, shape)
}

// from is the attribute of a Shape that leaves out the axes before a.
func from(a int64) graph.Attrs { return graph.Attrs{{Name: "start", Value: graph.Int(a)}} }

// fill is the attribute of a ConstantOfShape of integers.
func fill(x int64) graph.Attrs {
	return graph.Attrs{{Name: "value", Value: graph.NewInt64([]int64{1}, []int64{x})}}
}
