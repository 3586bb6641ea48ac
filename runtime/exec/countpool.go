package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// countPool is an AveragePool of counts, which gives the sum of each window: counts of
// another amplitude.
type countPool struct {
	alone
	window    *op.Pool
	most      int
	amplitude []float32
}

func (u *countPool) run(r *run) error {
	in := r.countsOf(u.node.Input(0))
	if in == nil {
		return op.Errorf(u.node, "input %q has dimensions other than [N,C,H,W]", u.node.Input(0).Name())
	}
	h, w := u.size(0, in.H), u.size(1, in.W)
	if h <= 0 || w <= 0 {
		return op.Errorf(u.node, "the window does not fit in an image of %d x %d", in.H, in.W)
	}
	out := r.newCounts([]int{in.N, in.C, h, w}, u.most, u.amplitude)
	var before, spikes *ops.Tensor // before is those of what was pooled already
	if r.o.Measure {
		before = r.slots[u.node.Input(0)].spikesAt(r.result())
		spikes = r.arena.tensor(graph.Float32, out.dims())
	}
	if r.areas == nil {
		r.pool.Run(in.N*h, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				u.row(out, in, i/h, i%h)
				if spikes != nil {
					u.rowOfSpikes(spikes, before, in, i/h, i%h)
				}
			}
		})
	}
	r.putCounts(u.node.Output(0), out)
	if spikes != nil {
		r.putSpikes(u.node.Output(0), spikes)
	}
	return nil
}

// size is that of the result along an axis.
func (u *countPool) size(axis, n int) int {
	w := u.window
	return (n+int(w.Pads[axis]+w.Pads[2+axis]-w.Kernel[axis]))/int(w.Stride[axis]) + 1
}

// each calls f for the pixels of an image of h x w that lie in the window of a result.
func (u *countPool) each(y, x, h, w int, f func(i, j int)) {
	k := u.window
	for ky := range int(k.Kernel[0]) {
		for kx := range int(k.Kernel[1]) {
			i, j := y*int(k.Stride[0])-int(k.Pads[0])+ky, x*int(k.Stride[1])-int(k.Pads[1])+kx
			if i >= 0 && i < h && j >= 0 && j < w {
				f(i, j)
			}
		}
	}
}

// row sums up the windows of a row.
func (u *countPool) row(out, in *counted, n, y int) {
	to := out.Data[(n*out.H+y)*out.W*out.C:][:out.W*out.C]
	clear(to)
	for x := range out.W {
		sums := to[x*out.C : (x+1)*out.C]
		u.each(y, x, in.H, in.W, func(i, j int) {
			for c, k := range in.Data[((n*in.H+i)*in.W+j)*in.C:][:in.C] {
				sums[c] += k
			}
		})
	}
}

// rowOfSpikes is the spikes of a row: a window has as many over time as what in it fires most,
// see passSpikes.
func (u *countPool) rowOfSpikes(to, before *ops.Tensor, in *counted, n, y int) {
	h, w := to.Dims[2], to.Dims[3]
	for c := range in.C {
		for x := range w {
			most := float32(0)
			u.each(y, x, in.H, in.W, func(i, j int) {
				if before != nil {
					most = max(most, before.F32[((n*in.C+c)*in.H+i)*in.W+j])
					return
				}
				most = max(most, float32(in.Data[((n*in.H+i)*in.W+j)*in.C+c]))
			})
			to.F32[((n*in.C+c)*h+y)*w+x] = most
		}
	}
}

// through is an operator between counts that its readers read through: it computes
// nothing.
type through struct {
	alone
	input *mix
}

func (u *through) run(r *run) error {
	if r.counters[u.node] == nil {
		return nil
	}
	c := r.countsOf(u.input.parts[0].source)
	y := &ops.Tensor{DType: graph.Float32, Dims: []int{c.N, u.input.channels, c.H, c.W}}
	r.countAnalog(u.node, []*ops.Tensor{y, y}, y)
	return nil
}

func (u *through) reads() []*graph.Value { return u.input.sources() }
