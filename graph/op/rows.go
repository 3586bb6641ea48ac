package op

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
)

// row is a [Spec] as the table below writes it. Attributes are words
// name=type, with ! behind those that are required.
type row struct {
	name     string
	forms    []form
	until    int64 // 0: still current
	temporal Temporal
	flags    flag
	doc      string
}

type form struct {
	since   int64
	in, out Arity
	attrs   string
}

type flag uint8

const (
	elementwise flag = 1 << iota
	foldable
)

func build(rows map[string][]row) []*Spec {
	var specs []*Spec
	for domain, list := range rows {
		for _, r := range list {
			specs = append(specs, r.spec(domain))
		}
	}
	slices.SortFunc(specs, func(a, b *Spec) int {
		return cmp.Or(cmp.Compare(a.Op.Domain, b.Op.Domain), cmp.Compare(a.Op.Type, b.Op.Type))
	})
	return specs
}

func (r row) spec(domain string) *Spec {
	s := &Spec{
		Op:    graph.Op{Domain: domain, Type: r.name},
		Since: r.forms[0].since, Until: cmp.Or(r.until, Newest),
		Temporal: r.temporal, Doc: r.doc,
		Elementwise: r.flags&elementwise != 0, ConstantFoldable: r.flags&foldable != 0,
	}
	if domain == graph.Spiking {
		s.Until = NewestSpiking
	}
	s.Omissible = omissible[r.name]
	for _, f := range r.forms {
		s.Forms = append(s.Forms, Form{Since: f.since, In: f.in, Out: f.out, Attrs: parseAttrs(f.attrs)})
	}
	return s
}

// parseAttrs reads the words of a form, sorted by name. It panics on a word that is
// no attribute: the table is part of the program.
func parseAttrs(text string) []Attr {
	var attrs []Attr
	for word := range strings.FieldsSeq(text) {
		word, required := strings.CutSuffix(word, "!")
		name, kind, _ := strings.Cut(word, "=")
		t, ok := graph.ParseAttrType(kind)
		if !ok {
			panic(fmt.Sprintf("op: attribute %q in the table", word))
		}
		attrs = append(attrs, Attr{Name: name, Type: t, Required: required})
	}
	slices.SortFunc(attrs, func(a, b Attr) int { return cmp.Compare(a.Name, b.Name) })
	return attrs
}

// Shorthand for the rows.
var (
	one      = Arity{1, 1}
	two      = Arity{2, 2}
	three    = Arity{3, 3}
	oneTwo   = Arity{1, 2}
	oneThree = Arity{1, 3}
	twoThree = Arity{2, 3}
	variadic = Arity{1, -1}
)

func unary(name string, since int64, attrs, doc string) row {
	return row{name, []form{{since, one, one, attrs}}, 0, Nonlinear, elementwise | foldable, doc}
}

func binary(name string, since int64, t Temporal, doc string) row {
	return row{name, []form{{since, two, one, ""}}, 0, t, elementwise | foldable, doc}
}

func manyToOne(name string, t Temporal, doc string) row {
	return row{name, []form{{6, variadic, one, ""}}, 0, t, elementwise | foldable, doc}
}

// reduction is the row of a Reduce operator whose axes became an input at
// opset moved.
func reduction(name string, moved int64, t Temporal, doc string) row {
	return row{name, []form{
		{6, one, one, "axes=ints keepdims=int"},
		{moved, oneTwo, one, "keepdims=int noop_with_empty_axes=int"},
	}, 0, t, foldable, doc}
}

const (
	convAttrs = "auto_pad=string dilations=ints group=int kernel_shape=ints pads=ints strides=ints"
	poolAttrs = "auto_pad=string kernel_shape=ints! pads=ints strides=ints "
	pool10    = poolAttrs + "ceil_mode=int count_include_pad=int "
	max8      = poolAttrs + "storage_order=int "
	resize11  = "coordinate_transformation_mode=string cubic_coeff_a=float exclude_outside=int " +
		"extrapolation_value=float mode=string nearest_mode=string "
	valueAttrs = "sparse_value=sparse_tensor value=tensor "
	scan9      = "body=graph! num_scan_inputs=int! scan_input_axes=ints scan_input_directions=ints " +
		"scan_output_axes=ints scan_output_directions=ints"
	steps = "timesteps=int post=int "
)
