package grad

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/ops"
)

// TestDifferences compares gradients with differences of what package ops computes,
// element by element.
func TestDifferences(t *testing.T) {
	covered := map[string]bool{}
	for i, c := range cases {
		m := c.build(t, uint64(i))
		covered[m.node.Op().Type] = true
		t.Run(m.name, func(t *testing.T) { m.compare(t, c.manner, uint64(i)) })
	}
	for name := range binders {
		if !covered[name] {
			t.Errorf("no case covers %s", name)
		}
	}
}

// compare checks the gradients of all inputs, each of which is asked for alone, too.
func (m *model) compare(t *testing.T, how manner, seed uint64) {
	out := m.forward(t, 0, nil)
	gout := cotangents(rand.New(rand.NewPCG(seed, 2)), how, out)
	inputs := m.wanted()
	if len(inputs) == 0 {
		t.Fatal("no input has a gradient")
	}
	gin := m.gradients(t, out, gout, 0, inputs...)
	for _, i := range inputs {
		want, size := m.differences(t, how, i, gout)
		top := 0.0
		for k, v := range want {
			g := float64(gin[i].F32[k])
			top = math.Max(top, math.Abs(v))
			if d := math.Abs(g - v); !(d <= tolerance(how)*size) {
				t.Errorf("input %d: gradient of element %d is %v, differences give %v (bound %v)",
					i, k, g, v, tolerance(how)*size)
			}
		}
		if top == 0 != (how == frozen) {
			t.Errorf("input %d: the largest gradient is %v", i, top)
		}
		alone := m.gradients(t, out, gout, 0, i)
		for k, v := range alone[i].F32 {
			if math.Float32bits(v) != math.Float32bits(gin[i].F32[k]) {
				t.Fatalf("input %d: gradient of element %d is %v alone, %v with others", i, k, v, gin[i].F32[k])
			}
		}
		m.omit(t, out, gout, i)
		added := m.gradients(t, out, gout, 8, i)
		for k, v := range added[i].F32 {
			if math.Abs(float64(v-gin[i].F32[k])) > 1e-5*(8+math.Abs(float64(v))) {
				t.Fatalf("input %d: gradient of element %d is %v, but %v is added", i, k, gin[i].F32[k], v)
			}
		}
	}
}

// omit holds a gradient of an output that is nil against one of zeros.
func (m *model) omit(t *testing.T, out, gout []*ops.Tensor, i int) {
	for j, g := range gout {
		if g == nil || len(gout) == 1 {
			continue
		}
		left := slices.Clone(gout)
		left[j] = nil
		without := m.gradients(t, out, left, 0, i)[i]
		left[j] = ops.NewTensor(graph.Float32, g.Dims)
		zeros := m.gradients(t, out, left, 0, i)[i]
		for k, v := range without.F32 {
			if v != zeros.F32[k] {
				t.Errorf("input %d, no gradient of output %d: element %d is %v, with zeros %v",
					i, j, k, v, zeros.F32[k])
			}
		}
	}
}

// tolerance is the error allowed beside the size of the terms of a difference.
func tolerance(how manner) float64 {
	if how.exact() {
		return 2e-6
	}
	return 1e-4
}

// differences is the derivatives of the sum of out * gout by the elements of input
// i, and the size that errors are measured by: that of the sum's terms at a step
// of one, or of the largest derivative.
func (m *model) differences(t *testing.T, how manner, i int, gout []*ops.Tensor) (list []float64, size float64) {
	t.Helper()
	x := m.in[i].Clone()
	step := float32(1)
	if !how.exact() {
		step = 1.0 / 16
	}
	for k, v := range x.F32 {
		at := func(shift float32) float64 {
			x.F32[k] = v + shift
			sum, terms := paired(m.forward(t, i, x), gout)
			size = math.Max(size, terms)
			return sum
		}
		d := (at(step) - at(-step)) / (2 * float64(step))
		if !how.exact() { // of fourth order, by Richardson's extrapolation
			half := (at(step/2) - at(-step/2)) / float64(step)
			d = (4*half - d) / 3
		}
		x.F32[k] = v
		list = append(list, d)
		size = math.Max(size, math.Abs(d))
	}
	return list, size
}

// TestTransposed compares <A x, y> with <x, transpose(A) y> for linear operators on
// larger tensors of numbers that are not whole.
func TestTransposed(t *testing.T) {
	for i, c := range append(cases, larger...) {
		if c.manner != linear {
			continue
		}
		c.manner = smooth
		m := c.build(t, uint64(100+i))
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		out := m.forward(t, 0, nil)
		gout := cotangents(rng, smooth, out)
		for _, k := range m.wanted() {
			gin := m.gradients(t, out, gout, 0, k)
			zero := m.forward(t, k, ops.NewTensor(graph.Float32, m.in[k].Dims))
			there, size := paired(out, gout)
			base, more := paired(zero, gout)
			back, _ := paired(m.in, gin)
			if d := math.Abs(there - base - back); !(d <= 1e-6*(size+more)) {
				t.Errorf("%s: input %d: <A x, y> = %v, <x, A' y> = %v", m.name, k, there-base, back)
			}
		}
	}
}
