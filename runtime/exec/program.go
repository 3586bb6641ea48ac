package exec

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/fit"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// Options is what a program is compiled with.
type Options struct {
	// Timesteps, when not empty, replaces the T that the model states: rising
	// numbers of timesteps to give results for in one run. The input is a constant
	// current, so the first K of T steps are those of a run of K steps, and the post
	// step is tried from the potentials at each K. Thresholds and weights do not
	// depend on T.
	Timesteps []int
	// Pool runs the kernels; nil makes the program use one thread.
	Pool *machine.Pool
	// Precision is fixed point unless asked otherwise.
	Precision Precision
	// MemoryLimit is the bytes that the values between input and output may take
	// in a run: an image that needs more is restored tile by tile, to the same
	// bits. 0 means DefaultMemoryLimit; a negative number never cuts an image.
	// Where nothing helps a run takes more; [Program.Tiling] tells beforehand.
	MemoryLimit int64
	// Budget is the bytes that a run may take at all: an operator that would take more ends it
	// with an error that names the node. 0 means [machine.Budget]; a negative number is no
	// limit.
	Budget int64
	// Sizes is what sizes of images the model takes, of [fit.Free]: others are padded and their
	// results cut, or refused. nil runs everything as it is.
	Sizes *fit.Sizes
}

// Program is a model made ready to run. It may run any number of times, and several
// times at once: runs take turns on the pool and have buffers of their own, which
// are kept for later runs on inputs of the same size.
type Program struct {
	T         int   // the timesteps of a run; 0 for a model without timed neurons
	Post      int   // 1 when a post step follows
	Timesteps []int // at which results are given, rising; T is the last

	// Timing is what the file states of its neurons' time.
	Timing op.Timing

	plan   *plan
	sizes  *fit.Sizes
	budget int64
	arenas arenas
	tiles  tiles
}

// Compile plans a model. It names the node of the user's model that cannot be
// run.
func Compile(m *graph.Model, o Options) (*Program, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	pl, err := newPlan(m, o)
	if err != nil {
		return nil, err
	}
	p := &Program{T: pl.timing.steps, Post: pl.timing.post, Timesteps: pl.timing.results,
		Timing: pl.timing.Timing, plan: pl, sizes: o.Sizes, budget: o.Budget}
	if p.budget == 0 {
		p.budget = machine.Budget()
	}
	p.tiles.init(pl, m.Opset(""), o.MemoryLimit)
	return p, nil
}

func (o Options) check() error {
	last := 0
	for _, k := range o.Timesteps {
		if k <= last {
			return fmt.Errorf("timesteps %v, want rising numbers from 1 on", o.Timesteps)
		}
		last = k
	}
	if last > mostSteps {
		return fmt.Errorf("timesteps %d, want at most %d", last, mostSteps)
	}
	return nil
}

// Inputs lists the values that a run must be given: the graph's inputs that
// are not initialized.
func (p *Program) Inputs() []*graph.Value { return slices.Clone(p.plan.inputs) }

// RunOptions is what one run is asked for beside its outputs.
type RunOptions struct {
	// Measure counts spikes, residual potentials and operations. An image is cut into
	// tiles then only where no layer runs step by step; the figures are those of the
	// whole image, but for rounding in the sums of the first layers' potentials.
	Measure bool
	// Observe is called with each analog value as it is computed; the tensor
	// is only valid during the call. The image is not cut into tiles then.
	Observe func(v *graph.Value, t *ops.Tensor)
	// Fired is called with the numbers of spikes of each element of a neuron layer, over all
	// steps of the largest T, its post step included; the tensor is only valid during the call.
	// All is measured then, and the image is not cut into tiles.
	Fired func(n *graph.Node, spikes *ops.Tensor)
	// Progress is called after each unit, of each tile where the image is cut.
	Progress func(done, total int)
}

// Result is what a run gives at one number of timesteps.
type Result struct {
	Timesteps int
	Outputs   []*ops.Tensor // in the order of the graph's outputs
	Neurons   []NeuronReport
	Work      []WorkReport
}

// Run executes the program on inputs by name and gives the result at T timesteps. It
// stops between two slices when the context is done.
func (p *Program) Run(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions) (*Result, error) {
	all, err := p.RunAll(ctx, inputs, o)
	if err != nil {
		return nil, err
	}
	return all[len(all)-1], nil
}

// RunAll is Run with the results at all numbers of timesteps.
func (p *Program) RunAll(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions) ([]*Result, error) {
	o.Measure = o.Measure || o.Fired != nil
	if !p.sizes.Any() && inputs[p.sizes.Input] != nil {
		return p.runFitted(ctx, inputs, o)
	}
	return p.runAll(ctx, inputs, o)
}

// runFitted runs an image, and other inputs of its size, at the size that the network takes. What is
// measured is what was computed, of what was added too.
func (p *Program) runFitted(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions) ([]*Result, error) {
	dims := inputs[p.sizes.Input].Dims
	fitted := maps.Clone(inputs)
	for name, x := range inputs {
		if x == nil || len(x.Dims) != len(dims) || len(dims) != 4 || !slices.Equal(x.Dims[2:], dims[2:]) {
			continue
		}
		var err error
		if fitted[name], err = p.sizes.Fit(x); err != nil {
			return nil, err
		}
	}
	all, err := p.runAll(ctx, fitted, o)
	for _, r := range all {
		for i, y := range r.Outputs {
			r.Outputs[i] = p.sizes.Output(y, dims)
		}
	}
	return all, err
}

// runAll is RunAll on inputs as they are.
func (p *Program) runAll(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions) ([]*Result, error) {
	if x, g := p.cut(inputs, o); g != nil {
		return p.runTiles(ctx, x, g, o)
	}
	var all []*Result
	err := p.execute(ctx, inputs, o, nil, func(r *run) (err error) {
		all, err = r.finish()
		return err
	})
	return all, err
}

// execute runs every unit and gives the run, with the outputs in their slots, to
// done.
func (p *Program) execute(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions, f *frame,
	done func(r *run) error,
) error {
	sizes, err := p.plan.sizes(inputs)
	if err != nil {
		return err
	}
	r := newRun(ctx, p.plan, o, p.arenas.take(sizes))
	defer p.arenas.give(r.arena)
	r.arena.limit = p.budget
	r.frame = f
	for _, v := range r.inputs {
		x := inputs[v.Name()]
		r.slots[v] = &slot{tensor: x}
		if o.Observe != nil {
			o.Observe(v, x)
		}
	}
	if err := r.all(); err != nil {
		return err
	}
	return done(r)
}

// Unit is an entry of a program's plan, the step that RunOptions.Progress
// counts: a standard operator, or a layer of spiking neurons with the linear
// operators before it.
type Unit struct {
	Nodes []*graph.Node
	Work  []int // of the nodes, as indices of Result.Work
	// FixedPoint tells that the layer is computed in integers.
	FixedPoint bool
	// WeightBits is the size of the weights of a unit in integers that convolves counts of
	// spikes, 8 or 16; 0 for others.
	WeightBits int
	// StepByStep tells that the layer runs one timestep after another.
	StepByStep bool
}

// Units lists the plan in the order of execution.
func (p *Program) Units() []Unit {
	at := make(map[*graph.Node]int, len(p.plan.works))
	for i, w := range p.plan.works {
		at[w.node] = i
	}
	list := make([]Unit, len(p.plan.units))
	for i, u := range p.plan.units {
		list[i].Nodes = u.nodes()
		switch u := u.(type) {
		case *fixedLayer:
			list[i].FixedPoint = true
		case *countLayer:
			list[i].FixedPoint, list[i].WeightBits = true, u.packed.Bits()
		case *countCurrent:
			list[i].FixedPoint, list[i].WeightBits = true, u.packed.Bits()
		}
		_, list[i].StepByStep = u.(*layer)
		for _, n := range list[i].Nodes {
			if k, ok := at[n]; ok {
				list[i].Work = append(list[i].Work, k)
			}
		}
	}
	return list
}
