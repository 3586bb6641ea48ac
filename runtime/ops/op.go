package ops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// Env is what an operator needs of the executor. The zero Env runs on one
// thread and allocates with [NewTensor].
type Env struct {
	Pool *machine.Pool
	// Alloc makes an output tensor of dimensions that are [Sizeable]. Its
	// elements may be anything: every operator writes all of its outputs. A panic with a
	// *[Shortage] ends the operator.
	Alloc func(d graph.DType, dims []int) *Tensor
	// Claim, where it is set, is asked before memory is taken in other ways; its error ends
	// the operator.
	Claim func(bytes int64) error
	// Repack makes convolutions take the weights that Run is given, and not those
	// that [Bind] found in the model and packed: training changes them.
	Repack bool
	// Stop, where it is set, ends an operator that runs subgraphs, or a convolution, with the
	// error it gives.
	Stop func() error
	// Step, where it is set, hears of each iteration of an operator that runs a subgraph; of
	// how many is 0 where that is not known.
	Step    func(done, of int64)
	claimed *int64 // what was claimed in a subgraph
	// tail is what a convolution does to its outputs, see [Chain].
	tail pointwise
	// direct is the tail in the terms of kernels, nil when they do not know it.
	direct *kernel.Direct
}

// An Op is one node bound to its attributes and constant inputs. It is
// immutable and may run from several goroutines, each with its own Pool.
type Op interface {
	// Run computes the node's outputs from what [Reads] lists: the inputs, nil where the node
	// omits one, and what its subgraphs read beside. Constants are passed too. The result has an entry for each output
	// of the node, nil where the node omits it.
	Run(env *Env, in []*Tensor) ([]*Tensor, error)
}

// A runner computes an operator; its errors do not name the node yet. It may
// return more outputs than the node has.
type runner func(env *Env, in []*Tensor) ([]*Tensor, error)

// A binder decodes a node into a runner.
type binder func(n *graph.Node, opset int64) (runner, error)

// bound is a runner with the checks that all operators share.
type bound struct {
	node  *graph.Node
	reads []*graph.Value
	run   runner
}

// Bind decodes a node of a standard operator. An error names the node and what
// is missing or not supported.
func Bind(n *graph.Node, opset int64) (Op, error) {
	bind, ok := binders[standard(n.Op())]
	if !ok {
		return nil, op.Errorf(n, "the operator cannot be run")
	}
	if err := op.Check(n, opset); err != nil {
		return nil, err
	}
	run, err := bind(n, opset)
	if err != nil {
		return nil, err
	}
	return &bound{n, Reads(n), run}, nil
}

// Evaluate computes a node on inputs in the model's form: in, or the constants that the
// node reads where in is nil.
func Evaluate(env *Env, n *graph.Node, opset int64, in []*graph.Tensor) ([]*graph.Tensor, error) {
	o, err := Bind(n, opset)
	if err != nil {
		return nil, err
	}
	args := make([]*Tensor, n.NumInputs())
	for i, v := range n.Inputs() {
		if v == nil {
			continue
		}
		t := v.Const
		if in != nil {
			t = in[i]
		}
		if args[i], err = FromGraph(t); err != nil {
			return nil, err
		}
	}
	results, err := o.Run(env, args)
	if err != nil {
		return nil, err
	}
	out := make([]*graph.Tensor, len(results))
	for i, r := range results {
		if r == nil {
			continue
		}
		if out[i], err = r.Graph(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Supported reports whether nodes of the operator can be bound.
func Supported(o graph.Op) bool {
	_, ok := binders[standard(o)]
	return ok
}

// Aliases reports whether the operator's first output may share the elements of
// its first input.
func Aliases(o graph.Op) bool { return aliases[standard(o)] }

// standard is the type of a standard operator, "" for those of other domains.
func standard(o graph.Op) string {
	if o.Domain != "" && o.Domain != "ai.onnx" {
		return ""
	}
	return o.Type
}

// Run implements [Op].
func (b *bound) Run(env *Env, in []*Tensor) (out []*Tensor, err error) {
	if err := b.checkInputs(in); err != nil {
		return nil, err
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case fault:
			out, err = nil, b.named(r.error)
		case *Shortage:
			out, err = nil, b.named(r)
		default:
			panic(r)
		}
	}()
	out, err = b.run(env, in)
	if err != nil {
		return nil, b.named(err)
	}
	return b.finish(out)
}

// named is an error of the node. The end of a context is none.
func (b *bound) named(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return op.Errorf(b.node, "%v", err)
}

func (b *bound) checkInputs(in []*Tensor) error {
	if len(in) != len(b.reads) {
		return op.Errorf(b.node, "found %d input tensors, want %d", len(in), len(b.reads))
	}
	for i, t := range in {
		v := b.reads[i]
		if (t == nil) != (v == nil) {
			return op.Errorf(b.node, "input %d: found %v, want %s", i, t, presence(v))
		}
		if t != nil && t.List != nil && !ofSequences[standard(b.node.Op())] {
			return op.Errorf(b.node, "input %d (%s) is a sequence, want a tensor", i, v.Name())
		}
	}
	return nil
}

func presence(v *graph.Value) string {
	if v == nil {
		return "it omitted"
	}
	return "a tensor for " + v.Name()
}

// finish rounds the outputs to their types and drops those that the node does
// not have.
func (b *bound) finish(out []*Tensor) ([]*Tensor, error) {
	res := make([]*Tensor, b.node.NumOutputs())
	for i := range res {
		if b.node.Output(i) == nil {
			continue
		}
		if i >= len(out) || out[i] == nil {
			return nil, op.Errorf(b.node, "output %d (%s) is not computed",
				i, b.node.Output(i).Name())
		}
		out[i].round()
		res[i] = out[i]
	}
	return res, nil
}

// fault is the panic of a runner, which [bound.Run] turns into an error. Only the
// goroutine that runs the operator may panic.
type fault struct{ error }

// check ends the run where err is not nil.
func check(err error) {
	if err != nil {
		panic(fault{err})
	}
}

func must[T any](x T, err error) T {
	check(err)
	return x
}

func mustBoth[T, U any](x T, y U, err error) (T, U) {
	check(err)
	return x, y
}

// alloc makes an output tensor. Dimensions that are too large end the run with
// an error.
func (e *Env) alloc(d graph.DType, dims []int) *Tensor {
	if !Sizeable(dims) {
		check(fmt.Errorf("result %v%v is too large, want at most %d elements", d, dims, int64(maxElements)))
	}
	if e.Alloc == nil {
		e.claim(BytesOf(d, dims))
		return NewTensor(d, dims)
	}
	return e.Alloc(d, slices.Clone(dims))
}

// scratch is e for tensors that do not leave the operator.
func (e *Env) scratch() *Env {
	return &Env{Pool: e.Pool, Claim: e.Claim, Stop: e.Stop, claimed: e.claimed}
}

// stopped is the error that ends the operator, nil while it goes on.
func (e *Env) stopped() error {
	if e.Stop == nil {
		return nil
	}
	return e.Stop()
}

// step tells of an iteration.
func (e *Env) step(done, of int64) {
	if e.Step != nil {
		e.Step(done, of)
	}
}

func (e *Env) like(t *Tensor) *Tensor { return e.alloc(t.DType, t.Dims) }

// onePool serves environments without a pool; it has no goroutines.
var onePool = sync.OnceValue(func() *machine.Pool { return machine.NewPool(1) })

func (e *Env) pool() *machine.Pool {
	if e.Pool == nil {
		return onePool()
	}
	return e.Pool
}

// grain is the number of elements below which a loop is not worth a thread.
const grain = 1 << 14

// each runs f over [0, n) in contiguous parts, on several threads when there is
// enough to do; cost is the number of elements that one item stands for.
func (e *Env) each(n, cost int, f func(lo, hi int)) {
	if e.Pool == nil || e.Pool.Threads() == 1 || n < 2 || n < 2*grain/max(cost, 1) {
		if n > 0 {
			f(0, n)
		}
		return
	}
	e.Pool.Run(n, func(_, lo, hi int) { f(lo, hi) })
}

func one(t *Tensor) []*Tensor { return []*Tensor{t} }

// optional is in[i], nil when the node omits it or has fewer inputs.
func optional(in []*Tensor, i int) *Tensor {
	if i < len(in) {
		return in[i]
	}
	return nil
}
