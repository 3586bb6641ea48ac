package infer

import (
	"strconv"

	"spikingir/graph"
	"spikingir/graph/op"
)

// fault is the panic of a rule or a parser, which [protected] turns into its error.
type fault struct{ error }

// check ends the rule, or the reading of an expression, where err is not nil.
func check(err error) {
	if err != nil {
		panic(fault{err})
	}
}

// must is x; an error ends the rule.
func must[T any](x T, err error) T {
	check(err)
	return x
}

// protected gives the error that f returns or ends with.
func protected(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fault:
			err = p.error
		default:
			panic(p)
		}
	}()
	return f()
}

func (c *call) failf(format string, args ...any) error {
	return op.Errorf(c.n, format, args...)
}

func (c *call) elem(v *graph.Value) graph.DType {
	t := c.typeOf(v)
	if t.Kind != graph.TensorType {
		return graph.Undefined
	}
	return t.Elem
}

func (c *call) shape(v *graph.Value) (dims []Expr, ok bool) {
	t := c.typeOf(v)
	if t.Kind != graph.TensorType || t.Shape == nil {
		return nil, false
	}
	dims = make([]Expr, len(t.Shape))
	for i, d := range t.Shape {
		dims[i] = c.expr(d)
	}
	return dims, true
}

// expr is FromDim, remembered.
func (s *state) expr(d graph.Dim) Expr {
	if d.Param() == "" {
		return FromDim(d)
	}
	e, ok := s.exprs[d.Param()]
	if !ok {
		e = FromDim(d)
		s.exprs[d.Param()] = e
	}
	return e
}

// set states the type of output i; dims nil and ranked false: rank unknown.
func (c *call) set(i int, elem graph.DType, dims []Expr, ranked bool) error {
	if i >= len(c.out) {
		return nil
	}
	if !ranked {
		c.out[i] = graph.TensorOf(elem, nil)
		return nil
	}
	shape := make(graph.Shape, len(dims))
	for j, e := range dims {
		if n, ok := e.Int(); ok && n < 0 {
			return c.failf("output %d has size %d along axis %d, want 0 or more: the input is too small",
				i, n, j)
		}
		shape[j] = e.Dim()
	}
	c.out[i] = graph.TensorOf(elem, shape)
	return nil
}

// same states that output i has the type of v.
func (c *call) same(i int, v *graph.Value) error {
	if i < len(c.out) {
		t := c.typeOf(v)
		t.Denotation, t.Unknown = "", nil
		c.out[i] = t
		if t.Kind == graph.SequenceType {
			list, known := c.tensors[v]
			c.sequence(list, known)
		}
	}
	return nil
}

// sameElem requires that the values, as far as known, share an element type,
// and gives it.
func (c *call) sameElem(vs ...*graph.Value) (graph.DType, error) {
	elem := graph.Undefined
	for _, v := range vs {
		e := c.elem(v)
		if e == graph.Undefined {
			continue
		}
		if elem != graph.Undefined && e != elem {
			return elem, c.failf("inputs are of %v and %v, want the same element type", elem, e)
		}
		elem = e
	}
	return elem, nil
}

// agree is the dimension that two values which must have the same one share:
// the number, else the shorter expression. Numbers that differ are an error. A
// value that is nil is an attribute.
func (c *call) agree(what string, a Expr, of *graph.Value, b Expr, and *graph.Value) (Expr, error) {
	n, okA := a.Int()
	m, okB := b.Int()
	if b.known {
		c.demand(a, b)
	}
	switch {
	case okA && okB && n != m:
		return a, c.failf("%s is %d by %s and %d by %s, want the same", what, n, source(of), m, source(and))
	case okA || !b.known:
		return a, nil
	case okB || !a.known:
		return b, nil
	}
	return shorter(a, b), nil
}

func source(v *graph.Value) string {
	if v == nil {
		return "an attribute"
	}
	return strconv.Quote(v.Name())
}

func shorter(a, b Expr) Expr {
	if len(b.String()) < len(a.String()) {
		return b
	}
	return a
}

// broadcast joins the shapes of values by the rules of broadcasting.
func (c *call) broadcast(vs ...*graph.Value) (dims []Expr, ranked bool, err error) {
	for i, v := range vs {
		d, ok := c.shape(v)
		if !ok {
			return nil, false, nil
		}
		if i == 0 {
			dims = d
			continue
		}
		dims = must(c.broadcastDims(dims, d))
	}
	return dims, true, nil
}

// broadcastDims aligns two shapes at their last axes and joins them axis by axis;
// missing leading axes count as 1.
func (c *call) broadcastDims(a, b []Expr) ([]Expr, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := make([]Expr, len(a))
	lead := len(a) - len(b)
	copy(out, a[:lead])
	for i := lead; i < len(a); i++ {
		d, ok := c.broadcastDim(a[i], b[i-lead])
		if !ok {
			return nil, c.failf("shapes %v and %v do not broadcast: sizes %v and %v, "+
				"want the same or 1", a, b, a[i], b[i-lead])
		}
		out[i] = d
	}
	return out, nil
}

// broadcastDim is ok unless the sizes are numbers that do not fit.
func (c *call) broadcastDim(a, b Expr) (d Expr, ok bool) {
	_, okA := a.Int()
	_, okB := b.Int()
	switch {
	case a.is(1):
		return b, true
	case b.is(1), a.Equal(b):
		return a, true
	case okA && okB:
		return a, false
	}
	if b.known {
		c.demand(a, b) // of both, 1 would do too
	}
	switch {
	case okA:
		return a, true // more than 1, so b is the same or 1
	case okB:
		return b, true
	case a.atLeast(2) && b.atLeast(2):
		return shorter(a, b), true
	case a.atLeast(2):
		return a, true
	case b.atLeast(2):
		return b, true
	}
	return Expr{}, true
}

// list is a setting of integers, from the model or from contents carried
// along. ok is false when even its length is unknown; entries may be unknown.
func (c *call) list(p op.Param[[]int64]) (list []Expr, ok bool) {
	if p.Known {
		list = make([]Expr, len(p.Value))
		for i, n := range p.Value {
			list[i] = Number(n)
		}
		return list, true
	}
	if k, ok := c.content[p.From]; ok {
		return k.whole(), true
	}
	dims, ranked := c.shape(p.From)
	if ranked && len(dims) == 1 {
		if n, isNumber := dims[0].Int(); isNumber && n >= 0 && n <= maxContent {
			return make([]Expr, n), true
		}
	}
	return nil, false
}

// numbers is list where every entry must be a number.
func (c *call) numbers(p op.Param[[]int64]) (list []int64, ok bool) {
	exprs, ok := c.list(p)
	if !ok {
		return nil, false
	}
	list = make([]int64, len(exprs))
	for i, e := range exprs {
		if list[i], ok = e.Int(); !ok {
			return nil, false
		}
	}
	return list, true
}

func (c *call) axis(a int64, rank int) (int, error) {
	i, ok := op.Axis(a, rank)
	if !ok {
		return 0, c.failf("axis %d is outside a tensor of rank %d", a, rank)
	}
	return i, nil
}

func (c *call) rank(v *graph.Value, dims []Expr, want int, what string) error {
	if len(dims) != want {
		return c.failf("input %q has rank %d, want %d: %s", v.Name(), len(dims), want, what)
	}
	return nil
}

func total(dims []Expr) Expr {
	p := Number(1)
	for _, d := range dims {
		p = p.Mul(d)
	}
	return p
}
