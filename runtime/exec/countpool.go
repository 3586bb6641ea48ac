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
	var spikes *ops.Tensor
	if r.o.Measure {
		spikes = r.arena.tensor(graph.Float32, out.dims())
	}
	if r.areas == nil {
		r.pool.Run(in.N*h, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				u.row(out, in, spikes, i/h, i%h)
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

// row sums the windows of a row up. A window has as many spikes over time as the neuron in
// it that fires most: see passSpikes.
func (u *countPool) row(out, in *counted, spikes *ops.Tensor, n, y int) {
	to := out.Data[(n*out.H+y)*out.W*out.C:][:out.W*out.C]
	clear(to)
	w := u.window
	most := make([]uint8, out.C)
	for x := range out.W {
		sums := to[x*out.C : (x+1)*out.C]
		clear(most)
		for ky := range int(w.Kernel[0]) {
			for kx := range int(w.Kernel[1]) {
				i, j := y*int(w.Stride[0])-int(w.Pads[0])+ky, x*int(w.Stride[1])-int(w.Pads[1])+kx
				if i < 0 || i >= in.H || j < 0 || j >= in.W {
					continue
				}
				from := in.Data[((n*in.H+i)*in.W+j)*in.C:][:in.C]
				for c, k := range from {
					sums[c] += k
					most[c] = max(most[c], k)
				}
			}
		}
		if spikes == nil {
			continue
		}
		for c, k := range most {
			spikes.F32[((n*out.C+c)*out.H+y)*out.W+x] = float32(k)
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
