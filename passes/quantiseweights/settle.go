package quantiseweights

import (
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

// settle moves the scales of the weights in front of hidden neurons to suit the threshold of
// the first, the thresholds of the others to suit the scales, and biases; used tells the channels that have weights.
func settle(neurons []*graph.Node, scale []float64, used []bool) (changed bool, err error) {
	var all []*levels
	for _, n := range neurons {
		k, err := levelsOf(n)
		if err != nil {
			return false, err
		}
		all = append(all, k)
	}
	driven := make([]bool, len(scale)) // channels whose scale has been moved
	for i, n := range neurons {
		moved, err := all[i].settle(n, scale, used, driven)
		if err != nil {
			return false, err
		}
		changed = changed || moved
	}
	return changed, nil
}

func levelsOf(n *graph.Node) (k *levels, err error) {
	k = &levels{alpha: []float32{0}, bias: []float32{0}}
	if k.Neuron, err = op.NeuronOf(n); err != nil {
		return nil, err
	}
	if k.theta, err = passes.Threshold(n); err != nil {
		return nil, err
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
			return nil, err
		}
	}
	return k, nil
}

// settle is that of one of the neurons, n. Channels that are driven have a scale that stays.
func (k *levels) settle(n *graph.Node, scale []float64, used, driven []bool) (changed bool, err error) {
	theta, bias := make([]float32, len(scale)), make([]float32, len(scale))
	otherTheta, otherBias := false, false
	for c := range scale {
		theta[c], bias[c] = at(k.theta, c), at(k.bias, c)
		if !used[c] {
			continue
		}
		e := exact.Neuron{Lockstep: k.Schedule == op.Lockstep, Timesteps: int(k.Timesteps), V0: float64(k.V0), Alpha: float64(at(k.alpha, c))}
		s, ok := e.Settle(theta[c], bias[c], scale[c], driven[c])
		if !ok {
			continue
		}
		otherTheta, otherBias = otherTheta || s.Theta != theta[c], otherBias || s.Bias != bias[c]
		theta[c], bias[c], scale[c], driven[c] = s.Theta, s.Bias, s.Unit, true
	}
	renew := func(input int, list []float32) {
		v := n.Input(input)
		t := graph.NewFloat32(spiking.PerChannel(len(list), len(k.X.Type.Shape)), list)
		n.SetInput(input, weights.Renew(n.Graph(), v, t, v.Name()))
	}
	if otherTheta {
		renew(op.NeuronTheta, theta)
	}
	if otherBias {
		renew(op.NeuronBias, bias)
	}
	return otherTheta || otherBias, nil
}

func at(list []float32, channel int) float32 { return list[min(channel, len(list)-1)] }
