package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Reads lists the values that a node is computed from: its inputs, and then those of outer
// graphs that its subgraphs read.
func Reads(n *graph.Node) []*graph.Value {
	list := n.Inputs()
	for _, g := range n.Subgraphs() {
		for _, v := range captures(g) {
			if !slices.Contains(list[n.NumInputs():], v) {
				list = append(list, v)
			}
		}
	}
	return list
}

// captures lists the values of outer graphs that g reads.
func captures(g *graph.Graph) (list []*graph.Value) {
	add := func(v *graph.Value) {
		if v != nil && v.Graph() != g && !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	for n := range g.Nodes() {
		for _, v := range Reads(n) {
			add(v)
		}
	}
	return list
}

// body is a subgraph made ready to run.
type body struct {
	graph  *graph.Graph
	nodes  []*graph.Node
	ops    []Op
	reads  [][]*graph.Value
	consts map[*graph.Value]*Tensor
}

// bindBody binds the nodes of the graph that an attribute holds.
func bindBody(n *graph.Node, attr string, opset int64) (*body, error) {
	a, _ := n.Attrs.Lookup(attr)
	g, ok := a.(*graph.Graph)
	if !ok {
		return nil, op.Errorf(n, "attribute %q is missing or no graph, want a graph", attr)
	}
	b := &body{graph: g, consts: map[*graph.Value]*Tensor{}}
	for _, v := range g.Initializers() {
		if v.Const == nil {
			return nil, op.Errorf(n, "initializer %q of %s is sparse, want a dense tensor", v.Name(), attr)
		}
		t, err := FromGraph(v.Const)
		if err != nil {
			return nil, op.Errorf(n, "initializer %q of %s: %v", v.Name(), attr, err)
		}
		b.consts[v] = t
	}
	for inner := range g.Nodes() {
		o, err := Bind(inner, opset)
		if err != nil {
			return nil, err
		}
		b.nodes, b.ops, b.reads = append(b.nodes, inner), append(b.ops, o), append(b.reads, Reads(inner))
	}
	return b, nil
}

// run computes the outputs from inputs, and from what outer graphs hold. The results are tensors of their own. Beside what the body computes, kept bytes
// are in use meanwhile.
func (b *body) run(env *Env, in []*Tensor, outer map[*graph.Value]*Tensor, kept int64) ([]*Tensor, error) {
	check(env.stopped())
	inner := env.within(kept)
	values := map[*graph.Value]*Tensor{}
	for v, t := range outer {
		values[v] = t
	}
	for v, t := range b.consts {
		values[v] = t
	}
	for i, v := range b.graph.Inputs() {
		if i < len(in) {
			values[v] = in[i]
		}
	}
	for i, o := range b.ops {
		args := make([]*Tensor, len(b.reads[i]))
		for k, v := range b.reads[i] {
			if v == nil {
				continue
			}
			if args[k] = values[v]; args[k] == nil {
				return nil, op.Errorf(b.nodes[i], "reads %q before it is computed", v.Name())
			}
		}
		out, err := o.Run(inner, args)
		if err != nil {
			return nil, err
		}
		for k, t := range out {
			if v := b.nodes[i].Output(k); v != nil {
				values[v] = t
			}
		}
	}
	results := make([]*Tensor, len(b.graph.Outputs()))
	for i, v := range b.graph.Outputs() {
		t := values[v]
		if t == nil {
			return nil, fmt.Errorf("output %q of the subgraph is not computed", v.Name())
		}
		results[i] = inner.copyOf(t)
	}
	return results, nil
}

// bytesOf is the memory that tensors take.
func bytesOf(list []*Tensor) (n int64) {
	for _, t := range list {
		if t != nil {
			n += t.bytes()
		}
	}
	return n
}

// outerOf pairs the values of outer graphs that n reads with their tensors, which follow
// those of its inputs.
func outerOf(n *graph.Node, in []*Tensor) map[*graph.Value]*Tensor {
	outer := map[*graph.Value]*Tensor{}
	for i, v := range Reads(n)[n.NumInputs():] {
		outer[v] = in[n.NumInputs()+i]
	}
	return outer
}

func condition(t *Tensor) (bool, error) {
	if t.DType != graph.Bool || t.Len() != 1 {
		return false, fmt.Errorf("the condition is %v, want one bool", t)
	}
	return t.I64[0] != 0, nil
}

func bindIf(n *graph.Node, opset int64) (runner, error) {
	var branches [2]*body
	for i, name := range []string{"then_branch", "else_branch"} {
		var err error
		if branches[i], err = bindBody(n, name, opset); err != nil {
			return nil, err
		}
		if got := len(branches[i].graph.Outputs()); got != n.NumOutputs() {
			return nil, op.Errorf(n, "%s has %d outputs, want %d as the node", name, got, n.NumOutputs())
		}
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		branch := branches[1]
		if must(condition(in[0])) {
			branch = branches[0]
		}
		return branch.run(env, nil, outerOf(n, in), 0)
	}, nil
}

// bindLoop: trip count, condition and state in; state and what is stacked out. The body takes the
// iteration, the condition and the state and gives the condition, the state and slices.
func bindLoop(n *graph.Node, opset int64) (runner, error) {
	b, err := bindBody(n, "body", opset)
	if err != nil {
		return nil, err
	}
	carried := n.NumInputs() - 2
	if in, out := len(b.graph.Inputs()), len(b.graph.Outputs()); carried < 0 || in != carried+2 || out != n.NumOutputs()+1 || n.NumOutputs() < carried {
		return nil, op.Errorf(n, "the body has %d inputs and %d outputs, want %d and %d", in, out, carried+2, n.NumOutputs()+1)
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		trips := int64(-1)
		if in[0] != nil {
			if in[0].DType.IsFloat() || in[0].Len() != 1 {
				return nil, fmt.Errorf("input 0 (trip count) is %v, want one integer", in[0])
			}
			trips = max(in[0].I64[0], 0)
		}
		goOn := &Tensor{DType: graph.Bool, Dims: []int{}, I64: []int64{1}}
		if in[1] != nil {
			goOn = in[1]
		}
		state, outer := slices.Clone(in[2:n.NumInputs()]), outerOf(n, in)
		for i := range state {
			state[i] = env.copyOf(state[i])
		}
		scans, kept := make([]stack, n.NumOutputs()-carried), int64(0)
		for i := int64(0); must(condition(goOn)) && i != trips; i++ {
			args := append([]*Tensor{Ints([]int64{i}), goOn}, state...)
			out, err := b.run(env, args, outer, kept+bytesOf(state))
			if err != nil {
				return nil, err
			}
			goOn, state = out[0], out[1:1+carried]
			for k := range scans {
				check(scans[k].push(out[1+carried+k]))
			}
			kept += bytesOf(out[1+carried:])
			env.step(i+1, max(trips, 0))
		}
		env.claim(bytesOf(state))
		return append(state, joinAll(env, scans, b.graph.Outputs()[1+carried:], nil, nil)...), nil
	}, nil
}

// stack collects the slices of one result.
type stack []*Tensor

func (s *stack) push(t *Tensor) error {
	if len(*s) > 0 && ((*s)[0].DType != t.DType || !slices.Equal((*s)[0].Dims, t.Dims)) {
		return fmt.Errorf("a slice of a result is %v after %v, want the same", t, (*s)[0])
	}
	*s = append(*s, t)
	return nil
}

// joinAll stacks the slices of each result along an axis of its own, the first by default, in
// reverse where the direction is 1. declared tells the type of a result without slices.
func joinAll(env *Env, scans []stack, declared []*graph.Value, axes, directions []int64) []*Tensor {
	var list []*Tensor
	for i, s := range scans {
		if entry(directions, i) != 0 {
			slices.Reverse(s)
		}
		if len(s) == 0 {
			list = append(list, noSlices(env, declared[i]))
			continue
		}
		axis := must(axisOf(entry(axes, i), s[0].Rank()+1))
		y := env.alloc(s[0].DType, slices.Insert(slices.Clone(s[0].Dims), axis, len(s)))
		count, block := product(s[0].Dims[:axis]), product(s[0].Dims[axis:])
		for k, t := range s {
			copyBlocks(y, t, count, block, len(s)*block, k*block, block, 0)
		}
		list = append(list, y)
	}
	return list
}

// noSlices is the result of no iteration: of the size declared, 0 where that is open.
func noSlices(env *Env, v *graph.Value) *Tensor {
	elem := v.Type.Elem
	if !Computable(elem) {
		elem = graph.Float32
	}
	dims := []int{0}
	for _, d := range v.Type.Shape {
		n, _ := d.Size()
		dims = append(dims, int(n))
	}
	return env.alloc(elem, dims)
}

// entry is entry i of a list that may be shorter, 0 then.
func entry(list []int64, i int) int64 {
	if i < len(list) {
		return list[i]
	}
	return 0
}

// bindScan: state and sequences in; state and stacked slices out.
func bindScan(n *graph.Node, opset int64) (runner, error) {
	s, err := op.ScanOf(n)
	if err != nil {
		return nil, err
	}
	b, err := bindBody(n, "body", opset)
	if err != nil {
		return nil, err
	}
	carried := n.NumInputs() - int(s.Scanned)
	if in, out := len(b.graph.Inputs()), len(b.graph.Outputs()); carried < 0 || in != n.NumInputs() || out != n.NumOutputs() || out < carried {
		return nil, op.Errorf(n, "the body has %d inputs and %d outputs with %d scanned, want %d and %d",
			in, out, s.Scanned, n.NumInputs(), n.NumOutputs())
	}
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		state, sequences, outer := slices.Clone(in[:carried]), in[carried:n.NumInputs()], outerOf(n, in)
		for i := range state {
			state[i] = env.copyOf(state[i])
		}
		steps := -1
		cut := make([][]*Tensor, len(sequences))
		for i, t := range sequences {
			axis := must(axisOf(entry(s.InAxes, i), t.Rank()))
			if steps >= 0 && t.Dims[axis] != steps {
				return nil, fmt.Errorf("scanned inputs have %d and %d slices, want the same", steps, t.Dims[axis])
			}
			steps = t.Dims[axis]
			env.claim(int64(steps) * tensorBytes)
			pieces := make([]int, steps)
			fill(pieces, 1)
			cut[i] = split(env.scratch(), t, axis, pieces)
			for k, p := range cut[i] {
				cut[i][k] = p.view(slices.Delete(slices.Clone(p.Dims), axis, axis+1))
			}
			if entry(s.InDirections, i) != 0 {
				slices.Reverse(cut[i])
			}
		}
		scans, kept := make([]stack, n.NumOutputs()-carried), int64(0)
		for k := range steps {
			args := slices.Clone(state)
			for i := range cut {
				args = append(args, cut[i][k])
			}
			out, err := b.run(env, args, outer, kept+bytesOf(state))
			if err != nil {
				return nil, err
			}
			state = out[:carried]
			for i := range scans {
				check(scans[i].push(out[carried+i]))
			}
			kept += bytesOf(out[carried:])
			env.step(int64(k)+1, int64(steps))
		}
		env.claim(bytesOf(state))
		return append(state, joinAll(env, scans, b.graph.Outputs()[carried:], s.OutAxes, s.OutDirections)...), nil
	}, nil
}
