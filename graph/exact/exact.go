// Package exact finds out whether a network computes the same bits in every runtime.
//
// A runtime may sum the products of a convolution in any order, and float32 rounds each
// sum. A neuron turns the last bit of a current into a spike, and the spike into an image
// that differs. Sums are the same in any order where all numbers are whole multiples of a
// power of two and no partial sum reaches 2^24 of it, since float32 then rounds nothing.
// This package follows such units, and bounds of the values, through a graph. Operators that
// round each element once, as IEEE 754 has it, give the same bits anywhere too; but a sum
// of what they gave does not.
package exact

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Most is the largest number of units that float32 holds exactly, as all smaller ones.
const Most = 1 << 24

// Free is the unit of numbers that are no multiples of a power of two known beforehand.
const Free = math.MaxInt32

// Span is what is known of the numbers of a channel, in any slice: they lie from Low to High
// and are whole multiples of 2^-Unit.
type Span struct {
	Unit      int
	Low, High float64
}

// anything is a span of which nothing is known.
var anything = Span{Free, math.Inf(-1), math.Inf(1)}

// Largest is the largest magnitude.
func (s Span) Largest() float64 { return max(math.Abs(s.Low), math.Abs(s.High)) }

// join is the span of the numbers of both.
func (s Span) join(t Span) Span {
	return Span{max(s.Unit, t.Unit), min(s.Low, t.Low), max(s.High, t.High)}
}

// Fits reports whether float32 holds sums of so many of the numbers, and is false for
// numbers that are free.
func (s Span) Fits(count float64) bool {
	return s.Unit != Free && math.Ldexp(s.Largest()*count, s.Unit) <= Most
}

// Spans is those of the channels of a value (dimension 1), or one for all of them.
type Spans []Span

// At is the span of a channel.
func (s Spans) At(c int) Span {
	if len(s) == 1 {
		return s[0]
	}
	return s[c]
}

// All is the span of all channels.
func (s Spans) All() Span {
	all := s[0]
	for _, t := range s[1:] {
		all = all.join(t)
	}
	return all
}

// each is the spans that f makes of those of every channel.
func (s Spans) each(f func(Span) Span) Spans {
	t := make(Spans, len(s))
	for i, x := range s {
		t[i] = f(x)
	}
	return t
}

// both is the spans that f makes of those of two values channel by channel.
func both(s, t Spans, f func(a, b Span) Span) Spans {
	out := make(Spans, max(len(s), len(t)))
	for c := range out {
		out[c] = f(s.At(c), t.At(c))
	}
	return out
}

// UnitOf is the unit of a number: the least u for which x*2^u is whole. It is that of all
// units for 0, and Free for what is no finite number.
func UnitOf(x float64) int {
	switch {
	case x == 0:
		return math.MinInt32
	case math.IsNaN(x) || math.IsInf(x, 0):
		return Free
	}
	fraction, exponent := math.Frexp(x)
	u := -exponent
	for fraction != math.Trunc(fraction) {
		fraction *= 2
		u++
	}
	return u
}

// spanOf is the span of some numbers; an infinite or missing one makes it free.
func spanOf(xs ...float32) Span {
	s := Span{math.MinInt32, math.Inf(1), math.Inf(-1)}
	for _, x := range xs {
		if y := float64(x); math.IsNaN(y) || math.IsInf(y, 0) {
			s.Unit, s.Low, s.High = Free, min(s.Low, y), max(s.High, y)
		} else {
			s = s.join(Span{UnitOf(y), y, y})
		}
	}
	if math.IsNaN(s.Low) || len(xs) == 0 {
		return anything
	}
	return s
}

// Prover follows spans through the main graph of a model, node by node in the order of
// evaluation.
type Prover struct {
	// Constant reads a constant value, nil where it is none; a caller that means to change some
	// replaces it.
	Constant func(v *graph.Value) *graph.Tensor

	opset  int64
	timing op.Timing
	spans  map[*graph.Value]Spans
	timed  map[*graph.Value]bool
}

// New begins at the inputs of a model, of which nothing is known.
func New(m *graph.Model) (*Prover, error) {
	t, err := op.TimingOf(m.Graph)
	if err != nil {
		return nil, err
	}
	return &Prover{Constant: op.Constant, opset: m.Opset(""), timing: t, spans: map[*graph.Value]Spans{}, timed: map[*graph.Value]bool{}}, nil
}

// Prove is nil where a network gives the same bits in every runtime that computes each
// operator in float32 and sums products as they are, and else says which node does not.
func Prove(m *graph.Model) error {
	p, err := New(m)
	if err != nil {
		return err
	}
	for n := range m.Graph.Nodes() {
		if err := p.Visit(n); err != nil {
			return err
		}
	}
	return nil
}

// Slices is the number of slices of time.
func (p *Prover) Slices() float64 { return float64(p.timing.Slices()) }

// Timed reports whether a value has slices.
func (p *Prover) Timed(v *graph.Value) bool { return p.timed[v] }

// Count is how many numbers of each element of v are summed over time.
func (p *Prover) Count(v *graph.Value) float64 {
	if p.timed[v] {
		return p.Slices()
	}
	return 1
}

// Of is the spans of a value.
func (p *Prover) Of(v *graph.Value) Spans {
	if s, ok := p.spans[v]; ok {
		return s
	}
	if t := p.Constant(v); t != nil {
		return p.constant(t, len(t.Dims))
	}
	return Spans{anything}
}

// Assume takes what is known of a value from the caller.
func (p *Prover) Assume(v *graph.Value, s Span) { p.spans[v] = Spans{s} }

// Forget takes that nothing is known of the outputs of a node.
func (p *Prover) Forget(n *graph.Node) {
	for _, v := range n.Outputs() {
		if v != nil {
			p.set(n, v, Spans{anything})
		}
	}
}

// constant is the spans of a constant beside a value of the given rank, with which it
// broadcasts.
func (p *Prover) constant(t *graph.Tensor, rank int) Spans {
	xs, err := t.Float32s()
	if err != nil || len(xs) == 0 {
		return Spans{anything}
	}
	axis := len(t.Dims) - rank + 1
	if axis < 0 || axis >= len(t.Dims) || t.Dims[axis] == 1 {
		return Spans{spanOf(xs...)}
	}
	channels, inner := int(t.Dims[axis]), 1
	for _, d := range t.Dims[axis+1:] {
		inner *= int(d)
	}
	list := make([][]float32, channels)
	for i, x := range xs {
		c := i / inner % channels
		list[c] = append(list[c], x)
	}
	var s Spans
	for _, xs := range list {
		s = append(s, spanOf(xs...))
	}
	return s
}

// beside is the spans of input i of n beside its output.
func (p *Prover) beside(n *graph.Node, i int) Spans {
	v := n.Input(i)
	if t := p.Constant(v); t != nil && p.spans[v] == nil {
		return p.constant(t, len(n.Output(0).Type.Shape))
	}
	s := p.Of(v)
	if len(s) > 1 && len(v.Type.Shape) != len(n.Output(0).Type.Shape) {
		return Spans{s.All()} // its channels lie elsewhere
	}
	return s
}

// set keeps the spans of an output.
func (p *Prover) set(n *graph.Node, v *graph.Value, s Spans) {
	p.spans[v] = s
	if n.IsSpiking("Encode") {
		p.timed[v] = true
	}
	if n.IsSpiking("Decode") || n.IsSpiking("CPM") {
		return
	}
	p.timed[v] = p.timed[v] || slices.ContainsFunc(n.Inputs(), func(u *graph.Value) bool { return u != nil && p.timed[u] })
}

// Visit finds the spans of what a node gives. An error says why it does not give the same
// bits everywhere.
func (p *Prover) Visit(n *graph.Node) error {
	floats := false
	for _, v := range n.Outputs() {
		floats = floats || v != nil && (v.Type.Elem == graph.Undefined || v.Type.Elem.IsFloat())
	}
	if !floats {
		return nil
	}
	if n.Op().Domain == graph.Spiking {
		return p.spiking(n)
	}
	rule := rules[n.Op().Type]
	if rule == nil || n.Op().Domain != "" {
		return op.Unsupportedf(n, "runtimes compute it in different ways, to different last bits")
	}
	s, err := rule(p, n)
	if err != nil {
		return err
	}
	for _, v := range n.Outputs() {
		if v != nil {
			p.set(n, v, s)
		}
	}
	if !p.timed[n.Output(0)] {
		return nil
	}
	return p.sums(n, s)
}

// sums demands that float32 holds the sums over time of a value.
func (p *Prover) sums(n *graph.Node, s Spans) error {
	for c, x := range s {
		if !x.Fits(p.Slices()) {
			return tooLarge(n, c, x, p.Slices())
		}
	}
	return nil
}

// tooLarge says that sums of a channel do not fit.
func tooLarge(n *graph.Node, c int, s Span, count float64) error {
	if s.Unit == Free {
		return op.Unsupportedf(n, "channel %d sums numbers that were rounded before, want whole multiples of a power of two", c)
	}
	return op.Unsupportedf(n, "sums of channel %d may reach %.4g times 2^-%d, more than the 2^24 that float32 holds exactly",
		c, math.Ldexp(s.Largest()*count, s.Unit), s.Unit)
}
