package exec

import (
	"context"

	"spikingir/graph"
	"spikingir/runtime/ops"
	"spikingir/runtime/tile"
)

// need is the bytes that a run on areas, measured or not, takes for what lies between
// its inputs and outputs: floats, membrane potentials, spikes. Weights, the scratch of
// kernels (some hundred KiB a thread) and temporaries within one operator are left out.
// It is found by a run on a counting arena, in which no operator and no kernel computes
// anything: see run.areas.
func (p *plan) need(input *graph.Value, areas map[*graph.Value]tile.Area, measured bool) (int64, error) {
	r := newRun(context.Background(), p, RunOptions{Measure: measured}, newArena(nil, true))
	r.areas = areas
	r.slots[input] = &slot{tensor: &ops.Tensor{DType: graph.Float32, Dims: r.sizeOf(input)}}
	if err := r.all(); err != nil {
		return 0, err
	}
	return r.arena.bytes(), nil
}

// sized is what a node's operator gives, without elements. Values that do not vary with
// the image count as nothing.
func (r *run) sized(n *graph.Node, in []*ops.Tensor) []*ops.Tensor {
	out := make([]*ops.Tensor, n.NumOutputs())
	for i, v := range n.Outputs() {
		switch {
		case v == nil:
		case i == 0 && len(in) > 0 && in[0] != nil && ops.Aliases(n.Op()):
			out[i] = &ops.Tensor{DType: in[0].DType, Dims: r.sizeOf(v), F32: in[0].F32}
		case integers(v):
			out[i] = r.arena.tensor(graph.Int64, r.sizeOf(v))
		default:
			out[i] = r.arena.tensor(graph.Float32, r.sizeOf(v))
		}
	}
	return out
}

// sizeOf is the dimensions of a value, of one slice if it is time-major.
func (r *run) sizeOf(v *graph.Value) []int {
	a := r.areas[v]
	return []int{a.N, a.C, a.Axes[0].Size, a.Axes[1].Size}
}

// integers reports whether a value is kept as integers.
func integers(v *graph.Value) bool {
	if t := v.Type; t.Kind == graph.TensorType && t.Elem != 0 {
		return !t.Elem.IsFloat()
	}
	n := v.Producer()
	for _, name := range []string{"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not",
		"Xor", "IsNaN", "IsInf", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "BitShift"} {
		if n != nil && n.Is(name) {
			return true
		}
	}
	return false
}
