package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A smoothNeuron is one neuron in float64 whose step function is the integral of its
// surrogate.
type smoothNeuron struct {
	surrogate              Surrogate
	slope                  float64
	theta, alpha, bias, v0 float64
	current                []float64
	main                   int
	amplitude              []float64 // gradients of the loss
	spike, residual        float64
	frozen                 []float64 // spikes of a detached reset, nil: attached
	potentials, spikes     []float64
}

// step is the integral of the surrogate.
func (n *smoothNeuron) step(x float64) float64 {
	y := n.slope * x
	switch n.surrogate {
	case SigmoidSurrogate:
		return 1 / (1 + math.Exp(-y))
	case TriangleSurrogate:
		switch {
		case y <= -1:
			return 0
		case y <= 0:
			return (y + 1) * (y + 1) / 2
		case y <= 1:
			return 1 - (1-y)*(1-y)/2
		}
		return 1
	}
	return math.Atan(math.Pi/2*y)/math.Pi + 0.5
}

// loss runs the neuron; it keeps the potentials and spikes.
func (n *smoothNeuron) loss() float64 {
	v, loss := n.v0, 0.0
	n.potentials, n.spikes = n.potentials[:0], n.spikes[:0]
	for t, current := range n.current {
		u, a := v+current, n.alpha
		if t < n.main {
			u, a = u+n.bias, 1
		}
		s := n.step(u/n.theta - a)
		n.potentials, n.spikes = append(n.potentials, u), append(n.spikes, s)
		reset := s
		if n.frozen != nil {
			reset = n.frozen[t]
		}
		v = u - n.theta*reset
		loss += n.amplitude[t]*n.theta*s + n.spike*s
	}
	return loss + n.residual*v
}

// derivative is the central difference of the loss by a parameter.
func (n *smoothNeuron) derivative(parameter *float64) float64 {
	const h = 1e-6
	before := *parameter
	*parameter = before + h
	above := n.loss()
	*parameter = before - h
	below := n.loss()
	*parameter = before
	return (above - below) / (2 * h)
}

// TestGradients compares Backward with differences of the smoothed neurons.
func TestGradients(t *testing.T) {
	forEachOf(t, "trainneuron", func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 1))
		for trial := range 24 {
			s := smoothNeuron{
				surrogate: Surrogate(trial % 3), slope: []float64{0.7, 2, 4}[trial/3%3],
				theta: 0.5 + r.Float64(), alpha: 0.5 + r.Float64()/2, bias: 0.3 * r.NormFloat64(),
				v0: 0.3 * r.NormFloat64(), main: 4, spike: r.NormFloat64(), residual: r.NormFloat64(),
			}
			for range s.main + trial%2 {
				s.current = append(s.current, 0.5*r.NormFloat64()+0.3)
				s.amplitude = append(s.amplitude, r.NormFloat64())
			}
			if s.loss(); trial%4 >= 2 {
				s.frozen = append([]float64{}, s.spikes...)
			}
			checkGradients(t, &s)
		}
	})
}

// checkGradients puts the neuron in all 64 elements of a word and one more.
func checkGradients(t *testing.T, s *smoothNeuron) {
	t.Helper()
	const size = 65
	steps := NeuronSteps{Size: size, Main: s.main, Post: len(s.current) > s.main}
	spread := func(x []float64) []float32 {
		var y []float32
		for _, v := range x {
			for range size {
				y = append(y, float32(v))
			}
		}
		return y
	}
	n := NewNeuron(NeuronParams{Theta: []float32{float32(s.theta)}, Alpha: []float32{float32(s.alpha)}})
	n.Surrogate, n.Slope, n.DetachReset = s.surrogate, float32(s.slope), s.frozen != nil
	var sums [4][]float32
	for i := range sums {
		sums[i] = make([]float32, n.Period())
	}
	g := NeuronGrad{
		Amplitude: spread(s.amplitude), Counts: spread([]float64{0.25 * s.spike}),
		Spike: spread([]float64{0.75 * s.spike})[:n.Period()], Residual: spread([]float64{s.residual}),
		Current: make([]float32, len(s.current)*size),
		Bias:    sums[0], Theta: sums[1], Alpha: sums[2], V0: sums[3],
	}
	s.loss()
	potentials, spikes := append([]float64{}, s.potentials...), append([]float64{}, s.spikes...)
	n.Backward(g, spread(potentials), steps)
	near := func(name string, got float32, want float64) {
		t.Helper()
		if math.Abs(float64(got)-want) > 2e-5*(1+math.Abs(want)) {
			t.Errorf("surrogate %d, slope %v, detached %v: gradient of %s is %v, differences give %v",
				s.surrogate, s.slope, s.frozen != nil, name, got, want)
		}
	}
	// Backward takes the spikes themselves as 0 or 1, the smoothed neuron has others.
	wantTheta := s.derivative(&s.theta)
	for step := range s.current {
		near("a current", g.Current[step*size+64], s.derivative(&s.current[step]))
		gv := s.residual
		if step+1 < len(s.current) {
			gv = float64(g.Current[(step+1)*size])
		}
		hard, level := 0.0, float32(s.theta)
		if step >= s.main {
			level *= float32(s.alpha)
		}
		if float32(potentials[step]) >= level {
			hard = 1
		}
		wantTheta += (hard - spikes[step]) * (s.amplitude[step] - gv)
	}
	for element := 1; element < 64; element += 7 {
		near("bias", sums[0][element], s.derivative(&s.bias))
		near("theta", sums[1][element], wantTheta)
		near("alpha", sums[2][element], s.derivative(&s.alpha))
		near("v0", sums[3][element], s.derivative(&s.v0))
	}
	near("the 65th and first bias", sums[0][0], 2*s.derivative(&s.bias))
}

// TestSurrogates compares the surrogates with their formulas: with a gradient of 1 at
// a threshold of 1, the current's gradient is the surrogate.
func TestSurrogates(t *testing.T) {
	const size = 64 * 100
	forEachOf(t, "trainneuron", func(t *testing.T) {
		u := make([]float32, size)
		one := make([]float32, size)
		for i := range u {
			u[i], one[i] = float32(i-size/2)*0.003, 1
		}
		for _, s := range []Surrogate{SigmoidSurrogate, TriangleSurrogate, ArctanSurrogate} {
			for _, k := range []float32{1, 4, 10} {
				n := NewNeuron(NeuronParams{Theta: []float32{1}})
				n.Surrogate, n.Slope = s, k
				got, sums := make([]float32, size), make([]float32, 64)
				n.Backward(NeuronGrad{Amplitude: one, Current: got, Bias: sums, Theta: sums, Alpha: sums, V0: sums},
					u, NeuronSteps{Size: size, Main: 1})
				for i := range u {
					// x is exact for u in 0.5..2 and otherwise rounded.
					want := surrogate64(s, float64(k), float64(u[i]-1))
					// The exponent's own rounding counts in a tail.
					bound := 1e-6 * want * (1 + float64(k)*math.Abs(float64(u[i])))
					if want < leastSlope && s == SigmoidSurrogate {
						bound = leastSlope
					}
					if s == TriangleSurrogate {
						bound += 1e-6 * float64(k) // of a difference
					}
					if d := math.Abs(float64(got[i]) - want); !(d <= bound) {
						t.Fatalf("surrogate %d of slope %v at %v is %v, want %v", s, k, u[i]-1, got[i], want)
					}
				}
			}
		}
	})
}

func surrogate64(s Surrogate, k, x float64) float64 {
	switch s {
	case SigmoidSurrogate:
		e := math.Exp(-k * math.Abs(x))
		return k * e / ((1 + e) * (1 + e))
	case TriangleSurrogate:
		return k * max(0, 1-k*math.Abs(x))
	}
	y := math.Pi / 2 * k * x
	return k / 2 / (1 + y*y)
}

// TestExp2Neg bounds the error of the exponential over its range.
func TestExp2Neg(t *testing.T) {
	worst := 0.0
	for h := 0.0; h <= farthest; h += 1.0 / 4099 {
		x := float32(h)
		want := math.Exp2(-float64(x))
		worst = max(worst, math.Abs(float64(exp2Neg(x))-want)/want)
	}
	if worst > 0x1p-23 {
		t.Errorf("relative error %v, want 2^-23 at most", worst)
	}
}
