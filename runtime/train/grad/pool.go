package grad

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// pooling is the gradient of a pool bound to tensors.
type pooling struct {
	op.Pool
	*window
	x, y, g, gx []float32
	planes      int
}

// bindPool decodes a pool.
func bindPool(run func(*pooling)) binder {
	return func(n *graph.Node, _ int64) (backward, error) {
		p, err := op.PoolOf(n)
		return func(c *call) error {
			q, err := newPooling(c, p)
			if err != nil || q == nil {
				return err
			}
			run(q)
			return nil
		}, err
	}
}

// newPooling holds tensors against the pool; it is nil when no gradient comes in.
func newPooling(c *call, p op.Pool) (*pooling, error) {
	x, y, g := c.in[0], c.out[0], c.gout[0]
	if g == nil {
		return nil, nil
	}
	if x.Rank() != len(p.Kernel)+2 {
		return nil, fmt.Errorf("input 0 is %v, want rank %d", x, len(p.Kernel)+2)
	}
	spatial := x.Sizes()[2:]
	dims := append(x.Sizes()[:2:2], p.Out(spatial)...)
	if !slices.Equal(y.Sizes(), dims) {
		return nil, fmt.Errorf("output 0 is %v, want dimensions %v", y, dims)
	}
	return &pooling{
		Pool: p, window: newWindow(p.Window, x.Dims[2:], y.Dims[2:], p.PadsFor(spatial)),
		x: x.F32, y: y.F32, g: g.F32, gx: c.gin[0].F32, planes: y.Dims[0] * y.Dims[1],
	}, nil
}

// each calls f for every output element that has a gradient: its index in the
// output and in its plane, the index of its input plane's first element, and the
// cells of its window that lie on the input.
func (p *pooling) each(f func(at, o, plane int, cells []int)) {
	size, plane := product(p.out), product(p.in)
	list := make([]int, 0, p.size())
	for o := range size { // cells are dear, so that they serve all planes
		cells := slices.DeleteFunc(p.cells(o, list), func(at int) bool { return at == outside })
		for i := range p.planes {
			if p.g[i*size+o] != 0 {
				f(i*size+o, o, i*plane, cells)
			}
		}
	}
}

// average gives every element of a window its share.
func (p *pooling) average() {
	p.each(func(at, o, plane int, cells []int) {
		count := len(cells)
		if p.CountPad {
			count = p.padded(o)
		}
		share := p.g[at] / float32(count)
		for _, c := range cells {
			p.gx[plane+c] += share
		}
	})
}

// largest gives all to the element that the operator chose.
func (p *pooling) largest() {
	p.each(func(at, _, plane int, cells []int) {
		best, chosen := float32(0), outside
		for _, c := range cells {
			if v := p.x[plane+c]; v > best || chosen == outside || v != v {
				best, chosen = v, c
			}
		}
		if chosen != outside {
			p.gx[plane+chosen] += p.g[at]
		}
	})
}

// norm is the gradient of (sum |x|^P)^(1/P).
func (p *pooling) norm() {
	order := float64(p.P)
	p.each(func(at, _, plane int, cells []int) {
		y := float64(p.y[at])
		if y == 0 {
			return
		}
		for _, c := range cells {
			x := float64(p.x[plane+c])
			d := math.Pow(math.Abs(x)/y, order-1)
			p.gx[plane+c] += float32(float64(p.g[at]) * math.Copysign(d, x))
		}
	})
}

// globalPool is the gradient of a reduction over all spatial axes.
func globalPool(f fold) backward {
	return func(c *call) error {
		if c.in[0].Rank() < 3 {
			return fmt.Errorf("input 0 is %v, want rank 3 or more", c.in[0])
		}
		kept := slices.Clone(c.in[0].Dims)
		for i := range kept[2:] {
			kept[2+i] = 1
		}
		return f(c, kept)
	}
}
