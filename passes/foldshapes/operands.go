package foldshapes

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
)

// setConstant makes input i of n a constant vector.
func (f *folder) setConstant(n *graph.Node, i int, role string, xs []int64) {
	n.SetInput(i, f.numbers(n, role, xs...))
	f.changed = true
}

// reshape states what a Reshape keeps as 0, and one dimension of those that remain as -1.
func (f *folder) reshape(n *graph.Node) error {
	r, err := op.ReshapeOf(n)
	want := f.param(n, 1)
	have, ok := infer.DimsOf(r.X.Type)
	if err != nil || want == nil || !ok {
		return err
	}
	open, at, better := 0, 0, false
	for i, e := range want {
		x, isNumber := e.Int()
		switch {
		case isNumber && x == 0 && r.AllowZero:
			return nil // nothing is left
		case isNumber && x < 0:
			open += len(want) // the file's own
		case isNumber:
		case i < len(have) && e.Equal(have[i]):
			want[i], better = infer.Number(0), true
		default:
			open, at = open+1, i
		}
	}
	if open == 1 {
		want[at], better = infer.Number(-1), true
	}
	if !better || !f.reachable(want) {
		return nil
	}
	n.SetInput(1, f.vector(n, want))
	n.Attrs.Delete("allowzero")
	f.changed = true
	return nil
}

// slice states bounds from the end that is near.
func (f *folder) slice(n *graph.Node) error {
	s, err := op.SliceOf(n, f.opset)
	dims, ok := infer.DimsOf(s.X.Type)
	if err != nil || !ok || f.opset < 10 {
		return err
	}
	starts, okStarts := f.sizes.Content(n.Input(1))
	ends, okEnds := f.sizes.Content(n.Input(2))
	if !okStarts || !okEnds || len(starts) != len(ends) || !s.Axes.Known || !s.Steps.Known {
		return nil
	}
	axes, whole := s.Axes.Value, true
	from, to := make([]int64, len(starts)), make([]int64, len(starts))
	for i := range starts {
		axis := int64(i)
		if s.Axes.Given {
			axis = axes[i]
		}
		a, ok := op.Axis(axis, len(dims))
		if !ok || s.Steps.Given && s.Steps.Value[i] < 1 {
			return nil
		}
		var okFrom, okTo bool
		from[i], okFrom = bound(dims[a], starts[i])
		to[i], okTo = bound(dims[a], ends[i])
		if !okFrom || !okTo {
			return nil
		}
		step := !s.Steps.Given || s.Steps.Value[i] == 1
		whole = whole && from[i] == 0 && to[i] == math.MaxInt64 && step
	}
	if whole && !n.Output(0).IsOutput() {
		return f.replace(n, f.copied(n))
	}
	if f.param(n, 1) != nil {
		f.setConstant(n, 1, "starts", from)
	}
	if f.param(n, 2) != nil {
		f.setConstant(n, 2, "ends", to)
	}
	return nil
}

// copied is an Identity of n's first input, which fold-identity removes.
func (f *folder) copied(n *graph.Node) *graph.Value {
	x := n.Input(0)
	m := f.Insert(n, n, "", graph.Op{Type: "Identity"}, nil, []*graph.Value{x}, n.Graph().FreshName(x.Name()+"_copy"))
	m.Output(0).Type = n.Output(0).Type
	return m.Output(0)
}

// bound is a bound of a slice as a number: as it is, or from the end.
func bound(size, at infer.Expr) (int64, bool) {
	if x, ok := at.Int(); ok {
		if n, sized := size.Int(); sized && x >= n {
			return math.MaxInt64, true
		}
		return x, true
	}
	left := size.Sub(at)
	switch k, ok := left.Int(); {
	case left.Known() && left.Times(-1).AtLeast(0): // at the end or behind
		return math.MaxInt64, true
	case ok:
		return -k, true
	}
	return 0, false
}

// mostDivisor bounds the divisors of factors that are tried.
const mostDivisor = 16

// resize states factors in the place of sizes, where float32 holds them.
func (f *folder) resize(n *graph.Node) error {
	z, err := op.ResizeOf(n, f.opset)
	to := f.param(n, 3)
	dims, ok := infer.DimsOf(z.X.Type)
	if err != nil || to == nil || !ok || z.Policy != "stretch" {
		return err
	}
	axes, err := z.AxesFor(n, len(dims))
	if err != nil || len(axes) != len(to) {
		return err
	}
	scales := make([]float32, len(to))
	for i, a := range axes {
		if scales[i] = factor(dims[a], to[i]); scales[i] == 0 {
			return nil
		}
	}
	g := n.Graph()
	n.TruncateInputs(3)
	n.SetInput(2, g.AddInitializer(g.FreshName(n.Output(0).Name()+"_scales"),
		graph.NewFloat32([]int64{int64(len(scales))}, scales)))
	f.changed = true
	return nil
}

// factor is to/from where that is a number that float32 holds, else 0.
func factor(from, to infer.Expr) float32 {
	for d := int64(1); d <= mostDivisor; d *= 2 {
		if k, ok := to.Times(d).Div(from).Int(); ok {
			if x := float32(k) / float32(d); k > 0 && float64(x)*float64(d) == float64(k) {
				return x
			}
		}
	}
	return 0
}

// expand states 1 where the size stays, and gives way where what reads it broadcasts.
func (f *folder) expand(n *graph.Node) error {
	x, y := n.Input(0), n.Output(0)
	want := f.param(n, 1)
	have, ok := infer.DimsOf(x.Type)
	if want == nil || !ok {
		return nil
	}
	if len(have) == len(y.Type.Shape) && !y.IsOutput() && broadcasts(y) {
		return f.replace(n, f.copied(n))
	}
	lead, better := len(want)-len(have), false
	for i, e := range want {
		if i >= lead && lead >= 0 && e.Equal(have[i-lead]) && !e.Equal(infer.Number(1)) {
			want[i], better = infer.Number(1), true
		}
	}
	if better && f.reachable(want) {
		n.SetInput(1, f.vector(n, want))
		f.changed = true
	}
	return nil
}

// broadcasts reports whether all that reads v gives what it would give if v were not
// expanded: element by element, beside an operand that has all of the size.
func broadcasts(v *graph.Value) bool {
	for _, u := range v.Uses() {
		s := op.Lookup(u.Node.Op())
		if s == nil || !s.Elementwise || u.Node.NumInputs() < 2 {
			return false
		}
		beside := slices.ContainsFunc(u.Node.Inputs(), func(w *graph.Value) bool {
			return w != nil && w != v && v.Type.Shape != nil && same(w.Type.Shape, v.Type.Shape)
		})
		if !beside {
			return false
		}
	}
	return v.NumUses() > 0
}

func same(a, b graph.Shape) bool { return slices.EqualFunc(a, b, graph.Dim.Same) }
