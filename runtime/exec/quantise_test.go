package exec

import (
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/spike"
)

// TestQuantise holds what a fixed-point layer rests on: weights fit, what the
// numbers stand for is what was given, and no potential leaves 32 bits, however
// spikes come.
func TestQuantise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	taken := 0
	for range 2000 {
		steps := 1 + r.IntN(2000)
		n := 1 + r.IntN(600)
		magnitude := math.Exp(10 * r.NormFloat64())
		c := current{weights: [][]float64{make([]float64, n)}, bias: []float64{magnitude * r.NormFloat64()},
			always: []float64{magnitude * r.NormFloat64()}}
		for i := range c.weights[0] {
			c.weights[0][i] = magnitude * r.NormFloat64()
		}
		th := thresholds{theta: []float64{magnitude * math.Exp(3*r.NormFloat64())}, alpha: []float64{0.5 + r.Float64()/2}, v0: r.Float64() - 0.5}
		f := quantise(c, th, steps)
		if f == nil {
			continue
		}
		taken++
		checkScale(t, c, th, f)
		checkRange(t, f, steps)
	}
	if taken < 500 {
		t.Errorf("%d of 2000 layers were taken: the test is too weak", taken)
	}
}

// checkScale compares the integers with what they stand for.
func checkScale(t *testing.T, c current, th thresholds, f *fixedPoint) {
	t.Helper()
	scale, n := f.scale[0], f.neurons
	near := func(name string, got int32, want float64) {
		if d := math.Abs(float64(got)*scale - want); d > scale*1.01 {
			t.Fatalf("%s is %d units of %g, want %g", name, got, scale, want)
		}
	}
	for i, w := range f.weights[0] {
		if w > spike.MostWeight || w < -spike.MostWeight {
			t.Fatalf("weight %d", w)
		}
		near("weight", int32(w), c.weights[0][i])
	}
	near("bias", n.Bias[0], c.bias[0]+c.always[0])
	near("post bias", n.PostBias[0], c.always[0])
	near("threshold", n.Threshold[0], th.theta[0])
	near("fire", n.Fire[0], th.theta[0])
	near("post fire", n.PostFire[0], th.theta[0]*th.alpha[0])
	near("v0", n.V0[0], th.theta[0]*th.v0)
}

// checkRange adds up the worst that spikes can do.
func checkRange(t *testing.T, f *fixedPoint, steps int) {
	t.Helper()
	up, down := int64(0), int64(0)
	for _, w := range f.weights[0] {
		up += max(int64(w), 0)
		down += min(int64(w), 0)
	}
	n := f.neurons
	bias := max(abs(n.Bias[0]), abs(n.PostBias[0]))
	high := int64(n.V0[0]) + int64(steps)*(up+bias)
	low := int64(n.V0[0]) + int64(steps)*(down-bias) - int64(n.Threshold[0])
	if high >= math.MaxInt32 || low < math.MinInt32 {
		t.Fatalf("potentials of %d to %d over %d steps, want 32 bits", low, high, steps)
	}
}

func abs(x int32) int64 { return max(int64(x), -int64(x)) }

func TestQuantiseRefuses(t *testing.T) {
	one := []float64{1}
	for name, c := range map[string]struct {
		w, theta float64
	}{
		"weights that are no number": {math.NaN(), 1}, "infinite weights": {math.Inf(1), 1}, "threshold 0.001 of a weight": {1, 1e-3},
	} {
		cur := current{weights: [][]float64{{c.w, 0.5}}, bias: []float64{0}, always: []float64{0}}
		if quantise(cur, thresholds{[]float64{c.theta}, one, 0}, 10) != nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestLevel holds that a level parts potentials as their floats do.
func TestLevel(t *testing.T) {
	for _, x := range []float32{1, 0.7, 1e-3, 3e5, 1e-40, math.MaxFloat32, float32(math.Inf(1))} {
		for _, scale := range []float64{1.0 / (1 << 16), float64(x) / 1000.3, float64(x) / (1 << 30)} {
			if math.IsInf(scale, 1) {
				continue
			}
			v := level(x, scale)
			if v < math.MaxInt32 && float32(float64(v)*scale) < x || float32(float64(v-1)*scale) >= x {
				t.Errorf("%d times %g stands for %g", v, scale, x)
			}
		}
	}
}
