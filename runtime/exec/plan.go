package exec

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// plan is what Compile decides of a model: operators bound, weights packed, the order
// and the lifetimes. Nothing changes it afterwards.
type plan struct {
	graph     *graph.Graph
	functions graph.FunctionIndex
	inputs    []*graph.Value
	pool      *machine.Pool
	timing    *timing
	consts    map[*graph.Value]*ops.Tensor
	units     []unit
	frees     [][]*graph.Value     // values whose last reader is the unit
	feeds     map[*graph.Node]bool // what computes the input of an Encode
	// thresholds tells that last bits matter, see hasThresholds.
	thresholds bool
	works      []*work               // every node that is charged for: those of layers first
	winograd   map[*graph.Node]bool  // convolutions by Winograd
	constant   map[*graph.Value]bool // of two phases: depends on encoded inputs alone
}

// unit is one entry of the plan.
type unit interface {
	nodes() []*graph.Node
	reads() []*graph.Value
	run(r *run) error
}

func newPlan(m *graph.Model, o Options) (*plan, error) {
	p := &plan{graph: m.Graph, functions: m.FunctionIndex(), pool: o.Pool, thresholds: hasThresholds(m.Graph), winograd: map[*graph.Node]bool{},
		constant: map[*graph.Value]bool{}}
	if p.pool == nil {
		p.pool = machine.NewPool(1)
	}
	p.inputs = slices.DeleteFunc(m.Graph.Inputs(), (*graph.Value).IsInitializer)
	err := checkVersion(m)
	if err != nil {
		return nil, err
	}
	if p.timing, err = analyse(m.Graph, o.Timesteps); err != nil {
		return nil, err
	}
	if err := p.constants(); err != nil {
		return nil, err
	}
	if err := p.tensors(); err != nil {
		return nil, err
	}
	p.current()
	if err := p.bindAll(m, o.Precision); err != nil {
		return nil, err
	}
	p.lifetimes()
	return p, nil
}

// checkVersion refuses spiking operators that the version of their domain does not have.
func checkVersion(m *graph.Model) error {
	version := m.Opset(graph.Spiking)
	for n := range m.Graph.Nodes() {
		if s := op.Lookup(n.Op()); n.Op().Domain == graph.Spiking && version != 0 && s != nil && s.Form(version) == nil {
			return op.CheckArity(n, version)
		}
	}
	return nil
}

// tensors refuses inputs and outputs that are none.
func (p *plan) tensors() error {
	for _, v := range slices.Concat(p.inputs, p.graph.Outputs()) {
		if k := v.Type.Kind; k != graph.TensorType && k != graph.NoType {
			return fmt.Errorf("%q is %v, want inputs and outputs that are tensors", v.Name(), v.Type)
		}
	}
	return nil
}

// constants takes the initializers over.
func (p *plan) constants() error {
	p.consts = map[*graph.Value]*ops.Tensor{}
	for _, v := range p.graph.Initializers() {
		if v.Sparse != nil {
			return fmt.Errorf("initializer %q is sparse; sparse initializers cannot be run", v.Name())
		}
		if v.Const.DType == graph.StringType {
			continue // only an unsupported operator could read it
		}
		t, err := ops.FromGraph(v.Const)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", v.Name(), err)
		}
		p.consts[v] = t
	}
	return nil
}

// bindAll binds every node and orders the units.
func (p *plan) bindAll(m *graph.Model, precision Precision) error {
	owner := map[*graph.Node]unit{}
	if p.timing.sums() {
		if err := p.checkSums(); err != nil {
			return err
		}
	}
	for _, g := range groups(p.graph, p.timing) {
		l, err := p.layer(m, g)
		if err != nil {
			return err
		}
		u := p.choose(m, l, precision)
		for _, n := range u.nodes() {
			owner[n] = u
		}
	}
	for n := range p.graph.Nodes() {
		if owner[n] != nil {
			continue
		}
		u, err := p.other(m, n)
		if err != nil {
			return err
		}
		owner[n] = u
	}
	if p.timing.sums() && precision == FixedPoint {
		p.integers(owner)
	}
	p.joinEncoded(owner)
	if err := p.firstLayers(owner); err != nil {
		return err
	}
	if err := p.chains(m, owner); err != nil {
		return err
	}
	p.order(owner)
	return nil
}

// choose gives the fastest unit for a layer.
func (p *plan) choose(m *graph.Model, l *layer, precision Precision) unit {
	if precision == Float32 {
		return l
	}
	if f := p.fixed(m, l); f != nil {
		return f
	}
	if s := p.steady(l); s != nil {
		return s
	}
	if r := p.readout(l); r != nil {
		return r
	}
	return l
}

// other binds a node that is not part of a layer.
func (p *plan) other(m *graph.Model, n *graph.Node) (unit, error) {
	if p.timing.sums() && p.inTime(n) {
		return p.summed(m, n)
	}
	for _, v := range ops.Reads(n) {
		if v != nil && p.timing.timed[v] {
			return nil, op.Errorf(n, "reads time-major value %q, but no neuron or readout follows",
				v.Name())
		}
	}
	if n.IsSpiking("Encode") && p.timing.ownSteps(n) {
		return &encode{alone{n}}, nil
	}
	if n.Op().Domain == graph.Spiking {
		return p.untimed(m, n)
	}
	bound, err := p.bind(m, n)
	if err != nil {
		return nil, err
	}
	p.weigh(n)
	return &analog{alone: alone{n}, op: bound}, nil
}

// bind is bind for an operator of the plan: a Conv takes the fastest way, whose last
// bits are its own, unless the model has thresholds.
func (p *plan) bind(m *graph.Model, n *graph.Node) (ops.Op, error) {
	if !n.Is("Conv") || p.thresholds || p.functions.Of(n) != nil {
		return p.bindExact(m, n)
	}
	o, winograd, err := ops.BindFast(n, m.Opset(""))
	p.winograd[n] = winograd
	return o, err
}

// hasThresholds reports whether a model makes spikes or, like one whose neurons are
// unrolled or quantised, compares or rounds: there a last bit moves a spike, and every form
// of a network has to give the same.
func hasThresholds(g *graph.Graph) bool {
	for n := range g.Nodes() {
		if n.Op().Domain == graph.Spiking {
			return true
		}
		for _, name := range []string{"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Sign", "QuantizeLinear"} {
			if n.Is(name) {
				return true
			}
		}
		// Of a tensor of images, not of a size that is computed with; where types are not known, of numbers of
		// spikes, which are clipped.
		if n.Is("Floor") && (len(n.Input(0).Type.Shape) > 2 || slices.ContainsFunc(n.Output(0).Uses(), func(u graph.Use) bool { return u.Node.Is("Clip") })) {
			return true
		}
	}
	return false
}

// bindExact makes an operator ready, or says why this program cannot run it.
func (p *plan) bindExact(m *graph.Model, n *graph.Node) (ops.Op, error) {
	if p.functions.Of(n) != nil {
		return nil, op.Errorf(n, "calls a function of the model's own; inline it first")
	}
	return ops.Bind(n, m.Opset(""))
}

// order lists the units so that each stands after the ones it reads from, and
// otherwise as the nodes stand in the graph.
func (p *plan) order(owner map[*graph.Node]unit) {
	seen := map[unit]bool{}
	var visit func(u unit)
	visit = func(u unit) {
		if seen[u] {
			return
		}
		seen[u] = true
		for _, v := range u.reads() {
			if d := v.Producer(); d != nil {
				visit(owner[d])
			}
		}
		p.units = append(p.units, u)
	}
	for n := range p.graph.Nodes() {
		visit(owner[n])
	}
}

// lifetimes notes after which unit each value is done with.
func (p *plan) lifetimes() {
	last := map[*graph.Value]int{}
	var order []*graph.Value
	touch := func(v *graph.Value, i int) {
		if v != nil && !v.IsOutput() {
			if _, seen := last[v]; !seen {
				order = append(order, v)
			}
			last[v] = i
		}
	}
	for i, u := range p.units {
		for _, v := range u.reads() {
			touch(v, i)
		}
		for _, n := range u.nodes() {
			for _, v := range n.Outputs() {
				touch(v, i)
			}
		}
	}
	p.frees = make([][]*graph.Value, len(p.units))
	for _, v := range order {
		p.frees[last[v]] = append(p.frees[last[v]], v)
	}
}
