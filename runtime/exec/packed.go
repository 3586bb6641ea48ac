package exec

import (
	"math/bits"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// packed is spikes pixel by pixel, as fixed-point layers read and write them.
type packed struct {
	*spike.Tensor
	amplitude []float32 // of a spike, one for all or one per channel
	graded    *graded   // of spikes of several values; nil for others
}

// newPacked makes room for the spikes of slices of dims [N,C,H,W].
func (r *run) newPacked(dims []int, amplitude []float32) *packed {
	t := &spike.Tensor{Steps: r.timing.slices(), N: dims[0], C: dims[1], H: dims[2], W: dims[3]}
	t.Bits = lend(r.arena, &r.arena.masks, t.Masks())
	return &packed{Tensor: t, amplitude: amplitude}
}

// freePacked ends the life of spikes.
func (r *run) freePacked(p *packed) {
	if p.graded != nil {
		r.arena.values.give(p.elements(), p.Values)
		return
	}
	r.arena.masks.give(p.Masks(), p.Bits)
}

// dims is the dimensions of a slice.
func (p *packed) dims() []int {
	if p.graded != nil {
		return p.graded.dims
	}
	return []int{p.N, p.C, p.H, p.W}
}

// sum writes the sum of slices in amplitude form.
func (p *packed) sum(pool *machine.Pool, dst []float32, steps []int) {
	size := p.C * p.H * p.W
	for n := range p.N {
		p.Sum(pool, dst[n*size:(n+1)*size], n, steps, p.amplitude)
	}
}

// count is the number of spikes of a slice in view.
func (p *packed) count(q view, step int) int64 {
	sum := 0
	for n := range p.N {
		for y := q.Top; y < q.Bottom; y++ {
			sum += p.spikes(step, n, y*p.W+q.Left, y*p.W+q.Right)
		}
	}
	return int64(sum)
}

// spikes is the number of spikes of the pixels from lo up to hi of an image in a slice.
func (p *packed) spikes(step, n, lo, hi int) int {
	if p.graded != nil {
		return p.graded.count(p.Slots(step, n)[lo*p.C : hi*p.C])
	}
	masks := spike.Masks(p.C)
	return popcount16(p.Slice(step, n)[lo*masks : hi*masks])
}

func popcount16(masks []uint16) int {
	n := 0
	for _, m := range masks {
		n += bits.OnesCount16(m)
	}
	return n
}

// packedSlot is the spikes of a value pixel by pixel; planar ones are turned round
// once. nil when the value is no spikes of images.
func (r *run) packedSlot(v *graph.Value) *packed {
	s := r.slots[v]
	if s == nil {
		return nil
	}
	if s.packed == nil && s.planar != nil && len(s.planar.dims) == 4 {
		s.packed = r.pack(s.planar)
	}
	if s.packed != nil && len(s.packed.dims()) != 4 {
		return nil
	}
	return s.packed
}

// pack turns planar spikes round.
func (r *run) pack(t *planar) *packed {
	p := r.newPacked(t.dims, t.Amplitude)
	if r.areas != nil {
		return p
	}
	masks := spike.Masks(t.C)
	r.pool.Run(t.Steps*t.N*masks, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			step, n, first := i/(t.N*masks), i/masks%t.N, i%masks*16
			var planes [16][]uint64
			some := planes[:min(16, t.C-first)]
			for c := range some {
				some[c] = t.Bits(step, n*t.C+first+c)
			}
			p.PackPlanes(step, n, first, 0, t.Plane, some)
		}
	})
	return p
}

// countPacked notes the spikes of a slice: see counter.planar. Channels do not matter,
// for those of a pixel reach as many outputs.
func (k *counter) countPacked(p *packed, q view, step int) {
	t := k.taps
	if t == nil || t.plane() == 0 {
		k.unplaced(float64(p.count(q, step)))
		return
	}
	common := t.cols[len(t.cols)/2]
	for n := range p.N {
		for y := q.Top; y < q.Bottom; y++ {
			first := y*p.W + q.Left
			count := float64(p.spikes(step, n, first, y*p.W+q.Right))
			sum := count * common
			for _, x := range t.edges {
				if i := x - q.left - q.Left; 0 <= i && i < q.Right-q.Left {
					sum += float64(p.spikes(step, n, first+i, first+i+1)) * (t.cols[x] - common)
				}
			}
			k.report.SpikesIn += count
			k.report.ExactOps += sum * t.rows[q.top+y] * t.channels
		}
	}
}

// reportPacked is reportNeurons for packed spikes.
func (r *run) reportPacked(n *graph.Node, p *packed, left neuron.Residual, at int) {
	left.Elements = int64(r.extent(n.Input(op.NeuronX), &ops.Tensor{Dims: p.dims()}).Len())
	q := r.view(n.Input(op.NeuronX), p.H, p.W)
	r.reportNeurons(n, at, left, func(step int) int64 { return p.count(q, step) })
}

// potentials makes room for the membrane potentials [N,C,H,W] that a layer leaves, for
// every result.
func (r *run) potentials(dims []int) []*ops.Tensor {
	var list []*ops.Tensor
	for range r.timing.results {
		list = append(list, r.arena.tensor(graph.Float32, dims))
	}
	return list
}

// putNeurons makes spikes, and potentials where there are any, the outputs of a neuron.
func (r *run) putNeurons(n *graph.Node, out *packed, potentials []*ops.Tensor) {
	for at, t := range potentials {
		r.forResult(at, nil, func() error {
			r.put(n.Output(op.NeuronVRes), t)
			return nil
		})
	}
	if y := n.Output(op.NeuronY); y != nil {
		r.slots[y] = &slot{packed: out}
	} else {
		r.freePacked(out)
	}
}
