package infer_test

import (
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/internal/randommodel"
	"spikingir/onnxio/text"
)

// FuzzAgrees holds for models of any operators: what can be computed is not refused, and every
// type, size and content that inference gives is that of what was computed.
func FuzzAgrees(f *testing.F) {
	for _, data := range randommodel.Seeds(300) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { agrees(t, randommodel.Any(data)) })
}

// FuzzAgreesOfNetworks is FuzzAgrees for networks, whose shapes are computed with.
func FuzzAgreesOfNetworks(f *testing.F) {
	for _, data := range randommodel.Seeds(300) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { agrees(t, randommodel.Network(data)) })
}

// agrees holds what inference says of a model to what its values are.
func agrees(t *testing.T, m *randommodel.Model) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("the model:\n%s", text.Format(m.Model))
		}
	}()
	sizes, err := infer.SizesOf(m.Model)
	if err != nil {
		t.Fatalf("what can be computed is refused: %v", err)
	}
	small := tooSmall(m, sizes)
	for _, d := range sizes.Demands {
		if small[d.Node] {
			continue
		}
		a, errA := d.A.Eval(m.Sizes)
		b, errB := d.B.Eval(m.Sizes)
		if errA == nil && errB == nil && a != b && a != 1 && b != 1 { // 1 may broadcast
			t.Errorf("node %q is said to need %v = %v, which are %d and %d", d.Node.Label(), d.A, d.B, a, b)
		}
	}
	for _, v := range m.Graph.Values() {
		if got := m.Values[v.Name()]; got != nil && !small[v.Producer()] {
			checkType(t, v, sizes.Type(v), got, m.Sizes)
			checkContent(t, v, sizes, got, m.Sizes)
		}
	}
	if err := infer.Model(m.Clone()); err != nil {
		t.Errorf("inferred beside and refused in place: %v", err)
	}
}

// tooSmall is the nodes from the first one whose output has a negative size for the sizes of
// the model's inputs: those are too small for the model, and what follows from such a size does
// not hold. Of the output itself nothing may be left.
func tooSmall(m *randommodel.Model, sizes *infer.Sizes) map[*graph.Node]bool {
	small, from := map[*graph.Node]bool{}, false
	for n := range m.Graph.Nodes() {
		small[n] = from
		for _, v := range n.Outputs() {
			from = from || v != nil && negative(sizes.Type(v), m.Sizes)
		}
	}
	return small
}

func negative(typ graph.Type, sizes map[string]int64) bool {
	dims, _ := infer.DimsOf(typ)
	return slices.ContainsFunc(dims, func(e infer.Expr) bool {
		n, err := e.Eval(sizes)
		return err == nil && n < 0
	})
}

// checkType holds a type to a tensor of it.
func checkType(t *testing.T, v *graph.Value, typ graph.Type, got *graph.Tensor, sizes map[string]int64) {
	t.Helper()
	if typ.Elem != graph.Undefined && typ.Elem != got.DType {
		t.Errorf("%q is said to be of %v, and is of %v", v.Name(), typ.Elem, got.DType)
	}
	dims, ok := infer.DimsOf(typ)
	if !ok {
		return
	}
	if len(dims) != len(got.Dims) {
		t.Errorf("%q is said to be %v, and is %v", v.Name(), typ, got.Dims)
		return
	}
	for i, e := range dims {
		// A negative size says that an input is small: what is cut off it leaves nothing.
		if n, err := e.Eval(sizes); err == nil && max(n, 0) != got.Dims[i] {
			t.Errorf("%q is said to be %v, and is %v: %v is %d of %v", v.Name(), typ, got.Dims, e, n, sizes)
		}
	}
}

// checkContent holds what is known of the elements of a tensor to them, and a constant to its value.
func checkContent(t *testing.T, v *graph.Value, s *infer.Sizes, got *graph.Tensor, sizes map[string]int64) {
	t.Helper()
	if c := s.Constant(v); c != nil && !(v.IsInput() && v.IsInitializer()) {
		if c.DType != got.DType || !slices.Equal(c.Dims, got.Dims) || !slices.Equal(c.Bytes(), got.Bytes()) {
			t.Errorf("%q is said to be the constant %v%v %x, and is %v%v %x", v.Name(), c.DType, c.Dims, c.Bytes(), got.DType, got.Dims, got.Bytes())
		}
	}
	list, ok := s.Content(v)
	if !ok {
		return
	}
	have := elements(t, got)
	if len(have) != len(list) {
		t.Errorf("%q is said to hold %v, and holds %v", v.Name(), list, have)
		return
	}
	for i, e := range list {
		if n, err := e.Eval(sizes); err == nil && float64(n) != have[i] {
			t.Errorf("%q is said to hold %v, and holds %v of %v", v.Name(), list, have, got.DType)
			return
		}
	}
}

// elements is those of a tensor of whatever type, all of which are small.
func elements(t *testing.T, x *graph.Tensor) []float64 {
	t.Helper()
	if x.DType.IsFloat() {
		return widened(t, x.Float32s)
	}
	return widened(t, x.Int64s)
}

func widened[T int64 | float32](t *testing.T, of func() ([]T, error)) (list []float64) {
	t.Helper()
	xs, err := of()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range xs {
		list = append(list, float64(x))
	}
	return list
}

// FuzzText infers whatever reads as a model: it may be refused, but there must be no panic, and
// a model that is refused stays as it is.
func FuzzText(f *testing.F) {
	for i, data := range randommodel.Seeds(60) {
		m := randommodel.Any(data)
		if i%2 == 0 {
			m = randommodel.Network(data)
		}
		f.Add(text.Format(m.Model))
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 1<<14 {
			t.Skip("large models take long")
		}
		m, err := text.Parse(src)
		if err != nil {
			return
		}
		before := text.Format(m)
		if infer.Model(m) != nil && text.Format(m) != before {
			t.Errorf("a model is refused and changed:\n%s", before)
		}
		if err := m.Check(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzExpr holds that an expression reads as its own text, and means the same there.
func FuzzExpr(f *testing.F) {
	for _, s := range []string{"N", "2*H+1", "floor((H+1)/2)", "-3", "a*b-floor((2*a+floor(b/3))/7)", "(N+1)*(N-1)", "'x y'", "9223372036854775807*N"} {
		f.Add(s, int64(3))
	}
	f.Fuzz(func(t *testing.T, s string, n int64) {
		e, err := infer.Parse(s)
		if err != nil || !e.Known() {
			return
		}
		again, err := infer.Parse(e.String())
		if err != nil || !again.Equal(e) {
			t.Fatalf("%q reads as %v, which reads as %v (%v)", s, e, again, err)
		}
		sizes := map[string]int64{}
		for i, p := range e.Parameters() {
			sizes[p] = 1 + (n+int64(i))&15
		}
		x, err := e.Eval(sizes)
		if err != nil {
			return
		}
		for p, k := range sizes {
			if with := e.With(p, infer.Number(k)); with.Known() {
				if y, err := with.Eval(sizes); err == nil && x != y {
					t.Errorf("%v is %d with %v, and %v is %d", e, x, sizes, with, y)
				}
			}
		}
	})
}
