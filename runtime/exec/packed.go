package exec

import (
	"math/bits"

	"spikingir/graph"
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// packed is a spike train pixel by pixel, as fixed-point layers read and write it.
type packed struct {
	*kernel.SpikeTrain
	amplitude []float32 // of a spike, one for all or one per channel
	dims      []int     // of a slice
}

// newPacked makes a train for slices of dims [N,C,H,W] with arbitrary spikes.
func (r *run) newPacked(dims []int, amplitude []float32) *packed {
	t := &kernel.SpikeTrain{Steps: r.timing.slices(), N: dims[0], C: dims[1], H: dims[2], W: dims[3]}
	t.Bits = r.arena.masks(t.Masks())
	return &packed{t, amplitude, dims}
}

// expand writes a slice in amplitude form.
func (p *packed) expand(pool *machine.Pool, dst []float32, step int) {
	size := p.C * p.H * p.W
	for n := range p.N {
		p.Sum(pool, dst[n*size:(n+1)*size], n, []int{step}, p.amplitude)
	}
}

// count is the number of spikes of a slice in view.
func (p *packed) count(q view, step int) int64 {
	sum := int64(0)
	for n := range p.N {
		for y := q.Top; y < q.Bottom; y++ {
			sum += int64(popcount16(p.row(q, step, n, y)))
		}
	}
	return sum
}

// row is the masks of a row in view.
func (p *packed) row(q view, step, n, y int) []uint16 {
	masks := kernel.SpikeMasks(p.C)
	return p.Slice(step, n)[(y*p.W+q.Left)*masks : (y*p.W+q.Right)*masks]
}

func popcount16(masks []uint16) int {
	n := 0
	for _, m := range masks {
		n += bits.OnesCount16(m)
	}
	return n
}

// packedSlot is the spikes of a value pixel by pixel; those of a planar train are
// turned round once. nil when the value is no train of images.
func (r *run) packedSlot(v *graph.Value) *packed {
	s := r.slots[v]
	if s == nil {
		return nil
	}
	if s.packed == nil && s.train != nil && len(s.train.dims) == 4 {
		s.packed = r.packTrain(s.train)
	}
	return s.packed
}

// packTrain turns a planar train round.
func (r *run) packTrain(t *train) *packed {
	p := r.newPacked(t.dims, t.Amplitude)
	masks := kernel.SpikeMasks(t.C)
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

// countPacked notes the spikes of a slice for a node with weights: see work.train.
// Channels do not matter, for those of a pixel reach as many outputs. x and y have the
// dimensions of the whole image.
func (w *work) countPacked(p *packed, q view, step int, x, y *ops.Tensor) {
	_, t := w.geometry(x, y)
	if t == nil || t.plane() == 0 {
		n := float64(p.count(q, step))
		w.report.SpikesIn += n
		w.report.ExactOps += n * w.report.MACs / max(w.report.Inputs, 1)
		return
	}
	masks := kernel.SpikeMasks(p.C)
	common := t.cols[len(t.cols)/2]
	for n := range p.N {
		for y := q.Top; y < q.Bottom; y++ {
			row := p.row(q, step, n, y)
			count := float64(popcount16(row))
			sum := count * common
			for _, x := range t.edges {
				if i := x - q.left - q.Left; 0 <= i && i < q.Right-q.Left {
					sum += float64(popcount16(row[i*masks:(i+1)*masks])) * (t.cols[x] - common)
				}
			}
			w.report.SpikesIn += count
			w.report.ExactOps += sum * t.rows[q.top+y] * t.channels
		}
	}
}

// reportPacked notes the spikes of a population up to a checkpoint and what its
// potentials are then.
func (r *run) reportPacked(n *graph.Node, p *packed, left neuron.Residual, at int) {
	left.Elements = int64(r.extent(n.Input(0), &ops.Tensor{Dims: p.dims}).Len())
	rep := NeuronReport{
		Node: n.Name, Origin: n.OriginLabel(), Op: n.Op().Type,
		Elements: left.Elements,
		Steps:    r.timing.marks[at], Bias: n.Input(1) != nil, Post: r.timing.post > 0,
		Residual: left,
	}
	q := r.view(n.Input(0), p.H, p.W)
	for t := range rep.Steps {
		rep.Spikes += p.count(q, t)
	}
	if rep.Post {
		rep.PostStep = p.count(q, r.timing.steps+at)
		rep.Spikes += rep.PostStep
	}
	r.neurons[at] = append(r.neurons[at], rep)
}
