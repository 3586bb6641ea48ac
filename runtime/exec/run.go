package exec

import (
	"context"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// run is the state of one execution.
type run struct {
	*Program
	ctx     context.Context
	o       RunOptions
	env     *ops.Env
	slots   map[*graph.Value]*slot
	neurons [][]NeuronReport // by checkpoint
	at      int              // the checkpoint whose analog values are at hand, or everywhere
	frame   *frame           // nil for the whole image
}

// everywhere is the place of analog values that no checkpoint changes.
const everywhere = -1

// slot is what is known of a value: one field is set.
type slot struct {
	tensor *ops.Tensor   // an analog value
	marked []*ops.Tensor // an analog value that differs by checkpoint
	steady *ops.Tensor   // time-major: this at steps 1..T, zero in the post step
	train  *train        // time-major: spikes
	packed *packed       // time-major: spikes, pixel by pixel; may stand beside train
	series []*ops.Tensor // time-major: a current, slice by slice
}

// train is a spike train with the dimensions of a slice.
type train struct {
	*neuron.Train
	dims []int
}

// take checks the inputs against the graph's.
func (r *run) take(inputs map[string]*ops.Tensor) error {
	known := map[string]bool{}
	for _, v := range r.Inputs() {
		known[v.Name()] = true
		t := inputs[v.Name()]
		if t == nil {
			return fmt.Errorf("input %q is missing", v.Name())
		}
		if err := fits(v, t); err != nil {
			return err
		}
		r.slots[v] = &slot{tensor: t}
	}
	for name := range inputs {
		if !known[name] {
			return fmt.Errorf("the model has no input %q", name)
		}
	}
	if r.o.Observe != nil {
		for _, v := range r.Inputs() {
			r.o.Observe(v, inputs[v.Name()])
		}
	}
	r.fit(inputs)
	return nil
}

// fit drops the buffers of earlier runs when the inputs have other sizes, which
// none of those buffers would suit.
func (r *run) fit(inputs map[string]*ops.Tensor) {
	var sizes []int
	for _, v := range r.Inputs() {
		sizes = append(append(sizes, inputs[v.Name()].Dims...), -1)
	}
	if !slices.Equal(sizes, r.sizes) {
		r.Program.arena = newArena()
		r.Program.sizes = sizes
	}
	r.env = &ops.Env{Pool: r.pool, Alloc: r.arena.tensor}
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
		bad = known && n != int64(t.Dims[i])
	}
	if bad {
		return fmt.Errorf("input %q has dimensions %v, want %v", v.Name(), t.Dims, want.Shape)
	}
	return nil
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
	case s.marked == nil:
		return s.tensor
	case r.at == everywhere:
		return nil
	}
	return s.marked[r.at]
}

// parameter gives an analog value that a layer reads at every step; nil for an
// omitted one.
func (r *run) parameter(v *graph.Value) (*ops.Tensor, error) {
	t := r.analogValue(v)
	if t != nil || v == nil {
		return t, nil
	}
	if s := r.slots[v]; s != nil && s.marked != nil {
		return nil, fmt.Errorf("value %q depends on a readout and differs by checkpoint; "+
			"run the model for one number of timesteps", v.Name())
	}
	return nil, fmt.Errorf("value %q was not computed", v.Name())
}

// place is where the values of a checkpoint are kept: apart only where there
// are several.
func (r *run) place(at int) int {
	if len(r.Checkpoints) == 1 {
		return everywhere
	}
	return at
}

// timed is a unit with a time of its own, which gives the values of every
// checkpoint in one go.
type timed interface {
	unit
	works() []*work
}

// each runs a unit: an analog one for every checkpoint that its inputs differ
// by.
func (r *run) each(u unit) error {
	if _, ok := u.(timed); ok || !r.differs(u) {
		return u.run(r)
	}
	works := worksOf(u)
	for at := range r.Checkpoints {
		r.at = at
		for _, w := range works {
			w.begin()
		}
		if err := u.run(r); err != nil {
			return err
		}
		for _, w := range works {
			w.end(at)
		}
	}
	r.at = everywhere
	return nil
}

// differs reports whether the unit reads values that differ by checkpoint.
func (r *run) differs(u unit) bool {
	for _, v := range u.reads() {
		if s := r.slots[v]; s != nil && s.marked != nil {
			return true
		}
	}
	return false
}

// worksOf is the counters of an analog unit.
func worksOf(u unit) []*work {
	var list []*work
	add := func(w *work) {
		if w != nil {
			list = append(list, w)
		}
	}
	switch u := u.(type) {
	case *analog:
		add(u.work)
	case *chain:
		for _, a := range u.links {
			add(a.work)
		}
	case *rate:
		add(u.work)
	}
	return list
}

// put makes t the analog value v.
func (r *run) put(v *graph.Value, t *ops.Tensor) {
	r.arena.hold(t)
	if v == nil {
		r.arena.release(t)
		return
	}
	if r.at == everywhere {
		r.slots[v] = &slot{tensor: t}
	} else {
		if r.slots[v] == nil {
			r.slots[v] = &slot{marked: make([]*ops.Tensor, len(r.Checkpoints))}
		}
		r.slots[v].marked[r.at] = t
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
	r.arena.bringBack(s.train)
	r.arena.bringBackMasks(s.packed)
	for _, t := range s.series {
		r.arena.release(t)
	}
	for _, t := range s.marked {
		r.arena.release(t)
	}
}

// finish copies the outputs out of the arena, checkpoint by checkpoint.
func (r *run) finish() ([]*Result, error) {
	var all []*Result
	for at := range r.Checkpoints {
		r.at = at
		res := &Result{Timesteps: r.Checkpoints[at], Neurons: r.neurons[at]}
		for _, v := range r.graph.Outputs() {
			t, err := r.output(v)
			if err != nil {
				return nil, err
			}
			res.Outputs = append(res.Outputs, t)
		}
		if r.o.Measure {
			res.Work = r.worked(at)
		}
		all = append(all, res)
	}
	return all, nil
}

// worked is the reports of the operators with weights at a checkpoint.
func (r *run) worked(at int) []WorkReport {
	var list []WorkReport
	for _, w := range r.weights {
		list = append(list, w.marked[at])
	}
	return list
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
	steps := r.timing.marks[r.at]
	for t := range steps + r.timing.post {
		k := t
		if t == steps {
			k = r.timing.steps + r.at
		}
		slice := r.slice(s, k)
		dims = slice.Dims
		all = append(all, slice.F32...)
	}
	dims = append([]int{dims[0] * (steps + r.timing.post)}, dims[1:]...)
	return &ops.Tensor{DType: graph.Float32, Dims: dims, F32: all}, nil
}

// slice makes slice t of a time-major value, as the caller's own buffer.
func (r *run) slice(s *slot, t int) *ops.Tensor {
	var src *ops.Tensor
	switch {
	case s.packed != nil:
		out := &ops.Tensor{DType: graph.Float32, Dims: s.packed.dims,
			F32: make([]float32, s.packed.N*s.packed.C*s.packed.H*s.packed.W)}
		s.packed.expand(r.pool, out.F32, t)
		return out
	case s.train != nil:
		out := &ops.Tensor{DType: graph.Float32, Dims: s.train.dims,
			F32: make([]float32, s.train.N*s.train.C*s.train.Plane)}
		s.train.Expand(r.pool, out.F32, t)
		return out
	case s.series != nil:
		src = s.series[t]
	default:
		src = s.steady
	}
	out := &ops.Tensor{DType: graph.Float32, Dims: src.Dims, F32: make([]float32, len(src.F32))}
	if s.steady == nil || t < r.timing.steps {
		copy(out.F32, src.F32)
	}
	return out
}
