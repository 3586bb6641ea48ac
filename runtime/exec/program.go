package exec

import (
	"context"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// Options is what a program is compiled with.
type Options struct {
	// Timesteps replaces the number of timesteps T that the model states; 0
	// keeps it. Thresholds and weights do not depend on T.
	Timesteps int
	// Checkpoints, when not empty, are rising numbers of timesteps to give
	// results for in one run: the input is a constant current, so the first K
	// of T steps are those of a run of K steps, and the post step is tried from
	// the potentials at each checkpoint. The last one takes the place of
	// Timesteps.
	Checkpoints []int
	// Pool runs the kernels; nil makes the program use one thread.
	Pool *machine.Pool
	// Precision is fixed point unless asked otherwise.
	Precision Precision
	// MemoryLimit is the bytes that the values between input and output may take
	// in a run: an image that needs more is restored tile by tile, to the same
	// bits. 0 means DefaultMemoryLimit; a negative number never cuts an image.
	// Where nothing helps a run takes more; [Program.Tiling] tells beforehand.
	MemoryLimit int64
}

// Program is a model made ready to run: operators bound, weights packed, the
// order and the lifetimes planned. It may be run many times, one at a time.
type Program struct {
	Timesteps   int   // T; 0 for a model without timed neurons
	Post        int   // 1 when a post step follows
	Checkpoints []int // where results are given; T alone unless asked for more

	graph  *graph.Graph
	pool   *machine.Pool
	timing *timing
	consts map[*graph.Value]*ops.Tensor
	units  []unit
	frees  [][]*graph.Value // values whose last reader is the unit
	arena  *arena
	sizes  []int                // of the inputs that the arena's buffers suit
	feeds  map[*graph.Node]bool // what computes the input of an Encode
	// thresholds tells that last bits matter, see hasThresholds.
	thresholds bool
	weights    []*work              // every node that is charged for: those of layers first
	fast       map[*graph.Node]bool // convolutions by minimal filtering
	tiles      tiles
}

// unit is one entry of the plan.
type unit interface {
	nodes() []*graph.Node
	reads() []*graph.Value
	run(r *run) error
}

// Compile plans a model. It names the node of the user's model that cannot be
// run.
func Compile(m *graph.Model, o Options) (*Program, error) {
	p := &Program{graph: m.Graph, pool: o.Pool, arena: newArena(),
		thresholds: hasThresholds(m.Graph), fast: map[*graph.Node]bool{}}
	if p.pool == nil {
		p.pool = machine.NewPool(1)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	var err error
	if p.timing, err = analyse(m.Graph, o.timesteps()); err != nil {
		return nil, err
	}
	p.Timesteps, p.Post = p.timing.steps, p.timing.post
	if p.Timesteps == 0 && o.timesteps() > 0 {
		return nil, fmt.Errorf("the model has no timesteps to set to %d: it is not a spiking model",
			o.timesteps())
	}
	p.Checkpoints = o.Checkpoints
	if len(p.Checkpoints) == 0 {
		p.Checkpoints = []int{p.Timesteps}
	}
	p.timing.marks = p.Checkpoints
	if err := p.constants(); err != nil {
		return nil, err
	}
	p.current()
	if err := p.plan(m, o.Precision); err != nil {
		return nil, err
	}
	p.lifetimes()
	p.tiles = newTiles(p, m.Opset(""), o.MemoryLimit)
	return p, nil
}

func (o Options) check() error {
	last := 0
	for _, k := range o.Checkpoints {
		if k <= last {
			return fmt.Errorf("timesteps %v, want rising numbers", o.Checkpoints)
		}
		last = k
	}
	if last > mostSteps {
		return fmt.Errorf("timesteps %d, want at most %d", last, mostSteps)
	}
	if n := o.timesteps(); n < 0 || n > mostSteps {
		return fmt.Errorf("%d timesteps, want 1 to %d, or 0 for the model's own", n, mostSteps)
	}
	return nil
}

// timesteps is the T asked for, 0 for the model's own.
func (o Options) timesteps() int {
	if n := len(o.Checkpoints); n > 0 {
		return o.Checkpoints[n-1]
	}
	return o.Timesteps
}

// constants takes the initializers over.
func (p *Program) constants() error {
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

// plan binds every node and orders the units.
func (p *Program) plan(m *graph.Model, precision Precision) error {
	owner := map[*graph.Node]unit{}
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
		u, err := p.alone(m, n)
		if err != nil {
			return err
		}
		owner[n] = u
	}
	if err := p.chains(m, owner); err != nil {
		return err
	}
	p.order(owner)
	return nil
}

// choose gives the fastest unit for a layer.
func (p *Program) choose(m *graph.Model, l *layer, precision Precision) unit {
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

// alone binds a node that is not part of a layer.
func (p *Program) alone(m *graph.Model, n *graph.Node) (unit, error) {
	for _, v := range n.Inputs() {
		if v != nil && p.timing.timed[v] {
			return nil, nodeError(n, fmt.Errorf("reads time-major value %q, but no neuron or readout follows",
				v.Name()))
		}
	}
	if n.IsSpiking("Encode") && p.timing.ownSteps(n) {
		return &encode{node: n}, nil
	}
	if n.Op().Domain == graph.Spiking {
		return p.untimed(m, n)
	}
	op, err := p.bind(m, n)
	if err != nil {
		return nil, err
	}
	return &analog{node: n, op: op, work: p.weigh(n)}, nil
}

// bind is bind for an operator of the plan: a Conv takes the fastest way, whose last
// bits are its own, unless the model has thresholds.
func (p *Program) bind(m *graph.Model, n *graph.Node) (ops.Op, error) {
	if !n.Is("Conv") || p.thresholds || m.Function(n.Op(), n.Overload) != nil {
		return bind(m, n)
	}
	o, fast, err := ops.BindFast(n, m.Opset(""))
	p.fast[n] = fast
	return o, err
}

// hasThresholds reports whether a model makes spikes or, like one whose neurons are
// unrolled, compares: there a last bit moves a spike, and every form of a network has
// to give the same.
func hasThresholds(g *graph.Graph) bool {
	for n := range g.Nodes() {
		if n.Op().Domain == graph.Spiking {
			return true
		}
		for _, name := range []string{"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Sign"} {
			if n.Is(name) {
				return true
			}
		}
	}
	return false
}

// bind makes an operator ready, or says why this program cannot run it.
func bind(m *graph.Model, n *graph.Node) (ops.Op, error) {
	if f := m.Function(n.Op(), n.Overload); f != nil {
		return nil, nodeError(n, fmt.Errorf("calls a function of the model's own; inline it first"))
	}
	return ops.Bind(n, m.Opset(""))
}

// order lists the units so that each stands after the ones it reads from, and
// otherwise as the nodes stand in the graph.
func (p *Program) order(owner map[*graph.Node]unit) {
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
func (p *Program) lifetimes() {
	last := map[*graph.Value]int{}
	for i, u := range p.units {
		for _, n := range u.nodes() {
			for _, v := range n.Outputs() {
				if v != nil {
					last[v] = i
				}
			}
		}
		for _, v := range u.reads() {
			last[v] = i
		}
	}
	p.frees = make([][]*graph.Value, len(p.units))
	for i, u := range p.units {
		done := map[*graph.Value]bool{}
		free := func(v *graph.Value) {
			if v != nil && last[v] == i && !v.IsOutput() && !done[v] {
				done[v] = true
				p.frees[i] = append(p.frees[i], v)
			}
		}
		for _, v := range u.reads() {
			free(v)
		}
		for _, n := range u.nodes() {
			for _, v := range n.Outputs() {
				free(v)
			}
		}
	}
}

// Inputs lists the values that a run must be given: the graph's inputs that
// are not initialized.
func (p *Program) Inputs() []*graph.Value {
	return slices.DeleteFunc(p.graph.Inputs(), func(v *graph.Value) bool {
		return v.IsInitializer()
	})
}

// RunOptions is what one run is asked for beside its outputs.
type RunOptions struct {
	// Measure counts spikes, residual potentials and operations. An image is cut into
	// tiles then only where no layer runs step by step; the figures are those of the
	// whole image, but for rounding in the sums of the first layers' potentials.
	Measure bool
	// Observe is called with each analog value as it is computed; the tensor
	// is only valid during the call. The image is not cut into tiles then.
	Observe func(v *graph.Value, t *ops.Tensor)
	// Progress is called after each unit, of each tile where the image is cut.
	Progress func(done, total int)
}

// Result is what a run gives.
type Result struct {
	Timesteps int           // the checkpoint
	Outputs   []*ops.Tensor // in the order of the graph's outputs
	Neurons   []NeuronReport
	Work      []WorkReport
}

// Run executes the program on inputs by name and gives the result of the last
// checkpoint. It stops between two slices when the context is done.
func (p *Program) Run(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions) (*Result, error) {
	all, err := p.RunAll(ctx, inputs, o)
	if err != nil {
		return nil, err
	}
	return all[len(all)-1], nil
}

// RunAll is Run with the results of all checkpoints.
func (p *Program) RunAll(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions) ([]*Result, error) {
	if x, t := p.cut(inputs, o); t != nil {
		return p.runTiles(ctx, x, t, o)
	}
	r := p.newRun(ctx, o)
	defer func() { r.arena.reclaim() }()
	if err := r.execute(inputs); err != nil {
		return nil, err
	}
	return r.finish()
}

func (p *Program) newRun(ctx context.Context, o RunOptions) *run {
	return &run{Program: p, ctx: ctx, o: o, slots: map[*graph.Value]*slot{}, at: everywhere,
		neurons: make([][]NeuronReport, len(p.Checkpoints))}
}

// execute runs every unit; the outputs are left in their slots.
func (r *run) execute(inputs map[string]*ops.Tensor) error {
	if err := r.take(inputs); err != nil {
		return err
	}
	for _, w := range r.weights {
		w.reset(len(r.Checkpoints))
	}
	for i, u := range r.units {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err := r.each(u); err != nil {
			return err
		}
		for _, v := range r.frees[i] {
			r.free(v)
		}
		if r.o.Progress != nil {
			r.o.Progress(i+1, len(r.units))
		}
	}
	return nil
}
