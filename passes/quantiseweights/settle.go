package quantiseweights

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// levels is what a neuron compares, by output channel of the layer in front of it.
type levels struct {
	op.Neuron
	theta, alpha, bias []float32 // one number, or one for each channel; alpha is 0 for an IF
}

// leastLevel is the least threshold in units of the scale for which the scale moves.
const leastLevel = 8

// settle moves the scales of the weights in front of a hidden neuron, and its
// bias, to suit its threshold; used tells the channels that have weights.
func settle(n *graph.Node, scale []float64, used []bool) (changed bool, err error) {
	k := &levels{alpha: []float32{0}, bias: []float32{0}}
	if k.Neuron, err = op.NeuronOf(n); err != nil {
		return false, err
	}
	if k.theta, err = passes.Threshold(n); err != nil {
		return false, err
	}
	for _, p := range []struct {
		of   *graph.Value
		list *[]float32
		what string
	}{{k.Alpha, &k.alpha, "alpha"}, {k.Bias, &k.bias, "bias"}} {
		if p.of == nil || op.Constant(p.of) == nil {
			continue
		}
		if _, *p.list, err = weights.Floats(n, p.of, p.what); err != nil {
			return false, err
		}
	}
	bias := make([]float32, len(scale))
	for c := range scale {
		theta := float64(at(k.theta, c))
		bias[c] = at(k.bias, c)
		if !used[c] || theta/scale[c] < leastLevel || math.IsInf(theta, 1) {
			continue
		}
		level, ok := k.level(theta, scale[c])
		if !ok {
			continue
		}
		scale[c] = theta / level
		if b, far := k.settled(theta, float64(bias[c]), float64(at(k.alpha, c)), scale[c]); far {
			bias[c], changed = b, true
		}
	}
	if changed {
		v := n.Input(op.NeuronBias)
		t := graph.NewFloat32(spiking.PerChannel(len(bias), len(k.X.Type.Shape)), bias)
		n.SetInput(op.NeuronBias, weights.Renew(n.Graph(), v, t, v.Name()))
	}
	return changed, nil
}

func at(list []float32, channel int) float32 { return list[min(channel, len(list)-1)] }

// level is the threshold in units; ok is false where no number is such that sums keep away from it.
func (k *levels) level(theta, unit float64) (level float64, ok bool) {
	if k.Schedule == op.Lockstep {
		return exact.Level(theta, unit, float64(k.V0))
	}
	level, _ = weights.OddMultiple(theta, unit)
	return level, true
}

// settled is the bias b moved so that no sum of weights comes near a level at which one more
// spike is fired: in lock-step to a multiple of the scale, of two phases so that over all steps, with
// the initial potential and less the
// level of the post step, it is half a unit more than one. far tells that b is not.
func (k *levels) settled(theta, b, alpha, unit float64) (settled float32, far bool) {
	if k.Schedule == op.Lockstep {
		want := math.Round(b / unit)
		return float32(want * unit), math.Abs(b/unit-want) >= exact.Slack(theta/unit)
	}
	steps, start := float64(k.Timesteps), (float64(k.V0)-alpha)*theta
	have := (float64(steps*b) + start) / unit
	want := math.Floor(have) + 0.5
	if b == 0 || math.Abs(have-want) < exact.Slack(theta/unit) {
		return 0, false
	}
	return float32((float64(want*unit) - start) / steps), true
}
