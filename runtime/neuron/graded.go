package neuron

import (
	"fmt"

	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// A Grade is what the spikes of a neuron in one step may be worth: a number of units up to Most and, where
// they may be taken back, -1.
type Grade struct {
	Unit   float32 // in thresholds
	Most   int
	Signed bool
}

// Graded is a population of neurons whose spikes in a step are worth a whole number k of units
// u, a part or all of the threshold (docs/design.md, "Several spikes a step"):
//
//	v(t-) = v(t-1) + c(t)
//	k(t) = clip(floor(v(t-)/u), 0, most)         a burst, or several thresholds
//	k(t) = [v(t-) >= u] - [v(t-) <= -u and sum of k so far > 0]       signed
//	v(t) = v(t-) - u*k(t)
//
// each operation rounded to float32. What flowed in is what was sent plus what is left, as of an IF:
// v(S) = v(0) + sum_t c(t) - u * sum_t k(t). A neuron whose potential never reaches 2u is an IF.
type Graded struct {
	*Population
	Grade Grade
	sent  []float32 // by neurons that may take spikes back; nil for others
}

// Graded makes neurons of a grade of a population that has not run. sent is their state beside the
// potentials, as many elements, where the grade is signed.
func (p *Population) Graded(g Grade, sent []float32) (*Graded, error) {
	if g.Signed {
		if len(sent) != len(p.v) {
			return nil, fmt.Errorf("state of %d elements, want %d", len(sent), len(p.v))
		}
		clear(sent)
	} else {
		sent = nil
	}
	return &Graded{p, g, sent}, nil
}

// Sent is what neurons that may take spikes back have sent; nil for others.
func (g *Graded) Sent() []float32 { return g.sent }

// Step integrates one slice of current [N, C, Plane] and writes what the neurons send to slice step of
// out, whose images have Plane pixels. In the post step the bias is left out.
func (g *Graded) Step(pool *machine.Pool, current []float32, out *spike.Tensor, step int, post bool) {
	pool.Run(g.N*g.C, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			n, c := i/g.C, i%g.C
			span := func(xs []float32) []float32 {
				if xs == nil {
					return nil
				}
				return xs[i*g.Plane : (i+1)*g.Plane]
			}
			s := sender{dst: out.Slots(step, n)[c:], stride: g.C, unit: g.unit(c), grade: g.Grade}
			if !post {
				s.bias = at(g.Bias, c, 0)
			}
			s.send(span(g.v), span(current), span(g.sent))
		}
	})
}

// unit is what one spike of channel c is worth.
func (g *Graded) unit(c int) float32 { return at(g.Threshold, c, 1) * g.Grade.Unit }

// sender sends the spikes of neurons of one channel in a slice.
type sender struct {
	dst        []int8
	stride     int // from a neuron's place in dst to the next
	bias, unit float32
	grade      Grade
}

func (s *sender) send(v, current, sent []float32) {
	most := float32(s.grade.Most)
	for i, x := range v {
		x += float32(current[i] + s.bias)
		k := float32(0)
		switch {
		case x >= s.unit:
			k = whole(x/s.unit, most)
		case sent != nil && sent[i] > 0 && x <= -s.unit:
			k = -1
		}
		if k != 0 {
			x -= float32(s.unit * k)
			if sent != nil {
				sent[i] += k
			}
		}
		v[i] = x
		s.dst[i*s.stride] = int8(k)
	}
}

// SteadyGraded is a population of images whose current is the same at every main step, as
// [Steady] is of neurons that fire once a step.
type SteadyGraded struct {
	*Graded
	Current []float32 // of a main step, [N, C, H, W]
	Post    []float32 // of a post step; nil for none
	Out     *spike.Tensor
	Steps   spike.Steps
	// Residuals, when not nil, are the potentials [N, C, H, W] for each of
	// Steps.Timesteps, after its post step.
	Residuals [][]float32
}

// Run advances all neurons, channel by channel.
func (s *SteadyGraded) Run(p *machine.Pool) {
	p.Run(s.N*s.C, func(_, lo, hi int) {
		w := gradedWorker{SteadyGraded: s}
		for i := lo; i < hi; i++ {
			w.plane(i)
		}
	})
}

// gradedWorker is the state that a post step puts back.
type gradedWorker struct {
	*SteadyGraded
	v, sent, zero []float32
}

// plane advances the neurons of a channel of an image through all steps.
func (w *gradedWorker) plane(i int) {
	n, c := i/w.C, i%w.C
	span := func(xs []float32) []float32 { return xs[i*w.Plane : (i+1)*w.Plane] }
	v, current := span(w.Population.v), span(w.Current)
	var sent []float32
	if w.Graded.sent != nil {
		sent = span(w.Graded.sent)
	}
	s := sender{stride: w.C, unit: w.unit(c), grade: w.Grade}
	k := 0
	for step := range w.Steps.Main {
		s.dst, s.bias = w.Out.Slots(step, n)[c:], at(w.Bias, c, 0)
		s.send(v, current, sent)
		if k == len(w.Steps.Timesteps) || step+1 != w.Steps.Timesteps[k] {
			continue
		}
		w.v, w.sent = append(w.v[:0], v...), append(w.sent[:0], sent...)
		if w.Steps.Post {
			post := w.zeros()
			if w.Post != nil {
				post = span(w.Post)
			}
			s.dst, s.bias = w.Out.Slots(w.Steps.Main+k, n)[c:], 0
			s.send(v, post, sent)
		}
		if w.Residuals != nil {
			copy(span(w.Residuals[k]), v)
		}
		copy(v, w.v)
		copy(sent, w.sent)
		k++
	}
}

func (w *gradedWorker) zeros() []float32 {
	if len(w.zero) < w.Plane {
		w.zero = make([]float32, w.Plane)
	}
	return w.zero[:w.Plane]
}
