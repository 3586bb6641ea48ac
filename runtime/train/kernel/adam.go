package kernel

import "math"

// Adam is the constants of Adam with decoupled weight decay (Kingma and Ba, ICLR
// 2015; Loshchilov and Hutter, ICLR 2019).
type Adam struct {
	Rate         float64
	Beta1, Beta2 float64
	Epsilon      float64 // positive
	Decay        float64 // 0: plain Adam
}

// AdamStep does step t = 1, 2, ... with the gradients g, multiplied by scale (1, or
// what gradient clipping asks for):
//
//	g = scale*g
//	m = beta1*m + (1-beta1)*g
//	v = beta2*v + (1-beta2)*g*g
//	p = (1 - rate*decay)*p - rate/(1-beta1^t) * m/(sqrt(v)/sqrt(1-beta2^t) + epsilon)
//
// in float32, with factors computed in float64 and rounded once; subnormal numbers
// count as 0. The slices have one length. All implementations give the same bits.
func AdamStep(p, g, m, v []float32, c Adam, t int, scale float32) {
	for _, x := range [][]float32{g, m, v} {
		wantLength("AdamStep", "numbers beside the parameters", len(x), len(p))
	}
	a := adamArgs{
		scale: scale,
		keep1: float32(c.Beta1), new1: float32(1 - c.Beta1),
		keep2: float32(c.Beta2), new2: float32(1 - c.Beta2),
		root:    float32(1 / math.Sqrt(1-math.Pow(c.Beta2, float64(t)))),
		epsilon: float32(c.Epsilon),
		rate:    float32(c.Rate / (1 - math.Pow(c.Beta1, float64(t)))),
		shrink:  float32(1 - c.Rate*c.Decay),
	}
	n := len(p) &^ (spikeBits - 1)
	neuronFamily.Kernels.adam(p[:n], g[:n], m[:n], v[:n], &a)
	adamGeneric(p[n:], g[n:], m[n:], v[n:], &a)
}

// adamArgs is the factors of a step of Adam, as AdamStep explains them.
type adamArgs struct {
	scale, keep1, new1, keep2, new2 float32
	root, epsilon, rate, shrink     float32
}

func adamGeneric(p, g, m, v []float32, a *adamArgs) {
	for i := range p {
		gi := mulFlushed(flush(g[i]), a.scale)
		mi := addFlushed(mulFlushed(a.keep1, flush(m[i])), mulFlushed(a.new1, gi))
		vi := addFlushed(mulFlushed(a.keep2, flush(v[i])), mulFlushed(mulFlushed(a.new2, gi), gi))
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(vi)))
		d := addFlushed(mulFlushed(root, a.root), a.epsilon)
		step := mulFlushed(a.rate, divFlushed(mi, d))
		p[i] = addFlushed(mulFlushed(flush(p[i]), a.shrink), -step)
	}
}
