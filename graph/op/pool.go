package op

import "spikingir/graph"

// Pool is AveragePool, MaxPool or LpPool: X [N, C, spatial...].
type Pool struct {
	Window
	CountPad    bool  // AveragePool: padding counts in the divisor
	ColumnMajor bool  // MaxPool: order of the indices in the second output
	P           int64 // LpPool: the order of the norm
	X           *graph.Value
}

// PoolOf decodes an AveragePool, MaxPool or LpPool.
func PoolOf(n *graph.Node) (Pool, error) {
	r := read(n)
	required[graph.Ints](r, "kernel_shape")
	p := Pool{
		X:           r.input(0, "X"),
		Window:      r.window(nil),
		CountPad:    r.bool("count_include_pad", false),
		ColumnMajor: r.bool("storage_order", false),
		P:           r.int("p", 2),
	}
	r.atLeast("p", p.P, 1)
	return p, r.err
}

// GlobalLpPool is the norm of order P of every channel of X.
type GlobalLpPool struct {
	P int64
	X *graph.Value
}

// GlobalLpPoolOf decodes a GlobalLpPool.
func GlobalLpPoolOf(n *graph.Node) (GlobalLpPool, error) {
	r := read(n)
	p := GlobalLpPool{P: r.int("p", 2), X: r.input(0, "X")}
	r.atLeast("p", p.P, 1)
	return p, r.err
}
