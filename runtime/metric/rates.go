package metric

import (
	"fmt"
	"math"
)

// A FiringRate counts the spikes of one layer. Counts are integers, so merging
// in any order gives the same sums.
type FiringRate struct {
	Layer     string
	Spikes    uint64 // over all images and steps, the post step included
	Neurons   uint64 // over all images: each image counts its neurons again
	Timesteps int    // main steps T, without the post step
}

// Rate returns spikes per neuron and main step. A neuron that also fires in the
// post step can reach (T+1)/T. A layer without neurons has rate 0.
func (r FiringRate) Rate() float64 {
	if r.Neurons == 0 || r.Timesteps == 0 {
		return 0
	}
	return float64(r.Spikes) / (float64(r.Neurons) * float64(r.Timesteps))
}

// Merge adds the counts of further images of the same layer.
func (r *FiringRate) Merge(o FiringRate) error {
	if r.Layer != o.Layer || r.Timesteps != o.Timesteps {
		return fmt.Errorf("cannot merge firing rates of layer %q at T=%d and layer %q at T=%d",
			r.Layer, r.Timesteps, o.Layer, o.Timesteps)
	}
	r.Spikes += o.Spikes
	r.Neurons += o.Neurons
	return nil
}

// OverallRate returns the spikes per neuron and main step of a whole network:
// each neuron weighs the same, so large layers weigh more than small ones.
func OverallRate(layers []FiringRate) (float64, error) {
	var all FiringRate
	for i, l := range layers {
		if i == 0 {
			all.Timesteps = l.Timesteps
		}
		if l.Timesteps != all.Timesteps {
			return 0, fmt.Errorf("layer %q was measured at T=%d and layer %q at T=%d, want one T",
				layers[0].Layer, all.Timesteps, l.Layer, l.Timesteps)
		}
		all.Spikes += l.Spikes
		all.Neurons += l.Neurons
	}
	return all.Rate(), nil
}

// Residual describes the membrane potentials that one layer is left with after
// the last step, in units of the threshold, as in Fig. 4 of the SpikingIR paper.
type Residual struct {
	Layer  string
	Count  uint64  // potentials seen
	SumAbs float64 // sum of |v|/theta
	Half   uint64  // how many have |v| >= theta/2
	Full   uint64  // how many have |v| >= theta
}

// Observe adds the potentials v of neurons that share the threshold theta, which
// must be positive and finite. Call it channel by channel if thresholds differ.
func (r *Residual) Observe(v []float32, theta float32) error {
	if !(theta > 0) || math.IsInf(float64(theta), 1) {
		return fmt.Errorf("residual potential of layer %q: threshold is %g, want a positive number",
			r.Layer, theta)
	}
	t := float64(theta)
	var sum float64
	var half, full uint64
	for _, x := range v {
		a := math.Abs(float64(x)) / t
		sum += a
		if a >= 0.5 {
			half++
		}
		if a >= 1 {
			full++
		}
	}
	r.Count += uint64(len(v))
	r.SumAbs += sum
	r.Half += half
	r.Full += full
	return nil
}

// Merge adds the statistics of further images of the same layer. SumAbs is a
// float sum: merge in the order of the images to get the same bits again.
func (r *Residual) Merge(o Residual) error {
	if r.Layer != o.Layer {
		return fmt.Errorf("cannot merge residual potentials of layer %q and layer %q", r.Layer, o.Layer)
	}
	r.Count += o.Count
	r.SumAbs += o.SumAbs
	r.Half += o.Half
	r.Full += o.Full
	return nil
}

// MeanAbs returns the mean of |v|/theta, 0 if nothing was seen.
func (r Residual) MeanAbs() float64 { return share(r.SumAbs, r.Count) }

// ShareHalf returns the share of potentials with |v| >= theta/2.
func (r Residual) ShareHalf() float64 { return share(float64(r.Half), r.Count) }

// ShareFull returns the share of potentials with |v| >= theta, that is of
// neurons with at least one spike too few or too many.
func (r Residual) ShareFull() float64 { return share(float64(r.Full), r.Count) }

func share(part float64, count uint64) float64 {
	if count == 0 {
		return 0
	}
	return part / float64(count)
}
