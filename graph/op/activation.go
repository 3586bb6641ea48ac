package op

import "spikingir/graph"

// Clip limits X to [Min, Max]; -Inf and +Inf when not given.
type Clip struct {
	Min, Max Param[float32]
	X        *graph.Value
}

// ClipOf decodes a Clip. Limits of the integer types lose the digits beyond a
// float32's 24 bits.
func ClipOf(n *graph.Node, opset int64) (Clip, error) {
	r := read(n)
	c := Clip{
		X:   r.input(0, "input"),
		Min: r.numberParam("min", 1, -inf, opset, 11),
		Max: r.numberParam("max", 2, inf, opset, 11),
	}
	return c, r.err
}

// PRelu is x for x >= 0, else slope*x; Slope broadcasts to X.
type PRelu struct{ X, Slope *graph.Value }

// PReluOf decodes a PRelu.
func PReluOf(n *graph.Node) (PRelu, error) {
	r := read(n)
	p := PRelu{X: r.input(0, "X"), Slope: r.input(1, "slope")}
	return p, r.err
}

// Activation is a function of each element with numbers for attributes; those
// that the operator does not have are 0:
//
//	LeakyRelu        x for x >= 0, else Alpha*x
//	Elu              x for x >= 0, else Alpha*(exp(x)-1)
//	Selu             Gamma*x for x > 0, else Gamma*Alpha*(exp(x)-1)
//	Celu             max(0, x) + min(0, Alpha*(exp(x/Alpha)-1))
//	HardSigmoid      max(0, min(1, Alpha*x + Beta))
//	ThresholdedRelu  x for x > Alpha, else 0
//	Swish            x / (1 + exp(-Alpha*x))
type Activation struct {
	Alpha, Beta, Gamma float32
	X                  *graph.Value
}

// activations is the attributes' defaults.
var activations = map[string]Activation{
	"LeakyRelu":       {Alpha: 0.01},
	"Elu":             {Alpha: 1},
	"Selu":            {Alpha: 1.67326319217681884765625, Gamma: 1.05070102214813232421875},
	"Celu":            {Alpha: 1},
	"HardSigmoid":     {Alpha: 0.2, Beta: 0.5},
	"ThresholdedRelu": {Alpha: 1},
	"Swish":           {Alpha: 1},
}

// ActivationOf decodes one of the operators of [Activation].
func ActivationOf(n *graph.Node) (Activation, error) {
	r := read(n)
	a := activations[n.Op().Type]
	a.Alpha = r.float("alpha", a.Alpha)
	if a.Beta != 0 {
		a.Beta = r.float("beta", a.Beta)
	}
	if a.Gamma != 0 {
		a.Gamma = r.float("gamma", a.Gamma)
	}
	a.X = r.input(0, "X")
	if n.Is("Celu") && a.Alpha == 0 {
		r.failf("attribute %q is 0, want another number", "alpha")
	}
	return a, r.err
}

// Gelu is x times the normal distribution function of x, or its approximation
// by tanh.
type Gelu struct {
	Tanh bool
	X    *graph.Value
}

// GeluOf decodes a Gelu.
func GeluOf(n *graph.Node) (Gelu, error) {
	r := read(n)
	g := Gelu{Tanh: r.word("approximate", "none", "tanh") == "tanh", X: r.input(0, "X")}
	return g, r.err
}

// Softmax is exp(x) divided by its sum over Axis, or, when Flattened (before
// opset 13), over all axes from Axis on.
type Softmax struct {
	Axis      int64 // negative: from the end
	Flattened bool
	X         *graph.Value
}

// SoftmaxOf decodes a Softmax.
func SoftmaxOf(n *graph.Node, opset int64) (Softmax, error) {
	r := read(n)
	s := Softmax{X: r.input(0, "input"), Flattened: opset < 13}
	s.Axis = r.int("axis", map[bool]int64{true: 1, false: -1}[s.Flattened])
	return s, r.err
}

// Dropout scales and zeroes elements at random when Training, else it is the
// identity.
type Dropout struct {
	Ratio    Param[float32]
	Training Param[bool]
	X        *graph.Value
}

// DropoutOf decodes a Dropout.
func DropoutOf(n *graph.Node, opset int64) (Dropout, error) {
	r := read(n)
	d := Dropout{X: r.input(0, "data"), Ratio: r.numberParam("ratio", 1, 0.5, opset, 12)}
	d.Training = Param[bool]{Known: true, node: n, name: "training_mode"}
	switch {
	case opset < 7:
		d.Training.Given = true
		d.Training.Value = !r.bool("is_test", false)
	case opset >= 12:
		mode := r.intParam("training_mode", 2)
		d.Training.Given, d.Training.Known, d.Training.From = mode.Given, mode.Known, mode.From
		d.Training.Value = mode.Value != 0
	}
	return d, r.err
}
