package grad

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// A mover is an operator whose outputs hold elements of its inputs, or constants. It
// learns where they come from by running the operator on numbered elements.
type mover struct {
	op ops.Op

	mu    sync.Mutex
	known []*origins // the last ones used, the latest first
}

// remembered is the number of input shapes that a mover keeps the origins for.
const remembered = 4

// origins tells where the elements of all outputs come from. The elements of all
// floating point inputs are numbered together, from 0.
type origins struct {
	in      []*ops.Tensor // dimensions of floating point inputs, the others as they are
	first   []int         // the number of each input's first element
	count   int           // of all elements
	only    int           // the floating point input where there is one, or -1
	outputs []source      // of each output, all with numbers or all with spans
	many    bool          // some element is copied often
}

// A source tells where the elements of one output come from: in spans, or number
// by number, where -1 stands for no element.
type source struct {
	spans   []span
	numbers []int32
}

// A span is n elements of an output that are neighbours in an input, too.
type span struct{ input, from, to, n int }

// often is the number of copies of an element from which they are added in float64.
const often = 8

// longSpan is the mean length from which spans are faster than numbers.
const longSpan = 8

// bindMove binds an operator that only moves elements.
func bindMove(n *graph.Node, opset int64) (backward, error) {
	o, err := ops.Bind(n, opset)
	if err != nil {
		return nil, err
	}
	m := &mover{op: o}
	return m.backward, nil
}

// backward adds every output element's gradient to that of its origin.
func (m *mover) backward(c *call) error {
	o, err := m.originsOf(c.in)
	if err != nil {
		return err
	}
	for j, g := range c.gout {
		if g != nil && len(g.F32) != o.outputs[j].len() {
			return fmt.Errorf("output %d is %v, want %d elements", j, c.out[j], o.outputs[j].len())
		}
	}
	if slices.ContainsFunc(o.outputs, source.spelled) {
		o.scatter(c)
		return nil
	}
	for j, g := range c.gout {
		if g == nil {
			continue
		}
		for _, s := range o.outputs[j].spans {
			if s.input >= 0 && c.gin[s.input] != nil {
				accumulate(c.gin[s.input].F32[s.from:s.from+s.n], g.F32[s.to:s.to+s.n])
			}
		}
	}
	return nil
}

// scatter adds gradients number by number, straight to the gradient of an only
// input whose elements get few terms.
func (o *origins) scatter(c *call) {
	var sums []float64
	var only []float32
	if o.only >= 0 && !o.many {
		only = c.gin[o.only].F32
	} else {
		sums = make([]float64, o.count)
	}
	for j, g := range c.gout {
		if g == nil {
			continue
		}
		for i, v := range g.F32 {
			switch from := o.outputs[j].numbers[i]; {
			case from < 0:
			case only != nil:
				only[from] += v
			default:
				sums[from] += float64(v)
			}
		}
	}
	if sums == nil {
		return
	}
	for i, g := range c.gin {
		if g != nil {
			addWide(g.F32, sums[o.first[i]:o.first[i]+len(g.F32)])
		}
	}
}

func (s source) spelled() bool { return s.numbers != nil }

func (s source) len() int {
	if s.numbers != nil {
		return len(s.numbers)
	}
	n := 0
	for _, p := range s.spans {
		n += p.n
	}
	return n
}

// originsOf is the origins for inputs, from those known or found anew.
func (m *mover) originsOf(in []*ops.Tensor) (*origins, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, o := range m.known {
		if o.holds(in) {
			copy(m.known[1:i+1], m.known[:i])
			m.known[0] = o
			return o, nil
		}
	}
	o, err := m.find(in)
	if err != nil {
		return nil, err
	}
	m.known = slices.Insert(m.known, 0, o)
	m.known = m.known[:min(len(m.known), remembered)]
	return o, nil
}

// holds reports whether the operator moves the elements of these inputs alike.
func (o *origins) holds(in []*ops.Tensor) bool {
	for i, t := range in {
		k := o.in[i]
		if t != nil && (!slices.Equal(t.Dims, k.Dims) || !slices.Equal(t.I64, k.I64)) {
			return false
		}
	}
	return true
}

// find runs the operator on element numbers, and once more on others: what changes
// with them is an element of an input, all else is constant.
func (m *mover) find(in []*ops.Tensor) (*origins, error) {
	o := &origins{only: -1}
	several := false
	for i, t := range in {
		o.first = append(o.first, o.count)
		var k *ops.Tensor
		switch {
		case t == nil:
		case t.DType.IsFloat():
			k = &ops.Tensor{Dims: slices.Clone(t.Dims)}
			o.count += t.Len()
			several = several || o.only >= 0
			o.only = i
		default:
			k = t.Clone()
		}
		o.in = append(o.in, k)
	}
	if several {
		o.only = -1
	}
	if o.count >= math.MaxInt32 {
		return nil, fmt.Errorf("inputs of %d elements, want less than %d", o.count, math.MaxInt32)
	}
	return o, o.trace(m.op, in)
}

// trace fills in where the outputs' elements come from.
func (o *origins) trace(run ops.Op, in []*ops.Tensor) error {
	numbers, err := run.Run(&ops.Env{}, o.numbered(in, 0))
	if err != nil {
		return err
	}
	shift := o.count + 1
	shifted, err := run.Run(&ops.Env{}, o.numbered(in, shift))
	if err != nil {
		return err
	}
	copies := make([]int32, o.count)
	for j, y := range numbers {
		var list []int32
		if y != nil {
			list = make([]int32, len(y.I64))
			for i, v := range y.I64 {
				list[i] = -1
				if shifted[j].I64[i]-v == int64(shift) {
					list[i] = int32(v)
					copies[v]++
				}
			}
		}
		o.outputs = append(o.outputs, o.sourceOf(list))
	}
	o.many = slices.ContainsFunc(copies, func(n int32) bool { return n > often })
	if o.many || slices.ContainsFunc(o.outputs, source.spelled) {
		o.spell()
	}
	return nil
}

// numbered is the inputs with numbers, from base on, in place of elements.
func (o *origins) numbered(in []*ops.Tensor, base int) []*ops.Tensor {
	list := make([]*ops.Tensor, len(in))
	for i, t := range in {
		if t == nil || !t.DType.IsFloat() {
			list[i] = t
			continue
		}
		list[i] = ops.NewTensor(graph.Int64, t.Dims)
		for e := range list[i].I64 {
			list[i].I64[e] = int64(base + o.first[i] + e)
		}
	}
	return list
}

// sourceOf makes spans of numbers, or keeps those where spans would be short.
func (o *origins) sourceOf(numbers []int32) source {
	var spans []span
	input := 0
	for at, v := range numbers {
		if last := len(spans) - 1; last >= 0 && o.continues(spans[last], int(v)) {
			spans[last].n++
			continue
		}
		if len(spans)*longSpan > len(numbers) {
			return source{numbers: numbers}
		}
		if v < 0 {
			spans = append(spans, span{input: -1, to: at, n: 1})
			continue
		}
		input, _ = slices.BinarySearch(o.first, int(v)+1)
		input--
		spans = append(spans, span{input, int(v) - o.first[input], at, 1})
	}
	return source{spans: spans}
}

// continues reports whether an element comes next in a span.
func (o *origins) continues(s span, number int) bool {
	if s.input < 0 || number < 0 {
		return s.input < 0 && number < 0
	}
	next := s.from + s.n
	return next < o.in[s.input].Len() && o.first[s.input]+next == number
}

// spell makes spans numbers again.
func (o *origins) spell() {
	for j, s := range o.outputs {
		if s.numbers != nil {
			continue
		}
		list := make([]int32, 0, s.len())
		for _, p := range s.spans {
			for k := range p.n {
				if p.input < 0 {
					list = append(list, -1)
				} else {
					list = append(list, int32(o.first[p.input]+p.from+k))
				}
			}
		}
		o.outputs[j] = source{numbers: list}
	}
}
