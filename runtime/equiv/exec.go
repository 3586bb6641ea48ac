package equiv

import (
	"context"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// Execute runs a model on named inputs, in float32, and gives its named outputs.
func Execute(m *graph.Model, inputs map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	own := func(f *graph.Function) bool { return f.Domain != graph.Spiking }
	if slices.ContainsFunc(m.Functions, own) {
		return Interpret(m, inputs)
	}
	program, err := exec.Compile(m, exec.Options{Precision: exec.Float32})
	if err != nil {
		return nil, err
	}
	in := map[string]*ops.Tensor{}
	for name, t := range inputs {
		if in[name], err = ops.FromGraph(t); err != nil {
			return nil, fmt.Errorf("input %q: %w", name, err)
		}
	}
	result, err := program.Run(context.Background(), in, exec.RunOptions{})
	if err != nil {
		return nil, err
	}
	out := map[string]*graph.Tensor{}
	for i, v := range m.Graph.Outputs() {
		if out[v.Name()], err = result.Outputs[i].Graph(); err != nil {
			return nil, fmt.Errorf("output %q: %w", v.Name(), err)
		}
	}
	return out, nil
}

// Interpret runs an analog model node by node, whole tensors at a time. It knows
// what the executor leaves to passes: functions of the model, and If.
func Interpret(m *graph.Model, inputs map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	env := map[*graph.Value]*graph.Tensor{}
	for _, v := range m.Graph.Inputs() {
		env[v] = inputs[v.Name()]
	}
	if err := runGraph(m, m.Graph, m.Opset(""), env); err != nil {
		return nil, err
	}
	out := map[string]*graph.Tensor{}
	for _, v := range m.Graph.Outputs() {
		out[v.Name()] = env[v]
	}
	return out, nil
}

// runGraph computes every value of g into env, which holds its inputs; nil stands
// for one that a call omits.
func runGraph(m *graph.Model, g *graph.Graph, opset int64,
	env map[*graph.Value]*graph.Tensor) error {
	for _, v := range g.Initializers() {
		if env[v] == nil {
			env[v] = v.Const
		}
	}
	for n := range g.Nodes() {
		in := make([]*graph.Tensor, n.NumInputs())
		for i, v := range n.Inputs() {
			if v == nil {
				continue
			}
			if in[i] = env[v]; in[i] == nil {
				return fmt.Errorf("node %q: input %q has no value", n.Label(), v.Name())
			}
		}
		var out []*graph.Tensor
		var err error
		if f := m.Function(n.Op(), n.Overload); f != nil {
			out, err = call(m, n, in, env)
		} else if n.Is("If") {
			out, err = branch(m, n, in, opset, env)
		} else {
			out, err = ops.Evaluate(&ops.Env{}, n, opset, in)
		}
		if err != nil {
			return fmt.Errorf("node %q: %w", n.Label(), err)
		}
		for i, v := range n.Outputs() {
			if v != nil && i < len(out) {
				env[v] = out[i]
			}
		}
	}
	return nil
}

// call runs the body of the model-local function that n calls. env is the
// caller's, for graphs that it gives as attributes.
func call(m *graph.Model, n *graph.Node, in []*graph.Tensor,
	env map[*graph.Value]*graph.Tensor) ([]*graph.Tensor, error) {
	f := m.Function(n.Op(), n.Overload)
	body := f.Instantiate(n)
	for i, v := range body.Inputs() {
		if n.Input(i) != nil {
			env[v] = in[i]
			continue
		}
		for _, u := range v.Uses() {
			u.Node.SetInput(u.Index, nil)
		}
	}
	if err := runGraph(m, body, f.Opset(""), env); err != nil {
		return nil, err
	}
	return outputs(body, env), nil
}

func outputs(g *graph.Graph, env map[*graph.Value]*graph.Tensor) []*graph.Tensor {
	var out []*graph.Tensor
	for _, v := range g.Outputs() {
		out = append(out, env[v])
	}
	return out
}

func branch(m *graph.Model, n *graph.Node, in []*graph.Tensor, opset int64,
	env map[*graph.Value]*graph.Tensor) ([]*graph.Tensor, error) {
	conditions, err := in[0].Int64s()
	if err != nil {
		return nil, err
	}
	name := "else_branch"
	if conditions[0] != 0 {
		name = "then_branch"
	}
	sub, err := graph.Get[*graph.Graph](n.Attrs, name, nil)
	if err != nil || sub == nil {
		return nil, fmt.Errorf("attribute %s is no graph or is missing (%v)", name, err)
	}
	if err := runGraph(m, sub, opset, env); err != nil {
		return nil, err
	}
	return outputs(sub, env), nil
}
