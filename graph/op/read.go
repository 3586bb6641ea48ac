package op

import (
	"math"
	"slices"

	"spikingir/graph"
)

// reader decodes a node's attributes and constant inputs and keeps the first
// error, so that a view is a list of fields and one check at the end.
type reader struct {
	n   *graph.Node
	err error
}

func read(n *graph.Node) *reader { return &reader{n: n} }

// failf records an error, unless there is one already.
func (r *reader) failf(format string, args ...any) {
	if r.err == nil {
		r.err = Errorf(r.n, format, args...)
	}
}

// attr is the attribute called name as a T; ok is false when it is absent.
func attr[T graph.Attr](r *reader, name string) (v T, ok bool) {
	a, ok := r.n.Attrs.Lookup(name)
	if !ok {
		return v, false
	}
	if ref, isRef := a.(graph.Ref); isRef {
		r.failf("attribute %q refers to the function's attribute %q, want a value", name, ref.Name)
		return v, false
	}
	if v, ok = a.(T); !ok {
		r.failf("attribute %q is of type %v, want %v", name, graph.TypeOf(a), graph.TypeOf(v))
	}
	return v, ok
}

func required[T graph.Attr](r *reader, name string) T {
	v, ok := attr[T](r, name)
	if !ok {
		r.failf("attribute %q is missing, want one of type %v", name, graph.TypeOf(v))
	}
	return v
}

// int is a number attribute, def when it is absent.
func (r *reader) int(name string, def int64) int64 {
	if v, ok := attr[graph.Int](r, name); ok {
		return int64(v)
	}
	return def
}

// bool is a switch, 0 or 1, def when it is absent.
func (r *reader) bool(name string, def bool) bool {
	v, ok := attr[graph.Int](r, name)
	if !ok {
		return def
	}
	if v != 0 && v != 1 {
		r.failf("attribute %q is %d, want 0 or 1", name, v)
	}
	return v == 1
}

// float is a number attribute, def when it is absent.
func (r *reader) float(name string, def float32) float32 {
	if v, ok := attr[graph.Float](r, name); ok {
		return float32(v)
	}
	return def
}

// word is a string attribute that is one of the listed words, the first of
// which is the default.
func (r *reader) word(name string, words ...string) string {
	v, ok := attr[graph.String](r, name)
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, string(v)) {
		r.failf("attribute %q is %q, want one of %q", name, string(v), words)
	}
	return string(v)
}

// ints is a list attribute, nil when it is absent.
func (r *reader) ints(name string) []int64 {
	v, ok := attr[graph.Ints](r, name)
	if ok && v == nil {
		return []int64{}
	}
	return slices.Clone([]int64(v))
}

// atLeast requires an attribute's number to be lo or more.
func (r *reader) atLeast(name string, v, lo int64) {
	if v < lo {
		r.failf("attribute %q is %d, want %d or more", name, v, lo)
	}
}

// input is input i, which must be present.
func (r *reader) input(i int, name string) *graph.Value {
	v := r.n.Input(i)
	if v == nil {
		r.failf("input %d (%s) is missing", i, name)
	}
	return v
}

// param is input i, which may be omitted: def then. read gives the value of a
// constant one.
func param[T any](r *reader, name string, i int, def T, read func(*graph.Tensor) (T, error)) Param[T] {
	p := Param[T]{Known: true, Value: def, From: r.n.Input(i), node: r.n, name: name}
	if p.From == nil {
		return p
	}
	p.Given, p.Known = true, false
	t := Constant(p.From)
	if t == nil {
		return p
	}
	x, err := read(t)
	if err != nil {
		r.failf("input %d (%s): %v", i, name, err)
		return p
	}
	p.Known, p.Value = true, x
	return p
}

// intsParam is a list of integers: attribute name in the opsets before
// moved, else input i. moved <= 0: always an input.
func (r *reader) intsParam(name string, i int, opset, moved int64) Param[[]int64] {
	if opset >= moved {
		return param(r, name, i, nil, (*graph.Tensor).Int64s)
	}
	list := r.ints(name)
	return Param[[]int64]{Known: true, Given: list != nil, Value: list, node: r.n, name: name}
}

// intParam is one integer, as intsParam.
func (r *reader) intParam(name string, i int) Param[int64] {
	l := r.intsParam(name, i, 0, 0)
	p := Param[int64]{Given: l.Given, Known: l.Known, From: l.From, node: l.node, name: name}
	if l.Given && l.Known {
		if len(l.Value) != 1 {
			r.failf("input %d (%s) holds %d elements, want 1", i, name, len(l.Value))
			return p
		}
		p.Value = l.Value[0]
	}
	return p
}

// floatsParam is a list of numbers: input i, which may be omitted.
func (r *reader) floatsParam(name string, i int) Param[[]float32] {
	return param(r, name, i, nil, (*graph.Tensor).Float32s)
}

// numberParam is one number of any real or integer type: attribute name in the
// opsets before moved, else input i; def when it is omitted.
func (r *reader) numberParam(name string, i int, def float32, opset, moved int64) Param[float32] {
	if opset >= moved {
		return param(r, name, i, def, number)
	}
	v, given := attr[graph.Float](r, name)
	if given {
		def = float32(v)
	}
	return Param[float32]{Known: true, Given: given, Value: def, node: r.n, name: name}
}

// number is the only element of t.
func number(t *graph.Tensor) (float32, error) {
	if !t.DType.IsFloat() {
		list, err := t.Int64s()
		if err != nil || len(list) != 1 {
			return 0, wantOne(len(list), err)
		}
		return float32(list[0]), nil
	}
	list, err := t.Float32s()
	if err != nil || len(list) != 1 {
		return 0, wantOne(len(list), err)
	}
	return list[0], nil
}

var inf = float32(math.Inf(1))

const maxInt64 = math.MaxInt64
