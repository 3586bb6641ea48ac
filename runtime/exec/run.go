package exec

import (
	"context"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
	"spikingir/runtime/tile"
	"spikingir/runtime/watch"
)

// run is the state of one execution of a plan.
type run struct {
	*plan
	ctx      context.Context
	o        RunOptions
	env      *ops.Env
	arena    *arena
	slots    map[*graph.Value]*slot
	counters map[*graph.Node]*counter   // nil when nothing is counted
	neurons  [][]NeuronReport           // by result
	at       int                        // the result whose analog values are at hand, or every
	frame    *frame                     // nil for the whole image
	areas    map[*graph.Value]tile.Area // of a run that only counts its buffers, see memory.go
	watch    *watch.Watch               // nil where nobody waits
}

// every is the place of analog values that are the same for all results.
const every = -1

// slot is what is known of a value: one field is set, unless it says otherwise.
type slot struct {
	tensor *ops.Tensor   // an analog value
	each   []*ops.Tensor // an analog value that differs by result
	steady *ops.Tensor   // time-major: this at steps 1..T, zero in the post step
	planar *planar       // time-major: spikes, channel by channel
	packed *packed       // time-major: spikes, pixel by pixel; may stand beside planar
	series []*ops.Tensor // time-major: a current, slice by slice
	counts []*counted    // of two phases, by result: spikes; each has their floats, once read
	spikes []*ops.Tensor // of two phases, by result, where measured: the spikes of each element
}

// planar is spikes channel by channel, with the dimensions of a slice.
type planar struct {
	*neuron.Spikes
	dims []int
}

func newRun(ctx context.Context, p *plan, o RunOptions, a *arena) *run {
	r := &run{plan: p, ctx: ctx, o: o, arena: a, env: &ops.Env{Pool: p.pool, Stop: ctx.Err, Alloc: a.tensor, Claim: a.claim},
		slots: map[*graph.Value]*slot{}, neurons: make([][]NeuronReport, len(p.timing.results)), at: every, watch: watch.Of(ctx)}
	r.env.Step = r.watch.Step
	if o.Measure && !a.counting {
		r.counters = map[*graph.Node]*counter{}
		for _, w := range p.works {
			r.counters[w.node] = newCounter(w)
		}
	}
	return r
}

// sizes checks the inputs against the graph's and gives their dimensions, one after
// another.
func (p *plan) sizes(inputs map[string]*ops.Tensor) ([]int, error) {
	known := map[string]bool{}
	var list []int
	for _, v := range p.inputs {
		known[v.Name()] = true
		t := inputs[v.Name()]
		if t == nil {
			return nil, fmt.Errorf("input %q is missing", v.Name())
		}
		if err := fits(v, t); err != nil {
			return nil, err
		}
		list = append(append(list, t.Dims...), -1)
	}
	for name := range inputs {
		if !known[name] {
			return nil, fmt.Errorf("the model has no input %q", name)
		}
	}
	return list, nil
}

// fits checks a tensor against a declared type.
func fits(v *graph.Value, t *ops.Tensor) error {
	want := v.Type
	if want.Kind != graph.TensorType {
		return nil
	}
	if want.Elem != t.DType {
		return fmt.Errorf("input %q is %v, want %v", v.Name(), t.DType, want.Elem)
	}
	if n := len(t.F32) + len(t.I64); n != t.Len() {
		return fmt.Errorf("input %q has dimensions %v and %d elements, want %d",
			v.Name(), t.Dims, n, t.Len())
	}
	if want.Shape == nil {
		return nil
	}
	bad := len(want.Shape) != len(t.Dims)
	for i := 0; !bad && i < len(t.Dims); i++ {
		n, known := want.Shape[i].Size()
		open := n == 0 && len(t.Dims) > 2 // as in infer.Input
		bad = known && !open && n != int64(t.Dims[i])
	}
	if bad {
		return fmt.Errorf("input %q has dimensions %v, want %v", v.Name(), t.Dims, want.Shape)
	}
	return nil
}

// all runs every unit; the outputs are left in their slots.
func (r *run) all() error {
	for i, u := range r.units {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		list := u.nodes()
		last := list[len(list)-1]
		if r.watch != nil {
			r.watch.Unit(i, len(r.units), last.OriginLabel())
		}
		if err := within(last, func() error { return r.unit(u) }); err != nil {
			return err
		}
		r.tellFired(u)
		for _, v := range r.frees[i] {
			r.free(v)
		}
		if r.o.Progress != nil {
			r.o.Progress(i+1, len(r.units))
		}
	}
	return nil
}

// within runs f within the memory that is allowed. Operators say themselves where they take
// more; others panic, and n is named then.
func within(n *graph.Node, f func() error) (err error) {
	defer func() {
		switch s := recover().(type) {
		case nil:
		case *ops.Shortage:
			if err = s; n != nil {
				err = op.Wrap(n, s)
			}
		default:
			panic(s)
		}
	}()
	return f()
}

// unit runs a unit: a layer gives the values of every result in one go, an analog unit
// runs for every result that its inputs differ by.
func (r *run) unit(u unit) error {
	if _, ok := u.(interface{ timed() }); ok || !r.differs(u) {
		return u.run(r)
	}
	for at := range r.timing.results {
		if err := r.forResult(at, u.nodes(), func() error { return u.run(r) }); err != nil {
			return err
		}
	}
	return nil
}

// differs reports whether the unit reads values that differ by result.
func (r *run) differs(u unit) bool {
	return slices.ContainsFunc(u.reads(), func(v *graph.Value) bool {
		s := r.slots[v]
		return s != nil && (s.each != nil || s.counts != nil && len(r.timing.results) > 1)
	})
}

// forResult calls f, whose analog values are those of one result. What it counts for
// the nodes counts for that result alone.
func (r *run) forResult(at int, nodes []*graph.Node, f func() error) error {
	if len(r.timing.results) > 1 {
		r.at = at
	}
	defer func() { r.at = every }()
	before := make([]WorkReport, len(nodes))
	for i, n := range nodes {
		if k := r.counters[n]; k != nil {
			before[i] = k.report
		}
	}
	err := f()
	for i, n := range nodes {
		if k := r.counters[n]; k != nil {
			k.keep(at, len(r.timing.results))
			k.report = before[i]
		}
	}
	return err
}

// compute runs an operator, or takes what its outputs need.
func (r *run) compute(n *graph.Node, o ops.Op, in []*ops.Tensor) ([]*ops.Tensor, error) {
	if r.areas != nil {
		return r.sized(n, in), nil
	}
	return o.Run(r.env, in)
}

// analogValue gives a value that is not time-major; nil for an omitted one.
func (r *run) analogValue(v *graph.Value) *ops.Tensor {
	if v == nil {
		return nil
	}
	if c := r.consts[v]; c != nil {
		return c
	}
	s := r.slots[v]
	switch {
	case s == nil:
		return nil
	case s.counts != nil:
		return r.floatsOf(s)
	case s.each == nil:
		return s.tensor
	case r.at == every:
		return nil
	}
	return s.each[r.at]
}

// analogInputs lists what a node reads; nil stands for what is omitted or not computed.
func (r *run) analogInputs(n *graph.Node) []*ops.Tensor {
	reads := ops.Reads(n)
	in := make([]*ops.Tensor, len(reads))
	for i, v := range reads {
		in[i] = r.analogValue(v)
	}
	return in
}

// parameter gives an analog value that a layer reads at every step; nil for an
// omitted one.
func (r *run) parameter(v *graph.Value) (*ops.Tensor, error) {
	t := r.analogValue(v)
	if t != nil || v == nil {
		return t, nil
	}
	if s := r.slots[v]; s != nil && s.each != nil {
		return nil, fmt.Errorf("value %q depends on a readout and differs by the number of timesteps; "+
			"run the model for one number of timesteps", v.Name())
	}
	return nil, fmt.Errorf("value %q was not computed", v.Name())
}

// put makes t the analog value v.
func (r *run) put(v *graph.Value, t *ops.Tensor) {
	if v == nil {
		r.arena.discard(t)
		return
	}
	r.arena.hold(t)
	switch {
	case r.at == every:
		r.slots[v] = &slot{tensor: t}
	case r.slots[v] == nil:
		r.slots[v] = &slot{each: make([]*ops.Tensor, len(r.timing.results))}
		fallthrough
	default:
		r.slots[v].each[r.at] = t
	}
	if r.o.Observe != nil {
		r.o.Observe(v, t)
	}
}

// free returns the buffers of v.
func (r *run) free(v *graph.Value) {
	s := r.slots[v]
	if s == nil || v.IsInput() {
		return
	}
	delete(r.slots, v)
	r.arena.release(s.tensor)
	r.arena.release(s.steady)
	for _, t := range slices.Concat(s.each, s.series, s.spikes) {
		r.arena.release(t)
	}
	if s.planar != nil {
		r.freePlanar(s.planar)
	}
	if s.packed != nil {
		r.freePacked(s.packed)
	}
	for _, c := range s.counts {
		if c != nil {
			r.freeCounts(c)
		}
	}
}

// finish copies the outputs out of the arena, result by result.
func (r *run) finish() ([]*Result, error) {
	var all []*Result
	for at, steps := range r.timing.results {
		r.at = at
		res := &Result{Timesteps: steps, Neurons: r.neurons[at], Work: r.worked(at)}
		for _, v := range r.graph.Outputs() {
			var t *ops.Tensor
			err := within(v.Producer(), func() (err error) {
				t, err = r.output(v)
				return err
			})
			if err != nil {
				return nil, err
			}
			res.Outputs = append(res.Outputs, t)
		}
		all = append(all, res)
	}
	return all, nil
}

// output is a copy of a graph output; a time-major one is put together.
func (r *run) output(v *graph.Value) (*ops.Tensor, error) {
	if !r.timing.timed[v] {
		t := r.analogValue(v)
		if t == nil {
			return nil, fmt.Errorf("output %q was not computed", v.Name())
		}
		return t.Clone(), nil
	}
	s := r.slots[v]
	if s == nil {
		return nil, fmt.Errorf("output %q is time-major and no neuron or readout follows it", v.Name())
	}
	var dims []int
	var all []float32
	steps := r.timing.results[r.at]
	if first := r.slice(s, 0); first != nil {
		size := len(first.F32) * (steps + r.timing.post)
		r.arena.discard(first)
		if err := r.arena.claim(4 * int64(size)); err != nil {
			return nil, fmt.Errorf("output %q: %w", v.Name(), err)
		}
		all = make([]float32, 0, size)
	}
	for t := range steps + r.timing.post {
		if t == steps {
			t = r.timing.steps + r.at
		}
		slice := r.slice(s, t)
		dims, all = slice.Dims, append(all, slice.F32...)
		r.arena.discard(slice)
	}
	dims = append([]int{dims[0] * (steps + r.timing.post)}, dims[1:]...)
	return &ops.Tensor{DType: graph.Float32, Dims: dims, F32: all}, nil
}

// slice gives slice t of a time-major value that an earlier layer left.
func (r *run) slice(s *slot, t int) *ops.Tensor {
	switch {
	case s.packed != nil:
		x := r.arena.tensor(graph.Float32, s.packed.dims())
		if r.areas == nil {
			s.packed.sum(r.pool, x.F32, []int{t})
		}
		return x
	case s.planar != nil:
		x := r.arena.tensor(graph.Float32, s.planar.dims)
		if r.areas == nil {
			s.planar.Expand(r.pool, x.F32, t)
		}
		return x
	case s.series != nil:
		return s.series[t]
	case t < r.timing.steps:
		return s.steady
	}
	x := r.arena.tensor(graph.Float32, s.steady.Dims)
	clear(x.F32)
	return x
}
