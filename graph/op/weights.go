package op

import (
	bits "encoding/binary"
	"fmt"
	"math"
	"strings"

	"spikingir/graph"
)

// parameters has the inputs of operators that are weights, and have a meaning only as finite
// numbers.
var parameters = map[string][]int{
	"Conv": {1, 2}, "ConvTranspose": {1, 2}, "DeformConv": {1, 3}, "Gemm": {0, 1, 2}, "MatMul": {0, 1}, "Einsum": {0, 1, 2, 3},
	"PRelu": {1}, "BatchNormalization": {1, 2, 3, 4}, "InstanceNormalization": {1, 2}, "GroupNormalization": {1, 2},
	"LayerNormalization": {1, 2}, "RMSNormalization": {1}, "QuantizeLinear": {1}, "DequantizeLinear": {1},
}

// operands has the inputs of operators that may be infinite, as masks and limits are, but
// have no meaning as NaN.
var operands = map[string][]int{"Add": {0, 1}, "Sub": {0, 1}, "Mul": {0, 1}, "Div": {0, 1}, "Clip": {1, 2}, "Max": {0, 1}, "Min": {0, 1}, "Pow": {0, 1}}

// bnVariance is where a BatchNormalization has its variance.
const bnVariance = 4

// CheckWeights is an error for weights that are NaN or infinite, so that a model computes
// nothing of use. It names the first node of such, and how many others there are.
func CheckWeights(m *graph.Model) error {
	var first *graph.Node
	var text string
	others := 0
	opset := m.Opset("")
	said := map[weight]string{} // a tensor that many nodes read is looked through once
	for g := range m.Graphs() {
		for n := range g.Nodes() {
			if n.Op().Domain != "" {
				continue
			}
			for i, v := range n.Inputs() {
				if v == nil || !takes(parameters, n, i) && !takes(operands, n, i) {
					continue
				}
				w := weight{v, takes(parameters, n, i), lowest(n, i, opset)}
				why, known := said[w]
				if !known {
					why = w.problem()
					said[w] = why
				}
				switch {
				case why == "":
				case first == nil:
					first, text = n, why
				default:
					others++
				}
			}
		}
	}
	if first == nil {
		return nil
	}
	switch {
	case others == 1:
		text += "; so has another input of a node"
	case others > 1:
		text += fmt.Sprintf("; so have %d other inputs of nodes", others)
	}
	return Errorf(first, "%s: the training or the export went wrong there; export the model again from weights that are numbers", text)
}

// A weight is a value and what its numbers may be.
type weight struct {
	value  *graph.Value
	finite bool
	lowest float64
}

// lowest is what the numbers of input i may not be below.
func lowest(n *graph.Node, i int, opset int64) float64 {
	if i == bnVariance && n.Is("BatchNormalization") {
		if b, err := BatchNormOf(n, opset); err == nil && !b.Training {
			return -float64(b.Epsilon)
		}
	}
	return math.Inf(-1)
}

// problem says what is wrong with the numbers, "" where nothing is.
func (w weight) problem() string {
	t := Constant(w.value)
	if t == nil || !t.DType.IsFloat() || !t.Loaded() {
		return ""
	}
	var nans, infs, low, count int
	each(t, func(x float64) {
		count++
		switch {
		case math.IsNaN(x):
			nans++
		case math.IsInf(x, 0) && w.finite:
			infs++
		case x < w.lowest:
			low++
		}
	})
	var list []string
	for _, k := range []struct {
		count int
		what  string
	}{{nans, "NaN"}, {infs, "infinite"}, {low, "a variance below 0"}} {
		if k.count > 0 {
			list = append(list, fmt.Sprintf("%d of them %s", k.count, k.what))
		}
	}
	if list == nil {
		return ""
	}
	return fmt.Sprintf("its input %q has %d numbers, %s, want finite ones", w.value.Name(), count, strings.Join(list, ", "))
}

func takes(table map[string][]int, n *graph.Node, i int) bool {
	for _, k := range table[n.Op().Type] {
		if k == i {
			return true
		}
	}
	return false
}

// each calls f for every element of a tensor of floats.
func each(t *graph.Tensor, f func(x float64)) {
	switch t.DType {
	case graph.Float64:
		for b := t.Bytes(); len(b) >= 8; b = b[8:] {
			f(math.Float64frombits(bits.LittleEndian.Uint64(b)))
		}
		return
	case graph.Float32: // without a copy
		for b := t.Bytes(); len(b) >= 4; b = b[4:] {
			f(float64(math.Float32frombits(bits.LittleEndian.Uint32(b))))
		}
		return
	}
	xs, err := t.Float32s()
	if err != nil {
		return
	}
	for _, x := range xs {
		f(float64(x))
	}
}
