package quantiseweights

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
	"spikingir/passes/weights"
)

// levels is what a neuron compares, by output channel of the layer in front of it.
type levels struct {
	op.Neuron
	node               *graph.Node
	theta, alpha, bias []float32 // one number, or one for each channel; alpha is 0 for an IF
}

// settle gives a hidden neuron of two phases the threshold and the bias that suit weights of
// these scales; used tells the channels that have any.
func settle(n *graph.Node, scale []float64, used []bool) (changed bool, err error) {
	k := &levels{node: n, alpha: []float32{0}, bias: []float32{0}}
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
	theta, bias := make([]float32, len(scale)), make([]float32, len(scale))
	moved := [2]bool{}
	for c, unit := range scale {
		theta[c], bias[c] = at(k.theta, c), at(k.bias, c)
		if level, odd := weights.OddMultiple(float64(theta[c]), unit); used[c] && !odd {
			theta[c], moved[0] = float32(level*unit), true
		}
		if b, far := k.settled(float64(theta[c]), float64(bias[c]), float64(at(k.alpha, c)), unit); used[c] && far {
			bias[c], moved[1] = b, true
		}
	}
	if moved[0] {
		k.set(op.NeuronTheta, theta)
	}
	if moved[1] {
		k.set(op.NeuronBias, bias)
	}
	return moved != [2]bool{}, nil
}

func at(list []float32, channel int) float32 { return list[min(channel, len(list)-1)] }

// settled is the bias b moved so that over all steps, with the initial potential and less the
// level of the post step, it is half a unit more than a multiple of the scale: no sum of
// weights comes near a level at which one more spike is counted. far tells that b is not.
func (k *levels) settled(theta, b, alpha, unit float64) (settled float32, far bool) {
	steps, start := float64(k.Timesteps), (float64(k.V0)-alpha)*theta
	have := (float64(steps*b) + start) / unit
	want := math.Floor(have) + 0.5
	if b == 0 || math.Abs(have-want) < weights.Slack(theta/unit) {
		return 0, false
	}
	return float32((float64(want*unit) - start) / steps), true
}

// set gives the neuron a parameter of one number for each channel.
func (k *levels) set(input int, list []float32) {
	v := k.node.Input(input)
	t := graph.NewFloat32(spiking.PerChannel(len(list), len(k.X.Type.Shape)), list)
	k.node.SetInput(input, weights.Renew(k.node.Graph(), v, t, v.Name()))
}
