// Package cliptoif holds the pass clip-to-if, which puts integrate-and-fire
// neurons in the place of Clip(0, a).
package cliptoif

import (
	"fmt"
	"math"
	"strconv"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass replaces every Clip of the spiking region by a neuron population.
//
// Before: y = Clip(x, 0, a) in the spiking region.
// After: y = IF(x, theta = a) in untimed form, under the Clip's name, and a in the
// metadata as spikingir.limit: normalize-thresholds may lower the threshold. Without
// a, theta is +Inf, as for a Relu. A ReLU right in front of the Clip goes: ReLU6 is
// often exported as the two.
// Conditions: both limits are constant; the lower one is 0; a is positive. Every
// other Clip is refused by name.
// Algebra: the rate of an IF saturates at one spike per timestep, so its output
// tends to clip(x, 0, theta): with theta = a the limit is the Clip itself; and
// clip(relu(x), 0, a) = clip(x, 0, a).
var Pass = &passes.Pass{
	Name: "clip-to-if",
	Doc: "put integrate-and-fire neurons in the place of Clip(0, a)\n\n" +
		"The upper limit of the Clip becomes the neuron's threshold. Limits that a\n" +
		"neuron cannot have are refused by name.",
	Options: []passes.Option{spiking.V0},
	Needs:   passes.Split,
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if !n.Is("Clip") || n.Region != graph.SpikingRegion {
			return false, nil
		}
		limit, err := upper(n, c.Model.Opset(""))
		if err != nil {
			c.Refuse(n, "%s", op.Problem(err))
			return false, nil
		}
		theta := spiking.Parameter(n, "theta", nil, []float32{limit})
		attrs := spiking.NeuronAttrs(spiking.V0.Of(c))
		in, relu := n.Input(0), rectifier(n.Input(0))
		if relu != nil {
			in = relu.Input(op.NeuronX)
		}
		neuron, err := c.Replace(n, spiking.Op("IF"), attrs, in, nil, theta)
		if err != nil {
			return true, err
		}
		if !math.IsInf(float64(limit), 1) {
			neuron.Metadata.Set(graph.MetaLimit, strconv.FormatFloat(float64(limit), 'g', -1, 32))
		}
		if relu == nil {
			return true, nil
		}
		return true, c.Model.Graph.Remove(relu)
	})
}

// rectifier is the node that makes v when it is a ReLU, in the form that
// relu-to-if leaves it in, and serves nothing but the Clip.
func rectifier(v *graph.Value) *graph.Node {
	n := v.Producer()
	if n == nil || !n.IsSpiking("IF") || v.NumUses() != 1 || v.IsOutput() || n.Input(op.NeuronBias) != nil ||
		spiking.GivesResidual(n) {
		return nil
	}
	theta, err := passes.Threshold(n)
	if err != nil || !spiking.IsOpen(theta) {
		return nil
	}
	return n
}

// minLimit keeps thresholds, and scales made of them, normal floats.
const minLimit = 0x1p-100

func upper(n *graph.Node, opset int64) (float32, error) {
	v, err := op.ClipOf(n, opset)
	if err != nil {
		return 0, err
	}
	low, err := v.Min.Constant()
	if err != nil {
		return 0, err
	}
	high, err := v.Max.Constant()
	if err != nil {
		return 0, err
	}
	if low != 0 {
		return 0, fmt.Errorf("it limits to %g from below, want 0: a neuron cannot fire below 0", low)
	}
	if !v.Max.Given || high == math.MaxFloat32 {
		return float32(math.Inf(1)), nil
	}
	if !(high >= minLimit) {
		return 0, fmt.Errorf("it limits to %g from above, want a number of at least %g", high, minLimit)
	}
	return high, nil
}
