package snapweights

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
)

const (
	// mostInputBits and leastInputBits are how many units the largest number of an image has, as powers of two:
	// of one that is limited to 2 the unit is 2^-12 or 2^-11, an eighth of a level of 8 bits.
	mostInputBits, leastInputBits = 14, 13
	// levelBits is that of alpha and of v0 in units of the threshold.
	levelBits = 12
	// factorBits is how large a factor between neurons may be in its unit, and keptBits how much a
	// current leaves of its bits for one.
	factorBits, keptBits = 11, 7
	// mostError is how large the errors of all weights of a channel together may be, as a part of
	// the largest sum.
	mostError = 1. / 8
)

// plan rounds all numbers such that room bits stay free in each sum, and proves the result.
func (s *snapper) plan(room int) error {
	p, err := exact.New(s.Model)
	if err != nil {
		return err
	}
	s.prover, s.room = p, room
	s.numbers = map[*graph.Value]*graph.Tensor{}
	p.Constant = func(v *graph.Value) *graph.Tensor {
		if t := s.numbers[v]; t != nil {
			return t
		}
		return op.Constant(v)
	}
	_, err = s.Each(func(n *graph.Node) (bool, error) {
		if err := s.numbersOf(n); err != nil {
			return false, err
		}
		return false, p.Visit(n)
	})
	return err
}

// numbersOf rounds the numbers of one node, whose inputs are known.
func (s *snapper) numbersOf(n *graph.Node) error {
	switch {
	case s.rounds[n] != nil:
		return s.scale(n, s.rounds[n])
	case isLayer(n):
		return s.layer(n, 1, n.Region == graph.SpikingRegion)
	case n.IsSpiking("CPM"):
		return s.layer(n, 2, false)
	case n.IsSpiking("Bias"):
		return s.bias(n, 1)
	case op.IsNeuron(n):
		return s.neuron(n)
	case n.Region == graph.SpikingRegion && n.Is("Mul"):
		return s.factor(n)
	}
	return nil
}

// bits is the unit at which sums up to some size leave the room that is wanted.
func (s *snapper) bits(size float64) int {
	_, exponent := math.Frexp(size) // size < 2^exponent
	return 24 - exponent - s.room
}

// snap rounds x to a multiple of 2^-unit.
func snap(x float64, unit int) float32 {
	return float32(math.Ldexp(math.RoundToEven(math.Ldexp(x, unit)), -unit))
}

// scale chooses the unit of a rounding. An image and the weights of its layer share the bits of
// their products; a current gets all that its sum over time leaves.
func (s *snapper) scale(n *graph.Node, r *round) error {
	in := s.prover.Of(n.Input(0))
	all := in.All()
	var unit int
	if r.reader.IsSpiking("Encode") {
		most := 0.0 // of what is added to a current where it goes
		for o := range max(len(in), 1) {
			most = max(most, s.added(r.reader.Output(0), o))
		}
		unit = s.bits(all.Largest()*s.prover.Slices()+most) - behind(r.reader.Output(0))
		if all.Unit != exact.Free {
			unit = min(unit, all.Unit)
		}
	} else {
		l, xs, err := weightsOf(r.reader, 1)
		if err != nil {
			return err
		}
		unit = s.shared(l, xs, all)
	}
	s.put(r.up, []float32{float32(math.Ldexp(1, unit))})
	s.put(r.down, []float32{float32(math.Ldexp(1, -unit))})
	return nil
}

// shared is the unit of an image at which its roundings move the sums of a layer as much as those of
// the weights do, which have the rest of the bits.
func (s *snapper) shared(l op.Layout, xs []float32, image exact.Span) int {
	_, top := math.Frexp(image.Largest())
	unit := mostInputBits - top
	largest := make([]float64, l.Out)
	for i, x := range xs {
		_, o := l.Channel(i)
		largest[o] = max(largest[o], math.Abs(float64(x)))
	}
	image.Unit = 0 // else the sums have no size
	for o, sum := range exact.Sums(l, xs, exact.Spans{image}) {
		if size := sum.Largest(); size > 0 {
			_, weight := math.Frexp(largest[o])
			unit = min(unit, (s.bits(size)+1+weight-top)/2)
		}
	}
	return max(unit, leastInputBits-top)
}

func (s *snapper) put(v *graph.Value, xs []float32) {
	s.numbers[v] = graph.NewFloat32(op.Constant(v).Dims, xs)
}

func weightsOf(n *graph.Node, i int) (op.Layout, []float32, error) {
	t := op.Constant(n.Input(i))
	xs, err := t.Float32s()
	if err != nil {
		return op.Layout{}, nil, op.Unsupportedf(n, "weights %q: %v", n.Input(i).Name(), err)
	}
	l, err := op.LayoutOf(n, t.Dims)
	return l, xs, err
}

// layer rounds the weights of each output channel, and the bias of a layer that has one.
func (s *snapper) layer(n *graph.Node, at int, spikes bool) error {
	l, xs, err := weightsOf(n, at)
	if err != nil {
		return err
	}
	in := s.prover.Of(n.Input(0))
	count := s.prover.Count(n.Input(0))
	var bias []float32
	if b := n.Input(2); at == 1 && b != nil {
		if t := op.Constant(b); t != nil {
			if bias, err = t.Float32s(); err != nil {
				return op.Unsupportedf(n, "bias %q: %v", b.Name(), err)
			}
		}
	}
	finest, largestOf, reach := unitsOf(l, xs, in)
	units, kept := make([]int, l.Out), behind(n.Output(0))
	for o, sum := range exact.Sums(l, xs, in) {
		if largestOf[o] == 0 {
			units[o] = s.bits(1)
			continue
		}
		size := sum.Largest() * count
		if s.prover.Timed(n.Input(0)) {
			size = max(size+s.added(n.Output(0), o), count)
		}
		if bias != nil {
			size += math.Abs(float64(bias[min(o, len(bias)-1)]))
		}
		if n.IsSpiking("CPM") { // whose sums take in what is left of a potential
			size += s.prover.Of(n.Input(1)).At(o).Largest()
		}
		unit := s.bits(size) - finest[o] - kept
		if spikes {
			for math.RoundToEven(math.Ldexp(largestOf[o], unit)) > largest(s.Context) {
				unit--
			}
		}
		off := -unit - 1 // half a unit
		if !spikes {
			off++ // see whole
		}
		if e := math.Ldexp(reach[o]*count, off); e > mostError*size {
			way := "fewer timesteps"
			if finest[o] > factorBits {
				way += ", or --currents spike: the layer reads a sum of layers, not spikes"
			}
			return op.Unsupportedf(n, "rounding the weights of channel %d to multiples of 2^%d, so that sums over all steps stay exact, moves sums of one step by up to %.2g "+
				"where they reach %.3g; want %s", o, -unit, e/count, size/count, way)
		}
		units[o] = unit
	}
	ys := whole(l, xs, units, !spikes)
	s.put(n.Input(at), ys)
	if bias != nil {
		for o := range units {
			units[o] += finest[o]
		}
		s.put(n.Input(2), snapped(bias, units))
	}
	return nil
}

// whole rounds weights to multiples of the unit of their output channel. Where numbers next to each
// other are alike, as in an image, a weight takes up what those before it lost, so that their sum stays.
func whole(l op.Layout, xs []float32, units []int, alike bool) []float32 {
	lost := make([]float64, l.Out)
	ys := make([]float32, len(xs))
	for i, x := range xs {
		_, o := l.Channel(i)
		y := float64(x) + lost[o]
		ys[i] = snap(y, units[o])
		if alike {
			lost[o] = y - float64(ys[i])
		}
	}
	return ys
}

// snapped is the biases of a layer at the units of its sums; one for all channels takes the coarsest.
func snapped(bias []float32, units []int) []float32 {
	out := make([]float32, len(bias))
	for i, b := range bias {
		unit := units[min(i, len(units)-1)]
		if len(bias) == 1 {
			unit = slices.Min(units)
		}
		out[i] = snap(float64(b), unit)
	}
	return out
}

// behind is the bits that a current leaves for the factors that read it, such as those in front of the
// populations of a PRelu, which would be powers of two without.
func behind(v *graph.Value) int {
	for _, u := range v.Uses() {
		if u.Node.Region == graph.SpikingRegion && u.Node.Is("Mul") && len(present(u.Node, 0, 1)) == 1 {
			return keptBits
		}
	}
	return 0
}

// added is what biases add to channel o of v over all steps, and the threshold.
func (s *snapper) added(v *graph.Value, o int) float64 {
	most := 0.0
	for _, u := range v.Uses() {
		var b *graph.Value
		behind := 0.0
		switch {
		case op.IsNeuron(u.Node):
			b, behind = u.Node.Input(op.NeuronBias), 2
		case u.Node.IsSpiking("Bias"):
			b, behind = u.Node.Input(1), s.added(u.Node.Output(0), o)
		}
		if b != nil && op.Constant(b) != nil {
			if xs, err := op.Constant(b).Float32s(); err == nil && len(xs) > 0 {
				behind += s.prover.Slices() * math.Abs(float64(xs[min(o, len(xs)-1)]))
			}
		}
		most = max(most, behind)
	}
	return most
}

// unitsOf is the finest unit of the inputs that each output channel reads, its largest weight, and
// the sum of the largest inputs of all its weights.
func unitsOf(l op.Layout, xs []float32, in exact.Spans) (finest []int, most, reach []float64) {
	finest, most, reach = make([]int, l.Out), make([]float64, l.Out), make([]float64, l.Out)
	for o := range finest {
		finest[o] = math.MinInt32
	}
	for i, x := range xs {
		c, o := l.Channel(i)
		if x != 0 {
			finest[o] = max(finest[o], in.At(c).Unit)
			reach[o] += in.At(c).Largest()
		}
		most[o] = max(most[o], math.Abs(float64(x)))
	}
	for o, u := range finest {
		if u == math.MinInt32 { // reads nothing
			finest[o], most[o] = 0, 0
		}
	}
	return finest, most, reach
}

// bias rounds input i of n to the unit of the current that it is added to.
func (s *snapper) bias(n *graph.Node, i int) error {
	b := n.Input(i)
	if b == nil {
		return nil
	}
	t := op.Constant(b)
	if t == nil {
		return op.Unsupportedf(n, "its bias %q %s, want a constant", b.Name(), op.Source(b))
	}
	xs, err := t.Float32s()
	if err != nil {
		return op.Unsupportedf(n, "bias %q: %v", b.Name(), err)
	}
	in := s.prover.Of(n.Input(0))
	out := make([]float32, len(xs))
	for k, x := range xs {
		unit := coarsest(in)
		if len(in) == len(xs) {
			unit = in[k].Unit
		}
		if unit == math.MinInt32 || unit == exact.Free { // of a current that is 0
			unit = s.bits(max(math.Abs(float64(x)), 1) * s.prover.Slices())
		}
		out[k] = snap(float64(x), unit)
	}
	s.put(b, out)
	return nil
}

func coarsest(in exact.Spans) int {
	unit := math.MaxInt
	for _, s := range in {
		if s.Unit != math.MinInt32 {
			unit = min(unit, s.Unit)
		}
	}
	if unit == math.MaxInt {
		return math.MinInt32
	}
	return unit
}

// neuron rounds the levels of a neuron, and its bias.
func (s *snapper) neuron(n *graph.Node) error {
	k, err := op.NeuronOf(n)
	if err != nil {
		return err
	}
	if k.Alpha != nil {
		t := op.Constant(k.Alpha)
		if t == nil {
			return op.Unsupportedf(n, "its alpha %q %s, want a constant", k.Alpha.Name(), op.Source(k.Alpha))
		}
		xs, err := t.Float32s()
		if err != nil {
			return op.Unsupportedf(n, "alpha %q: %v", k.Alpha.Name(), err)
		}
		out := make([]float32, len(xs))
		for i, x := range xs {
			out[i] = snap(float64(x), levelBits)
		}
		s.put(k.Alpha, out)
	}
	return s.bias(n, op.NeuronBias)
}

// factor rounds a constant factor between neurons.
func (s *snapper) factor(n *graph.Node) error {
	list := present(n, 0, 1)
	if len(list) != 1 {
		return nil
	}
	xs, err := op.Constant(n.Input(list[0])).Float32s()
	if err != nil {
		return op.Unsupportedf(n, "factor %q: %v", n.Input(list[0]).Name(), err)
	}
	x := n.Input(1 - list[0])
	all := s.prover.Of(x).All()
	out := make([]float32, len(xs))
	for i, f := range xs {
		if f == 0 {
			continue
		}
		_, exponent := math.Frexp(float64(f))
		unit := min(s.bits(math.Abs(float64(f))*all.Largest()*s.prover.Count(x))-max(all.Unit, 0), factorBits-exponent)
		out[i] = snap(float64(f), unit)
	}
	s.put(n.Input(list[0]), out)
	return nil
}
