package splitregions

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
)

// split is what the pass knows of each node.
type split struct {
	opset   int64
	order   []*graph.Node
	readers map[*graph.Node][]*graph.Node
	neuron  map[*graph.Node]bool  // an activation that becomes neurons
	after   map[*graph.Node]bool  // is or depends on one
	peeled  map[*graph.Node]bool  // of the end of the network
	forced  map[*graph.Node]error // cannot be spiking, and why
	unfit   map[*graph.Node]error // activations that cannot become neurons, and why
	known   *infer.Sizes          // contents of tensors that state sizes
}

func analyse(m *graph.Model) (*split, error) {
	known, err := infer.SizesOf(m)
	if err != nil {
		return nil, err
	}
	s := &split{
		known:   known,
		opset:   m.Opset(""),
		order:   slices.Collect(m.Graph.Nodes()),
		readers: map[*graph.Node][]*graph.Node{},
		neuron:  map[*graph.Node]bool{},
		after:   map[*graph.Node]bool{},
		peeled:  map[*graph.Node]bool{},
		forced:  map[*graph.Node]error{},
		unfit:   map[*graph.Node]error{},
	}
	weighted := map[*graph.Node]bool{} // is or depends on a layer
	for _, n := range s.order {
		weighted[n] = isLayer(n)
		for _, v := range reads(n) {
			if p := v.Producer(); p != nil {
				s.readers[p] = append(s.readers[p], n)
				s.after[n] = s.after[n] || s.after[p]
				weighted[n] = weighted[n] || weighted[p]
			}
		}
		s.classify(n, weighted[n])
	}
	s.peel()
	for _, n := range s.order {
		if !s.after[n] || s.neuron[n] || s.peeled[n] {
			continue
		}
		err := s.unfit[n]
		if err == nil {
			err = s.check(n)
		}
		if err != nil {
			s.forced[n] = err
		}
	}
	return s, nil
}

// classify tells whether n becomes neurons. A Clip in front of every layer only
// limits the network's input.
func (s *split) classify(n *graph.Node, weighted bool) {
	if !isActivation(n) || n.Is("Clip") && !weighted {
		return
	}
	if err := s.convertible(n); err != nil {
		s.unfit[n] = err
		return
	}
	s.neuron[n], s.after[n] = true, true
}

// reads is the values of its own graph that n depends on, those that its
// subgraphs take from around them included.
func reads(n *graph.Node) []*graph.Value {
	var list []*graph.Value
	for m := range n.Within() {
		for _, v := range m.Inputs() {
			if v != nil && v.Graph() == n.Graph() {
				list = append(list, v)
			}
		}
	}
	return list
}

// peel takes nodes off the network's end: those that only peeled nodes and the
// outputs of the graph read. It stops at layers of weights and at their
// activations; a Clip behind the last layer limits the result and is taken off.
func (s *split) peel() {
	for _, n := range slices.Backward(s.order) {
		if isLayer(n) || isActivation(n) && !n.Is("Clip") && ofLayer(n) {
			continue
		}
		kept := slices.ContainsFunc(s.readers[n], func(r *graph.Node) bool { return !s.peeled[r] })
		s.peeled[n] = !kept
	}
}

// ofLayer reports whether n reads a layer's result, to which constants may have
// been added and by which it may have been multiplied.
func ofLayer(n *graph.Node) bool {
	v := n.Input(0)
	for v != nil && v.Producer() != nil {
		p := v.Producer()
		switch {
		case isLayer(p):
			return true
		case p.Is("BatchNormalization"), p.Is("Identity"):
			v = p.Input(0)
		case p.Is("Add"), p.Is("Sub"), p.Is("Mul"), p.Is("Div"):
			x, _, _, ok := op.Binary{A: p.Input(0), B: p.Input(1)}.Const()
			if !ok {
				return false
			}
			v = x
		default:
			return false
		}
	}
	return false
}

// assign gives every node its region. Time ends in front of an operator that stays analog,
// and begins again at the next activation: what lies between, layers of weights included,
// runs once, on the readouts of what is in front of it.
func (s *split) assign() {
	gates := s.gates()
	spiking := map[*graph.Node]bool{}
	post := map[*graph.Node]bool{} // depends on what is spiking
	for _, n := range s.order {
		reads := reads(n)
		timed, behind := false, false
		for _, v := range reads {
			p := v.Producer()
			timed = timed || spiking[p]
			behind = behind || spiking[p] || post[p]
		}
		switch {
		case gates[n] || s.peeled[n] || s.forced[n] != nil:
		case s.neuron[n], timed:
			spiking[n] = true
			n.Region = graph.SpikingRegion
			continue
		}
		n.Region = graph.AnalogPre
		if post[n] = behind; behind || s.peeled[n] {
			n.Region = graph.AnalogPost
		}
	}
}

// gates is the operators on one number a channel that only operators which stay analog
// read: the pooling, layers and activations of a channel attention, which cost next to
// nothing and would gain nothing by spikes. A network that has no larger tensors has none.
func (s *split) gates() map[*graph.Node]bool {
	gates := map[*graph.Node]bool{}
	if !slices.ContainsFunc(s.order, func(n *graph.Node) bool { return s.neuron[n] && !pooled(n) }) {
		return gates
	}
	for _, n := range slices.Backward(s.order) {
		kept := slices.ContainsFunc(s.readers[n], func(r *graph.Node) bool { return s.forced[r] == nil && !gates[r] })
		gates[n] = s.after[n] && len(s.readers[n]) > 0 && !kept && pooled(n)
	}
	return gates
}

// pooled reports whether what n gives has one number a channel.
func pooled(n *graph.Node) bool {
	for _, v := range n.Outputs() {
		if v == nil {
			continue
		}
		if len(v.Type.Shape) < 2 {
			return false
		}
		for _, d := range v.Type.Shape[2:] {
			if size, known := d.Size(); !known || size != 1 {
				return false
			}
		}
	}
	return true
}
