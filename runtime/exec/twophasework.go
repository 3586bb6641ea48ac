package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// times is how many applications in lock-step one on sums stands for.
func (r *run) times(k *counter) int {
	switch {
	case !k.stepped:
		return 1
	case k.main:
		return int(r.steps())
	}
	return r.slices()
}

// slices is the number of slices of the result that is computed.
func (r *run) slices() int { return r.timing.results[r.result()] + r.timing.post }

// spikesOf is the spikes of each element of a value that is made of spikes; nil where
// they were not counted.
func (r *run) spikesOf(v *graph.Value) *ops.Tensor {
	s := r.slots[v]
	if c := r.countsOf(v); c != nil && s.spikesAt(r.result()) == nil {
		r.putSpikes(v, r.expand(c, []float32{1}))
	}
	return s.spikesAt(r.result())
}

// spikesAt is the spikes of a value for a result; nil where there are none.
func (s *slot) spikesAt(at int) *ops.Tensor {
	if s == nil || s.spikes == nil {
		return nil
	}
	return s.spikes[at]
}

// putSpikes makes t the spikes of v, which has been put.
func (r *run) putSpikes(v *graph.Value, t *ops.Tensor) {
	s := r.slots[v]
	if s == nil {
		r.arena.discard(t)
		return
	}
	if s.spikes == nil {
		s.spikes = make([]*ops.Tensor, len(r.timing.results))
	}
	r.arena.hold(t)
	s.spikes[r.result()] = t
}

// moves lists the operators that give each element of their inputs another place.
var moves = map[string]bool{
	"Concat": true, "Reshape": true, "Flatten": true, "Squeeze": true, "Unsqueeze": true, "Transpose": true,
	"Slice": true, "Split": true, "DepthToSpace": true, "SpaceToDepth": true,
}

// passSpikes finds the spikes of what an operator makes of spikes: those of both
// operands for a sum, those of its input for a scale, and moved as the values are. What
// mixes spikes otherwise, such as pooling, has one for each step in which it gives a
// number other than 0; there the spikes of every neuron count as its first steps.
func (r *run) passSpikes(u *analog) error {
	in := r.analogInputs(u.node)
	var spikes []*ops.Tensor
	for i, v := range u.node.Inputs() {
		if v == nil || !r.timing.timed[v] {
			continue
		}
		if in[i] = r.spikesOf(v); in[i] == nil {
			return op.Errorf(u.node, "the spikes of %q were not counted", v.Name())
		}
		spikes = append(spikes, in[i])
	}
	switch typ := u.node.Op().Type; {
	case typ == "Neg", typ == "Mul", typ == "Div", typ == "Identity":
		r.putSpikes(u.node.Output(0), spikes[0])
	case (typ == "Add" || typ == "Sub" || typ == "Sum") && sameSize(spikes):
		r.putSpikes(u.node.Output(0), r.added(spikes))
	case moves[typ]:
		out, err := r.compute(u.node, u.op, in)
		if err != nil {
			return op.Wrap(u.node, err)
		}
		for i, t := range out {
			if v := u.node.Output(i); v != nil {
				r.putSpikes(v, t)
			}
		}
	default:
		return r.mixSpikes(u, in)
	}
	return nil
}

func sameSize(list []*ops.Tensor) bool {
	for _, t := range list {
		if t.Len() != list[0].Len() {
			return false
		}
	}
	return true
}

// added is the sum of tensors of one size.
func (r *run) added(list []*ops.Tensor) *ops.Tensor {
	y := r.arena.tensor(graph.Float32, list[0].Dims)
	copy(y.F32, list[0].F32)
	for _, t := range list[1:] {
		for i, x := range t.F32 {
			y.F32[i] += x
		}
	}
	return y
}

// mixSpikes runs an operator on the spikes of one step after another; in has the number
// of spikes in the place of the values that vary over time.
func (r *run) mixSpikes(u *analog, in []*ops.Tensor) error {
	step := make([]*ops.Tensor, len(in))
	total := make([]*ops.Tensor, u.node.NumOutputs())
	for t := range r.slices() {
		for i, v := range u.node.Inputs() {
			if step[i] = in[i]; v == nil || !r.timing.timed[v] {
				continue
			}
			step[i] = r.arena.tensor(graph.Float32, in[i].Dims)
			for k, x := range in[i].F32 {
				step[i].F32[k] = 0
				if int(x) > t {
					step[i].F32[k] = 1
				}
			}
		}
		out, err := r.compute(u.node, u.op, step)
		if err != nil {
			return op.Wrap(u.node, err)
		}
		for i, y := range out {
			if u.node.Output(i) == nil {
				continue
			}
			if total[i] == nil {
				total[i] = r.arena.tensor(graph.Float32, y.Dims)
				clear(total[i].F32)
			}
			for k, x := range y.F32 {
				if x != 0 {
					total[i].F32[k]++
				}
			}
			r.arena.discard(y)
		}
		for i, v := range u.node.Inputs() {
			if v != nil && r.timing.timed[v] {
				r.arena.discard(step[i])
			}
		}
		if r.areas != nil {
			break // every step takes what the first took
		}
	}
	for i, t := range total {
		if t != nil {
			r.putSpikes(u.node.Output(i), t)
		}
	}
	return nil
}

// biasSpikes is passSpikes for a Bias: where it adds something, every main step gives a
// number other than 0.
func (r *run) biasSpikes(n *graph.Node, b *ops.Tensor) error {
	x := r.spikesOf(n.Input(0))
	if x == nil { // a current
		return nil
	}
	y := r.arena.tensor(graph.Float32, x.Dims)
	r.putSpikes(n.Output(0), y)
	if r.areas != nil {
		return nil
	}
	inner, c, err := channelwise(x.Dims, b)
	if err != nil {
		return op.Wrap(n, err)
	}
	for i, k := range x.F32 {
		y.F32[i] = k
		if b.F32[i/inner%c] != 0 {
			y.F32[i] = max(k, r.steps())
		}
	}
	return nil
}

// viewOf is the view of v, the height of x and its width; a tensor that is no image
// counts as one row.
func (r *run) viewOf(v *graph.Value, x *ops.Tensor) (q view, h, w int) {
	if h, w = 1, product(x.Dims[2:]); len(x.Dims) == 4 {
		h, w = x.Dims[2], x.Dims[3]
	}
	return r.view(v, h, w), h, w
}

// eachRow calls f with the part of every row of xs, planes of h x w, that lies in a
// view, and the row's place in the whole image.
func eachRow(xs []float32, h, w int, q view, f func(y int, row []float32)) {
	for at := 0; at < len(xs); at += max(h*w, 1) {
		for y := q.Top; y < q.Bottom; y++ {
			f(q.top+y, xs[at+y*w:][q.Left:q.Right])
		}
	}
}

func sum(xs []float32) float64 {
	var s float64
	for _, x := range xs {
		s += float64(x)
	}
	return s
}

// countSpikes notes the spikes of v that drive a node with weights.
func (r *run) countSpikes(k *counter, v *graph.Value) {
	if c := r.countsOf(v); c != nil && r.slots[v].spikesAt(r.result()) == nil {
		k.countCounts(c, r.view(v, c.H, c.W))
		return
	}
	x := r.spikesOf(v)
	if x == nil {
		return
	}
	t := k.taps
	if len(x.Dims) != 4 || t == nil || t.plane() == 0 {
		n := 0.0
		if len(x.Dims) < 2 {
			n = sum(x.F32)
		} else {
			q, h, w := r.viewOf(v, x)
			eachRow(x.F32, h, w, q, func(_ int, row []float32) { n += sum(row) })
		}
		k.unplaced(n)
		return
	}
	q, h, w := r.viewOf(v, x)
	eachRow(x.F32, h, w, q, func(y int, row []float32) {
		synapses := 0.0
		for i, s := range row {
			synapses += float64(s) * t.cols[q.left+q.Left+i]
		}
		k.report.SpikesIn += sum(row)
		k.report.ExactOps += synapses * t.rows[y] * t.channels
	})
}
