package optim

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// randoms are n normal numbers of a seed, some of them tiny or zero.
func randoms(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
		if i%7 == 3 {
			out[i] *= 1e-6
		}
		if i%11 == 5 {
			out[i] = 0
		}
	}
	return out
}

func param(name string, n int, decays bool) *Param {
	return &Param{Name: name, Value: randoms(n, uint64(n)), Grad: make([]float32, n), Decays: decays}
}

// TestAdamAgainstPaper checks some steps against the algorithms as their papers
// write them, in float64 and with the moments corrected one by one.
func TestAdamAgainstPaper(t *testing.T) {
	for _, decay := range []float64{0, 0.05} {
		params := []*Param{param("w", 37, true), param("b", 5, false)}
		adam, err := NewAdam(params, decay)
		if err != nil {
			t.Fatal(err)
		}
		type state struct{ w, m, v float64 }
		var want [2][]state
		for i, p := range params {
			for _, w := range p.Value {
				want[i] = append(want[i], state{w: float64(w)})
			}
		}
		factors := []float64{decay, 0}
		for step := 1; step <= 20; step++ {
			rate := 1e-2 / float64(step)
			for i, p := range params {
				copy(p.Grad, randoms(len(p.Grad), uint64(100*step+i)))
				for k := range want[i] {
					s, g := &want[i][k], float64(p.Grad[k])
					s.m = 0.9*s.m + 0.1*g
					s.v = 0.999*s.v + 0.001*g*g
					mean := s.m / (1 - math.Pow(0.9, float64(step)))
					square := s.v / (1 - math.Pow(0.999, float64(step)))
					s.w -= rate * (factors[i]*s.w + mean/(math.Sqrt(square)+1e-8))
				}
			}
			adam.Step(rate)
			for i, p := range params {
				for k, v := range p.Value {
					if w := want[i][k].w; math.Abs(float64(v)-w) > 2e-6*(1+math.Abs(w)) {
						t.Fatalf("decay %g, step %d: %s[%d] is %g, want %g", decay, step, p.Name, k, v, w)
					}
				}
			}
		}
	}
}

// TestAdamMinimises checks that the optimiser finds the minimum of a quadratic.
func TestAdamMinimises(t *testing.T) {
	p := param("x", 20, true)
	adam, err := NewAdam([]*Param{p}, 0)
	if err != nil {
		t.Fatal(err)
	}
	schedule := Schedule{Shape: Cosine, Base: 0.1, Steps: 500}
	for step := range 500 {
		for i, v := range p.Value {
			p.Grad[i] = float32(i+1) * (v - 0.25)
		}
		adam.Step(schedule.Rate(step))
	}
	for i, v := range p.Value {
		if math.Abs(float64(v)-0.25) > 1e-3 {
			t.Errorf("value %d is %g, want 0.25", i, v)
		}
	}
}

// TestResume checks that an optimiser and an average that are restored go on bit
// for bit.
func TestResume(t *testing.T) {
	run := func(breakAt int) ([][]float32, []uint64) {
		params := []*Param{param("w", 30, true), param("b", 6, true)}
		adam, average := begin(t, params)
		for step := range 12 {
			if step == breakAt {
				a, v := begin(t, params)
				copy(a.Steps, adam.Steps)
				v.Updates = average.Updates
				for i, s := range slices.Concat(adam.State(), average.State()) {
					copy(slices.Concat(a.State(), v.State())[i].Data, s.Data)
				}
				adam, average = a, v
			}
			for i, p := range params {
				copy(p.Grad, randoms(len(p.Grad), uint64(10*step+i)))
			}
			adam.Step(1e-2)
			average.Update()
		}
		var out [][]float32
		for _, s := range slices.Concat(adam.State(), average.State()) {
			out = append(out, s.Data)
		}
		return append(out, params[0].Value, params[1].Value), adam.Steps
	}
	want, steps := run(-1)
	if !slices.Equal(steps, []uint64{12, 12}) {
		t.Errorf("%d steps, want 12 and 12", steps)
	}
	for _, at := range []int{1, 5, 6, 11} {
		got, again := run(at)
		if diff := cmp.Diff(want, got); diff != "" || !slices.Equal(steps, again) {
			t.Errorf("resumed at step %d (-want +got):\n%s", at, diff)
		}
	}
}

func begin(t *testing.T, params []*Param) (*Adam, *Average) {
	t.Helper()
	adam, err := NewAdam(params, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	average, err := NewAverage(params, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	return adam, average
}

func TestParamErrors(t *testing.T) {
	for _, c := range []struct {
		params []*Param
		want   string
	}{
		{[]*Param{param("w", 3, false), param("w", 4, false)}, `name "w" is empty or taken twice`},
		{[]*Param{{Name: "w", Value: make([]float32, 3)}}, "3 values and 0 gradients"},
	} {
		if _, err := NewAdam(c.params, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewAdam: %v, want %q", err, c.want)
		}
	}
	if _, err := NewAdam(nil, math.Inf(1)); err == nil || !strings.Contains(err.Error(), "weight decay is +Inf") {
		t.Errorf("NewAdam: %v", err)
	}
	if _, err := NewAverage(nil, 1); err == nil {
		t.Error("an average that never moves is accepted")
	}
}

// TestAverage checks the warm-up of the decay against the sum written out, and
// the exchange of values.
func TestAverage(t *testing.T) {
	p := &Param{Name: "w", Value: []float32{1}, Grad: []float32{0}}
	a, err := NewAverage([]*Param{p}, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	want := 1.0
	for _, c := range []struct{ value, decay float64 }{
		{2, 0.1}, {4, 2.0 / 11}, {8, 0.2}, {16, 0.2}, // from the third on, 3/12 > 0.2
	} {
		p.Value[0] = float32(c.value)
		a.Update()
		want = c.decay*want + (1-c.decay)*c.value
		if got := a.State()[0].Data[0]; math.Abs(float64(got)-want) > 1e-6*want {
			t.Errorf("average is %g, want %g", got, want)
		}
	}
	a.Swap()
	if got := p.Value[0]; math.Abs(float64(got)-want) > 1e-5 || a.State()[0].Data[0] != 16 {
		t.Errorf("after Swap the value is %g and the average %g", got, a.State()[0].Data[0])
	}
	a.Swap()
	if p.Value[0] != 16 {
		t.Errorf("after two Swaps the value is %g, want 16", p.Value[0])
	}
}

func BenchmarkAdam(b *testing.B) {
	p := param("w", 1<<16, true)
	copy(p.Grad, randoms(1<<16, 1))
	adam, err := NewAdam([]*Param{p}, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1 << 18)
	for b.Loop() {
		adam.Step(1e-3)
	}
}
