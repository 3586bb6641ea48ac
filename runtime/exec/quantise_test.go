package exec

import (
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel"
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

// TestSettled holds that integers are the numbers of a layer that quantise-weights rounded, however
// float32 rounds those: weights, bias and threshold are as many parts of a unit, and the
// levels lie between two.
func TestSettled(t *testing.T) {
	for _, most := range grids {
		unit := 0.3 / most
		for _, c := range []struct {
			bias, level, v0 float64
			settled         bool
		}{{17, 901, 0.25, true}, {-5, 4095, 0.25, true}, {0, 301, 0.5, true},
			{17.5, 901, 0.25, false}, {17, 901.5, 0.25, false}, {17, 900, 0.25, false}, {17, 902, 0.5, false}, {17, 901, 0, false}} {
			cur := current{weights: [][]float64{{0.3, float64(float32(5 * unit)), 0}}, bias: []float64{float64(float32(c.bias * unit))}, always: []float64{0}}
			th := thresholds{theta: []float64{float64(float32(c.level * unit))}, alpha: []float64{0.75}, v0: c.v0}
			f := quantise(cur, th, 11)
			parts := unit / f.scale[0]
			power := math.Log2(parts)
			whole := math.Abs(power-math.Round(power)) < 1e-5
			if whole != c.settled {
				t.Errorf("%g: bias %g, threshold %g units, v0 %g: a unit is %g of the scale", most, c.bias, c.level, c.v0, parts)
			}
			if !whole {
				continue
			}
			k, n := int32(math.Round(parts)), f.neurons
			if f.weights[0][0] != int16(k)*int16(most) || f.weights[0][1] != int16(5*k) || n.Bias[0] != int32(c.bias)*k || n.Threshold[0] != int32(c.level)*k {
				t.Errorf("%g: weights %d, bias %d, threshold %d at %d a unit", most, f.weights[0], n.Bias[0], n.Threshold[0], k)
			}
			if start, fire := n.V0[0]%k, n.PostFire[0]%k; start == 0 || fire == start {
				t.Errorf("%g: levels %d and %d of %d a unit", most, start, fire, k)
			}
		}
	}
}

func TestQuantiseRefuses(t *testing.T) {
	one := []float64{1}
	for name, c := range map[string]struct {
		w, theta float64
	}{
		"weights that are no number": {math.NaN(), 1}, "infinite weights": {math.Inf(1), 1}, "threshold 0.001 of a weight": {1, 1e-3},
	} {
		cur := current{weights: [][]float64{{c.w, 0.5}}, bias: []float64{0}, always: []float64{0}}
		if quantise(cur, thresholds{theta: []float64{c.theta}, alpha: one}, 10) != nil {
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

// TestCoarse packs weights on the grid of 8 bits: in 8 bits where the threshold is on it and
// nobody reads the residual potential, else exactly too, in 16.
func TestCoarse(t *testing.T) {
	row := []float64{127 * 0.3, -5 * 0.3, 0, 64 * 0.3}
	r := countRows{most: 11, rows: [][]float64{row, {0, 0, 0, 0}}}
	r.shape.ConvShape = kernel.ConvShape{InC: 4, OutC: 2, Groups: 1, KH: 1, KW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	on, off := thresholds{theta: []float64{301 * 0.3, 1}, alpha: []float64{0.75, 0.75}}, thresholds{theta: []float64{301.4 * 0.3, 1}, alpha: []float64{0.75, 0.75}}
	for name, c := range map[string]struct {
		n    *countNeurons
		bits int
	}{
		"currents":              {nil, 8},
		"threshold on the grid": {&countNeurons{on, []float64{0.1, 0}, true, false}, 8},
		"residual potential":    {&countNeurons{on, []float64{0.1, 0}, true, true}, 16},
		"threshold off it":      {&countNeurons{off, []float64{0.1, 0}, true, false}, 16},
	} {
		k, ok := r.pack(c.n, 10)
		if !ok || k.packed.Bits() != c.bits {
			t.Errorf("%s: %d bits, want %d", name, k.packed.Bits(), c.bits)
		}
		for _, w := range row {
			if x := w / k.scale[0]; math.Abs(x-math.Round(x)) > 1e-6*math.Abs(x) {
				t.Errorf("%s: weight %g is %g units", name, w, x)
			}
		}
	}
	r.rows[0][1] *= 1.1
	if k, ok := r.pack(nil, 10); !ok || k.packed.Bits() != 16 {
		t.Errorf("weights off the grid take %d bits", k.packed.Bits())
	}
}

// TestCountNeurons compares neurons in integers with the definition in real numbers, for
// every sum near where they fire: rounding decides on no spike.
func TestCountNeurons(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 300 {
		unit, level, steps := math.Exp(r.NormFloat64()), 2+r.IntN(400), 1+r.IntN(20)
		n := &countNeurons{thresholds{theta: []float64{float64(level) * unit}, alpha: []float64{0.5 + r.Float64()/2}, v0: r.Float64()},
			[]float64{r.NormFloat64() * unit * float64(level)}, true, false}
		k := n.integers([]float64{unit}, steps, 1)
		for sum := -2 * level; sum < (steps+3)*level; sum++ {
			v := int64(sum) + int64(k.Potential[0])
			spikes := min(max(v/int64(level), 0), int64(steps))
			if v-spikes*int64(level) >= int64(k.Fire[0]) {
				spikes++
			}
			real := n.start(0, steps)/unit + float64(sum)
			want := min(max(math.Floor(real/float64(level)), 0), float64(steps))
			if real-want*float64(level) >= n.alpha[0]*float64(level) {
				want++
			}
			if float64(spikes) != want {
				t.Fatalf("sum %d, threshold %d units, start %g: %d spikes, want %v", sum, level, n.start(0, steps)/unit, spikes, want)
			}
		}
	}
}
