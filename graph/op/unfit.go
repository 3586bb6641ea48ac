package op

import (
	"slices"

	"spikingir/graph"
)

// ofSequences is operators of sequences, which have no time.
var ofSequences = []string{"SplitToSequence", "SequenceConstruct", "SequenceEmpty", "SequenceAt", "SequenceInsert",
	"SequenceErase", "SequenceLength", "ConcatFromSequence"}

// linearInData has the inputs in which operators are linear that are in no spiking layer all the
// same: no runtime of spiking networks has them.
var linearInData = map[string][]int{
	"CumSum": {0}, "Trilu": {0}, "ReverseSequence": {0}, "GatherElements": {0}, "GatherND": {0}, "Compress": {0},
	"Scatter": {0, 2}, "ScatterElements": {0, 2}, "ScatterND": {0, 2}, "GridSample": {0}, "DeformConv": {0},
}

// unfit says why an operator that the table calls nonlinear cannot stand between neurons.
func (t temporal) unfit() error {
	typ := t.n.Op().Type
	if slices.Contains(ofSequences, typ) {
		return Unsupportedf(t.n, "it works on a sequence of tensors that are not known one by one; want constant sizes and positions, "+
			"an axis of known size where positions count from the end, and no Loop or If that reads it")
	}
	data, linear := linearInData[typ]
	if !linear {
		return Unsupportedf(t.n, "the operator is not linear over time")
	}
	for i, varies := range t.in {
		if varies && !slices.Contains(data, i) {
			return Unsupportedf(t.n, "input %d varies over time, want a constant one", i)
		}
	}
	return Unsupportedf(t.n, "the operator is linear, but none of those that spiking layers have")
}

// einsum accepts the product of one operand that varies and of constants, if the first
// axis of that operand is the first of the result too and no other has it.
func (t temporal) einsum(count int) (affine bool, err error) {
	e, err := EinsumOf(t.n)
	if err != nil {
		return false, err
	}
	if _, err := t.single(count, false); err != nil {
		return false, err
	}
	at := slices.Index(t.in, true)
	term, out := e.Terms[at], e.Out
	if rank := len(e.Xs[at].Type.Shape); rank < len(term) { // its ellipsis stands for no axis
		term, out = letters(term), letters(out)
	}
	alone := len(term) > 0 && len(out) > 0 && out[0] == term[0]
	for i, other := range e.Terms {
		for j, l := range other {
			alone = alone && (i == at && j == slices.Index(other, term[0]) || l != term[0])
		}
	}
	if !alone {
		text, _ := graph.Get(t.n.Attrs, "equation", graph.String(""))
		return false, Unsupportedf(t.n, "its equation is %q, want the first axis of operand %d, the batch, as the first of the result "+
			"and in no other operand", text, at)
	}
	return false, nil
}

// letters is a term without its ellipsis.
func letters(term []rune) []rune {
	return slices.DeleteFunc(slices.Clone(term), func(l rune) bool { return l == '.' })
}

// Bends reports whether n is a nonlinear function of those of its inputs that vary, be it over
// time or from image to image.
func Bends(n *graph.Node, varies func(*graph.Value) bool) bool {
	t := temporal{n: n, in: make([]bool, n.NumInputs())}
	var at []int
	for i, v := range n.Inputs() {
		if t.in[i] = v != nil && varies(v); t.in[i] {
			at = append(at, i)
		}
	}
	s, typ := Lookup(n.Op()), n.Op().Type
	switch {
	case len(at) == 0:
		return false
	case s == nil:
		return true
	case s.Temporal == Nonlinear:
		data, linear := linearInData[typ]
		if typ == "Cast" || typ == "CastLike" {
			data, linear = []int{0}, true
		}
		others := slices.ContainsFunc(at, func(i int) bool { return !slices.Contains(data, i) })
		return others && (linear || !slices.Contains(ofSequences, typ))
	}
	switch typ {
	case "Mul", "MatMul", "Einsum":
		return len(at) > 1
	case "Gemm":
		return t.varying(0) && t.varying(1)
	case "Conv", "ConvTranspose", "BatchNormalization", "Div":
		return at[len(at)-1] > 0 && (typ != "Conv" && typ != "ConvTranspose" || t.varying(0) && t.varying(1))
	case "Where":
		return t.varying(0)
	}
	return false
}
