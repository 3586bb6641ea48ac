package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDims(t *testing.T) {
	for _, c := range []struct {
		d, e Dim
		same bool
	}{
		{Known(3), Known(3), true}, {Known(3), Known(4), false}, {Known(0), Dim{}, false},
		{Symbol("N"), Symbol("N"), true}, {Symbol("N"), Symbol("M"), false},
		{Dim{}, Dim{}, false}, {Symbol("N"), Known(1), false},
		{Dim{size: 3, known: true, Denotation: "DATA_BATCH"}, Known(3), true},
	} {
		if c.d.Same(c.e) != c.same || c.e.Same(c.d) != c.same {
			t.Errorf("%v same as %v: want %v", c.d, c.e, c.same)
		}
	}
	for _, c := range []struct {
		d    Dim
		text string
		size int64
		ok   bool
	}{{Known(-1), "-1", -1, true}, {Symbol("2*H+1"), "2*H+1", 0, false}, {Dim{}, "?", 0, false},
		{Symbol(""), "?", 0, false}} {
		if n, ok := c.d.Size(); n != c.size || ok != c.ok || c.d.String() != c.text {
			t.Errorf("%v has size %d, %v", c.d, n, ok)
		}
	}
	if Symbol("N").Param() != "N" || Symbol("") != (Dim{}) {
		t.Error("a symbol does not keep its name")
	}
}

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		s     Shape
		text  string
		sizes []int64
		ok    bool
	}{
		{nil, "[...]", nil, false},
		{Shape{}, "[]", []int64{}, true},
		{ShapeOf(1, 3), "[1,3]", []int64{1, 3}, true},
		{Shape{Known(1), Symbol("H"), {}}, "[1,H,?]", nil, false},
	} {
		sizes, ok := c.s.Sizes()
		if c.s.String() != c.text || ok != c.ok || cmp.Diff(c.sizes, sizes) != "" {
			t.Errorf("%v has sizes %v, %v, want %v, %v", c.s, sizes, ok, c.sizes, c.ok)
		}
		for _, o := range []Shape{nil, {}, ShapeOf(1, 3), {Known(1), Symbol("H"), {}}} {
			if want := o.String() == c.text; c.s.Equal(o) != want {
				t.Errorf("%v equal to %v: want %v", c.s, o, want)
			}
		}
	}
}

func TestTypes(t *testing.T) {
	tensor := TensorOf(Float32, ShapeOf(2))
	list := []struct {
		typ  Type
		text string
	}{
		{Type{}, "?"},
		{TensorOf(Float32, nil), "float[]"},
		{TensorOf(Float32, Shape{}), "float"},
		{tensor, "float[2]"},
		{TensorOf(Int64, Shape{Symbol("N"), {}}), "int64[N,?]"},
		{Type{Kind: SparseTensorType, Elem: Float32, Shape: ShapeOf(2)}, "sparse_tensor(float[2])"},
		{Type{Kind: SequenceType, Of: &tensor}, "seq(float[2])"},
		{Type{Kind: SequenceType}, "seq(?)"},
		{Type{Kind: MapType, Elem: StringType, Of: &tensor}, "map(string, float[2])"},
		{Type{Kind: OptionalType, Of: &tensor}, "optional(float[2])"},
		{Type{Kind: OpaqueType, Domain: "d", Name: "n"}, "opaque(d,n)"},
	}
	for i, x := range list {
		if x.typ.String() != x.text {
			t.Errorf("the type prints as %s, want %s", x.typ, x.text)
		}
		for j, y := range list {
			if x.typ.Equal(y.typ.clone()) != (i == j) {
				t.Errorf("%v equal to %v: want %v", x.typ, y.typ, i == j)
			}
		}
	}
}
