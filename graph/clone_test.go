package graph

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCloneIsEqual(t *testing.T) {
	m := sample()
	p := partsOf(m)
	// Give the uses of a another order than the nodes': rewrites follow it.
	p.add.SetInput(2, p.x)
	first := p.then.nodes.all()[0]
	first.SetInput(0, nil)
	first.SetInput(0, p.a)
	c := m.Clone()
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(dump(m), dump(c)); d != "" {
		t.Errorf("the clone differs (-original +clone):\n%s", d)
	}
	if held := c.Functions[0].Defaults[1].Value.(*Graph); held.Outer() != c.Functions[0].Body ||
		held.nodes.all()[0].inputs[0] != c.Functions[0].Body.inputs.all()[0] {
		t.Error("a function's default does not live in its body's clone")
	}
}

// TestCloneSharesNothing walks both models and wants no common memory but what
// is immutable.
func TestCloneSharesNothing(t *testing.T) {
	m := sample()
	seen := map[uintptr]string{}
	walk(reflect.ValueOf(m), map[uintptr]bool{}, func(at uintptr, what string) { seen[at] = what })
	if len(seen) < 100 {
		t.Fatalf("only %d pointers found", len(seen))
	}
	walk(reflect.ValueOf(m.Clone()), map[uintptr]bool{}, func(at uintptr, what string) {
		if old, ok := seen[at]; ok {
			t.Errorf("the clone shares %s, %s in the original", what, old)
		}
	})
}

// walk visits the address of everything mutable that v leads to.
func walk(v reflect.Value, done map[uintptr]bool, visit func(at uintptr, what string)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() || (v.Kind() == reflect.Slice && v.Cap() == 0) {
			return
		}
		switch v.Type() {
		case reflect.TypeFor[*Tensor](), reflect.TypeFor[*SparseTensor](),
			reflect.TypeFor[*Source](), reflect.TypeFor[[]byte]():
			return
		}
		if v.Kind() != reflect.Slice { // an array may share the address of its first element
			if done[v.Pointer()] {
				return
			}
			done[v.Pointer()] = true
		}
		visit(v.Pointer(), v.Type().String())
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			walk(v.Elem(), done, visit)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			walk(it.Value(), done, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), done, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(v.Field(i), done, visit)
		}
	}
}

// TestCloneKeepsLooseValues: a graph that is not sound does not become so.
func TestCloneKeepsLooseValues(t *testing.T) {
	m := sample()
	v, err := m.Graph.NewValue("loose")
	if err != nil {
		t.Fatal(err)
	}
	m.Graph.AddNode(Op{"", "Neg"}, nil, []*Value{v}, "n")
	c := m.Clone()
	wantError(t, "clone", c.Check(), `nothing defines value "loose"`)
	if in := c.Graph.Value("n").Producer().Input(0); in == nil || in == v || in.Name() != "loose" {
		t.Errorf("the input is %v", in)
	}
}

func TestEditingACloneKeepsTheOriginal(t *testing.T) {
	m := sample()
	want := dump(m)
	c := m.Clone()
	p := partsOf(c)
	p.a.Type.Shape[0] = Known(7)
	p.a.Metadata[0].Value = "other"
	for i, a := range p.relu.Attrs {
		switch x := a.Value.(type) {
		case Ints:
			x[0] = 9
		case Floats:
			x[0] = 9
		case Strings:
			x[0] = "other"
		case Tensors:
			x[0] = Scalar(9)
		case SparseTensors:
			x[0] = nil
		case Type:
			x.Of.Shape[0] = Known(9)
		case Types:
			x[0].Shape[0] = Known(9)
		}
		p.relu.Attrs[i].Name += "_"
	}
	p.then.nodes.all()[1].Subgraphs()[0].nodes.all()[0].SetInput(1, nil)
	c.Opsets[0].Version, c.Metadata[0].Value = 9, "9"
	f := c.Functions[0]
	f.Opsets[0].Version, f.Attrs[0], f.Metadata[0].Value, f.Name = 9, "9", "9", "9"
	f.Defaults.Set("b", Int(9))
	if err := p.g.Rename(p.y, "yy"); err != nil {
		t.Error(err)
	}
	p.relu.SetInput(0, p.a)
	if err := p.g.Remove(p.branch); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff(want, dump(m)); d != "" {
		t.Errorf("the original changed (-before +after):\n%s", d)
	}
	if dump(c) == want {
		t.Error("the clone did not change")
	}
}
