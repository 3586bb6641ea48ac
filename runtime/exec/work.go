package exec

import (
	"math/bits"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// work counts the operations of one node with weights.
type work struct {
	node   *graph.Node
	driven bool
	report WorkReport
	saved  WorkReport
	marked []WorkReport // by checkpoint
}

// weighted reports whether n multiplies its input by weights.
func weighted(n *graph.Node) bool {
	return n.Is("Conv") || n.Is("ConvTranspose") || n.Is("Gemm") || n.Is("MatMul") || n.IsSpiking("CPM")
}

// elementwise gives the additions and multiplications an element of the
// result takes.
func elementwise(n *graph.Node) (adds, muls float64) {
	switch {
	case n.Is("Add"), n.Is("Sub"):
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
	w := &work{node: n, driven: weighted(n) && p.driven(n.Input(0))}
	p.weights = append(p.weights, w)
	return w
}

// driven reports whether a time-major value is made of spikes alone.
func (p *Program) driven(v *graph.Value) bool {
	if v == nil || !p.timing.timed[v] {
		return false
	}
	n := v.Producer()
	if isNeuron(n) {
		return true
	}
	if n.IsSpiking("Encode") {
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
		Region: w.node.Region, Driven: w.driven}
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
func (w *work) analog(x, y *ops.Tensor) {
	w.report.Runs++
	if weighted(w.node) {
		w.shape(x, y)
		return
	}
	adds, muls := elementwise(w.node)
	w.report.Adds += adds * float64(len(y.F32))
	w.report.Muls += muls * float64(len(y.F32))
}

// weigh notes one application to a slice.
func (c *clock) weigh(s *linear, in []*ops.Tensor, y *ops.Tensor, t int) {
	if !s.work.driven {
		if t < c.timing.steps || !weighted(s.node) {
			s.work.analog(in[0], y)
		}
		return
	}
	if slot := c.slots[s.node.Input(0)]; slot != nil && slot.train != nil {
		s.work.train(slot.train, t, in[0], y)
		return
	}
	s.work.spikes(c.operands(s.node.Input(0), in[0]), y)
}

// train is spikes for a slice that comes straight from a train: it counts the
// packed bits.
func (w *work) train(tr *train, step int, x, y *ops.Tensor) {
	w.shape(x, y)
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
// where v is a sum of this layer.
func (c *clock) operands(v *graph.Value, x *ops.Tensor) []*ops.Tensor {
	n := v.Producer()
	if n == nil || !(n.Is("Add") || n.Is("Sub") || n.Is("Sum")) || c.now[v] == nil {
		return []*ops.Tensor{x}
	}
	var list []*ops.Tensor
	for _, u := range present(n.Inputs()) {
		if y := c.now[u]; y != nil && len(y.F32) == len(x.F32) {
			list = append(list, c.operands(u, y)...)
		}
	}
	return list
}

// spikes notes one slice of spikes: the nonzero elements of every operand.
func (w *work) spikes(operands []*ops.Tensor, y *ops.Tensor) {
	w.shape(operands[0], y)
	for _, x := range operands {
		n, weighted := w.count(x, y)
		w.report.SpikesIn += n
		w.report.ExactOps += weighted
	}
}

// shape fills in what depends on the sizes alone, the same for every slice.
func (w *work) shape(x, y *ops.Tensor) {
	if w.report.MACs > 0 {
		return
	}
	r := &w.report
	r.Outputs = float64(len(y.F32))
	perOutput, taps := w.geometry(x, y)
	r.MACs = perOutput * float64(len(y.F32))
	if w.node.Is("ConvTranspose") {
		r.MACs = perOutput * float64(len(x.F32))
	}
	r.Inputs = float64(len(x.F32))
	r.ExactMACs = r.MACs
	if taps != nil {
		r.ExactMACs = taps.dense() * float64(len(x.F32)/max(taps.plane(), 1))
	}
	r.Bias = w.node.NumInputs() > 2 && w.node.Input(2) != nil && !w.node.IsSpiking("CPM")
}

// taps is how many outputs each input row and column reaches, and the number
// of output channels it reaches there.
type taps struct {
	rows, cols []float64
	channels   float64
	edges      []int // columns that reach another number of outputs than the middle one
}

func newTaps(rows, cols []float64, channels float64) *taps {
	t := &taps{rows: rows, cols: cols, channels: channels}
	for x, n := range cols {
		if n != cols[len(cols)/2] {
			t.edges = append(t.edges, x)
		}
	}
	return t
}

func (t *taps) plane() int { return len(t.rows) * len(t.cols) }

// dense is the synapses of one whole input plane.
func (t *taps) dense() float64 {
	var r, c float64
	for _, n := range t.rows {
		r += n
	}
	for _, n := range t.cols {
		c += n
	}
	return r * c * t.channels
}

// geometry gives the multiplications per output element (per input element of
// a ConvTranspose) and, for 2-D convolutions, the taps.
func (w *work) geometry(x, y *ops.Tensor) (float64, *taps) {
	switch {
	case w.node.Is("ConvTranspose"):
		c, err := op.ConvTransposeOf(w.node)
		if err != nil || len(x.Dims) != 4 || len(c.Kernel) != 2 {
			return 0, nil
		}
		out := float64(y.Dims[1]) / float64(c.Group)
		in := []int64{int64(x.Dims[2]), int64(x.Dims[3])}
		_, pads := c.Sizes(in)
		return out * float64(c.Kernel[0]*c.Kernel[1]), newTaps(
			scatter(x.Dims[2], y.Dims[2], c.Window, 0, pads[0]),
			scatter(x.Dims[3], y.Dims[3], c.Window, 1, pads[1]), out)
	case w.node.Is("Conv"), w.node.IsSpiking("CPM"):
		return w.convolution(x, y)
	case w.node.Is("Gemm"):
		return float64(len(x.F32)) / float64(max(x.Dims[0], 1)), nil
	}
	return float64(x.Dims[len(x.Dims)-1]), nil // MatMul
}

// scatter counts, for each input position of a ConvTranspose along axis i, the
// outputs it reaches.
func scatter(in, out int, w op.Window, i int, pad int64) []float64 {
	list := make([]float64, in)
	for p := range list {
		for k := range w.Kernel[i] {
			o := int64(p)*w.Stride[i] - pad + k*w.Dilation[i]
			if o >= 0 && o < int64(out) {
				list[p]++
			}
		}
	}
	return list
}

// gather counts, for each input position of a Conv along axis i, the outputs
// that read it.
func gather(in, out int, w op.Window, i int, pad int64) []float64 {
	list := make([]float64, in)
	for o := range int64(out) {
		for k := range w.Kernel[i] {
			p := o*w.Stride[i] - pad + k*w.Dilation[i]
			if p >= 0 && p < int64(in) {
				list[p]++
			}
		}
	}
	return list
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

// convolution is geometry of a Conv or of the convolution in a CPM.
func (w *work) convolution(x, y *ops.Tensor) (float64, *taps) {
	window, group, err := w.window()
	if err != nil {
		return 0, nil
	}
	perOutput := float64(x.Dims[1]) / float64(group)
	spatial := make([]int64, 0, len(window.Kernel))
	for i, k := range window.Kernel {
		perOutput *= float64(k)
		spatial = append(spatial, int64(x.Dims[2+i]))
	}
	if len(window.Kernel) != 2 {
		return perOutput, nil
	}
	pads := window.PadsFor(spatial)
	return perOutput, newTaps(
		gather(x.Dims[2], y.Dims[2], window, 0, pads[0]),
		gather(x.Dims[3], y.Dims[3], window, 1, pads[1]),
		float64(y.Dims[1])/float64(group))
}

func (w *work) window() (op.Window, int64, error) {
	if w.node.IsSpiking("CPM") {
		c, err := op.CPMOf(w.node)
		return c.Window, 1, err
	}
	c, err := op.ConvOf(w.node)
	return c.Window, c.Group, err
}
