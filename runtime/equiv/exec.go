package equiv

import (
	"context"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// Execute runs a model on named inputs, in float32, and gives its named outputs.
func Execute(m *graph.Model, inputs map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	return Within(context.Background(), 0, m, inputs)
}

// Within is Execute within a context and so many bytes of memory; 0 means [machine.Budget], a
// negative number no limit.
func Within(ctx context.Context, budget int64, m *graph.Model, inputs map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	own := func(f *graph.Function) bool { return f.Domain != graph.Spiking }
	if slices.ContainsFunc(m.Functions, own) {
		return interpret(ctx, budget, m, inputs)
	}
	program, err := exec.Compile(m, exec.Options{Precision: exec.Float32, Budget: budget})
	if err != nil {
		return nil, err
	}
	in := map[string]*ops.Tensor{}
	for name, t := range inputs {
		if in[name], err = ops.FromGraph(t); err != nil {
			return nil, fmt.Errorf("input %q: %w", name, err)
		}
	}
	result, err := program.Run(ctx, in, exec.RunOptions{})
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
	return interpret(context.Background(), 0, m, inputs)
}

// interpreter runs the nodes of a model. It keeps every value to the end.
type interpreter struct {
	*graph.Model
	ctx    context.Context
	budget int64 // negative: no limit
	used   int64 // bytes of the values
}

func interpret(ctx context.Context, budget int64, m *graph.Model, inputs map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	if budget == 0 {
		budget = machine.Budget()
	}
	run := &interpreter{Model: m, ctx: ctx, budget: budget}
	env := map[*graph.Value]*graph.Tensor{}
	for _, v := range m.Graph.Inputs() {
		env[v] = inputs[v.Name()]
	}
	if err := run.graph(m.Graph, m.Opset(""), env); err != nil {
		return nil, err
	}
	out := map[string]*graph.Tensor{}
	for _, v := range m.Graph.Outputs() {
		out[v.Name()] = env[v]
	}
	return out, nil
}

// graph computes every value of g into env, which holds its inputs; nil stands
// for one that a call omits.
func (run *interpreter) graph(g *graph.Graph, opset int64, env map[*graph.Value]*graph.Tensor) error {
	for _, v := range g.Initializers() {
		if env[v] == nil {
			env[v] = v.Const
		}
	}
	for n := range g.Nodes() {
		if err := run.ctx.Err(); err != nil {
			return err
		}
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
		if f := run.Function(n.Op(), n.Overload); f != nil {
			out, err = run.call(n, in, env)
		} else if n.Is("If") {
			out, err = run.branch(n, in, opset, env)
		} else {
			out, err = run.evaluate(n, opset, in)
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

// evaluate computes a node of a standard operator.
func (run *interpreter) evaluate(n *graph.Node, opset int64, in []*graph.Tensor) ([]*graph.Tensor, error) {
	env := &ops.Env{Stop: run.ctx.Err, Claim: func(bytes int64) error {
		if run.budget >= 0 && run.used+bytes > run.budget {
			return &ops.Shortage{Want: bytes, Used: run.used, Limit: run.budget}
		}
		return nil
	}}
	out, err := ops.Evaluate(env, n, opset, in)
	for _, t := range out {
		if t != nil {
			run.used += int64(len(t.Bytes()))
		}
	}
	return out, err
}

// call runs the body of the model-local function that n calls. env is the
// caller's, for graphs that it gives as attributes.
func (run *interpreter) call(n *graph.Node, in []*graph.Tensor,
	env map[*graph.Value]*graph.Tensor) ([]*graph.Tensor, error) {
	f := run.Function(n.Op(), n.Overload)
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
	if err := run.graph(body, f.Opset(""), env); err != nil {
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

func (run *interpreter) branch(n *graph.Node, in []*graph.Tensor, opset int64,
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
	if err := run.graph(sub, opset, env); err != nil {
		return nil, err
	}
	return outputs(sub, env), nil
}
