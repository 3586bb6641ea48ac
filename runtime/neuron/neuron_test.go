package neuron

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/kernel/machine"
)

// population makes a population of one image, or fails the test.
func population(t *testing.T, p Params, c, plane int) *Population {
	t.Helper()
	pop, err := New(p, 1, c, plane, make([]float32, c*plane))
	if err != nil {
		t.Fatal(err)
	}
	return pop
}

// simulate drives a population with currents for T steps and, when post is
// set, one post step with its own current. It gives the spikes.
func simulate(pop *Population, steps int, current func(t int) []float32, post []float32) *Spikes {
	pool := machine.NewPool(1)
	defer pool.Close()
	total := steps
	if post != nil {
		total++
	}
	spikes := NewSpikes(total, pop.N, pop.C, pop.Plane, pop.Threshold)
	for t := range steps {
		pop.Step(pool, current(t), spikes, t, false)
	}
	if post != nil {
		pop.Step(pool, post, spikes, steps, true)
	}
	return spikes
}

// counts is the number of spikes of each element.
func counts(tr *Spikes) []int {
	out := make([]int, tr.N*tr.C*tr.Plane)
	for t := range tr.Steps {
		for i := range tr.N * tr.C {
			bits := tr.Bits(t, i)
			for k := range tr.Plane {
				out[i*tr.Plane+k] += int(bits[k/64] >> (k % 64) & 1)
			}
		}
	}
	return out
}

// TestTraces holds the neurons to traces worked out by hand: soft reset keeps
// what lies above the threshold, the bias is absent in the post step, and an
// MPRN fires there from alpha*theta on and loses a full theta.
func TestTraces(t *testing.T) {
	for _, c := range []struct {
		name    string
		p       Params
		x       []float32
		post    []float32
		spikes  []uint64
		residue float32
	}{
		{"soft reset keeps the excess", Params{Threshold: []float32{1}},
			[]float32{0.75, 0.75, 0.75, 0.75}, nil, []uint64{0, 1, 1, 1}, 0},
		{"one spike a step at most", Params{Threshold: []float32{1}},
			[]float32{2.5, 0, 0, 0}, nil, []uint64{1, 1, 0, 0}, 0.5},
		{"exactly at the threshold fires", Params{Threshold: []float32{0.5}},
			[]float32{0.25, 0.25, 0.25}, nil, []uint64{0, 1, 0}, 0.25},
		{"negative potential is kept", Params{Threshold: []float32{1}},
			[]float32{-1, 1, 1, 1}, nil, []uint64{0, 0, 1, 1}, 0},
		{"v0 is in units of the threshold", Params{Threshold: []float32{2}, V0: 0.5},
			[]float32{1, 1, 1}, nil, []uint64{1, 0, 1}, 0},
		{"bias is a current of the main steps", Params{Threshold: []float32{1}, Bias: []float32{0.5}, Alpha: []float32{0.75}},
			[]float32{0, 0, 0}, []float32{0}, []uint64{0, 1, 0, 0}, 0.5},
		{"post step fires from alpha on", Params{Threshold: []float32{1}, Bias: []float32{0.25}, Alpha: []float32{0.75}},
			[]float32{0, 0, 0}, []float32{0}, []uint64{0, 0, 0, 1}, -0.25},
		{"post step takes the current of the slice", Params{Threshold: []float32{1}, Alpha: []float32{0.75}},
			[]float32{0.25, 0.25}, []float32{0.25}, []uint64{0, 0, 1}, -0.25},
		{"an IF keeps its threshold in the post step", Params{Threshold: []float32{1}},
			[]float32{0.25, 0.25, 0.25}, []float32{0}, []uint64{0, 0, 0, 0}, 0.75},
		{"an infinite threshold never fires", Params{Threshold: []float32{float32(math.Inf(1))}, V0: 0.25},
			[]float32{1e30, 1e30}, nil, []uint64{0, 0}, 2e30},
	} {
		t.Run(c.name, func(t *testing.T) {
			pop := population(t, c.p, 1, 1)
			tr := simulate(pop, len(c.x), func(i int) []float32 { return c.x[i : i+1] }, c.post)
			var got []uint64
			for s := range tr.Steps {
				got = append(got, tr.Bits(s, 0)[0])
			}
			if !slices.Equal(got, c.spikes) {
				t.Errorf("spikes %v, want %v", got, c.spikes)
			}
			if pop.Potential()[0] != c.residue {
				t.Errorf("residual potential %v, want %v", pop.Potential()[0], c.residue)
			}
		})
	}
}

// constantErrors gives r - a for constant inputs a = k/4096 of [0,1], over all
// thresholds used.
func constantErrors(t *testing.T, p Params, steps int) (lo, hi float64) {
	t.Helper()
	const n = 4097
	a := make([]float32, n)
	for k := range a {
		a[k] = p.Threshold[0] * float32(k) / (n - 1)
	}
	var post []float32
	if p.Alpha != nil {
		post = make([]float32, n)
	}
	pop := population(t, p, 1, n)
	tr := simulate(pop, steps, func(int) []float32 { return a }, post)
	for k, c := range counts(tr) {
		e := float64(c)/float64(steps) - float64(k)/(n-1)
		lo, hi = min(lo, e), max(hi, e)
	}
	return lo, hi
}

// rounding is what T float32 additions may add to an error.
func rounding(steps int) float64 { return float64(steps) * 0x1p-22 }

// TestTheorem1 holds the conversion errors to their bounds for a constant input
// in [0,1]: the IF's to [-1/T, 0], the MPRN's to [-alpha/T, (1-alpha)/T].
func TestTheorem1(t *testing.T) {
	for _, steps := range []int{1, 2, 4, 5, 8, 10, 32, 50} {
		for _, theta := range []float32{1, 0.5, 0.37, 12.5} {
			inv := 1 / float64(steps)
			lo, hi := constantErrors(t, Params{Threshold: []float32{theta}}, steps)
			if lo < -inv-rounding(steps) || hi > rounding(steps) {
				t.Errorf("IF, T = %d, theta = %g: errors [%g, %g], want within [%g, 0]", steps, theta, lo, hi, -inv)
			}
			if lo > -inv*0.99 {
				t.Errorf("IF, T = %d, theta = %g: largest error %g never comes near %g: the test is too weak", steps, theta, lo, -inv)
			}
			for _, beta := range []float64{-8, 0, 2} {
				alpha := Alpha(beta)
				p := Params{Threshold: []float32{theta}, Alpha: []float32{float32(alpha)}}
				lo, hi := constantErrors(t, p, steps)
				if lo < -alpha*inv-rounding(steps) || hi > (1-alpha)*inv+rounding(steps) {
					t.Errorf("MPRN, T = %d, theta = %g, alpha = %g: errors [%g, %g], want within [%g, %g]",
						steps, theta, alpha, lo, hi, -alpha*inv, (1-alpha)*inv)
				}
			}
		}
	}
}

// TestCentredMPRN holds that v0 = alpha - 1/2 makes the MPRN round to the
// nearest rate: errors within [-1/2T, 1/2T], half the IF's.
func TestCentredMPRN(t *testing.T) {
	for _, steps := range []int{1, 2, 5, 10, 50} {
		for _, beta := range []float64{-4, 0, 3} {
			alpha := Alpha(beta)
			p := Params{Threshold: []float32{0.8}, Alpha: []float32{float32(alpha)}, V0: float32(alpha - 0.5)}
			lo, hi := constantErrors(t, p, steps)
			if half := 0.5/float64(steps) + rounding(steps); lo < -half || hi > half {
				t.Errorf("T = %d, alpha = %g: errors [%g, %g], want within %g", steps, alpha, lo, hi, half)
			}
		}
	}
}

// TestAlpha holds Eq. 15: alpha is in (0.5, 1), 0.75 at beta = 0, and rises.
func TestAlpha(t *testing.T) {
	if a := Alpha(0); a != 0.75 {
		t.Errorf("Alpha(0) = %g, want 0.75", a)
	}
	last := 0.5
	for beta := -20.0; beta <= 20; beta += 0.5 {
		a := Alpha(beta)
		if a <= last || a >= 1 {
			t.Fatalf("Alpha(%g) = %g, want above %g and below 1", beta, a, last)
		}
		last = a
	}
}

// TestChargeIsConserved holds the identity of the soft reset: what flowed in is
// what was fired plus what is left, whatever the currents. Dyadic numbers make
// it exact.
func TestChargeIsConserved(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const steps, n = 37, 130
	theta := []float32{0.75, 2, 1.5}
	pop := population(t, Params{Threshold: theta, Bias: []float32{0.25, -0.5, 0}, Alpha: []float32{0.5}}, 3, n)
	sum := make([]float64, 3*n)
	x := make([]float32, 3*n)
	draw := func(bias []float32) []float32 {
		for i := range x {
			x[i] = float32(r.IntN(65)-32) / 16
			sum[i] += float64(x[i]) + float64(at(bias, i/n, 0))
		}
		return x
	}
	pool := machine.NewPool(2)
	defer pool.Close()
	tr := NewSpikes(steps+1, 1, 3, n, theta)
	for s := range steps {
		pop.Step(pool, draw(pop.Bias), tr, s, false)
	}
	pop.Step(pool, draw(nil), tr, steps, true)
	for i, c := range counts(tr) {
		if got := float64(c)*float64(theta[i/n]) + float64(pop.Potential()[i]); got != sum[i] {
			t.Fatalf("element %d: fired + left = %g, flowed in %g", i, got, sum[i])
		}
	}
}

// TestSpikes checks the packed spikes against their amplitudes, per channel and
// over word boundaries.
func TestSpikes(t *testing.T) {
	pool := machine.NewPool(2)
	defer pool.Close()
	for _, plane := range []int{1, 63, 64, 65, 200} {
		tr := NewSpikes(2, 2, 3, plane, []float32{1, 2, 4})
		want := make([]float32, 2*3*plane)
		r := rand.New(rand.NewPCG(3, uint64(plane)))
		var n int64
		for i := range want {
			if r.IntN(3) == 0 {
				tr.Bits(1, i/plane)[i%plane/64] |= 1 << (i % plane % 64)
				want[i] = []float32{1, 2, 4}[i/plane%3]
				n++
			}
		}
		got := make([]float32, len(want))
		tr.Expand(pool, got, 1)
		if !slices.Equal(got, want) {
			t.Errorf("plane %d: expanded slice differs", plane)
		}
		if tr.Count(0) != 0 || tr.Count(1) != n {
			t.Errorf("plane %d: counts %d and %d, want 0 and %d", plane, tr.Count(0), tr.Count(1), n)
		}
	}
}

// TestResidual checks the statistics of Fig. 4 on potentials chosen by hand.
func TestResidual(t *testing.T) {
	pop := population(t, Params{Threshold: []float32{1, 2}}, 2, 3)
	copy(pop.v, []float32{0.5, -0.5, 1.25, 0.9, 2, -4})
	r := pop.Residual()
	if r.Elements != 6 || r.Half != 3 || r.Full != 2 || math.Abs(r.Sum-(0.5+0.5+1.25+0.45+1+2)) > 1e-6 {
		t.Errorf("residual %+v", r)
	}
}

// TestNewRefuses holds the errors of bad parameters.
func TestNewRefuses(t *testing.T) {
	for name, p := range map[string]Params{
		"no threshold":                 {},
		"zero threshold":               {Threshold: []float32{0}},
		"negative threshold":           {Threshold: []float32{1, -1}},
		"threshold not a number":       {Threshold: []float32{float32(math.NaN())}},
		"thresholds of other channels": {Threshold: []float32{1, 1, 1}},
		"biases of other channels":     {Threshold: []float32{1}, Bias: []float32{1, 2, 3}},
	} {
		if _, err := New(p, 1, 2, 4, make([]float32, 8)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(Params{Threshold: []float32{1}}, 1, 2, 4, make([]float32, 7)); err == nil {
		t.Error("short state: accepted")
	}
}
