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

func (s *split) behind(n *graph.Node) map[*graph.Node]bool {
	seen := map[*graph.Node]bool{}
	var visit func(m *graph.Node)
	visit = func(m *graph.Node) {
		for _, r := range s.readers[m] {
			if !seen[r] {
				seen[r] = true
				visit(r)
			}
		}
	}
	visit(n)
	return seen
}

func (s *split) assign() {
	post := map[*graph.Node]bool{}
	for f := range s.forced {
		post[f] = true
		for n := range s.behind(f) {
			post[n] = true
		}
	}
	for _, n := range s.order {
		switch {
		case post[n] || s.peeled[n]:
			n.Region = graph.AnalogPost
		case s.after[n]:
			n.Region = graph.SpikingRegion
		default:
			n.Region = graph.AnalogPre
		}
	}
}
