package lowerfunctions

import (
	"spikingir/graph"
	"spikingir/passes/plain"
)

// twoPhase sums the slices and fires by the quotient of potential and threshold: at step
// t where it reaches t. An MPRN has the further input alpha and a post step of its own.
func twoPhase(f *function, _ bool) {
	x, b, theta := f.input("x"), f.input("bias"), f.input("theta")
	mprn := f.Name == "TwoPhaseMPRN"
	var alpha *graph.Value
	if mprn {
		alpha = f.input("alpha")
	}
	slices := f.slices()
	xs := f.split(x, slices)
	total := f.node("total", "ReduceSum", graph.Attrs{{Name: "keepdims", Value: graph.Int(0)}}, xs, f.g.Value("zero"))
	count := f.node("steps", "Cast", plain.Cast(), f.g.Value("timesteps"))
	current := f.node("current", "Add", nil, total, f.node("biases", "Mul", nil, b, count))
	v := f.node("potential", "Add", nil, current, f.node("start", "Mul", nil, f.attribute("v0"), theta))
	q := f.node("quotient", "Floor", nil, f.node("ratio", "Div", nil, v, theta))

	// With a post step of its own the main ones are T, else all slices.
	main, most := f.g.Value("T"), count
	if !mprn {
		main = slices
		most = f.node("most", "Cast", plain.Cast(), f.node("slice_count", "Squeeze", nil, slices))
	}
	left := f.node("left", "Sub", nil, v, f.node("fired", "Mul", nil, theta,
		f.node("count", "Clip", nil, q, f.number("none", 0), most)))
	spikes := f.node("spikes", "Cast", plain.Cast(), f.node("fires", "GreaterOrEqual", nil, q, f.stepNumbers(main, total)))
	if mprn {
		fires := f.node("fires_late", "GreaterOrEqual", nil, left, f.node("post_theta", "Mul", nil, theta, alpha))
		late := f.node("late", "Cast", plain.Cast(), fires)
		slice := f.node("late_slice", "Unsqueeze", nil, late, f.g.Value("zero"))
		spikes = f.node("all_spikes", "Concat", axis(0), spikes, slice)
		left = f.node("v_out", "Sub", nil, left, f.node("late_y", "Mul", nil, theta, late))
	}
	ys := f.node("ys", "Mul", nil, theta, spikes)
	f.output(f.node("y", "Reshape", nil, ys, f.node("time_major", "Shape", nil, x)))
	f.output(left)
}

// stepNumbers is 1, 2, ... as far as main, viewed as [main, 1, ...] over slices of like.
func (f *function) stepNumbers(main, like *graph.Value) *graph.Value {
	one := f.node("one", "Constant", graph.Attrs{{Name: "value_int", Value: graph.Int(1)}})
	end := f.node("end", "Add", nil, f.node("main_count", "Squeeze", nil, main), one)
	t := f.node("t", "Cast", plain.Cast(), f.node("t_whole", "Range", nil, one, end, one))
	ones := f.node("ones", "ConstantOfShape", fill(1), f.node("axes", "Shape", nil, f.node("slice", "Shape", nil, like)))
	return f.node("t_steps", "Reshape", nil, t, f.node("t_shape", "Concat", axis(0), main, ones))
}
