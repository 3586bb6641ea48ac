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

func param(name string, n int, rate, decay float64) *Param {
	return &Param{Name: name, Value: randoms(n, uint64(n)), Grad: make([]float32, n), Rate: rate, Decay: decay}
}

// TestAdamAgainstPaper checks some steps against the algorithms as their papers
// write them, in float64 and with the moments corrected one by one.
func TestAdamAgainstPaper(t *testing.T) {
	for _, decay := range []float64{0, 0.05} {
		params := []*Param{param("w", 37, 1, 1), param("b", 5, 0.5, 0)}
		o := DefaultAdam
		o.Decay = decay
		adam, err := NewAdam(params, o)
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
					s.w -= rate * p.Rate * (decay*p.Decay*s.w + mean/(math.Sqrt(square)+1e-8))
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
	p := param("x", 20, 1, 1)
	adam, err := NewAdam([]*Param{p}, DefaultAdam)
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
// for bit, and that a frozen parameter rests and then begins as a new one.
func TestResume(t *testing.T) {
	run := func(breakAt int) ([][]float32, []uint64) {
		params := []*Param{param("w", 30, 1, 1), param("b", 6, 0, 1)}
		adam, average := begin(t, params)
		for step := range 12 {
			if step == breakAt {
				a, v := begin(t, params)
				mustRestore(t, a.Restore(adam.Steps(), clones(adam.State())))
				mustRestore(t, v.Restore(average.Updates(), clones(average.State())))
				adam, average = a, v
			}
			if step == 5 {
				params[1].Rate = 2
			}
			for i, p := range params {
				copy(p.Grad, randoms(len(p.Grad), uint64(10*step+i)))
			}
			before := slices.Clone(params[1].Value)
			adam.Step(1e-2)
			if step < 5 && !slices.Equal(before, params[1].Value) {
				t.Fatalf("step %d moves a frozen parameter", step)
			}
			if step == 5 && math.Abs(math.Abs(float64(params[1].Value[0]-before[0]))-0.02) > 1e-3 {
				t.Errorf("first step of %g after a freeze, want about the rate 0.02", params[1].Value[0]-before[0])
			}
			average.Update()
		}
		var out [][]float32
		for _, s := range slices.Concat(adam.State(), average.State()) {
			out = append(out, s.Data)
		}
		return append(out, params[0].Value, params[1].Value), adam.Steps()
	}
	want, steps := run(-1)
	if !slices.Equal(steps, []uint64{12, 7}) {
		t.Errorf("%d steps, want 12 and 7", steps)
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
	adam, err := NewAdam(params, AdamOptions{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.01})
	if err != nil {
		t.Fatal(err)
	}
	average, err := NewAverage(params, 0.9)
	if err != nil {
		t.Fatal(err)
	}
	return adam, average
}

func clones(in []Array) []Array {
	var out []Array
	for _, a := range in {
		out = append([]Array{{a.Name, slices.Clone(a.Data)}}, out...)
	}
	return out
}

func mustRestore(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestoreErrors(t *testing.T) {
	params := []*Param{param("w", 4, 1, 1)}
	adam, average := begin(t, params)
	state := clones(adam.State())
	for _, c := range []struct {
		err  error
		want string
	}{
		{adam.Restore([]uint64{1}, state[:1]), "holds 1 arrays, want 2"},
		{adam.Restore(nil, state), "steps of 0 parameters, want 1"},
		{adam.Restore([]uint64{1}, []Array{state[0], {"other", state[1].Data}}), "lacks the array adam.mean/w"},
		{adam.Restore([]uint64{1}, []Array{state[0], {"adam.mean/w", nil}}), "holds 0 values, want 4"},
		{average.Restore(1, nil), "state of the average holds 0 arrays, want 1"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%v, want %q", c.err, c.want)
		}
	}
	if adam.Steps()[0] != 0 || average.Updates() != 0 {
		t.Error("a failed Restore changed the number of steps")
	}
}

func TestParamErrors(t *testing.T) {
	for _, c := range []struct {
		params []*Param
		want   string
	}{
		{nil, "none of 0 parameters"},
		{[]*Param{param("w", 3, 0, 0)}, "none of 1 parameters has a rate above 0"},
		{[]*Param{param("w", 3, 1, 0), param("w", 4, 1, 0)}, `name "w" is empty or taken twice`},
		{[]*Param{{Name: "w", Value: make([]float32, 3), Rate: 1}}, "3 values and 0 gradients"},
		{[]*Param{param("w", 3, math.NaN(), 0)}, "rate factor NaN"},
		{[]*Param{param("w", 3, 1, -1)}, "decay factor -1"},
	} {
		if _, err := NewAdam(c.params, DefaultAdam); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewAdam: %v, want %q", err, c.want)
		}
	}
	for _, c := range []struct {
		o    AdamOptions
		want string
	}{
		{AdamOptions{Beta1: 1, Beta2: 0.9, Eps: 1}, "betas of Adam are 1 and 0.9"},
		{AdamOptions{Beta1: 0.9, Beta2: -1, Eps: 1}, "betas of Adam are 0.9 and -1"},
		{AdamOptions{}, "epsilon of Adam is 0"},
		{AdamOptions{Eps: 1, Decay: math.Inf(1)}, "weight decay is +Inf"},
	} {
		if _, err := NewAdam([]*Param{param("w", 3, 1, 0)}, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("NewAdam: %v, want %q", err, c.want)
		}
	}
	if _, err := NewAverage(nil, 1); err == nil {
		t.Error("an average that never moves is accepted")
	}
}

// TestAverage checks the warm-up of the decay against the sum written out, and
// the exchange of values.
func TestAverage(t *testing.T) {
	p := &Param{Name: "w", Value: []float32{1}, Grad: []float32{0}, Rate: 1}
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
	p := param("w", 1<<16, 1, 1)
	copy(p.Grad, randoms(1<<16, 1))
	adam, err := NewAdam([]*Param{p}, DefaultAdam)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1 << 18)
	for b.Loop() {
		adam.Step(1e-3)
	}
}
