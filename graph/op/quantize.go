package op

import "spikingir/graph"

// Quantize is the part that QuantizeLinear and DequantizeLinear share:
//
//	QuantizeLinear    y = saturate(round(x/scale) + zero), halves to even
//	DequantizeLinear  y = (x - zero) * scale
//
// Scale is one number; or a list, one for each index along Axis; or, where Block is
// not 0, a tensor of x's rank, one for each Block indices along Axis.
type Quantize struct {
	Axis, Block    int64
	X, Scale, Zero *graph.Value // Zero nil: 0
	// To is the element type of the quantised tensor where nothing tells it by its own:
	// of a QuantizeLinear, and only without Zero.
	To graph.DType
}

// QuantizeOf decodes a QuantizeLinear or a DequantizeLinear.
func QuantizeOf(n *graph.Node) (Quantize, error) {
	r := read(n)
	q := Quantize{Axis: r.int("axis", 1), Block: r.int("block_size", 0), To: graph.Uint8,
		X: r.input(0, "x"), Scale: r.input(1, "scale"), Zero: n.Input(2)}
	r.atLeast("block_size", q.Block, 0)
	r.bool("saturate", true) // only float8, which nothing here computes, may overflow
	if to := r.int("output_dtype", 0); to != 0 {
		q.To = graph.DType(to)
		if int64(q.To) != to || !q.To.Valid() {
			r.failf("attribute %q is %d, want the number of an element type", "output_dtype", to)
		}
	}
	return q, r.err
}
