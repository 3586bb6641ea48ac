package op

import (
	"math"
	"slices"

	"spikingir/graph"
)

// LinearInTime decides whether n may stand between spiking neurons, that is,
// whether sum_t F(x_t) = F(sum_t x_t) for the inputs that vary over time. varies
// says which values those are; the others are the same at every timestep.
//
// Some operators add a constant: the bias of a Conv, a constant operand of Add.
// They are affine: linear once that constant is a current of the main timesteps
// only (operator Bias); affine is then true. Every other failure is an error
// that says what is not linear. Operators that work across dimension 0, where
// the timesteps of a time-major tensor lie, are errors too.
func LinearInTime(n *graph.Node, opset int64, varies func(*graph.Value) bool) (
	affine bool, err error) {
	s := Lookup(n.Op())
	if s == nil {
		return false, Unsupportedf(n, "the operator is not known, want one that is linear over time")
	}
	t := temporal{n: n, opset: opset}
	t.in = make([]bool, n.NumInputs())
	count := 0
	for i, v := range n.Inputs() {
		if t.in[i] = v != nil && varies(v); t.in[i] {
			count++
		}
	}
	switch {
	case count == 0:
		return false, nil
	case s.Temporal == Timed:
		return false, nil
	case s.Temporal == Nonlinear:
		return false, t.unfit()
	}
	if err := t.otherAxes(); err != nil {
		return false, err
	}
	if s.Temporal == Linear {
		return t.linear()
	}
	return t.linearConst(count)
}

type temporal struct {
	n     *graph.Node
	opset int64
	in    []bool // which inputs vary over time
}

func (t temporal) varying(i int) bool { return i < len(t.in) && t.in[i] }

func (t temporal) linear() (affine bool, err error) {
	switch t.n.Op().Type {
	case "Add", "Sub", "Sum", "Mean":
		for _, v := range t.in {
			affine = affine || !v
		}
	case "Concat":
		for i, v := range t.in {
			if !v {
				return false, Unsupportedf(t.n, "input %d does not vary over time and would be repeated "+
					"at every timestep, want inputs that all vary", i)
			}
		}
	case "Dropout":
		d, err := DropoutOf(t.n, t.opset)
		if err != nil {
			return false, err
		}
		if !d.Training.Known || d.Training.Value {
			return false, Unsupportedf(t.n, "the operator is in training mode, want inference")
		}
	}
	return affine, nil
}

func (t temporal) linearConst(count int) (affine bool, err error) {
	switch t.n.Op().Type {
	case "Conv", "ConvTranspose":
		return t.only(0, t.n.Input(2) != nil)
	case "Gemm":
		if t.varying(2) {
			return false, Unsupportedf(t.n, "input 2 (C) varies over time, want a constant bias")
		}
		return t.single(count, t.n.Input(2) != nil)
	case "MatMul", "Mul":
		return t.single(count, false)
	case "Einsum":
		return t.einsum(count)
	case "BatchNormalization":
		b, err := BatchNormOf(t.n, t.opset)
		if err != nil {
			return false, err
		}
		if b.Training {
			return false, Unsupportedf(t.n, "the operator is in training mode, want inference")
		}
		return t.only(0, true)
	case "Where":
		if t.varying(0) {
			return false, Unsupportedf(t.n, "the condition varies over time, want a constant one")
		}
		return !t.varying(1) || !t.varying(2), nil
	case "Pad":
		return t.pad()
	case "Resize":
		return t.resize()
	}
	return t.only(0, false)
}

func (t temporal) only(i int, affine bool) (bool, error) {
	for j, v := range t.in {
		if v && j != i {
			return false, Unsupportedf(t.n, "input %d varies over time, want only input %d to vary", j, i)
		}
	}
	return affine, nil
}

func (t temporal) single(count int, affine bool) (bool, error) {
	if count > 1 {
		return false, Unsupportedf(t.n, "%d inputs vary over time, want one: the product of two is not linear",
			count)
	}
	return affine, nil
}

// pad accepts zeros and copies of the input; another constant is no linear map.
func (t temporal) pad() (affine bool, err error) {
	p, err := PadOf(t.n, t.opset)
	if err != nil {
		return false, err
	}
	if p.Mode == "constant" && (!p.Value.Known || p.Value.Value != 0) {
		return false, Unsupportedf(t.n, "the padding is not a constant 0, want 0")
	}
	return t.only(0, false)
}

// resize is linear but for a value put in outside of the input.
func (t temporal) resize() (affine bool, err error) {
	z, err := ResizeOf(t.n, t.opset)
	if err != nil {
		return false, err
	}
	if z.Coordinate == "tf_crop_and_resize" && z.Outside != 0 {
		return false, Unsupportedf(t.n, "attribute %q is %v, want 0", "extrapolation_value", z.Outside)
	}
	return t.only(0, false)
}

// otherAxes refuses what its attributes or constant inputs show to work across
// dimension 0.
func (t temporal) otherAxes() error {
	axes, err := t.axes()
	if err != nil {
		return err
	}
	rank := math.MaxInt32
	if x := t.n.Input(0); x != nil && x.Type.Shape != nil {
		rank = len(x.Type.Shape)
	}
	for _, a := range axes {
		if a == 0 || a+int64(rank) == 0 {
			return Unsupportedf(t.n, "the operator works along axis %d, where the timesteps lie, "+
				"want another axis", a)
		}
	}
	return nil
}

// axes is the axes that the operator mixes, cuts or moves, as far as known.
func (t temporal) axes() ([]int64, error) {
	n := t.n
	switch n.Op().Type {
	case "Concat":
		c, err := ConcatOf(n)
		return []int64{c.Axis}, err
	case "Split":
		s, err := SplitOf(n, t.opset)
		return []int64{s.Axis}, err
	case "Gather":
		g, err := GatherOf(n)
		return []int64{g.Axis}, err
	case "Slice":
		s, err := SliceOf(n, t.opset)
		if err == nil && !s.Axes.Known {
			_, err = s.Axes.Constant()
		}
		return s.cut(), err
	case "Transpose":
		p, err := TransposeOf(n)
		if len(p.Perm) > 0 && p.Perm[0] == 0 {
			return nil, err
		}
		return []int64{0}, err
	case "Squeeze", "Unsqueeze":
		s, err := SqueezeOf(n, t.opset)
		return s.Axes.Value, err
	case "ReduceMean", "ReduceSum":
		return t.reduced()
	case "Flatten":
		f, err := FlattenOf(n)
		if f.Axis == 1 {
			return nil, err // dimension 0 stays alone
		}
		return []int64{0}, err
	case "MatMul":
		if b := n.Input(1); t.varying(1) && b.Type.Shape != nil && len(b.Type.Shape) <= 2 {
			return []int64{0}, nil
		}
		return nil, nil
	case "Gemm":
		g, err := GemmOf(n)
		if g.TransA || t.varying(1) {
			return []int64{0}, err
		}
		return nil, err
	}
	return nil, nil
}

// cut is the axes of which a Slice takes less than all, as far as known.
func (s Slice) cut() []int64 {
	axes := s.Axes.Value
	if !s.Axes.Given {
		for i := range max(len(s.Starts.Value), 1) {
			axes = append(axes, int64(i))
		}
	}
	return slices.DeleteFunc(slices.Clone(axes), func(a int64) bool {
		i := slices.Index(axes, a)
		all := i < len(s.Starts.Value) && i < len(s.Ends.Value) && s.Starts.Value[i] == 0 &&
			s.Ends.Value[i] >= math.MaxInt32
		return all && (!s.Steps.Given || s.Steps.Known && i < len(s.Steps.Value) && s.Steps.Value[i] == 1)
	})
}

// reduced is the axes of a Reduce operator, 0 when it takes all.
func (t temporal) reduced() ([]int64, error) {
	r, err := ReduceOf(t.n, t.opset)
	if err != nil {
		return nil, err
	}
	if len(r.Axes.Value) == 0 && r.Axes.Known && !r.NoOp {
		return []int64{0}, nil
	}
	return r.Axes.Value, nil
}
