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
