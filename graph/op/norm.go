package op

import "spikingir/graph"

// BatchNorm is (X - Mean) / sqrt(Var + Epsilon) * Scale + Bias per channel of
// X [N, C, ...]; the four parameters are [C].
type BatchNorm struct {
	Epsilon, Momentum         float32
	Training                  bool // uses the statistics of the batch
	PerElement                bool // spatial = 0: parameters are [C, spatial...]
	X, Scale, Bias, Mean, Var *graph.Value
}

// BatchNormOf decodes a BatchNormalization.
func BatchNormOf(n *graph.Node, opset int64) (BatchNorm, error) {
	r := read(n)
	b := BatchNorm{
		Epsilon: r.float("epsilon", 1e-5), Momentum: r.float("momentum", 0.9),
		X: r.input(0, "X"), Scale: r.input(1, "scale"), Bias: r.input(2, "B"),
		Mean: r.input(3, "mean"), Var: r.input(4, "var"),
	}
	switch {
	case opset < 7:
		b.Training = !r.bool("is_test", false)
	case opset >= 14:
		b.Training = r.bool("training_mode", false)
	default:
		_, out := n.Arity()
		b.Training = out > 1 // the form of opsets 7 to 13
	}
	if opset < 9 {
		b.PerElement = !r.bool("spatial", true)
	}
	if !(b.Epsilon >= 0) {
		r.failf("attribute %q is %v, want 0 or more", "epsilon", b.Epsilon)
	}
	return b, r.err
}

// InstanceNorm is (X - mean) / sqrt(var + Epsilon) * Scale + Bias with mean and
// variance over the spatial axes of each image and channel.
type InstanceNorm struct {
	Epsilon        float32
	X, Scale, Bias *graph.Value
}

// InstanceNormOf decodes an InstanceNormalization.
func InstanceNormOf(n *graph.Node) (InstanceNorm, error) {
	r := read(n)
	i := InstanceNorm{Epsilon: r.float("epsilon", 1e-5),
		X: r.input(0, "input"), Scale: r.input(1, "scale"), Bias: r.input(2, "B")}
	return i, r.err
}

// LayerNorm is (X - mean) / sqrt(var + Epsilon) * Scale + Bias with mean and
// variance over the axes from Axis on. Bias may be nil.
type LayerNorm struct {
	Axis           int64 // negative: from the end
	Epsilon        float32
	X, Scale, Bias *graph.Value
}

// LayerNormOf decodes a LayerNormalization.
func LayerNormOf(n *graph.Node) (LayerNorm, error) {
	r := read(n)
	l := LayerNorm{Axis: r.int("axis", -1), Epsilon: r.float("epsilon", 1e-5),
		X: r.input(0, "X"), Scale: r.input(1, "Scale"), Bias: n.Input(2)}
	return l, r.err
}

// RMSNormOf decodes an RMSNormalization: a LayerNormalization that leaves the mean as it is
// and has no bias.
func RMSNormOf(n *graph.Node) (LayerNorm, error) {
	r := read(n)
	l := LayerNorm{Axis: r.int("axis", -1), Epsilon: r.float("epsilon", 1e-5),
		X: r.input(0, "X"), Scale: r.input(1, "scale")}
	return l, r.err
}

// GroupNorm is (X - mean) / sqrt(var + Epsilon) * Scale + Bias with mean and variance
// over Groups equal parts of the channels of each image. Scale and Bias are per channel,
// or per group before opset 21.
type GroupNorm struct {
	Epsilon        float32
	Groups         int64
	PerGroup       bool // Scale and Bias have an entry for each group
	X, Scale, Bias *graph.Value
}

// GroupNormOf decodes a GroupNormalization.
func GroupNormOf(n *graph.Node, opset int64) (GroupNorm, error) {
	r := read(n)
	g := GroupNorm{Epsilon: r.float("epsilon", 1e-5), Groups: int64(required[graph.Int](r, "num_groups")),
		PerGroup: opset < 21, X: r.input(0, "X"), Scale: r.input(1, "scale"), Bias: r.input(2, "bias")}
	r.atLeast("num_groups", g.Groups, 1)
	return g, r.err
}

// LpNorm is X over its norm of order P, 1 or 2, along Axis; 0 where that is 0.
type LpNorm struct {
	Axis, P int64 // Axis negative: from the end
	X       *graph.Value
}

// LpNormOf decodes an LpNormalization.
func LpNormOf(n *graph.Node) (LpNorm, error) {
	r := read(n)
	l := LpNorm{Axis: r.int("axis", -1), P: r.int("p", 2), X: r.input(0, "input")}
	if l.P != 1 && l.P != 2 {
		r.failf("attribute %q is %d, want 1 or 2", "p", l.P)
	}
	return l, r.err
}

// LRN is X / (Bias + Alpha/Size * sum of the squares of Size channels around)^Beta.
type LRN struct {
	Alpha, Beta, Bias float32
	Size              int64
	X                 *graph.Value
}

// LRNOf decodes an LRN.
func LRNOf(n *graph.Node) (LRN, error) {
	r := read(n)
	l := LRN{Alpha: r.float("alpha", 1e-4), Beta: r.float("beta", 0.75), Bias: r.float("bias", 1),
		Size: int64(required[graph.Int](r, "size")), X: r.input(0, "X")}
	r.atLeast("size", l.Size, 1)
	return l, r.err
}

// MeanVarianceNorm is (X - mean) / deviation over Axes.
type MeanVarianceNorm struct {
	Axes []int64
	X    *graph.Value
}

// MeanVarianceNormOf decodes a MeanVarianceNormalization.
func MeanVarianceNormOf(n *graph.Node) (MeanVarianceNorm, error) {
	r := read(n)
	m := MeanVarianceNorm{Axes: r.ints("axes"), X: r.input(0, "X")}
	if m.Axes == nil {
		m.Axes = []int64{0, 2, 3}
	}
	return m, r.err
}
