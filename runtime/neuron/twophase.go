package neuron

import (
	"math"

	"spikingir/runtime/kernel/count"
	"spikingir/runtime/kernel/machine"
)

// TwoPhase is a population that integrates all slices of its input before it fires:
//
//	v = v0*theta + (sum_t I(t) + T*b)
//	k = clip(floor(v/theta), 0, T)            spikes, at steps 1..k
//	s = [v - theta*k >= alpha*theta]          at the post step, of an MPRN
//
// An IF with a post step has clip(floor(v/theta), 0, T+1) in the place of both. Each
// operation is rounded to float32, the quotient too, so that standard operators say the
// same to the last bit. What flowed in is what was fired plus what is left:
//
//	theta*(k + s) + v_res = v
type TwoPhase struct {
	Params
	Steps    int  // T
	Post     bool // a post step follows
	C, Plane int
	// Sum is the sum of the currents over all slices, without the bias, [N, C, Plane].
	Sum []float32
	// Gain is what the sum is multiplied by first; 0 stands for 1.
	Gain float32
	// Out is what the neurons emit in all slices, theta*(k + s). With Counts it is left alone.
	Out []float32
	// Counts, where not nil, takes the spikes of images in the place of Out and Spikes, from
	// at most 127 steps.
	Counts *count.Tensor
	// Residual is the potential that is left; nil where Counts alone are wanted.
	Residual []float32
	// Spikes is how many spikes that is, and Late which of them fell in the post step;
	// nil where they are not wanted.
	Spikes, Late []float32
}

// Run computes all neurons.
func (t *TwoPhase) Run(p *machine.Pool) error {
	if err := t.Check(t.C); err != nil {
		return err
	}
	if t.Counts != nil {
		t.count(p)
		return nil
	}
	p.Run(len(t.Sum)/max(t.Plane, 1), func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			t.plane(i%t.C, i*t.Plane, (i+1)*t.Plane)
		}
	})
	return nil
}

// plane computes the elements from lo up to hi, which are of channel c.
func (t *TwoPhase) plane(c, lo, hi int) {
	theta, v0 := at(t.Threshold, c, 1), t.v0(c)
	bias := float32(float32(t.Steps) * at(t.Bias, c, 0)) // conversions keep products from being fused
	v, y := t.Residual[lo:hi], t.Out[lo:hi]
	for i, x := range t.Sum[lo:hi] {
		if t.Gain != 0 {
			x = float32(t.Gain * x)
		}
		if t.Bias != nil {
			x += bias
		}
		if t.V0 != 0 {
			x += v0
		}
		v[i] = x
	}
	if theta > math.MaxFloat32 {
		clear(y)
		if t.Spikes != nil {
			clear(t.Spikes[lo:hi])
			clear(t.Late[lo:hi])
		}
		return
	}
	top, fire := float32(t.Steps), float32(math.Inf(1))
	switch {
	case t.Post && t.Alpha != nil:
		fire = float32(theta * at(t.Alpha, c, 1))
	case t.Post:
		top++
	}
	for i, x := range v[:len(y)] {
		k, late := whole(x/theta, top), 0
		left := x - float32(theta*k)
		if left >= fire {
			late = 1
		}
		s := float32(late)
		y[i] = theta * (k + s)
		v[i] = left - float32(theta*s)
		if t.Spikes != nil {
			t.Spikes[lo+i], t.Late[lo+i] = k+s, max(s, k-float32(t.Steps))
		}
	}
}

// whole is clip(floor(q), 0, top), and 0 for a NaN; top is far below 2^31.
func whole(q, top float32) float32 {
	if !(q > 0) {
		return 0
	}
	return float32(int32(min(q, top)))
}
