package reference

import (
	"fmt"
	"hash"
	"hash/fnv"
	"math"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Surrogate is the derivative that stands for the Heaviside step's. x is the
// distance to the firing level in units of theta, k the slope ([Options.Slope]).
type Surrogate int

const (
	// Sigmoid is k*s*(1-s) with s = 1/(1+exp(-k*x)), the paper's.
	Sigmoid Surrogate = iota
	// Triangle is k*max(0, 1-k*|x|).
	Triangle
	// Arctan is (k/2)/(1 + (pi*k*x/2)^2).
	Arctan
)

var surrogateNames = [...]string{"sigmoid", "triangle", "arctan"}

func (s Surrogate) String() string {
	if s < 0 || int(s) >= len(surrogateNames) {
		return fmt.Sprintf("surrogate %d", int(s))
	}
	return surrogateNames[s]
}

func (s Surrogate) derivative(k, x float64) float64 {
	switch s {
	case Triangle:
		return k * max(0, 1-k*math.Abs(x))
	case Arctan:
		a := math.Pi * k * x / 2
		return k / 2 / (1 + a*a)
	}
	f := 1 / (1 + math.Exp(-k*x))
	return k * f * (1 - f)
}

// primitive is the function from 0 to 1 whose derivative the surrogate is.
func (s Surrogate) primitive(k, x float64) float64 {
	switch s {
	case Triangle:
		a := min(k*math.Abs(x), 1)
		half := a - a*a/2
		if x < 0 {
			half = -half
		}
		return 0.5 + half
	case Arctan:
		return 0.5 + math.Atan(math.Pi*k*x/2)/math.Pi
	}
	return 1 / (1 + math.Exp(-k*x))
}

// spikeKind tells the uses of a [spikeOp] apart.
type spikeKind byte

const (
	fires  spikeKind = iota // the spike, with the surrogate as derivative
	resets                  // the same value, held constant
	slopes                  // the surrogate itself
)

// spikeOp is the Heaviside step as an operator of Gorgonia.
type spikeOp struct {
	kind      spikeKind
	surrogate Surrogate
	slope     float64
	smooth    bool
	nearest   *nearest // what fires tells of the arguments; nil: nobody asks
}

// nearest is the smallest distance of a potential to the level of its neuron, in
// units of theta.
type nearest struct{ distance float64 }

func (n *nearest) see(x float64) {
	if d := math.Abs(x); !(d >= n.distance) {
		n.distance = d
	}
}

func (o spikeOp) at(x float64) float64 {
	switch {
	case o.kind == slopes:
		return o.surrogate.derivative(o.slope, x)
	case o.smooth:
		return o.surrogate.primitive(o.slope, x)
	case x >= 0:
		return 1
	}
	return 0
}

// Do computes the operator.
func (o spikeOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("%v of %d tensors, want 1", o, len(in))
	}
	x, err := elements(in[0])
	if err != nil {
		return nil, fmt.Errorf("%v: %w", o, err)
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = o.at(v)
		if o.kind == fires && o.nearest != nil {
			o.nearest.see(v)
		}
	}
	return dense(in[0].Shape(), y), nil
}

// Arity is 1.
func (o spikeOp) Arity() int { return 1 }

// Type is a -> a.
func (o spikeOp) Type() hm.Type {
	return hm.NewFnType(hm.TypeVariable('a'), hm.TypeVariable('a'))
}

// InferShape is the input's shape.
func (o spikeOp) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if len(in) == 1 {
		if s, ok := in[0].(tensor.Shape); ok {
			return s.Clone(), nil
		}
	}
	return nil, fmt.Errorf("%v: want one tensor of known shape", o)
}

// DiffWRT says whether a gradient passes.
func (o spikeOp) DiffWRT(int) []bool { return []bool{o.kind == fires} }

// SymDiff is the gradient times the surrogate.
func (o spikeOp) SymDiff(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	o.kind = slopes
	d, err := gorgonia.ApplyOp(o, in[0])
	if err != nil {
		return nil, err
	}
	g, err := gorgonia.HadamardProd(grad, d)
	return gorgonia.Nodes{g}, err
}

// ReturnsPtr, CallsExtern and OverwritesInput: the result is fresh memory.
func (o spikeOp) ReturnsPtr() bool     { return false }
func (o spikeOp) CallsExtern() bool    { return false }
func (o spikeOp) OverwritesInput() int { return -1 }

// WriteHash tells operators apart; equal ones of one input become one node.
func (o spikeOp) WriteHash(h hash.Hash) { fmt.Fprint(h, o.String()) }

// Hashcode is the hash of WriteHash.
func (o spikeOp) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

func (o spikeOp) String() string {
	return fmt.Sprintf("spike%d(%v, slope %v, smooth %t)", o.kind, o.surrogate, o.slope, o.smooth)
}
