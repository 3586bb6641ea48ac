package graph

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAttrTypes(t *testing.T) {
	seen := map[AttrType]bool{}
	for _, a := range everyAttr(nil) {
		a.Value.isAttr()
		typ := TypeOf(a.Value)
		seen[typ] = true
		if got, ok := ParseAttrType(typ.String()); !ok || got != typ {
			t.Errorf("%v is read as %v, %v", typ, got, ok)
		}
	}
	if len(seen) != int(AttrTypeProtos) || seen[AttrUndefined] {
		t.Errorf("%d types are used, want %d", len(seen), AttrTypeProtos)
	}
	if TypeOf(nil) != AttrUndefined || AttrType(99).String() != "attribute type 99" {
		t.Error("an unknown type has a name")
	}
	for _, name := range []string{"undefined", "", "Float"} {
		if _, ok := ParseAttrType(name); ok {
			t.Errorf("%q is read", name)
		}
	}
}

func TestAttrs(t *testing.T) {
	as := Attrs{{Name: "axis", Value: Int(1), Doc: "d"}}
	copied := as
	as.Set("alpha", Float(0.5))
	as.Set("axis", Int(2))
	as.Delete("none")
	if a := as[0]; a.Doc != "d" || a.Value != Int(2) {
		t.Errorf("Set made %v", a)
	}
	as.Delete("axis")
	if d := cmp.Diff(Attrs{{Name: "alpha", Value: Float(0.5)}}, as); d != "" {
		t.Error(d)
	}
	if len(copied) != 1 || copied[0].Name != "axis" {
		t.Errorf("Delete changed a copy: %v", copied)
	}
	if _, ok := as.Lookup("axis"); ok {
		t.Error("a deleted attribute is found")
	}
}

func TestGet(t *testing.T) {
	as := Attrs{{Name: "axis", Value: Int(2)}, {Name: "ref", Value: Ref{"k", AttrInt}}}
	for _, c := range []struct {
		name string
		get  func() (Attr, error)
		attr Attr
		want string
	}{
		{"there", func() (Attr, error) { return Get(as, "axis", Int(7)) }, Int(2), ""},
		{"absent", func() (Attr, error) { return Get(as, "none", Int(7)) }, Int(7), ""},
		{"another type", func() (Attr, error) { return Get(as, "axis", Float(7)) }, Float(7),
			`attribute "axis" is of type int, want float`},
		{"reference", func() (Attr, error) { return Get(as, "ref", Int(7)) }, Int(7),
			`attribute "ref" refers to attribute "k" of the function, want a value`},
		{"wanted reference", func() (Attr, error) { return Get(as, "ref", Ref{}) },
			Ref{"k", AttrInt}, ""},
	} {
		got, err := c.get()
		wantError(t, c.name, err, c.want)
		if got != c.attr {
			t.Errorf("%s: got %v, want %v", c.name, got, c.attr)
		}
	}
}
