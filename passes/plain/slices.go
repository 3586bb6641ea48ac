package plain

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Slices is a lowering that computes each slice of a neuron by nodes of its own.
type Slices struct {
	*Lowering
	// Of is the slices of a time-major value, as far as they are known; nil stands for a
	// slice of zeros.
	Of map[*graph.Value][]*graph.Value
	// Cut gives the slices of a value that is not among Of, before the node that reads it.
	Cut func(n *graph.Node, v *graph.Value, s op.Steps) ([]*graph.Value, error)
	// Whole reports whether something reads a value in one piece.
	Whole func(v *graph.Value) bool
}

// NewSlices begins such a lowering, to a form. A network of two schedules is an error.
func NewSlices(c *passes.Context, form string) (*Slices, error) {
	if _, err := op.TimingOf(c.Model.Graph); err != nil {
		return nil, err
	}
	return &Slices{Lowering: New(c, form), Of: map[*graph.Value][]*graph.Value{}}, nil
}

// Lower builds what computes the outputs of n.
func (l *Slices) Lower(n *graph.Node) error {
	switch n.Op().Type {
	case "Encode":
		return l.encode(n)
	case "Bias":
		return l.bias(n)
	case "IF", "MPRN":
		return l.neuron(n)
	case "BurstIF", "MultiThresholdIF", "SignedIF":
		return l.graded(n)
	case "TwoPhaseIF", "TwoPhaseMPRN":
		return l.twoPhase(n)
	case "Decode":
		return l.decode(n)
	case "CPM":
		return l.cpm(n)
	}
	return Unknown(n)
}

func (l *Slices) encode(n *graph.Node) error {
	e, err := op.EncodeOf(n)
	if err != nil {
		return err
	}
	ys := make([]*graph.Value, e.Slices())
	for t := range e.Timesteps {
		ys[t] = e.X
	}
	l.Emit(n, n.Output(0), ys)
	return nil
}

func (l *Slices) bias(n *graph.Node) error {
	b, err := op.BiasOf(n)
	if err != nil {
		return err
	}
	xs, err := l.split(n, b.X, b.Steps)
	if err != nil {
		return err
	}
	ys := append([]*graph.Value(nil), xs...)
	for t := range b.Timesteps {
		ys[t] = l.At(n, t, "biased", "Add", nil, ys[t], b.B)
	}
	l.Emit(n, n.Output(0), ys)
	return nil
}

// neuron unrolls Eq. 1-3, and 13-16 at the post step.
func (l *Slices) neuron(n *graph.Node) error {
	s, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	return l.unroll(n, s, func() (sender, error) {
		late := s.Theta
		if s.Alpha != nil {
			if late, err = l.level(n, s); err != nil {
				return nil, err
			}
		}
		return func(t int64, v *graph.Value) *graph.Value {
			level := s.Theta
			if t >= s.Timesteps {
				level = late
			}
			fires := l.At(n, t, "fires", "GreaterOrEqual", nil, v, level)
			return l.spike(n, t, s, l.At(n, t, "spikes", "Cast", Cast(), fires))
		}, nil
	})
}

// A sender is what a neuron of potential v emits at step t.
type sender func(t int64, v *graph.Value) *graph.Value

// unroll integrates the current of a neuron step by step, and takes off its potential what it
// sends. The sender is made when the current is there, and before the first potential.
func (l *Slices) unroll(n *graph.Node, s op.Neuron, prepare func() (sender, error)) error {
	xs, err := l.split(n, s.X, s.Steps)
	if err != nil {
		return err
	}
	send, err := prepare()
	if err != nil {
		return err
	}
	v, err := l.start(n, s)
	if err != nil {
		return err
	}
	bias := l.effective(s.Bias)
	ys := make([]*graph.Value, len(xs))
	var current *graph.Value // of the step before, with the bias
	for t, c := range xs {
		t := int64(t)
		if bias != nil && t < s.Timesteps {
			if current == nil || c != xs[t-1] {
				current = l.At(n, t, "current", "Add", nil, c, bias)
			}
			c = current
		}
		switch {
		case v == nil:
			v = c
		case c != nil:
			v = l.At(n, t, "potential", "Add", nil, v, c)
		}
		ys[t] = send(t, v)
		if t+1 < int64(len(xs)) || Wanted(s.VRes) {
			v = l.At(n, t, "v", "Sub", nil, v, ys[t])
		}
	}
	l.Emit(n, s.Y, ys)
	if Wanted(s.VRes) {
		l.Heirs[s.VRes] = v
	}
	return nil
}

// start is the potential before the first step; nil for one of 0, which takes no node.
func (l *Slices) start(n *graph.Node, s op.Neuron) (*graph.Value, error) {
	if s.V0 == 0 {
		return nil, nil
	}
	return l.scaled(n, "start", s.V0, s.Theta)
}

// spike is what the neuron n emits at step t for spikes of 0 and 1.
func (l *Slices) spike(n *graph.Node, t int64, s op.Neuron, spikes *graph.Value) *graph.Value {
	if isOne(s.Theta) {
		return spikes
	}
	return l.At(n, t, "y", "Mul", nil, s.Theta, spikes)
}

// isOne reports whether v is a constant of nothing but 1.
func isOne(v *graph.Value) bool { return isAll(v, 1) }

// isAll reports whether v is a constant of nothing but want.
func isAll(v *graph.Value, want float32) bool {
	t := op.Constant(v)
	if t == nil {
		return false
	}
	xs, err := t.Float32s()
	return err == nil && !slices.ContainsFunc(xs, func(x float32) bool { return x != want })
}

func (l *Slices) decode(n *graph.Node) error {
	d, err := op.DecodeOf(n)
	if err != nil {
		return err
	}
	total, err := l.total(n, d.X, d.Steps)
	if err != nil {
		return err
	}
	l.Decode(n, d, total)
	return nil
}

func (l *Slices) cpm(n *graph.Node) error {
	m, err := op.CPMOf(n)
	if err != nil {
		return err
	}
	total, err := l.total(n, m.Y, m.Steps)
	if err != nil {
		return err
	}
	return l.CPM(n, m, total)
}

// total is the sum of the slices of y from the first to the last, each added by an Add of its own: there are
// runtimes that have no Sum.
func (l *Slices) total(n *graph.Node, y *graph.Value, s op.Steps) (*graph.Value, error) {
	ys, err := l.split(n, y, s)
	if err != nil {
		return nil, err
	}
	sum := ys[0]
	for t, v := range ys[1:] {
		if v != nil {
			sum = l.At(n, int64(t)+1, "total", "Add", nil, sum, v)
		}
	}
	return sum, nil
}

// split gives the slices of a value that n reads.
func (l *Slices) split(n *graph.Node, v *graph.Value, s op.Steps) ([]*graph.Value, error) {
	if xs, ok := l.Of[v]; ok {
		return xs, nil
	}
	if s.Slices() == 1 {
		return []*graph.Value{v}, nil
	}
	xs, err := l.Cut(n, v, s)
	if err != nil {
		return nil, err
	}
	l.Of[v] = xs
	return xs, nil
}

// Emit makes ys the slices of n's output y, and joins them where that is read whole.
func (l *Slices) Emit(n *graph.Node, y *graph.Value, ys []*graph.Value) {
	if y == nil {
		return
	}
	l.Of[y] = ys
	if !l.Whole(y) {
		return
	}
	whole := append([]*graph.Value(nil), ys...)
	for t, v := range whole {
		if v == nil {
			whole[t] = l.Zeros(n, whole[0])
		}
	}
	l.Heirs[y] = l.Node(n, "time_major", "Concat", graph.Attrs{{Name: "axis", Value: graph.Int(0)}}, whole...)
}

// Zeros is zeros of the sizes of x, as a product: runtimes that compute with images alone know no
// shapes.
func (l *Slices) Zeros(n *graph.Node, x *graph.Value) *graph.Value {
	return l.Node(n, "zeros", "Mul", nil, x, spiking.Parameter(n, "zero", nil, []float32{0}))
}

// AtStep is the name of v at timestep t, from 0.
func AtStep(v string, t int64) string { return fmt.Sprintf("%s/step %d", v, t+1) }
