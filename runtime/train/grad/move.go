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
	outputs [][]int32     // the number of each output's elements; -1 for a constant
	many    bool          // some element is copied often
}

// often is the number of copies of an element from which they are added in float64.
const often = 8

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
		if g != nil && len(g.F32) != len(o.outputs[j]) {
			return fmt.Errorf("output %d is %v, want %d elements", j, c.out[j], len(o.outputs[j]))
		}
	}
	o.scatter(c)
	return nil
}

// scatter adds gradients, straight to the gradient of an only
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
			switch from := o.outputs[j][i]; {
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
		o.outputs = append(o.outputs, list)
	}
	o.many = slices.ContainsFunc(copies, func(n int32) bool { return n > often })
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
