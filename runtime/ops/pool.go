package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// pooling is a pool bound to one input size.
type pooling struct {
	op.Pool
	stencil *stencil
	pads    []int64
	x, y    *Tensor
}

func newPooling(env *Env, p op.Pool, x *Tensor) (*pooling, error) {
	check(wantFloat(x))
	if x.Rank() < 3 {
		return nil, fmt.Errorf("input 0 is %v, want rank 3 or more: [N, C, ...]", x)
	}
	if x.Rank() != len(p.Kernel)+2 {
		return nil, fmt.Errorf("input 0 is %v, want rank %d for a kernel of %v",
			x, len(p.Kernel)+2, p.Kernel)
	}
	spatial := sizesOf(x.Dims[2:])
	out := p.Out(spatial)
	check(wantRoom(out, p.Kernel, x))
	dims := must(dimsOf(append(sizesOf(x.Dims[:2]), out...)))
	pads, y := p.PadsFor(spatial), env.alloc(x.DType, dims)
	env.claimStencil(dims[2:], p.Window)
	return &pooling{Pool: p, stencil: forwardStencil(x.Dims[2:], dims[2:], p.Window, pads), pads: pads, x: x, y: y}, nil
}

// each calls f for every output element: its index in the output, its index in
// its plane, the index of its input plane's first element, and its cells.
func (p *pooling) each(env *Env, f func(at, o, plane int, cells []cell)) {
	size, plane := product(p.stencil.out), product(p.stencil.in)
	planes := p.y.Dims[0] * p.y.Dims[1]
	env.each(planes, size*product(p.stencil.kernel), func(lo, hi int) {
		var buf [2][]cell
		for o := range size { // cells are dear, so that they serve all planes
			cells := p.stencil.cells(o, &buf)
			for i := lo; i < hi; i++ {
				f(i*size+o, o, i*plane, cells)
			}
		}
	})
}

// bindPool decodes a pool whose first output run computes.
func bindPool(run func(p *pooling, env *Env) []*Tensor) binder {
	return func(n *graph.Node, _ int64) (runner, error) {
		p, err := op.PoolOf(n)
		if err != nil {
			return nil, err
		}
		return func(env *Env, in []*Tensor) ([]*Tensor, error) {
			x := in[0]
			whole := x.DType == graph.Int8 || x.DType == graph.Uint8
			if whole && n.Is("MaxPool") { // exact in float32
				x = castTo(env.scratch(), x, graph.Float32)
			}
			q := must(newPooling(env, p, x))
			out := run(q, env)
			if whole {
				out[0] = castTo(env, out[0], in[0].DType)
			}
			return out, nil
		}, nil
	}
}

// average is the mean of every window. Padding counts in the divisor when the
// node says so; what ceil mode adds behind it never does.
func (p *pooling) average(env *Env) []*Tensor {
	p.each(env, func(at, o, plane int, cells []cell) {
		sum := 0.0
		for _, c := range cells {
			sum += float64(p.x.F32[plane+c.in])
		}
		count := len(cells)
		if p.CountPad {
			count = p.padded(o)
		}
		p.y.F32[at] = float32(sum / float64(count))
	})
	return one(p.y)
}

// padded counts the cells of a window that lie in the input or its padding.
func (p *pooling) padded(o int) int {
	count := 1
	for axis := len(p.stencil.out) - 1; axis >= 0; axis-- {
		first := o%p.stencil.out[axis]*int(p.Stride[axis]) - int(p.pads[axis])
		o /= p.stencil.out[axis]
		end := p.stencil.in[axis] + int(p.pads[len(p.stencil.out)+axis])
		room := (end - first + int(p.Dilation[axis]) - 1) / int(p.Dilation[axis])
		count *= min(p.stencil.kernel[axis], room)
	}
	return count
}

// largest is the largest element of every window, the first of equal ones, and
// its index in the whole input. A window of padding alone gives -Inf and -1.
func (p *pooling) largest(env *Env) []*Tensor {
	indices := env.alloc(graph.Int64, p.y.Dims)
	p.each(env, func(at, _, plane int, cells []cell) {
		best, where := float32(math.Inf(-1)), -1
		for _, c := range cells {
			if v := p.x.F32[plane+c.in]; v > best || where < 0 || v != v {
				best, where = v, c.in
			}
		}
		p.y.F32[at], indices.I64[at] = best, -1
		if where >= 0 {
			indices.I64[at] = int64(plane + p.index(where))
		}
	})
	return []*Tensor{p.y, indices}
}

// index is the place of an element in its plane in the order that the node
// states.
func (p *pooling) index(i int) int {
	if !p.ColumnMajor {
		return i
	}
	at, step := 0, product(p.stencil.in)
	for axis := len(p.stencil.in) - 1; axis >= 0; axis-- {
		n := p.stencil.in[axis]
		step /= n
		at += i % n * step
		i /= n
	}
	return at
}

func (p *pooling) norm(env *Env) []*Tensor {
	order := float64(p.P)
	p.each(env, func(at, _, plane int, cells []cell) {
		sum := 0.0
		for _, c := range cells {
			sum += math.Pow(math.Abs(float64(p.x.F32[plane+c.in])), order)
		}
		p.y.F32[at] = float32(math.Pow(sum, 1/order))
	})
	return one(p.y)
}

func globalPool(f fold) binder {
	return plain(func(env *Env, in []*Tensor) ([]*Tensor, error) {
		check(wantFloat(in[0]))
		check(wantRank(0, in[0], 3))
		axes := make([]int, in[0].Rank()-2)
		for i := range axes {
			axes[i] = i + 2
		}
		y, err := f.reduce(env, in[0], axes, true)
		return []*Tensor{y}, err
	})
}
