package op

import "spikingir/graph"

// Gemm is Alpha * A' * B' + Beta * C, where A' is A [M, K], transposed if
// TransA says so, B' likewise [K, N], and C broadcasts to [M, N] or is nil.
type Gemm struct {
	Alpha, Beta    float32
	TransA, TransB bool
	A, B, C        *graph.Value
}

// GemmOf decodes a Gemm.
func GemmOf(n *graph.Node) (Gemm, error) {
	r := read(n)
	g := Gemm{
		Alpha: r.float("alpha", 1), Beta: r.float("beta", 1),
		TransA: r.int("transA", 0) != 0, TransB: r.int("transB", 0) != 0,
		A: r.input(0, "A"), B: r.input(1, "B"), C: n.Input(2),
	}
	return g, r.err
}

// MatMul is the product of stacks of matrices, as NumPy's matmul.
type MatMul struct{ A, B *graph.Value }

// MatMulOf decodes a MatMul.
func MatMulOf(n *graph.Node) (MatMul, error) {
	r := read(n)
	m := MatMul{A: r.input(0, "A"), B: r.input(1, "B")}
	return m, r.err
}
