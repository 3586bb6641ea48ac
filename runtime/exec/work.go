package exec

import (
	"math/bits"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// work counts the operations of one node with weights.
type work struct {
	node    *graph.Node
	active  int // the input that the weights multiply
	driven  bool
	current bool    // see WorkReport
	kernel  []int64 // of a convolution, as its weights have it
	report  WorkReport
	saved   WorkReport
	marked  []WorkReport // by checkpoint
}

// weighted reports whether n multiplies its input by weights.
func weighted(n *graph.Node) bool {
	return n.Is("Conv") || n.Is("ConvTranspose") || n.Is("Gemm") || n.Is("MatMul") || n.IsSpiking("CPM")
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

// weigh makes the counter of a node; nil when it is not charged for anything.
func (p *Program) weigh(n *graph.Node) *work {
	adds, muls := elementwise(n)
	if !weighted(n) && adds+muls == 0 {
		return nil
	}
	w := &work{node: n, current: p.feeds[n]}
	if weighted(n) {
		w.active = p.active(n)
		w.driven = p.driven(n.Input(w.active))
	}
	p.weights = append(p.weights, w)
	return w
}

// active is the input of a node with weights that the weights multiply: of a
// product, the one that varies with the image.
func (p *Program) active(n *graph.Node) int {
	if !n.Is("Gemm") && !n.Is("MatMul") {
		return 0
	}
	a, b := n.Input(0), n.Input(1)
	if p.timing.timed[b] && !p.timing.timed[a] || p.consts[a] != nil && p.consts[b] == nil {
		return 1
	}
	return 0
}

// current finds the nodes that compute what an Encode repeats.
func (p *Program) current() {
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
func (p *Program) driven(v *graph.Value) bool {
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
	for _, x := range present(n.Inputs()) {
		if p.timing.timed[x] && !p.driven(x) {
			return false
		}
	}
	return true
}

// reset starts a run with n checkpoints.
func (w *work) reset(n int) {
	w.report = WorkReport{Node: w.node.Name, Origin: w.node.OriginLabel(), Op: w.node.Op(),
		Driven: w.driven, Current: w.current}
	w.marked = make([]WorkReport, n)
	w.spread()
}

// spread makes what was counted so far the report of every checkpoint.
func (w *work) spread() {
	for i := range w.marked {
		w.marked[i] = w.report
	}
}

// begin and end enclose work that counts for one checkpoint only.
func (w *work) begin() { w.saved = w.report }

func (w *work) end(at int) {
	w.marked[at] = w.report
	w.report = w.saved
}

// analog notes one application to an analog value.
func (w *work) analog(in []*ops.Tensor, y *ops.Tensor) {
	w.report.Runs++
	if weighted(w.node) {
		w.shape(in, y)
		return
	}
	adds, muls := elementwise(w.node)
	w.report.Adds += adds * float64(y.Len())
	w.report.Muls += muls * float64(y.Len())
}

// weigh notes one application to a slice. The constant current is nothing in
// the post step, and a bias is not injected there.
func (c *clock) weigh(s *linear, in []*ops.Tensor, y *ops.Tensor, t int) {
	w := s.work
	if !w.driven {
		in, y = c.extents(s.node, in, y)
		if t < c.timing.steps || !s.steady && !s.node.IsSpiking("Bias") {
			w.analog(in, y)
		}
		return
	}
	w.shape(in, y)
	v := s.node.Input(w.active)
	switch slot := c.slots[v]; {
	case slot != nil && slot.packed != nil:
		w.countPacked(slot.packed, c.view(v, slot.packed.H, slot.packed.W), t, in[w.active], y)
		return
	case slot != nil && slot.train != nil:
		w.train(slot.train, t, in[w.active], y)
		return
	}
	w.spikes(c.operands(v, in[w.active]), y)
}

// train is spikes for a slice that comes straight from a train: it counts the
// packed bits.
func (w *work) train(tr *train, step int, x, y *ops.Tensor) {
	_, t := w.geometry(x, y)
	if t == nil {
		n := float64(tr.Count(step))
		w.report.SpikesIn += n
		w.report.ExactOps += n * w.report.MACs / max(w.report.Inputs, 1)
		return
	}
	for plane := range tr.N * tr.C {
		n, reach := t.count(tr.Bits(step, plane))
		w.report.SpikesIn += n
		w.report.ExactOps += reach
	}
}

// count gives the spikes of one plane and the sum of their synapses. Most
// columns reach the same number of outputs, so a row is its spikes times that
// number, put right at the columns that differ.
func (t *taps) count(words []uint64) (n, reach float64) {
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
		reach += sum * row * t.channels
	}
	return n, reach
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

// works is the counters of the layer's operators and readouts.
func (l *layer) works() []*work {
	var list []*work
	for _, s := range l.steps {
		if s.work != nil {
			list = append(list, s.work)
		}
	}
	for _, s := range l.sinks {
		if r, ok := s.(*readoutSink); ok && r.work != nil {
			list = append(list, r.work)
		}
	}
	return list
}

// operands lists the slices whose spikes arrive in v: those of both operands
// where v is a sum of trains at hand.
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
func (w *work) spikes(operands []*ops.Tensor, y *ops.Tensor) {
	for _, x := range operands {
		n, weighted := w.count(x, y)
		w.report.SpikesIn += n
		w.report.ExactOps += weighted
	}
}

// shape fills in what depends on the sizes alone, the same for every slice.
func (w *work) shape(in []*ops.Tensor, y *ops.Tensor) {
	if w.report.MACs > 0 {
		return
	}
	r, x := &w.report, in[w.active]
	if weights := in[1-w.active]; len(weights.Dims) > 2 {
		w.kernel = nil
		for _, k := range weights.Dims[2:] {
			w.kernel = append(w.kernel, int64(k))
		}
	}
	r.Outputs = float64(y.Len())
	perOutput, taps := w.geometry(x, y)
	r.MACs = perOutput * float64(y.Len())
	if w.node.Is("ConvTranspose") {
		r.MACs = perOutput * float64(x.Len())
	}
	r.Inputs = float64(x.Len())
	r.ExactMACs = r.MACs
	if taps != nil {
		r.ExactMACs = taps.dense() * float64(x.Len()/max(taps.plane(), 1))
	}
	if w.node.IsSpiking("CPM") {
		r.Adds = r.Outputs // the residual potential, and the bias
		if w.node.Input(3) != nil {
			r.Adds *= 2
		}
		return
	}
	r.Bias = w.node.NumInputs() > 2 && w.node.Input(2) != nil
}

// count gives the nonzero elements of x and the sum of their synapses.
func (w *work) count(x, y *ops.Tensor) (n, weighted float64) {
	_, t := w.geometry(x, y)
	if t == nil || t.plane() == 0 {
		for _, v := range x.F32 {
			if v != 0 {
				n++
			}
		}
		return n, n * w.report.MACs / max(w.report.Inputs, 1)
	}
	width := len(t.cols)
	for at := 0; at < len(x.F32); at += width {
		var inRow, reach float64
		for i, v := range x.F32[at : at+width] {
			if v != 0 {
				inRow++
				reach += t.cols[i]
			}
		}
		n += inRow
		weighted += reach * t.rows[(at/width)%len(t.rows)] * t.channels
	}
	return n, weighted
}
