package exec

import (
	"math/bits"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// work is a node that is charged for operations.
type work struct {
	node    *graph.Node
	active  int // the input that the weights multiply
	weights int // the input with the weights
	bias    int // the input with the bias; negative for none
	driven  bool
	current bool // see WorkReport
	// stepped tells that the one application of a two-phase network stands for one in
	// each slice, but for the post step's where main is set.
	stepped, main bool
}

// counter counts the operations of one node in a run.
type counter struct {
	*work
	report  WorkReport   // so far
	results []WorkReport // by result, where they differ
	// Known once the node has run: the synapses of each input, nil where they are not
	// counted one by one.
	taps *taps
}

// weighted reports whether n multiplies its input by weights.
func weighted(n *graph.Node) bool {
	_, ok := op.ProductOf(n)
	return ok
}

// elementwise gives the additions and multiplications an element of the
// result takes.
func elementwise(n *graph.Node) (adds, muls float64) {
	switch {
	case n.Is("Add"), n.Is("Sub"), n.IsSpiking("Bias"):
		return 1, 0
	case n.Is("Mul"), n.Is("Div"):
		return 0, 1
	case n.Is("BatchNormalization"):
		return 1, 1
	}
	return 0, 0
}

// weigh notes that a node is charged for; nil when there is nothing to charge.
func (p *plan) weigh(n *graph.Node) *work {
	adds, muls := elementwise(n)
	if !weighted(n) && adds+muls == 0 {
		return nil
	}
	w := &work{node: n, current: p.feeds[n]}
	w.active, w.weights, w.bias = p.factors(n)
	w.driven = weighted(n) && p.driven(n.Input(w.active))
	p.works = append(p.works, w)
	return w
}

// factors are the inputs that a node multiplies with each other, first the one that
// varies with the image, and its bias.
func (p *plan) factors(n *graph.Node) (active, weights, bias int) {
	f, ok := op.ProductOf(n)
	if !ok {
		return 0, 1, -1
	}
	a, b := n.Input(f.X), n.Input(f.W)
	if n.Is("Gemm") || n.Is("Einsum") || n.Is("MatMul") || n.Is("MatMulInteger") || n.Is("QLinearMatMul") {
		if p.timing.timed[b] && !p.timing.timed[a] || p.consts[a] != nil && p.consts[b] == nil {
			return f.W, f.X, f.Bias
		}
	}
	return f.X, f.W, f.Bias
}

// current finds the nodes that compute what an Encode repeats.
func (p *plan) current() {
	p.feeds = map[*graph.Node]bool{}
	var walk func(n *graph.Node)
	walk = func(n *graph.Node) {
		for _, v := range present(n.Inputs()) {
			if d := v.Producer(); d != nil && !p.feeds[d] && !sink(d) {
				p.feeds[d] = true
				walk(d)
			}
		}
	}
	for n := range p.graph.Nodes() {
		if n.IsSpiking("Encode") && p.timing.ownSteps(n) {
			walk(n)
		}
	}
}

// driven reports whether a time-major value is made of spikes alone. What a
// node with weights gives is a current: the next one multiplies it in full.
func (p *plan) driven(v *graph.Value) bool {
	if v == nil || !p.timing.timed[v] {
		return false
	}
	n := v.Producer()
	if op.IsNeuron(n) {
		return true
	}
	if n.IsSpiking("Encode") || weighted(n) {
		return false
	}
	return !slices.ContainsFunc(n.Inputs(), func(x *graph.Value) bool { return p.timing.timed[x] && !p.driven(x) })
}

func newCounter(w *work) *counter {
	return &counter{work: w, report: WorkReport{Node: w.node.Name, Origin: w.node.OriginLabel(), Op: w.node.Op(),
		Driven: w.driven, Current: w.current}}
}

// keep makes what was counted so far the report of one of n results.
func (k *counter) keep(at, n int) {
	if k.results == nil {
		k.results = make([]WorkReport, n)
	}
	k.results[at] = k.report
}

// worked is the reports of the operators with weights for a result; nil when nothing
// was counted.
func (r *run) worked(at int) []WorkReport {
	if r.counters == nil {
		return nil
	}
	var list []WorkReport
	for _, w := range r.works {
		if k := r.counters[w.node]; k.results != nil {
			list = append(list, k.results[at])
		} else {
			list = append(list, k.report)
		}
	}
	return list
}

// eachSlice calls f for every slice of a run, in order. What it counts for the nodes in
// a post step counts for the result of that step alone.
func (r *run) eachSlice(nodes []*graph.Node, f func(t int)) {
	for t := range r.timing.steps {
		f(t)
		if at := r.timing.result(t); at >= 0 {
			r.forResult(at, nodes, func() error {
				if r.timing.post > 0 {
					f(r.timing.steps + at)
				}
				return nil
			})
		}
	}
}

// countAnalog notes one application of a node to analog values, in the sizes of the
// whole image.
func (r *run) countAnalog(n *graph.Node, in []*ops.Tensor, y *ops.Tensor) {
	k := r.counters[n]
	if k == nil {
		return
	}
	in, y = r.extents(n, in, y)
	if k.driven { // in a layer of lock-step clock.count counts these
		k.shapes(in, y)
		r.countSpikes(k, n.Input(k.active))
		return
	}
	times := r.times(k)
	k.report.Runs += times
	if weighted(n) {
		k.shapes(in, y)
		return
	}
	adds, muls := elementwise(n)
	k.report.Adds += adds * float64(y.Len()*times)
	k.report.Muls += muls * float64(y.Len()*times)
}

// count notes one application to a slice. The constant current is zero in the post
// step, and a bias is not injected there.
func (c *clock) count(s *linear, in []*ops.Tensor, y *ops.Tensor, t int) {
	k := c.counters[s.node]
	if k == nil {
		return
	}
	if !k.driven {
		if t < c.timing.steps || !s.steady && !s.node.IsSpiking("Bias") {
			c.countAnalog(s.node, in, y)
		}
		return
	}
	k.shapes(in, y)
	v := s.node.Input(k.active)
	switch slot := c.slots[v]; {
	case slot != nil && slot.packed != nil:
		k.countPacked(slot.packed, c.view(v, slot.packed.H, slot.packed.W), t)
	case slot != nil && slot.planar != nil:
		k.countPlanar(slot.planar, t)
	case c.countGraded(k, v, t):
	default:
		k.spikes(c.operands(v, in[k.active])...)
	}
}

// unplaced notes spikes that reach as many outputs as the mean input does.
func (k *counter) unplaced(n float64) {
	k.report.SpikesIn += n
	k.report.ExactOps += n * k.report.MACs / max(k.report.Inputs, 1)
}

// countPlanar notes the spikes of a slice: it counts bits.
func (k *counter) countPlanar(p *planar, step int) {
	if k.taps == nil {
		k.unplaced(float64(p.Count(step)))
		return
	}
	for plane := range p.N * p.C {
		n, synapses := k.taps.count(p.Bits(step, plane))
		k.report.SpikesIn += n
		k.report.ExactOps += synapses
	}
}

// count gives the spikes of one plane and the sum of their synapses. Most
// columns reach the same number of outputs, so a row is its spikes times that
// number, put right at the columns that differ.
func (t *taps) count(words []uint64) (n, synapses float64) {
	width := len(t.cols)
	if width == 0 {
		return 0, 0
	}
	common := t.cols[width/2]
	for y, row := range t.rows {
		first := y * width
		count := popcount(words, first, first+width)
		if count == 0 {
			continue
		}
		sum := float64(count) * common
		for _, x := range t.edges {
			if at := first + x; words[at/64]>>(at%64)&1 != 0 {
				sum += t.cols[x] - common
			}
		}
		n += float64(count)
		synapses += sum * row * t.channels
	}
	return n, synapses
}

// popcount counts the bits from lo up to hi.
func popcount(words []uint64, lo, hi int) int {
	n := 0
	for lo < hi {
		w := words[lo/64] >> (lo % 64)
		if k := hi - lo; k < 64 {
			w &= 1<<k - 1
		}
		n += bits.OnesCount64(w)
		lo += 64 - lo%64
	}
	return n
}

// operands lists the slices whose spikes arrive in v: those of both operands
// where v is a sum of spikes at hand.
func (c *clock) operands(v *graph.Value, x *ops.Tensor) []*ops.Tensor {
	n := v.Producer()
	if n == nil || !(n.Is("Add") || n.Is("Sub") || n.Is("Sum")) {
		return []*ops.Tensor{x}
	}
	var list []*ops.Tensor
	for _, u := range present(n.Inputs()) {
		if !c.timing.timed[u] {
			continue
		}
		y := c.now[u]
		if y == nil || len(y.F32) != len(x.F32) {
			return []*ops.Tensor{x}
		}
		list = append(list, c.operands(u, y)...)
	}
	return list
}

// spikes notes one slice of spikes: the nonzero elements of every operand.
func (k *counter) spikes(operands ...*ops.Tensor) {
	for _, x := range operands {
		t := k.taps
		if t == nil || t.plane() == 0 {
			n := 0.0
			for _, v := range x.F32 {
				if v != 0 {
					n++
				}
			}
			k.unplaced(n)
			continue
		}
		width := len(t.cols)
		for at := 0; at < len(x.F32); at += width {
			row := 0.0
			for i, v := range x.F32[at : at+width] {
				if v != 0 {
					k.report.SpikesIn++
					row += t.cols[i]
				}
			}
			k.report.ExactOps += row * t.rows[(at/width)%len(t.rows)] * t.channels
		}
	}
}

// shape fills in what depends on the sizes alone, the same for every slice.
func (k *counter) shape(x, weights, y *ops.Tensor) {
	in := make([]*ops.Tensor, k.node.NumInputs())
	in[k.active], in[k.weights] = x, weights
	k.shapes(in, y)
}

// shapes is shape for all inputs of a node. An operand of an Einsum that is the only one
// multiplies nothing.
func (k *counter) shapes(in []*ops.Tensor, y *ops.Tensor) {
	r := &k.report
	if r.MACs > 0 || k.weights >= len(in) {
		return
	}
	x, weights := in[k.active], in[k.weights]
	k.taps = tapsOf(k.node, x, weights, y)
	r.Inputs, r.Outputs = float64(x.Len()), float64(y.Len())
	f, _ := op.ProductOf(k.node)
	r.MACs = f.MACs(k.node, sizesOf(in), y.Sizes())
	r.ExactMACs = r.MACs
	if k.taps != nil {
		r.ExactMACs = k.taps.dense() * float64(x.Len()/max(k.taps.plane(), 1))
	}
	if k.node.IsSpiking("CPM") {
		r.Adds = r.Outputs // the residual potential, and the bias
		if k.node.Input(k.bias) != nil {
			r.Adds *= 2
		}
		return
	}
	r.Bias = k.bias >= 0 && k.node.Input(k.bias) != nil
}

// sizesOf are the sizes of tensors, nil for those that are not there.
func sizesOf(list []*ops.Tensor) [][]int64 {
	sizes := make([][]int64, len(list))
	for i, x := range list {
		if x != nil {
			sizes[i] = x.Sizes()
		}
	}
	return sizes
}
