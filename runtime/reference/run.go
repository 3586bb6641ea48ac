package reference

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
)

// program computes some nodes of the graph, each operator by Gorgonia. It stands
// in for Gorgonia's tape machine, whose operators run in a goroutine of its own,
// where a panic ends the whole program, and which keeps every tensor, or else
// hands it to a pool while a reshaped one still shares its elements.
type program struct {
	outputs gorgonia.Nodes
	steps   []step
}

// step is one operator; drops are the nodes that nobody needs after it.
type step struct {
	node     *gorgonia.Node
	children gorgonia.Nodes
	drops    gorgonia.Nodes
}

func compile(g *gorgonia.ExprGraph, outputs ...*gorgonia.Node) *program {
	p := &program{outputs: outputs}
	seen := map[*gorgonia.Node]bool{}
	var visit func(n *gorgonia.Node)
	visit = func(n *gorgonia.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		var children gorgonia.Nodes
		for it := g.From(n.ID()); it.Next(); {
			children = append(children, it.Node().(*gorgonia.Node))
		}
		for _, c := range children {
			visit(c)
		}
		if n.Op() != nil {
			p.steps = append(p.steps, step{node: n, children: children})
		}
	}
	for _, n := range outputs {
		visit(n)
	}
	needed := map[*gorgonia.Node]bool{}
	for _, n := range outputs {
		needed[n] = true
	}
	for i := len(p.steps) - 1; i >= 0; i-- {
		for _, c := range p.steps[i].children {
			if !needed[c] {
				needed[c] = true
				p.steps[i].drops = append(p.steps[i].drops, c)
			}
		}
	}
	return p
}

// run computes the outputs; they are copies.
func (p *program) run() ([][]float64, error) {
	values := map[*gorgonia.Node]gorgonia.Value{}
	value := func(n *gorgonia.Node) gorgonia.Value {
		if v, ok := values[n]; ok {
			return v
		}
		return n.Value() // an input
	}
	for _, s := range p.steps {
		in := make([]gorgonia.Value, len(s.children))
		for i, c := range s.children {
			in[i] = value(c)
		}
		v, err := s.node.Op().Do(in...)
		if err != nil {
			return nil, fmt.Errorf("gorgonia: %v: %w", s.node.Op(), err)
		}
		values[s.node] = v
		for _, c := range s.drops {
			delete(values, c)
		}
	}
	list := make([][]float64, len(p.outputs))
	for i, n := range p.outputs {
		x, err := elements(value(n))
		if err != nil {
			return nil, err
		}
		list[i] = slices.Clone(x)
	}
	return list, nil
}

// OutputShape is the shape of the output; the slices of a time-major one follow
// each other along the first axis.
func (n *Net) OutputShape() []int { return n.out.Shape() }

// Distance is the smallest |u/level - 1| of the last run: how close a membrane
// potential came to the level that it fires from, in units of theta; +Inf when
// there are no neurons. Below the other side's precision, spikes may differ.
func (n *Net) Distance() float64 { return n.near.distance }

// Forward computes the output for an input in row-major order.
func (n *Net) Forward(x []float32) ([]float32, error) {
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	y, err := n.Output(wide)
	if err != nil {
		return nil, err
	}
	narrow := make([]float32, len(y))
	for i, v := range y {
		narrow[i] = float32(v)
	}
	return narrow, nil
}

// Output is Forward in the reference's own precision.
func (n *Net) Output(x []float64) (y []float64, err error) {
	defer recovered(&err)
	if err := n.in.set(x); err != nil {
		return nil, err
	}
	n.near.distance = math.Inf(1)
	out, err := n.forward.run()
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// Gradient is dL/dv for the input or a parameter v.
type Gradient struct {
	Name  string
	Dims  []int
	Value []float64
}

// Gradients differentiates L = sum(gradOut .* output) at the input x, with
// respect to the input, which comes first, and to every parameter in the order of
// the model's initializers. What the output does not depend on has gradient 0.
func (n *Net) Gradients(x, gradOut []float64) (list []Gradient, err error) {
	defer recovered(&err)
	all := append([]*parameter{n.in}, n.params...)
	if err := n.differentiate(all); err != nil {
		return nil, err
	}
	if want := product(n.out.Shape()); len(gradOut) != want {
		return nil, fmt.Errorf("gradient of %d numbers, want %d as the output has", len(gradOut), want)
	}
	if err := gorgonia.Let(n.seed, dense(n.seed.Shape(), slices.Clone(gradOut))); err != nil {
		return nil, err
	}
	if err := n.in.set(x); err != nil {
		return nil, err
	}
	n.near.distance = math.Inf(1)
	grads, err := n.backward.run()
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		list = append(list, Gradient{p.name, p.dims, grads[i]})
	}
	return list, nil
}

func (n *Net) differentiate(all []*parameter) error {
	if n.backward != nil {
		return nil
	}
	if err := n.size.differentiable(); err != nil {
		return err
	}
	shape := n.out.Shape()
	n.seed = gorgonia.NewTensor(n.graph, gorgonia.Float64, len(shape), gorgonia.WithShape(shape...),
		gorgonia.WithName("gradient of the output"))
	var wrt gorgonia.Nodes
	for _, p := range all {
		wrt = append(wrt, p.node)
	}
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{n.out}, gorgonia.Nodes{n.seed}, wrt)
	if err != nil {
		return fmt.Errorf("gorgonia: %w", err)
	}
	n.backward = compile(n.graph, grads...)
	return nil
}

// Parameters is the names of the parameters, in the order of the gradients.
func (n *Net) Parameters() []string {
	var names []string
	for _, p := range n.params {
		names = append(names, p.name)
	}
	return names
}

// Parameter is the values of a parameter, nil when there is none of that name.
func (n *Net) Parameter(name string) []float64 {
	for _, p := range n.params {
		if p.name == name {
			if x, err := elements(p.node.Value()); err == nil {
				return slices.Clone(x)
			}
		}
	}
	return nil
}

// SetParameter replaces the values of a parameter.
func (n *Net) SetParameter(name string, x []float64) error {
	for _, p := range n.params {
		if p.name == name {
			return p.set(x)
		}
	}
	return fmt.Errorf("no parameter is called %q", name)
}

func (p *parameter) set(x []float64) error {
	if len(x) != product(p.dims) {
		return fmt.Errorf("%d numbers for %q, want %d as dimensions %v have", len(x), p.name, product(p.dims), p.dims)
	}
	return gorgonia.Let(p.node, dense(p.node.Shape(), slices.Clone(x)))
}
