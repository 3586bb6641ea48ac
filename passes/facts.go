package passes

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
)

// Facts is a set of properties of a model. Each has a checker, so that a pass
// that claims to give one is held to it.
type Facts uint32

// The facts that passes need and give.
const (
	NoCalls      Facts = 1 << iota // no call of a model-local function but spiking operators
	Typed                          // every value has a type, every tensor a rank
	NoConstants                    // no Constant node; nothing left to evaluate ahead
	NoIdentity                     // no Identity or inference Dropout between values
	NoBatchNorm                    // no BatchNormalization in front of a neuron
	Split                          // every node has a region
	Neurons                        // no activation is left in the spiking region
	Readout                        // analog nodes read the region only through CPM or Decode
	Thresholds                     // every threshold is finite, normal and positive
	Timed                          // neurons have timesteps; encoding and readout stand
	UnitForm                       // every threshold is 1
	OpsetCurrent                   // the default opset suits the functions' bodies
	Lowered                        // the spiking operators are defined by functions
	Exact                          // every runtime gives the same bits
	numFacts     = iota
)

// facts names each fact and gives its checker.
var facts = [numFacts]struct {
	name  string
	check func(*graph.Model) error
}{
	{"no-calls", checkNoCalls},
	{"typed", each(checkTyped)},
	{"no-constants", each(checkNoConstant)},
	{"no-identity", each(checkNoIdentity)},
	{"no-batchnorm", notSpiking("BatchNormalization")},
	{"split", each(checkSplit)},
	{"neurons", notSpiking("Relu", "LeakyRelu", "PRelu", "Clip")},
	{"readout", checkReadout},
	{"thresholds", thresholds(func(x float32) bool {
		return x >= minNormal && !math.IsInf(float64(x), 0)
	}, "")},
	{"timed", checkTimed},
	{"unit-form", thresholds(func(x float32) bool { return x == 1 }, ", want 1")},
	{"opset-current", checkOpset},
	{"lowered", checkLowered},
	{"exact", exact.Prove},
}

// String lists the facts by name.
func (f Facts) String() string {
	var names []string
	for i := range facts {
		if f&(1<<i) != 0 {
			names = append(names, facts[i].name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Has reports whether every fact of g is among f.
func (f Facts) Has(g Facts) bool { return f&g == g }

// Count is the number of facts in the set.
func (f Facts) Count() int { return bits.OnesCount32(uint32(f)) }

// Check runs the checker of every fact in the set.
func (f Facts) Check(m *graph.Model) error {
	var errs []error
	for i := range facts {
		if f&(1<<i) == 0 {
			continue
		}
		if err := facts[i].check(m); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", facts[i].name, err))
		}
	}
	return errors.Join(errs...)
}

// checkNoCalls looks into subgraphs too; the bodies of functions may call others.
func checkNoCalls(m *graph.Model) error {
	main, functions := graph.Model{Graph: m.Graph}, m.FunctionIndex()
	for g := range main.Graphs() {
		for n := range g.Nodes() {
			if n.Op().Domain != graph.Spiking && functions.Of(n) != nil {
				return fmt.Errorf("node %q calls the function %v", n.OriginLabel(), n.Op())
			}
		}
	}
	return nil
}

// each is the checker of every node of the main graph.
func each(f func(n *graph.Node) error) func(*graph.Model) error {
	return func(m *graph.Model) error {
		for n := range m.Graph.Nodes() {
			if err := f(n); err != nil {
				return err
			}
		}
		return nil
	}
}

func checkTyped(n *graph.Node) error {
	for _, v := range n.Outputs() {
		if v == nil || (v.NumUses() == 0 && !v.IsOutput()) {
			continue
		}
		if v.Type.Kind == graph.NoType || v.Type.Kind == graph.TensorType && v.Type.Shape == nil {
			return fmt.Errorf("value %q of node %q has no known type", v.Name(), n.OriginLabel())
		}
	}
	return nil
}

func checkNoConstant(n *graph.Node) error {
	if n.Is("Constant") {
		return fmt.Errorf("node %q is a %v", n.OriginLabel(), n.Op())
	}
	return nil
}

func notSpiking(types ...string) func(*graph.Model) error {
	return each(func(n *graph.Node) error {
		if n.Region == graph.SpikingRegion && n.Op().Domain == "" && slices.Contains(types, n.Op().Type) {
			return fmt.Errorf("node %q in the %v region is a %v", n.OriginLabel(), n.Region, n.Op())
		}
		return nil
	})
}

// checkNoIdentity allows the Identity that joins two public names.
func checkNoIdentity(n *graph.Node) error {
	if !n.Is("Identity") || n.Input(0) == nil || n.Output(0) == nil {
		return nil
	}
	in, out := n.Input(0), n.Output(0)
	if out.IsOutput() && (in.IsInput() || in.IsInitializer() || in.IsOutput()) {
		return nil
	}
	return fmt.Errorf("node %q is an Identity", n.OriginLabel())
}

func checkSplit(n *graph.Node) error {
	if n.Region == graph.Unassigned {
		return fmt.Errorf("node %q has no region", n.OriginLabel())
	}
	return nil
}

// checkReadout demands that analog nodes and the graph's outputs see the
// spiking region only through CPM and Decode.
func checkReadout(m *graph.Model) error {
	var read []*graph.Value
	for n := range m.Graph.Nodes() {
		if n.Region == graph.SpikingRegion {
			continue
		}
		read = append(read, n.Inputs()...)
	}
	for _, v := range append(read, m.Graph.Outputs()...) {
		if v == nil {
			continue
		}
		p := v.Producer()
		if p == nil || p.Region != graph.SpikingRegion || p.IsSpiking("CPM") || p.IsSpiking("Decode") {
			continue
		}
		return fmt.Errorf("value %q of node %q leaves the spiking region without a readout",
			v.Name(), p.OriginLabel())
	}
	return nil
}

// Threshold gives a neuron's threshold: a scalar or one number per channel.
func Threshold(n *graph.Node) ([]float32, error) {
	v := n.Input(op.NeuronTheta)
	if v == nil || v.Const == nil {
		return nil, fmt.Errorf("neuron %q has no constant threshold", n.OriginLabel())
	}
	return v.Const.Float32s()
}

// minNormal is the smallest threshold: scales made of it stay finite.
const minNormal = 0x1p-100

// thresholds demands that all of them are good; want says more about one that is not.
func thresholds(good func(x float32) bool, want string) func(*graph.Model) error {
	return each(func(n *graph.Node) error {
		if !op.IsNeuron(n) {
			return nil
		}
		theta, err := Threshold(n)
		for _, x := range theta {
			if !good(x) {
				return fmt.Errorf("neuron %q has threshold %g%s", n.OriginLabel(), x, want)
			}
		}
		return err
	})
}

// checkTimed demands one number of timesteps, and one post step where an MPRN
// is, on every operator of our domain.
func checkTimed(m *graph.Model) error {
	var steps, post int64
	for n := range m.Graph.Nodes() {
		if n.Op().Domain != graph.Spiking {
			continue
		}
		t, err := graph.Get(n.Attrs, "timesteps", graph.Int(0))
		if err != nil {
			return err
		}
		p, err := graph.Get(n.Attrs, "post", graph.Int(0))
		if err != nil {
			return err
		}
		if t < 1 {
			return fmt.Errorf("node %q has no timesteps", n.OriginLabel())
		}
		if steps == 0 {
			steps, post = int64(t), int64(p)
		}
		if int64(t) != steps || int64(p) != post {
			return fmt.Errorf("node %q runs %d+%d timesteps, others %d+%d",
				n.OriginLabel(), t, p, steps, post)
		}
		if op.IsMPRN(n) && p != 1 {
			return fmt.Errorf("neuron %q is an MPRN without a post step", n.OriginLabel())
		}
	}
	if steps == 0 {
		return errors.New("the model holds no spiking node")
	}
	return nil
}

// FunctionOpset is the default opset of exported models: the bodies of the
// spiking operators' functions are written in it.
const FunctionOpset = 17

func checkOpset(m *graph.Model) error {
	if v := m.Opset(""); v < FunctionOpset {
		return fmt.Errorf("the model imports opset %d, want at least %d", v, FunctionOpset)
	}
	return nil
}

func checkLowered(m *graph.Model) error {
	functions := m.FunctionIndex()
	for n := range m.Graph.Nodes() {
		if n.Op().Domain == graph.Spiking && functions.Of(n) == nil {
			return fmt.Errorf("operator %v of node %q has no function", n.Op(), n.OriginLabel())
		}
	}
	return nil
}
