// Package plain holds what the passes share that lower a spiking network to a plain one,
// of standard operators alone.
package plain

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/annotations"
	"spikingir/passes/spiking"
)

// Lowering is one run of such a pass.
type Lowering struct {
	*passes.Context
	// Heirs is what takes over an output of a lowered node.
	Heirs map[*graph.Value]*graph.Value
	// Record goes into the lowered model's metadata.
	Record *annotations.Record
	spent  []*graph.Value // initializers that others may have taken the place of
}

// New begins a lowering to a form, as it is before it changes the model.
func New(c *passes.Context, form string) *Lowering {
	return &Lowering{Context: c, Heirs: map[*graph.Value]*graph.Value{}, Record: annotations.Begin(c.Model, form)}
}

// Run calls lower for every spiking node, which builds what computes the node's outputs
// and notes it in Heirs. Then the heirs take the nodes' place: one that makes what the old
// node made keeps its name and metadata.
func (l *Lowering) Run(lower func(*graph.Node) error) (changed bool, err error) {
	return l.RunOn(isSpiking, lower)
}

func isSpiking(n *graph.Node) bool { return n.Op().Domain == graph.Spiking }

// RunOn is Run for every node that chosen tells, which it is asked when those before it are
// lowered.
func (l *Lowering) RunOn(chosen func(*graph.Node) bool, lower func(*graph.Node) error) (changed bool, err error) {
	var old []*graph.Node
	for n := range l.Model.Graph.Nodes() {
		if !chosen(n) {
			continue
		}
		if err := lower(n); err != nil {
			return len(old) > 0, err
		}
		old = append(old, n)
	}
	// Backwards, so that a node's spiking readers, which took its slices, are
	// gone before it.
	for _, n := range slices.Backward(old) {
		if err := l.settle(n); err != nil {
			return true, err
		}
	}
	for _, v := range l.spent {
		if v.IsInitializer() && !v.IsInput() && !Wanted(v) {
			if err := l.Model.Graph.RemoveInitializer(v); err != nil {
				return true, err
			}
		}
	}
	if dropped := dropDomain(l.Model); len(old) == 0 {
		return dropped, nil
	}
	if err := l.Record.Finish(); err != nil {
		return true, err
	}
	return true, infer.Model(l.Model)
}

// stated says that the initializer from is the product of v and a factor.
func (l *Lowering) stated(v, from *graph.Value, factor float32) {
	l.Record.Sources[v] = annotations.Tensor{From: from.Name(), Factor: &factor}
}

// Spend notes that others may have taken the place of v, which goes with them when it is
// an initializer.
func (l *Lowering) Spend(v *graph.Value) {
	if !slices.Contains(l.spent, v) {
		l.spent = append(l.spent, v)
	}
}

// settle hands the outputs of n over and removes it.
func (l *Lowering) settle(n *graph.Node) error {
	name := n.Name
	heirs := make([]*graph.Value, n.NumOutputs())
	var keeper *graph.Node // of n's name
	for i, v := range n.Outputs() {
		if v == nil {
			continue
		}
		if heirs[i] = l.Heirs[v]; heirs[i] != nil && i == 0 {
			keeper = heirs[i].Producer()
		}
	}
	if keeper != nil {
		keeper.Doc, keeper.Metadata = n.Doc, n.Metadata.Clone()
	}
	if err := l.SupersedeAll(n, heirs); err != nil {
		return err
	}
	if keeper != nil {
		keeper.Name = name
	}
	return nil
}

// dropDomain takes away the functions of the spiking domain, and its import
// when nothing is left of it.
func dropDomain(m *graph.Model) (changed bool) {
	functions, imports := len(m.Functions), len(m.Opsets)
	m.Functions = slices.DeleteFunc(m.Functions, func(f *graph.Function) bool {
		return f.Domain == graph.Spiking
	})
	for g := range m.Graphs() {
		for n := range g.Nodes() {
			if n.Op().Domain == graph.Spiking {
				return functions != len(m.Functions)
			}
		}
	}
	m.Opsets = slices.DeleteFunc(m.Opsets, func(o graph.Opset) bool { return o.Domain == graph.Spiking })
	return functions != len(m.Functions) || imports != len(m.Opsets)
}

// Unknown says that no pass knows what n computes.
func Unknown(n *graph.Node) error {
	return op.Unsupportedf(n, "the operator is not known, want one of Encode, Bias, IF, MPRN, BurstIF, MultiThresholdIF, SignedIF, Decode, CPM")
}

// Wanted reports whether something reads v.
func Wanted(v *graph.Value) bool { return v != nil && (v.NumUses() > 0 || v.IsOutput()) }

// Node adds a node that descends from n before it and says so by its name, such as
// relu3/MPRN/total; role tells it from n's others.
func (l *Lowering) Node(n *graph.Node, role, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	name := Part(n, role)
	return l.Insert(n, n, name, graph.Op{Type: typ}, attrs, in, n.Graph().FreshName(name)).Output(0)
}

// Part is the name of a part of what stands for n.
func Part(n *graph.Node, role string) string {
	return fmt.Sprintf("%s/%s/%s", n.Label(), n.Op().Type, role)
}

// At is Node for timestep t, from 0: relu3/MPRN/step 4/fires.
func (l *Lowering) At(n *graph.Node, t int64, role, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	return l.Node(n, fmt.Sprintf("step %d/%s", t+1, role), typ, attrs, in...)
}

// Cast gives booleans as numbers.
func Cast() graph.Attrs { return graph.Attrs{{Name: "to", Value: graph.Int(graph.Float32)}} }

// Steps is T as a number.
func (l *Lowering) Steps(n *graph.Node, s op.Steps) *graph.Value {
	return spiking.Parameter(n, "timesteps", nil, []float32{float32(s.Timesteps)})
}

// Decode is the readout of the sum of all slices.
func (l *Lowering) Decode(n *graph.Node, d op.Decode, total *graph.Value) {
	l.Heirs[n.Output(0)] = l.Node(n, "rate", "Div", nil, total, l.Steps(n, d.Steps))
}

// CPM is the readout of the sum of all slices.
func (l *Lowering) CPM(n *graph.Node, m op.CPM, total *graph.Value) error {
	var attrs graph.Attrs
	for _, a := range n.Attrs {
		if a.Name != "timesteps" && a.Name != "post" {
			attrs = append(attrs, a)
		}
	}
	residual := m.VRes
	if v := l.Heirs[residual]; v != nil {
		residual = v
	}
	op.StateConv(&attrs, len(m.Kernel))
	mapped := l.Node(n, "mapped", "Conv", attrs, total, m.W)
	o := l.Node(n, "compensated", "Add", nil, mapped, residual)
	o = l.Node(n, "mean", "Div", nil, o, l.Steps(n, m.Steps))
	if m.B != nil {
		b, err := l.perChannel(n, m.B, len(m.Kernel))
		if err != nil {
			return err
		}
		o = l.Node(n, "biased", "Add", nil, o, b)
	}
	l.Heirs[n.Output(0)] = o
	return nil
}

// perChannel is the bias b of a CPM with dimensions for that many axes of space, an
// initializer where b is constant.
func (l *Lowering) perChannel(n *graph.Node, b *graph.Value, space int) (*graph.Value, error) {
	if t := op.Constant(b); t != nil && len(t.Dims) == 1 {
		xs, err := t.Float32s()
		if err != nil {
			return nil, op.Errorf(n, "%q: %v", b.Name(), err)
		}
		l.Spend(b)
		list := spiking.Parameter(n, "biases", spiking.PerChannel(len(xs), space+2), xs)
		l.stated(b, list, 1)
		return list, nil
	}
	axes := make([]int64, space)
	for i := range axes {
		axes[i] = int64(i) + 1
	}
	g := n.Graph()
	list := g.AddInitializer(g.FreshName(n.Label()+".axes"), graph.NewInt64([]int64{int64(len(axes))}, axes))
	return l.Node(n, "bias", "Unsqueeze", nil, b, list), nil
}
