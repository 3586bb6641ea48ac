package infer

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

func (c *call) subgraph(name string) (*graph.Graph, error) {
	a, _ := c.n.Attrs.Lookup(name)
	g, ok := a.(*graph.Graph)
	if !ok {
		return nil, c.failf("attribute %q is missing or no graph, want a graph", name)
	}
	return g, nil
}

// ifRule gives what both branches have in common, or the branch that a known
// condition takes.
func ifRule(c *call) error {
	taken := -1
	if k := c.content[c.n.Input(0)]; len(k) == 1 {
		if n, ok := k[0].num.Int(); ok {
			taken = int(btoi(n == 0))
		}
	}
	var found [2][]graph.Type
	for i, name := range []string{"then_branch", "else_branch"} {
		g := must(c.subgraph(name))
		check(c.graph(g))
		if len(g.Outputs()) != len(c.out) {
			return c.failf("%s has %d outputs, want as many as the node, %d", name,
				len(g.Outputs()), len(c.out))
		}
		for _, v := range g.Outputs() {
			found[i] = append(found[i], c.typeOf(v))
		}
	}
	for i := range c.out {
		if taken >= 0 {
			c.out[i] = found[taken][i]
		} else {
			c.out[i] = common(found[0][i], found[1][i])
		}
	}
	return nil
}

// bind types an input of a subgraph and forgets what an earlier round found.
func (c *call) bind(v *graph.Value, t graph.Type) error {
	delete(c.types, v)
	check(c.settle(c.n, v, t))
	return nil
}

func (s *state) clear(g *graph.Graph) {
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			delete(s.types, v)
			delete(s.content, v)
			delete(s.tensors, v)
		}
		for _, sub := range n.Subgraphs() {
			s.clear(sub)
		}
	}
}

// carried infers a body whose first inputs, from skip on, are fed back from its
// outputs, until their types no longer change: a dimension that a round changes
// is unknown. It gives those types.
func (c *call) carried(body *graph.Graph, skip int, state []graph.Type,
	others func() error) ([]graph.Type, error) {
	inputs, outputs := body.Inputs(), body.Outputs()
	for {
		c.clear(body)
		check(others())
		for i, t := range state {
			check(c.bind(inputs[skip+i], t))
		}
		check(c.graph(body))
		stable := true
		for i, t := range state {
			next := common(t, c.typeOf(outputs[min(skip, 1)+i]))
			stable = stable && next.Equal(t)
			state[i] = next
		}
		if stable {
			return state, nil
		}
	}
}

// loop: inputs trip count, condition, state...; outputs state..., then one
// tensor per scanned output with the trip count in front.
func loop(c *call) error {
	body := must(c.subgraph("body"))
	in, out := body.Inputs(), body.Outputs()
	carried := c.n.NumInputs() - 2
	if len(in) != carried+2 || len(out) != len(c.out)+1 || len(c.out) < carried {
		return c.failf("the body has %d inputs and %d outputs, want %d and %d", len(in), len(out),
			carried+2, len(c.out)+1)
	}
	var state []graph.Type
	for _, v := range c.n.Inputs()[2:] {
		state = append(state, c.typeOf(v))
	}
	copy(c.out, must(c.carried(body, 2, state, func() error {
		check(c.bind(in[0], graph.TensorOf(graph.Int64, graph.Shape{})))
		return c.bind(in[1], graph.TensorOf(graph.Bool, graph.Shape{}))
	})))
	for i := carried; i < len(c.out); i++ {
		c.out[i] = stacked(c.typeOf(out[i+1]), 0, graph.Dim{})
	}
	return nil
}

func stacked(t graph.Type, axis int, d graph.Dim) graph.Type {
	if t.Kind == graph.TensorType && t.Shape != nil && axis <= len(t.Shape) {
		t.Shape = slices.Insert(slices.Clone(t.Shape), axis, d)
	} else if t.Kind == graph.TensorType {
		t.Shape = nil
	}
	return t
}

// scan: inputs state..., scanned...; outputs state..., stacked....
func scan(c *call) error {
	body := must(c.subgraph("body"))
	count, err := graph.Get(c.n.Attrs, "num_scan_inputs", graph.Int(0))
	if err != nil {
		return c.failf("%v", err)
	}
	scanned := int(count)
	in, out := body.Inputs(), body.Outputs()
	carried := c.n.NumInputs() - scanned
	if scanned < 1 || carried < 0 || len(in) != c.n.NumInputs() || len(out) != len(c.out) ||
		len(out) < carried {
		return c.failf("the body has %d inputs and %d outputs with %d scanned, want %d and %d",
			len(in), len(out), scanned, c.n.NumInputs(), len(c.out))
	}
	var state []graph.Type
	for _, v := range c.n.Inputs()[:carried] {
		state = append(state, c.typeOf(v))
	}
	length := graph.Dim{}
	state, err = c.carried(body, 0, state, func() error {
		for i := range scanned {
			t, d, err := c.scanSlice(carried+i, i)
			if err != nil {
				return err
			}
			if length == (graph.Dim{}) {
				length = d
			}
			check(c.bind(in[carried+i], t))
		}
		return nil
	})
	if err != nil {
		return err
	}
	copy(c.out, state)
	return c.scanOutputs(out, carried, length)
}

// scanSlice is the type of one slice of a scanned input and the number of
// slices.
func (c *call) scanSlice(input, i int) (graph.Type, graph.Dim, error) {
	t := c.typeOf(c.n.Input(input))
	if t.Kind != graph.TensorType || t.Shape == nil {
		return t, graph.Dim{}, nil
	}
	axis := must(c.scanAxis("scan_input_axes", i, len(t.Shape)))
	d := t.Shape[axis]
	d.Denotation = ""
	t.Shape = slices.Delete(slices.Clone(t.Shape), axis, axis+1)
	return t, d, nil
}

// scanAxis is entry i of a list of axes, 0 when the list is shorter.
func (c *call) scanAxis(attr string, i, rank int) (int, error) {
	axes, err := graph.Get(c.n.Attrs, attr, graph.Ints(nil))
	if err != nil {
		return 0, c.failf("%v", err)
	}
	if i >= len(axes) {
		return c.axis(0, rank)
	}
	return c.axis(axes[i], rank)
}

func (c *call) scanOutputs(out []*graph.Value, carried int, length graph.Dim) error {
	for i := carried; i < len(out); i++ {
		t := c.typeOf(out[i])
		axis := 0
		if t.Kind == graph.TensorType && t.Shape != nil {
			axis = must(c.scanAxis("scan_output_axes", i-carried, len(t.Shape)+1))
		}
		c.out[i] = stacked(t, axis, length)
	}
	return nil
}

// function infers a copy of the function's body with the types, contents and
// attributes of the call.
func (s *state) function(n *graph.Node, f *graph.Function) error {
	if slices.Contains(s.calls, f.Op()) {
		return op.Errorf(n, "function %v calls itself", f.Op())
	}
	if *s.budget -= f.Body.NumNodes(); *s.budget < 0 {
		return op.Unsupportedf(n, "the functions of the model come to more than %d nodes", maxInlined)
	}
	body := f.Instantiate(n)
	in, out := body.Inputs(), body.Outputs()
	if inputs, outputs := n.Arity(); inputs > len(in) || outputs > len(out) {
		return op.Errorf(n, "%d inputs and %d outputs, want at most %d and %d as the function has",
			inputs, outputs, len(in), len(out))
	}
	inner := *s
	inner.opset = f.Opset
	inner.calls = append(slices.Clone(s.calls), f.Op())
	inner.types = map[*graph.Value]graph.Type{}
	inner.content = map[*graph.Value]content{}
	for i, v := range n.Inputs() {
		if v == nil {
			continue
		}
		inner.types[in[i]] = s.typeOf(v)
		if k, ok := s.content[v]; ok {
			inner.content[in[i]] = k
		}
		if list, ok := s.tensors[v]; ok {
			s.tensors[in[i]] = list
		}
	}
	if err := inner.graph(body); err != nil {
		return fmt.Errorf("node %q (%v): in its function: %w", n.OriginLabel(), n.Op(), err)
	}
	for i, v := range n.Outputs() {
		if v == nil {
			continue
		}
		if err := s.settle(n, v, inner.typeOf(out[i])); err != nil {
			return err
		}
		if k, ok := inner.content[out[i]]; ok {
			s.content[v] = k
		}
		if list, ok := s.tensors[out[i]]; ok {
			s.tensors[v] = list
		}
	}
	return nil
}
