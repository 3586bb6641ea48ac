package neuron

import (
	"fmt"
	"math"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// Params is what a neuron population is made of.
type Params struct {
	// Threshold theta, one for all or one per channel; positive. +Inf never fires.
	Threshold []float32
	// Bias is the bias current of steps 1..T, nil, one for all or one per
	// channel.
	Bias []float32
	// Alpha scales the threshold of the post step: one number or one per
	// channel; nil for an IF, which keeps its threshold there.
	Alpha []float32
	// V0 is the initial membrane potential in units of the threshold.
	V0 float32
}

// Alpha is the factor of the post step's threshold, Eq. 15.
func Alpha(beta float64) float64 { return 0.5/(1+math.Exp(-beta)) + 0.5 }

// Population is a neuron population of N images, C channels and Plane elements
// a channel, with its membrane potentials.
type Population struct {
	Params
	N, C, Plane int
	v           []float32
}

// New makes a population at its initial potential v0*theta. v is its state, N*C*plane
// elements, which it keeps.
func New(p Params, n, c, plane int, v []float32) (*Population, error) {
	if err := p.Check(c); err != nil {
		return nil, err
	}
	if len(v) != n*c*plane {
		return nil, fmt.Errorf("state of %d elements, want %d", len(v), n*c*plane)
	}
	for i := range n * c {
		v0 := p.v0(i % c)
		for k := i * plane; k < (i+1)*plane; k++ {
			v[k] = v0
		}
	}
	return &Population{p, n, c, plane, v}, nil
}

// at is element c of a list of one or C values, def when it is empty.
func at(xs []float32, c int, def float32) float32 {
	switch len(xs) {
	case 0:
		return def
	case 1:
		return xs[0]
	}
	return xs[c]
}

// Step integrates one slice of current [N, C, Plane] and writes the spikes to
// slice step of out. In the post step the bias is left out and an MPRN fires
// from alpha*theta on.
func (p *Population) Step(pool *machine.Pool, current []float32, out *Spikes, step int, post bool) {
	pool.Run(p.N*p.C, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			c := i % p.C
			theta := at(p.Threshold, c, 1)
			bias, fire := at(p.Bias, c, 0), theta
			if post {
				bias, fire = 0, theta*at(p.Alpha, c, 1)
			}
			span := func(xs []float32) []float32 { return xs[i*p.Plane : (i+1)*p.Plane] }
			kernel.IFStep(out.Bits(step, i), span(p.v), span(current), bias, theta, fire)
		}
	})
}

// Potential is the membrane potential [N, C, Plane]; after the last step it is
// the residual.
func (p *Population) Potential() []float32 { return p.v }

// Residual summarises the membrane potential after the last step.
type Residual struct {
	Elements int64
	Sum      float64 // of |v|/theta
	Half     int64   // elements with v >= theta/2
	Full     int64   // elements with v >= theta
}

// Add adds the potentials of other neurons.
func (r *Residual) Add(o Residual) {
	r.Elements += o.Elements
	r.Sum += o.Sum
	r.Half += o.Half
	r.Full += o.Full
}

// Residual measures the potential as the paper's Fig. 4 does.
func (p *Population) Residual() Residual {
	return ResidualOf(p.v, p.Threshold, p.C, 1, p.Plane, spike.Part{Bottom: 1, Right: p.Plane})
}

// ResidualOf measures a part of potentials [n, c, h, w] of neurons with one threshold or
// one for each channel. Sums run in a fixed order.
func ResidualOf(v, threshold []float32, c, h, w int, part spike.Part) Residual {
	var r Residual
	for i := range len(v) / max(h*w, 1) {
		theta := at(threshold, i%c, 1)
		for y := part.Top; y < part.Bottom; y++ {
			row := v[(i*h+y)*w:][:w]
			r.add(row[part.Left:part.Right], theta)
		}
	}
	return r
}

func (r *Residual) add(v []float32, theta float32) {
	for _, x := range v {
		r.Sum += math.Abs(float64(x)) / float64(theta)
		if x >= theta/2 {
			r.Half++
		}
		if x >= theta {
			r.Full++
		}
	}
	r.Elements += int64(len(v))
}
