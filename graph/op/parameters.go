package op

import (
	"math"

	"spikingir/graph"
)

// The ranges of what spiking operators state. Alpha is 0.5*sigmoid(beta) + 0.5.
const (
	leastAlpha, mostAlpha = 0.5, 1
	// LeastV0 and MostV0 bound initial potentials, in units of the threshold.
	LeastV0, MostV0 = 0, 1
)

// CheckSpiking checks the operators of domain ai.spikingir in a model: their inputs,
// attributes and, where these are constants, the numbers that they compute with. What a
// function takes from its attributes is known only where it is called, and passed over.
func CheckSpiking(m *graph.Model) error {
	for g := range m.Graphs() {
		for n := range g.Nodes() {
			if n.Op().Domain != graph.Spiking || Lookup(n.Op()) == nil || refers(n) {
				continue
			}
			if err := CheckArity(n, NewestSpiking); err != nil {
				return err
			}
			if n.Output(0) == nil {
				return Errorf(n, "output 0 is omitted, want its name")
			}
			if err := checkParameters(n); err != nil {
				return err
			}
		}
	}
	return nil
}

func refers(n *graph.Node) bool {
	for _, a := range n.Attrs {
		if _, ok := a.Value.(graph.Ref); ok {
			return true
		}
	}
	return false
}

// checkParameters checks one spiking operator.
func checkParameters(n *graph.Node) error {
	switch {
	case IsNeuron(n):
		return checkNeuron(n)
	case n.IsSpiking("Encode"):
		_, err := EncodeOf(n)
		return err
	case n.IsSpiking("Decode"):
		_, err := DecodeOf(n)
		return err
	case n.IsSpiking("Bias"):
		b, err := BiasOf(n)
		if err != nil {
			return err
		}
		return checkNumbers(n, "b", b.B, "finite numbers", finite)
	case n.IsSpiking("CPM"):
		c, err := CPMOf(n)
		if err != nil {
			return err
		}
		if err := checkNumbers(n, "W", c.W, "finite numbers", finite); err != nil {
			return err
		}
		return checkNumbers(n, "B", c.B, "finite numbers", finite)
	}
	return nil
}

func checkNeuron(n *graph.Node) error {
	s, err := NeuronOf(n)
	if err != nil {
		return err
	}
	if !(s.V0 >= LeastV0 && s.V0 <= MostV0) {
		return Errorf(n, "attribute %q is %g, want %d to %d, in units of the threshold", "v0", s.V0, LeastV0, MostV0)
	}
	if err := checkNumbers(n, "bias", s.Bias, "finite numbers", finite); err != nil {
		return err
	}
	// A neuron whose threshold is infinite never fires, and is a ReLU without time.
	if err := checkNumbers(n, "theta", s.Theta, "thresholds above 0", func(x float32) bool { return x > 0 }); err != nil {
		return err
	}
	return checkNumbers(n, "alpha", s.Alpha, "0.5 to 1", func(x float32) bool { return x >= leastAlpha && x <= mostAlpha })
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

// checkNumbers checks an input that is a constant: floats, of which each fits.
func checkNumbers(n *graph.Node, name string, v *graph.Value, want string, fits func(float32) bool) error {
	if v == nil {
		return nil
	}
	t := Constant(v)
	if t == nil {
		return nil
	}
	xs, err := t.Float32s()
	if err != nil {
		return Errorf(n, "%s is of type %v, want numbers of floating point", name, t.DType)
	}
	if len(xs) == 0 {
		return Errorf(n, "%s has dimensions %v and no number", name, t.Dims)
	}
	for i, x := range xs {
		if !fits(x) {
			return Errorf(n, "%s is %g at place %d, want %s", name, x, i, want)
		}
	}
	return nil
}
