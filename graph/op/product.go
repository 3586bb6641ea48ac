package op

import (
	"slices"

	"spikingir/graph"
)

// Product is an operator that multiplies its inputs with each other and sums: what
// energy is charged for by multiply-accumulates. X, W and Bias are numbers of inputs;
// Bias is -1 where the operator has none.
type Product struct{ X, W, Bias int }

// ProductOf gives the inputs of a product, and false for any other operator.
func ProductOf(n *graph.Node) (Product, bool) {
	switch {
	case n.Is("Conv"), n.Is("ConvTranspose"), n.Is("Gemm"):
		return Product{0, 1, 2}, true
	case n.Is("MatMul"), n.Is("MatMulInteger"), n.Is("ConvInteger"), n.Is("Einsum"):
		return Product{0, 1, -1}, true
	case n.Is("DeformConv"):
		return Product{0, 1, 3}, true
	case n.Is("QLinearConv"):
		return Product{0, 3, 8}, true
	case n.Is("QLinearMatMul"):
		return Product{0, 3, -1}, true
	case n.IsSpiking("CPM"):
		return Product{0, 2, 3}, true
	}
	return Product{}, false
}

// MACs is the multiply-accumulates of one application of n to inputs of these sizes (nil
// for an absent one), which gives a result of size y; 0 where the sizes don't fit. A
// convolution counts its padding, as the paper does, and a deformable one not the
// interpolation of its samples.
func (p Product) MACs(n *graph.Node, in [][]int64, y []int64) float64 {
	if n.Is("Einsum") {
		return einsumMACs(n, in)
	}
	if len(in) <= max(p.X, p.W) {
		return 0
	}
	x, w := in[p.X], in[p.W]
	switch {
	case n.Is("Gemm"):
		g, err := GemmOf(n)
		if err != nil || len(w) != 2 {
			return 0
		}
		if g.TransB {
			return elements(y) * float64(w[1])
		}
		return elements(y) * float64(w[0])
	case n.Is("MatMul"), n.Is("MatMulInteger"), n.Is("QLinearMatMul"):
		if len(x) == 0 {
			return 0
		}
		return elements(y) * float64(x[len(x)-1])
	case len(w) < 2:
		return 0
	case n.Is("ConvTranspose"):
		return elements(x) * elements(w[1:])
	}
	return elements(y) * elements(w[1:])
}

// einsumMACs is a multiplication less than there are operands, for every choice of an
// index for every letter.
func einsumMACs(n *graph.Node, in [][]int64) float64 {
	e, err := EinsumOf(n)
	if err != nil || len(in) != len(e.Terms) {
		return 0
	}
	sizes := map[rune]int64{}
	for i, term := range e.Terms {
		axes := EinsumAxes(term, len(in[i]))
		if len(axes) != len(in[i]) {
			return 0
		}
		for a, l := range axes {
			sizes[l] = max(sizes[l], in[i][a])
		}
	}
	macs := float64(len(e.Terms) - 1)
	for _, d := range sizes {
		macs *= float64(d)
	}
	return macs
}

// EinsumAxes names the axes of an operand of so many: its letters, with axis i from the
// end of those that the ellipsis stands for named -1-i. There are fewer or more names than
// axes where the operand doesn't fit its term.
func EinsumAxes(term []rune, rank int) (axes []rune) {
	spelled := 0
	if slices.Contains(term, '.') {
		spelled = max(rank-len(term)+1, 0)
	}
	for _, l := range term {
		if l != '.' {
			axes = append(axes, l)
			continue
		}
		for i := spelled - 1; i >= 0; i-- {
			axes = append(axes, rune(-1-i))
		}
	}
	return axes
}

// elements is the number of elements of a tensor of that size.
func elements(dims []int64) float64 {
	p := 1.0
	for _, d := range dims {
		p *= float64(d)
	}
	return p
}
