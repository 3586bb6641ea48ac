package train

import (
	"math"

	"spikingir/runtime/train/kernel"
)

// smoothNeuron is neurons whose step function is replaced by the integral of the
// surrogate, so that the network is a smooth function of its parameters. They
// compute forwards in float64; the way back is the kernel's own. They belong to one
// worker.
type smoothNeuron struct {
	*kernel.Neuron
	p kernel.NeuronParams
	// spikes are the s(t) of the last Forward, [slices][Size].
	spikes []float64
	// frozen are the spikes that resets take, where these are detached; nil: their own.
	frozen []float64
}

// smooth puts smooth neurons in the place of a net's. Spikes are no bits then: all
// readers take amplitudes.
func smooth(n *Net) []*smoothNeuron {
	var all []*smoothNeuron
	for _, l := range n.neurons {
		s := &smoothNeuron{Neuron: l.kernel.(*kernel.Neuron)}
		l.kernel, l.out.dense = s, true
		all = append(all, s)
	}
	n.Refresh()
	return all
}

// freeze makes the resets of all neurons take the spikes of the last run, or their
// own again.
func freeze(all []*smoothNeuron, on bool) {
	for _, s := range all {
		s.frozen = nil
		if on {
			s.frozen = append([]float64{}, s.spikes...)
		}
	}
}

func (s *smoothNeuron) Set(p kernel.NeuronParams) {
	s.p = p
	s.Neuron.Set(p)
}

// step is the integral of the surrogate.
func (s *smoothNeuron) step(x float64) float64 {
	y := float64(s.Slope) * x
	switch s.Surrogate {
	case kernel.TriangleSurrogate:
		a := min(math.Abs(y), 1)
		return 0.5 + math.Copysign(a-a*a/2, y)
	case kernel.ArctanSurrogate:
		return 0.5 + math.Atan(math.Pi/2*y)/math.Pi
	}
	return 1 / (1 + math.Exp(-y))
}

// channel gives parameter p of a channel, or what stands for none.
func channel(p []float32, c int, otherwise float64) float64 {
	if p == nil {
		return otherwise
	}
	return float64(p[c])
}

func (s *smoothNeuron) Forward(out kernel.NeuronTrace, current []float32, steps kernel.NeuronSteps) {
	clear(out.Spikes)
	current = append([]float32(nil), current...) // it may be the potential
	s.spikes = make([]float64, steps.Slices()*steps.Size)
	for i := range steps.Size {
		c := i % len(s.p.Theta)
		theta, v, count := float64(s.p.Theta[c]), channel(s.p.V0, c, 0), 0.0
		for t := range steps.Slices() {
			at, level := t*steps.Size+i, 1.0
			if t < steps.Main {
				v += channel(s.p.Bias, c, 0)
			} else {
				level = channel(s.p.Alpha, c, 1)
			}
			switch {
			case !steps.Steady:
				v += float64(current[at])
			case t < steps.Main:
				v += float64(current[i])
			}
			out.Potential[at] = float32(v)
			spike := s.step(v/theta - level)
			s.spikes[at] = spike
			count += spike
			if out.Amplitude != nil {
				out.Amplitude[at] = float32(theta * spike)
			}
			if s.frozen != nil {
				spike = s.frozen[at]
			}
			v -= theta * spike
		}
		if out.Counts != nil {
			out.Counts[i] = float32(count)
		}
		if out.Residual != nil {
			out.Residual[i] = float32(v)
		}
	}
}

// Backward is the kernel's, and what it misses by taking the spikes themselves, in
// the gradient of the threshold, for 0 or 1.
func (s *smoothNeuron) Backward(g kernel.NeuronGrad, potential []float32, steps kernel.NeuronSteps) {
	// Gradients may share memory, and potentials with them.
	u := append([]float32(nil), potential...)
	var amplitude []float32
	if g.Amplitude != nil {
		amplitude = append(amplitude, g.Amplitude...)
	}
	// A run of its own tells the gradient by the current of every step.
	apart := kernel.NeuronGrad{Amplitude: amplitude, Spike: g.Spike, Counts: g.Counts, Residual: g.Residual,
		Current: make([]float32, len(u))}
	for _, sums := range []*[]float32{&apart.Bias, &apart.Theta, &apart.Alpha, &apart.V0} {
		*sums = make([]float32, s.Period())
	}
	every := steps
	every.Steady = false
	s.Neuron.Backward(apart, u, every)
	s.Neuron.Backward(g, potential, steps)
	for i := range steps.Size {
		c := i % len(s.p.Theta)
		missed := 0.0
		for t := range steps.Slices() {
			at := t*steps.Size + i
			level, hard, by := s.p.Theta[c], 0.0, 0.0
			if t >= steps.Main {
				level *= float32(channel(s.p.Alpha, c, 1))
			}
			if u[at] >= level {
				hard = 1
			}
			switch {
			case t+1 < steps.Slices():
				by = -float64(apart.Current[at+steps.Size])
			case g.Residual != nil:
				by = -float64(g.Residual[i])
			}
			if amplitude != nil {
				by += float64(amplitude[at])
			}
			missed += (s.spikes[at] - hard) * by
		}
		g.Theta[i%s.Period()] += float32(missed)
	}
}
