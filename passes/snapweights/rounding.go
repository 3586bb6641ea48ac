package snapweights

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
)

// A round is the nodes that round a value to a power of two:
// Mul by up, Add of 1/2, Floor, Mul by down.
type round struct {
	up, down *graph.Value
	reader   *graph.Node // a layer, or an Encode
}

// insert rounds what layers outside the spiking region read, where that is no multiple of a
// power of two yet, and the currents of the Encodes.
func (s *snapper) insert() error {
	p, err := exact.New(s.Model)
	if err != nil {
		return err
	}
	for _, v := range s.Model.Graph.Inputs() {
		if v.Type.Elem.IsFloat() {
			p.Assume(v, exact.Span{Unit: exact.Free, Low: Low.Of(s.Context), High: High.Of(s.Context)})
		}
	}
	done := map[*graph.Value]*graph.Value{}
	_, err = s.Each(func(n *graph.Node) (bool, error) {
		x := n.Input(0)
		switch span := p.Of(x); {
		case n.IsSpiking("Encode") && !isRounded(x) && bounded(x):
			n.SetInput(0, s.round(n, x, done))
		case n.IsSpiking("Encode") && !isRounded(x), isLayer(n) && !p.Timed(x) && span.All().Unit == exact.Free:
			v, err := s.limit(n, x, span.All(), done)
			if err != nil {
				return true, err
			}
			n.SetInput(0, v)
		case n.IsSpiking("Encode"), isLayer(n) && isRounded(x):
			s.known(n, x)
		}
		if p.Visit(n) != nil {
			p.Forget(n) // the plan will say
		}
		return true, nil
	})
	return err
}

// bounded reports whether the numbers of x have bounds that follow from those of layers, which
// read what is limited.
func bounded(x *graph.Value) bool {
	n := x.Producer()
	switch {
	case op.Constant(x) != nil:
		return true
	case n == nil:
		return false
	case isLayer(n), n.IsSpiking("CPM"), n.IsSpiking("Decode"):
		return true
	}
	for _, v := range n.Inputs() {
		if v != nil && !bounded(v) {
			return false
		}
	}
	return true
}

// chain is the nodes by which this pass rounded x, in this run or in an earlier one, the last first:
// Mul, Floor, Add, Mul; nil where it did not. A model may round in its own way.
func chain(x *graph.Value) []*graph.Node {
	var list []*graph.Node
	for _, typ := range []string{"Mul", "Floor", "Add", "Mul"} {
		n := x.Producer()
		if n == nil || n.From.Pass != name || !n.Is(typ) || typ != "Floor" && op.Constant(n.Input(1)) == nil {
			return nil
		}
		list, x = append(list, n), n.Input(0)
	}
	return list
}

func isRounded(x *graph.Value) bool { return chain(x) != nil }

// known takes up the rounding of an earlier run.
func (s *snapper) known(n *graph.Node, x *graph.Value) {
	list := chain(x)
	down, up := list[0], list[3]
	if s.rounds[up] == nil {
		s.rounds[up] = &round{up.Input(1), down.Input(1), n}
	}
}

// limit is x within a range, rounded. What reads x twice reads one such value.
func (s *snapper) limit(n *graph.Node, x *graph.Value, span exact.Span, done map[*graph.Value]*graph.Value) (*graph.Value, error) {
	if v := done[x]; v != nil {
		return v, nil
	}
	if math.IsInf(span.Low, 0) || math.IsInf(span.High, 0) {
		var err error
		if span, err = s.measured(x); err != nil {
			return nil, err
		}
	}
	v := s.node(n, "limit", "Clip", x, scalar(n, "low", span.Low), scalar(n, "high", span.High))
	done[x] = s.round(n, v, done)
	return done[x], nil
}

// measured is a range of a value somewhat larger than that on the calibration images.
func (s *snapper) measured(x *graph.Value) (exact.Span, error) {
	span := exact.Span{Unit: exact.Free}
	stats, err := s.Calibrate([]string{x.Name()})
	if err != nil {
		return span, err
	}
	most := stats.Values[x.Name()]
	up := func(side graph.Side) float64 {
		y := 1.25 * float64(most.Percentile(100, graph.OverAll, side))
		if y == 0 {
			return 0
		}
		return math.Exp2(math.Ceil(math.Log2(y)))
	}
	span.Low, span.High = -up(graph.Negative), max(up(graph.Positive), 0x1p-20)
	return span, nil
}

// round is x rounded to a power of two that the plan chooses.
func (s *snapper) round(n *graph.Node, x *graph.Value, done map[*graph.Value]*graph.Value) *graph.Value {
	if v := done[x]; v != nil {
		return v
	}
	up, down := scalar(n, "up", 1), scalar(n, "down", 1)
	first := s.node(n, "up", "Mul", x, up)
	v := s.node(n, "half", "Add", first, scalar(n, "half", 0.5))
	v = s.node(n, "floor", "Floor", v)
	v = s.node(n, "down", "Mul", v, down)
	s.rounds[first.Producer()] = &round{up, down, n}
	done[x] = v
	return v
}

// node inserts an operator in front of n that keeps the type of its first input.
func (s *snapper) node(n *graph.Node, name, typ string, inputs ...*graph.Value) *graph.Value {
	k := s.Insert(n, n, n.Label()+"."+name, graph.Op{Type: typ}, nil, inputs, n.Graph().FreshName(n.Label()+"."+name+".out"))
	if k.Region == graph.SpikingRegion { // an Encode's
		k.Region = graph.AnalogPre
		if p := n.Input(0).Producer(); p != nil {
			k.Region = p.Region
		}
	}
	k.Output(0).Type = inputs[0].Type
	return k.Output(0)
}

func scalar(n *graph.Node, name string, x float64) *graph.Value {
	g := n.Graph()
	return g.AddInitializer(g.FreshName(n.Label()+"."+name), graph.NewFloat32([]int64{}, []float32{float32(x)}))
}

// Relax takes the roundings out of a network again, and the limits in front of them, so that
// it can be trained: they have no gradient. It reports whether there were any.
func Relax(m *graph.Model) (bool, error) {
	var last []*graph.Node
	for n := range m.Graph.Nodes() {
		if n.Is("Mul") && isRounded(n.Output(0)) {
			last = append(last, n)
		}
	}
	for _, n := range last {
		list := chain(n.Output(0))
		x := list[3].Input(0)
		if k := x.Producer(); k != nil && k.Is("Clip") && k.From.Pass == name {
			list, x = append(list, k), k.Input(0)
		}
		if err := m.Graph.ReplaceUses(n.Output(0), x); err != nil {
			return false, err
		}
		for _, k := range list {
			if k.Output(0).NumUses() > 0 {
				break // something else reads it
			}
			if err := m.Graph.Remove(k); err != nil {
				return false, err
			}
		}
	}
	return len(last) > 0, nil
}
