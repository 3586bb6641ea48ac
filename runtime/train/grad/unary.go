package grad

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// A derivative is that of y, a function of x, by x.
type derivative func(x, y float64) float64

// plain binds a function of one element that has no attributes.
func plain(d derivative) binder { return always(d.backward) }

// backward multiplies element by element.
func (d derivative) backward(c *call) error {
	x, y, g, gx := c.in[0], c.out[0], c.gout[0], c.gin[0]
	if g == nil || gx == nil {
		return nil
	}
	if err := wantDims("output 0", y, x.Dims...); err != nil {
		return err
	}
	for i, v := range g.F32 {
		if v != 0 {
			gx.F32[i] += float32(float64(v) * d(float64(x.F32[i]), float64(y.F32[i])))
		}
	}
	return nil
}

func relu(x, _ float64) float64 { return slope(x, 0) }

// slope is the derivative of max(x, 0) + a*min(x, 0).
func slope(x, a float64) float64 {
	if x > 0 {
		return 1
	}
	return a
}

func sigmoid(x, _ float64) float64 {
	e := math.Exp(-math.Abs(x)) // exp(-x) could overflow
	return e / ((1 + e) * (1 + e))
}

// logistic is 1/(1+exp(-x)).
func logistic(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

func tanh(x, _ float64) float64 {
	t := math.Tanh(x)
	return 1 - t*t
}

func softplus(x, _ float64) float64 { return logistic(x) }

func softsign(x, _ float64) float64 { return 1 / ((1 + math.Abs(x)) * (1 + math.Abs(x))) }

func hardSwish(x, _ float64) float64 {
	switch {
	case x <= -3:
		return 0
	case x >= 3:
		return 1
	}
	return x/3 + 0.5
}

// mish is the derivative of x tanh(p) with p = log(1+exp(x)), whose own is the
// logistic function.
func mish(x, _ float64) float64 {
	p := math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	t := math.Tanh(p)
	return t + x*(1-t*t)*logistic(x)
}

func erf(x, _ float64) float64 { return 2 / math.Sqrt(math.Pi) * math.Exp(-x*x) }

func exp(_, y float64) float64        { return y }
func log(x, _ float64) float64        { return 1 / x }
func sqrt(_, y float64) float64       { return 0.5 / y }
func sin(x, _ float64) float64        { return math.Cos(x) }
func cos(x, _ float64) float64        { return -math.Sin(x) }
func reciprocal(_, y float64) float64 { return -y * y }
func neg(_, _ float64) float64        { return -1 }

func abs(x, _ float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// activation binds a function of one element, of attributes that of decodes.
func activation[T any](of func(*graph.Node) (T, error), d func(v T, x float64) float64) binder {
	return func(n *graph.Node, _ int64) (backward, error) {
		v, err := of(n)
		return derivative(func(x, _ float64) float64 { return d(v, x) }).backward, err
	}
}

func leakyRelu(l op.Activation, x float64) float64 { return slope(x, float64(l.Alpha)) }

func elu(e op.Activation, x float64) float64 {
	if x > 0 {
		return 1
	}
	return float64(e.Alpha) * math.Exp(x)
}

func selu(s op.Activation, x float64) float64 {
	if x > 0 {
		return float64(s.Gamma)
	}
	return float64(s.Gamma) * float64(s.Alpha) * math.Exp(x)
}

func celu(c op.Activation, x float64) float64 {
	if x > 0 {
		return 1
	}
	return math.Exp(x / float64(c.Alpha))
}

func hardSigmoid(h op.Activation, x float64) float64 {
	alpha, beta := float64(h.Alpha), float64(h.Beta)
	if y := alpha*x + beta; y > 0 && y < 1 {
		return alpha
	}
	return 0
}

func thresholdedRelu(t op.Activation, x float64) float64 {
	if x > float64(t.Alpha) {
		return 1
	}
	return 0
}

// gelu is the derivative of x times the normal distribution function of x, or of its
// approximation x (1 + tanh(u)) / 2.
func gelu(g op.Gelu, x float64) float64 {
	if !g.Tanh {
		density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		return 0.5*(1+math.Erf(x/math.Sqrt2)) + x*density
	}
	const cube = 0.044715
	t := math.Tanh(math.Sqrt(2/math.Pi) * (x + cube*x*x*x))
	du := math.Sqrt(2/math.Pi) * (1 + 3*cube*x*x)
	return 0.5*(1+t) + 0.5*x*(1-t*t)*du
}

// bindCast passes gradients between floating point types.
func bindCast(n *graph.Node, _ int64) (backward, error) {
	c, err := op.CastOf(n)
	if err == nil && !c.To.IsFloat() {
		err = op.Errorf(n, "a cast to %v has no gradient", c.To)
	}
	return pass, err
}

// bindClip gives the gradient of each element to x or to the limit that it became.
func bindClip(n *graph.Node, opset int64) (backward, error) {
	v, err := op.ClipOf(n, opset)
	if err != nil {
		return nil, err
	}
	return func(c *call) error {
		low, high := math.Inf(-1), math.Inf(1)
		limits := [2]*total{}
		if opset < 11 {
			low, high = float64(v.Min.Value), float64(v.Max.Value)
		} else {
			for i, limit := range []*float64{&low, &high} {
				if t := c.optional(i + 1); t != nil {
					if t.Len() != 1 {
						return wantDims("limit", t)
					}
					*limit = float64(t.F32[0])
					limits[i] = totalOf(c.gin[i+1], true)
				}
			}
		}
		return clip(c, low, high, limits)
	}, nil
}

// clip follows the operator: the lower limit first, then the upper one.
func clip(c *call, low, high float64, limits [2]*total) error {
	if err := wantDims("output 0", c.out[0], c.in[0].Dims...); err != nil {
		return err
	}
	gx := totalOf(c.gin[0], false)
	for i, g := range c.gout[0].F32 {
		x := float64(c.in[0].F32[i])
		switch {
		case max(x, low) > high:
			limits[1].add(0, float64(g))
		case x < low:
			limits[0].add(0, float64(g))
		default:
			gx.add(i, float64(g))
		}
	}
	limits[0].done()
	limits[1].done()
	return nil
}
