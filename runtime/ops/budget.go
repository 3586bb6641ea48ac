package ops

import (
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
)

// A Shortage says that more memory would be taken than is allowed. An [Env]'s Alloc panics
// with one.
type Shortage struct {
	Want  int64 // bytes that are wanted
	Used  int64 // bytes that are in use, those that are sure to be
	Limit int64 // bytes that are allowed
}

func (s *Shortage) Error() string {
	used := ""
	if s.Used > 0 {
		used = fmt.Sprintf(" beside the %s in use", op.Bytes(s.Used))
	}
	return fmt.Sprintf("it takes %s of memory%s, and %s are allowed: want smaller inputs or a larger --memory",
		op.Bytes(s.Want), used, op.Bytes(s.Limit))
}

// Within is a Claim of an [Env] that allows every tensor so many bytes; a negative number
// allows any.
func Within(limit int64) func(bytes int64) error {
	if limit < 0 {
		return nil
	}
	return func(bytes int64) error {
		if bytes > limit {
			return &Shortage{Want: bytes, Limit: limit}
		}
		return nil
	}
}

// tensorBytes is what a tensor takes beside its elements, about.
const tensorBytes = 160

// BytesOf is the memory that a tensor of a type and of dimensions that are [Sizeable] takes.
func BytesOf(d graph.DType, dims []int) int64 {
	if d.IsFloat() {
		return tensorBytes + 4*int64(product(dims))
	}
	return tensorBytes + 8*int64(product(dims))
}

// bytes is the memory that t takes, with all that a sequence holds.
func (t *Tensor) bytes() int64 {
	n := int64(tensorBytes)
	if t.List == nil {
		n = BytesOf(t.DType, t.Dims)
	}
	for _, x := range t.List {
		n += x.bytes()
	}
	return n
}

// claim ends the operator where so many bytes more are not allowed.
func (e *Env) claim(bytes int64) {
	if e.Claim != nil {
		check(e.Claim(bytes))
	}
	if e.claimed != nil {
		*e.claimed += bytes
	}
}

// claimLists is claim for lists of numbers of the given lengths, one for each axis of a result.
func (e *Env) claimLists(lengths []int, each int64) {
	n := int64(0)
	for _, k := range lengths {
		n += each * int64(k)
	}
	e.claim(n)
}

// copyOf is a copy of t for which memory is claimed.
func (e *Env) copyOf(t *Tensor) *Tensor {
	e.claim(t.bytes())
	return t.Clone()
}

// within is an environment for a subgraph: what is claimed in it is counted and adds up,
// beside bytes that are kept meanwhile.
func (e *Env) within(kept int64) *Env {
	inner := e.scratch()
	inner.claimed = &kept
	if e.Claim != nil {
		inner.Claim = func(bytes int64) error { return e.Claim(kept + bytes) }
	}
	return inner
}

// claimStencil is claim for the lists of a stencil.
func (e *Env) claimStencil(out []int, w op.Window) {
	n := 0.0
	for i, k := range out {
		n += float64(k) * (24 + 16*float64(w.Kernel[i]))
	}
	e.claim(int64(min(n, 1<<60)))
}
