package kernel

import "math"

var genericNeurons = neuronKernels{
	forward:      func(a *neuronForward, n int) { neuronForwardGeneric(a, 0, n) },
	backward:     func(a *neuronBackward, n int) { neuronBackwardGeneric(a, 0, n) },
	rateForward:  func(a *rateArgs, n int) { rateForwardGeneric(a, 0, n) },
	rateBackward: func(a *rateArgs, n int) { rateBackwardGeneric(a, 0, n) },
	addSpikes:    addSpikesGeneric,
	adam:         adamGeneric,
}

// neuronForwardGeneric runs elements from to to; from is a multiple of 64.
func neuronForwardGeneric(a *neuronForward, from, to int) {
	for at := from; at < to; at += spikeBits {
		for t := range a.slices {
			a.spikes[t*a.words+at/spikeBits] = 0
		}
		for i := at; i < min(at+spikeBits, to); i++ {
			a.element(i)
		}
	}
}

// element runs one neuron through all steps.
func (a *neuronForward) element(i int) {
	p := i % len(a.theta)
	theta, bias, level := a.theta[p], a.bias[p], a.theta[p]
	v, count := a.v0[p], float32(0)
	for t := range a.slices {
		var current float32
		if t < a.main {
			current = a.current[t*a.currentStep+i]
		} else {
			current, bias, level = a.post[i*a.postMove], 0, a.fire[p]
		}
		v += float32(current + bias)
		a.u[t*a.size+i] = v
		emitted := float32(0)
		if v >= level {
			a.spikes[t*a.words+i/spikeBits] |= 1 << (i % spikeBits)
			v -= theta
			emitted = theta
			count++
		}
		if a.amplitude != nil {
			a.amplitude[t*a.size+i] = emitted
		}
	}
	if a.counts != nil {
		a.counts[i] = count
	}
	if a.residual != nil {
		a.residual[i] = v
	}
}

// neuronBackwardGeneric goes back through elements from to to.
func neuronBackwardGeneric(a *neuronBackward, from, to int) {
	for i := from; i < to; i++ {
		a.element(i)
	}
}

// element goes back through all steps of one neuron.
func (a *neuronBackward) element(i int) {
	p := i % len(a.gain)
	gain, inverse := a.gain[p], a.inverse[p]
	common := mulFlushed(addFlushed(flush(a.spike[p]), flush(a.counts[i*a.countsMove])), inverse)
	gv := flush(a.residual[i*a.residualMove])
	var gradTheta, gradBias float32
	for t := a.slices - 1; t >= 0; t-- {
		level, center := a.level[p], a.center[p]
		if t >= a.main {
			level, center = a.postLevel[p], a.postCenter[p]
		}
		u := flush(a.u[t*a.size+i])
		g := flush(a.amplitude[t*a.amplitudeStep+i*a.amplitudeMove])
		units := mulFlushed(u, inverse)
		surrogate := a.slope(addFlushed(units, -center))
		attached := addFlushed(g, -gv)
		if a.detach == 0 {
			g = attached
		}
		du := mulFlushed(addFlushed(g, common), surrogate)
		if surrogate < leastSlope {
			du = 0
		}
		if t >= a.main {
			a.sumAlpha[p] = addFlushed(flush(a.sumAlpha[p]), -mulFlushed(du, gain))
		}
		gradTheta = addFlushed(gradTheta, -mulFlushed(du, units))
		if !(u < level) {
			gradTheta = addFlushed(gradTheta, attached)
		}
		gv = addFlushed(gv, du)
		if t < a.main {
			gradBias = addFlushed(gradBias, gv)
		}
		if a.steady == 0 {
			a.current[t*a.size+i] = gv
		}
	}
	if a.steady != 0 {
		a.current[i] = gradBias
	}
	a.sumBias[p] = addFlushed(flush(a.sumBias[p]), gradBias)
	a.sumTheta[p] = addFlushed(flush(a.sumTheta[p]), gradTheta)
	a.sumV0[p] = addFlushed(flush(a.sumV0[p]), gv)
}

// slope is the surrogate at x.
func (a *neuronBackward) slope(x float32) float32 {
	switch Surrogate(a.surrogate) {
	case SigmoidSurrogate:
		h := mulFlushed(abs32(x), a.scale)
		if h > farthest {
			h = farthest
		}
		e := exp2Neg(h)
		d := 1 + e
		return float32(a.height * (e / float32(d*d)))
	case TriangleSurrogate:
		d := 1 - mulFlushed(abs32(x), a.scale)
		if d < 0 {
			d = 0
		}
		return float32(a.height * d)
	}
	h := mulFlushed(x, a.scale) // ArctanSurrogate
	return a.height / (1 + mulFlushed(h, h))
}

// exp2Neg is 2^-h for h in 0..64.
func exp2Neg(h float32) float32 {
	t := roundingFloat - h
	r := (t - roundingFloat) + h
	r2 := float32(r * r)
	p := float32(exp2c6*r2) + (float32(exp2c5*r) + exp2c4)
	p = float32(p*r2) + (float32(exp2c3*r) + exp2c2)
	p = float32(p*r2) + (float32(exp2c1*r) + 1)
	return math.Float32frombits(math.Float32bits(p) + math.Float32bits(t)<<23)
}

// rateForwardGeneric quantises elements from to to.
func rateForwardGeneric(a *rateArgs, from, to int) {
	for i := from; i < to; i++ {
		p := i % len(a.gain)
		_, rate := a.rate(i, p)
		a.out[i] = mulFlushed(a.gain[p], rate)
	}
}

// rate gives the current of element i in thresholds, and the rate.
func (a *rateArgs) rate(i, p int) (units, rate float32) {
	units = mulFlushed(addFlushed(flush(a.x[i]), flush(a.bias[p])), a.inverse[p])
	level := floor32(addFlushed(mulFlushed(units, a.steps), flush(a.shift[p])))
	if level < 0 {
		level = 0
	}
	if level > a.most {
		level = a.most
	}
	return units, mulFlushed(level, a.part)
}

// rateBackwardGeneric goes back through elements from to to.
func rateBackwardGeneric(a *rateArgs, from, to int) {
	for i := from; i < to; i++ {
		p := i % len(a.gain)
		units, rate := a.rate(i, p)
		var gx, gradTheta float32
		g := flush(a.grad[i])
		switch {
		case units <= 0:
		case units < a.top:
			gx, gradTheta = g, mulFlushed(g, addFlushed(rate, -units))
		default:
			gradTheta = mulFlushed(g, a.top)
		}
		a.out[i] = gx
		a.sumBias[p] = addFlushed(flush(a.sumBias[p]), gx)
		a.sumTheta[p] = addFlushed(flush(a.sumTheta[p]), gradTheta)
	}
}

// The functions below are float32 arithmetic with FTZ and DAZ set, as the kernels in
// assembly run: their operands are no subnormals.

// flushedBelow is the least float64 that rounds to a normal float32 when its exponent
// is not bounded: x86 looks whether a result is tiny after it was rounded.
const flushedBelow = 0x1p-126 - 0x1p-151

// flush replaces a subnormal number by a zero of its sign.
func flush(x float32) float32 {
	if b := math.Float32bits(x); b<<1 < 1<<24 {
		return math.Float32frombits(b & (1 << 31))
	}
	return x
}

func addFlushed(x, y float32) float32 { return flush(x + y) }

// mulFlushed looks twice where the product rounds to the least normal number or less.
func mulFlushed(x, y float32) float32 {
	p := float32(x * y)
	if math.Float32bits(p)<<1 <= 1<<24 {
		p = mulTiny(x, y)
	}
	return p
}

func mulTiny(x, y float32) float32 { return roundFlushed(float64(x) * float64(y)) }

// divFlushed rounds a float64 quotient once more, which changes nothing: float64 has
// more than twice the digits.
func divFlushed(x, y float32) float32 { return roundFlushed(float64(x) / float64(y)) }

func roundFlushed(x float64) float32 {
	if x < flushedBelow && x > -flushedBelow {
		return float32(math.Copysign(0, x))
	}
	return float32(x)
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func floor32(x float32) float32 { return float32(math.Floor(float64(x))) }
