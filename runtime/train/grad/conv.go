package grad

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
)

// A correlation is a convolution seen from its windows: planes of fine elements
// [N, group*F, in...], coarse ones [N, group*C, out...] with a window of the fine
// ones each, and weights [group*C, F, kernel...]. Conv makes coarse planes of fine
// ones, ConvTranspose fine ones of coarse ones.
//
//	coarse[n, c, o] = sum over f, k of weight[c, f, k] * fine[n, f, window(o, k)]
type correlation struct {
	*window
	images, groups int
	fines, coarses int // channels in a group
	taps           int // fines * kernel cells
	weight         []float32
}

// newCorrelation holds dimensions against each other.
func newCorrelation(s *window, groups int, fine, coarse, weight *ops.Tensor) (*correlation, error) {
	c := &correlation{
		window: s, images: fine.Dims[0], groups: groups,
		fines: weight.Dims[1], coarses: weight.Dims[0] / groups,
		taps: weight.Dims[1] * s.size(), weight: weight.F32,
	}
	if weight.Dims[0]%groups != 0 || coarse.Dims[1] != weight.Dims[0] ||
		fine.Dims[1] != groups*c.fines || coarse.Dims[0] != c.images ||
		!slices.Equal(weight.Dims[2:], s.kernel) {
		return nil, fmt.Errorf("tensors are %v and %v for weights %v in %d groups, want them to fit",
			fine, coarse, weight, groups)
	}
	return c, nil
}

// A patch is the windows of a stretch of output elements in one image and group.
type patch struct {
	image, group int
	from, to     int     // output elements
	cells        [][]int // of each output element
	rows         []float32
}

// each calls f for every patch of all images and groups.
func (c *correlation) each(f func(p *patch)) {
	size := product(c.out)
	p := &patch{cells: make([][]int, stretch), rows: make([]float32, stretch*c.taps)}
	for i := range p.cells {
		p.cells[i] = make([]int, 0, c.size())
	}
	for p.from = 0; p.from < size; p.from = p.to {
		p.to = min(p.from+stretch, size)
		for o := p.from; o < p.to; o++ {
			p.cells[o-p.from] = c.cells(o, p.cells[o-p.from])
		}
		for p.image = range c.images {
			for p.group = range c.groups {
				f(p)
			}
		}
	}
}

// row is the window of output element o: room for its fine elements.
func (c *correlation) row(p *patch, o int) []float32 {
	return p.rows[(o-p.from)*c.taps : (o-p.from+1)*c.taps]
}

// finePlanes is the part of fine elements that belongs to the patch's image and
// group, coarsePlanes that of coarse ones.
func (c *correlation) finePlanes(p *patch, fine []float32) []float32 {
	n := c.fines * product(c.in)
	return fine[(p.image*c.groups+p.group)*n:][:n]
}

func (c *correlation) coarsePlanes(p *patch, coarse []float32) []float32 {
	n := c.coarses * product(c.out)
	return coarse[(p.image*c.groups+p.group)*n:][:n]
}

// gather reads the windows of a patch.
func (c *correlation) gather(p *patch, fine []float32) { c.exchange(p, fine, true) }

// scatter adds the windows of a patch to fine elements.
func (c *correlation) scatter(p *patch, fine []float32) { c.exchange(p, fine, false) }

func (c *correlation) exchange(p *patch, fine []float32, gather bool) {
	fine = c.finePlanes(p, fine)
	plane, area := product(c.in), c.size()
	for o := p.from; o < p.to; o++ {
		row := c.row(p, o)
		for f := range c.fines {
			fine, row := fine[f*plane:(f+1)*plane], row[f*area:(f+1)*area]
			for k, at := range p.cells[o-p.from] {
				switch {
				case at == outside && gather:
					row[k] = 0
				case at == outside:
				case gather:
					row[k] = fine[at]
				default:
					fine[at] += row[k]
				}
			}
		}
	}
}

// toFine adds what coarse elements give to fine ones: the transpose of the sum
// above.
func (c *correlation) toFine(fine, coarse []float32) {
	size := product(c.out)
	c.each(func(p *patch) {
		planes := c.coarsePlanes(p, coarse)
		weight := c.weight[p.group*c.coarses*c.taps:]
		for o := p.from; o < p.to; o++ {
			row := c.row(p, o)
			clear(row)
			for m := range c.coarses {
				if v := planes[m*size+o]; v != 0 {
					kernel.Axpy(row, weight[m*c.taps:(m+1)*c.taps], v)
				}
			}
		}
		c.scatter(p, fine)
	})
}

// toCoarse adds what fine elements give to coarse ones: the sum above.
func (c *correlation) toCoarse(coarse, fine []float32) {
	size := product(c.out)
	weight := make([][]float32, c.groups)
	for g := range weight {
		n := c.coarses * c.taps
		weight[g] = turned(c.weight[g*n:(g+1)*n], c.coarses, c.taps)
	}
	sums := make([]float32, c.coarses)
	c.each(func(p *patch) {
		c.gather(p, fine)
		planes := c.coarsePlanes(p, coarse)
		for o := p.from; o < p.to; o++ {
			clear(sums)
			for j, v := range c.row(p, o) {
				if v != 0 {
					kernel.Axpy(sums, weight[p.group][j*c.coarses:(j+1)*c.coarses], v)
				}
			}
			for m, v := range sums {
				planes[m*size+o] += v
			}
		}
	})
}

// toWeight adds the products of coarse and fine elements that meet at a weight.
func (c *correlation) toWeight(weight, coarse, fine []float32) {
	size := product(c.out)
	sums := make([]float64, len(weight))
	row := make([]float32, c.taps)
	c.each(func(p *patch) {
		c.gather(p, fine)
		planes := c.coarsePlanes(p, coarse)
		for m := range c.coarses {
			clear(row)
			for o := p.from; o < p.to; o++ {
				if v := planes[m*size+o]; v != 0 {
					kernel.Axpy(row, c.row(p, o), v)
				}
			}
			widen(sums[(p.group*c.coarses+m)*c.taps:][:c.taps], row)
		}
	})
	addWide(weight, sums)
}

// biasGradient adds the sums of every channel of g [N, M, ...].
func biasGradient(gb, g *ops.Tensor) error {
	if err := wantDims("gradient of the bias", gb, g.Dims[1]); err != nil {
		return err
	}
	sums := make([]float64, g.Dims[1])
	eachPlane(g, func(c, lo, hi int) {
		for _, v := range g.F32[lo:hi] {
			sums[c] += float64(v)
		}
	})
	addWide(gb.F32, sums)
	return nil
}

// eachPlane calls f for the element range of every plane of x [N, C, ...].
func eachPlane(x *ops.Tensor, f func(channel, lo, hi int)) {
	size := product(x.Dims[2:])
	for i := range x.Dims[0] * x.Dims[1] {
		f(i%x.Dims[1], i*size, (i+1)*size)
	}
}

// sameRank requires input, weights and output of a convolution to have one rank of
// 3 or more.
func sameRank(c *call) error {
	for _, t := range []*ops.Tensor{c.in[0], c.out[0]} {
		if t.Rank() != c.in[1].Rank() || t.Rank() < 3 {
			return fmt.Errorf("tensors are %v and %v for weights %v, want one rank of 3 or more",
				c.in[0], c.out[0], c.in[1])
		}
	}
	return nil
}

func bindConv(n *graph.Node, _ int64) (backward, error) {
	view, err := op.ConvOf(n)
	return func(c *call) error {
		if err := sameRank(c); err != nil {
			return err
		}
		x, weight, g := c.in[0], c.in[1], c.gout[0]
		w, err := view.WithKernel(n, weight.Sizes()[2:])
		if err != nil {
			return err
		}
		spatial := x.Sizes()[2:]
		return convolve(c, w, int(view.Group), w.PadsFor(spatial), w.Out(spatial), x, g, (*correlation).toFine)
	}, err
}

func bindConvTranspose(n *graph.Node, _ int64) (backward, error) {
	view, err := op.ConvTransposeOf(n)
	return func(c *call) error {
		if err := sameRank(c); err != nil {
			return err
		}
		x, g := c.in[0], c.gout[0]
		full, out, pads, err := ops.TransposeShape(n, view, x.Dims, c.in[1].Dims)
		if err != nil {
			return err
		}
		return convolve(c, full.Window, int(view.Group), pads, out, g, x, (*correlation).toCoarse)
	}, err
}

// convolve is the gradient of both, whose output has the spatial sizes out; toInput is
// the way from the output to the input.
func convolve(c *call, w op.Window, groups int, pads, out []int64, fine, coarse *ops.Tensor,
	toInput func(k *correlation, gx, g []float32)) error {
	g := c.gout[0]
	if !slices.Equal(out, g.Sizes()[2:]) {
		return fmt.Errorf("output 0 is %v, want spatial sizes %v", c.out[0], out)
	}
	k, err := newCorrelation(newWindow(w, fine.Dims[2:], coarse.Dims[2:], pads), groups, fine, coarse, c.in[1])
	if err != nil {
		return err
	}
	if c.wants(0) {
		toInput(k, c.gin[0].F32, g.F32)
	}
	if c.wants(1) {
		k.toWeight(c.gin[1].F32, coarse.F32, fine.F32)
	}
	if c.wants(2) {
		return biasGradient(c.gin[2], g)
	}
	return nil
}
