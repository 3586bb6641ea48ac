package neuron

import (
	"fmt"
	"math"
	"testing"

	"spikingir/runtime/kernel/machine"
)

// stepped is a two-phase neuron step by step: it fires while the potential allows it, a
// spike a step, and at the post step from alpha*theta on.
func stepped(v, theta, alpha float64, steps int, post bool) (spikes, late int, left float64) {
	for range steps {
		if v >= theta {
			v -= theta
			spikes++
		}
	}
	if post && v >= alpha*theta {
		v -= theta
		late++
	}
	return spikes + late, late, v
}

// TestTwoPhaseNeuron holds the counts of one neuron against stepping, over all currents of
// a grid that float32 holds exactly; and the charge that is left against what flowed in.
func TestTwoPhaseNeuron(t *testing.T) {
	pool := machine.NewPool(2)
	defer pool.Close()
	var currents []float32
	for i := -640; i <= 1920; i++ {
		currents = append(currents, float32(i)/64)
	}
	n := len(currents)
	for _, steps := range []int{1, 3, 10} {
		for _, theta := range []float32{0.5, 1, 1.5, float32(math.Inf(1))} {
			for _, alpha := range []float32{0, 0.75} { // 0: an IF
				for _, post := range []bool{false, true} {
					for _, v0 := range []float32{0, 0.25} {
						for _, bias := range []float32{0, -0.5} {
							name := fmt.Sprintf("T=%d theta=%v alpha=%v post=%v v0=%v bias=%v", steps, theta, alpha, post, v0, bias)
							p := TwoPhase{Params: Params{Threshold: []float32{theta}, V0: v0, Bias: []float32{bias}},
								Steps: steps, Post: post, C: 1, Plane: n, Sum: currents, Out: make([]float32, n),
								Residual: make([]float32, n), Spikes: make([]float32, n), Late: make([]float32, n)}
							fire := 1.0
							if alpha > 0 {
								p.Alpha, fire = []float32{alpha}, float64(alpha)
							}
							if err := p.Run(pool); err != nil {
								t.Fatal(err)
							}
							for i, x := range currents {
								v := float64(x) + float64(steps)*float64(bias)
								if !math.IsInf(float64(theta), 1) {
									v += float64(v0 * theta)
								}
								k, late, left := stepped(v, float64(theta), fire, steps, post)
								if int(p.Spikes[i]) != k || int(p.Late[i]) != late || float64(p.Residual[i]) != left {
									t.Fatalf("%s: current %v gives %v spikes, %v late, %v left; want %d, %d, %v",
										name, x, p.Spikes[i], p.Late[i], p.Residual[i], k, late, left)
								}
								if k > 0 && float64(p.Out[i])+left != v || k == 0 && p.Out[i] != 0 {
									t.Fatalf("%s: current %v: emits %v and keeps %v of %v", name, x, p.Out[i], left, v)
								}
							}
						}
					}
				}
			}
		}
	}
}

// TestTwoPhaseRounding holds the counts where quotients are rounded: within one of the real
// ones, only beside a multiple of theta, and rising with the current.
func TestTwoPhaseRounding(t *testing.T) {
	pool := machine.NewPool(1)
	defer pool.Close()
	const steps = 50
	theta := float32(0.7317)
	var sums []float32
	for k := range steps + 1 {
		at := float32(k) * theta
		sums = append(sums, math.Nextafter32(at, -1), at, math.Nextafter32(at, 100), at+theta/3)
	}
	n := len(sums)
	p := TwoPhase{Params: Params{Threshold: []float32{theta}}, Steps: steps, C: 1, Plane: n, Sum: sums,
		Out: make([]float32, n), Residual: make([]float32, n), Spikes: make([]float32, n), Late: make([]float32, n)}
	if err := p.Run(pool); err != nil {
		t.Fatal(err)
	}
	last := float32(0)
	for i, x := range sums {
		q := float64(x) / float64(theta)
		want := min(max(math.Floor(q), 0), steps)
		got := float64(p.Spikes[i])
		if got != want && !(got == want+1 && math.Abs(q-got) < got*0x1p-23) {
			t.Errorf("%v/%v gives %v spikes, want %v", x, theta, got, want)
		}
		if p.Spikes[i] < last {
			t.Errorf("%v spikes at %v, and %v at less", got, x, last)
		}
		last = p.Spikes[i]
	}
}
