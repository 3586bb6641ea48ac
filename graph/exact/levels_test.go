package exact

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSettle holds random neurons to what Settle promises: whole thresholds, levels that sums of
// whole units keep away from, small moves, and the same again at a second time.
func TestSettle(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	near, settled := 0, 0
	for range 20000 {
		n := Neuron{Lockstep: r.IntN(2) == 0, Timesteps: 1 + r.IntN(20), V0: 0.05 + 0.9*r.Float64()}
		if r.IntN(3) > 0 {
			n.Alpha = 0.5 + 0.5*r.Float64()
		}
		unit := math.Exp(4 * r.NormFloat64())
		theta := float32(unit * 8 * math.Exp(6*r.Float64()))
		bias := float32(0)
		if r.IntN(3) > 0 {
			bias = float32(float64(theta) * (r.Float64() - 0.5))
		}
		given := r.IntN(2) == 0
		s, ok := n.Settle(theta, bias, unit, given)
		if !ok {
			continue
		}
		settled++
		if checkSettled(t, n, theta, bias, unit, given, s) {
			near++
		}
	}
	if settled < 19000 || near > settled/20 {
		t.Errorf("%d neurons of 20000 settled, %d of them with a level near a sum", settled, near)
	}
}

// checkSettled tells whether a level of the neuron lies near a sum.
func checkSettled(t *testing.T, n Neuron, theta, bias float32, unit float64, given bool, s Settled) (near bool) {
	t.Helper()
	level := math.Round(float64(s.Theta) / s.Unit)
	slack := Slack(level)
	moved := 2 * max(2/level, 1./64)
	switch {
	case given && s.Unit != unit, !given && s.Theta != theta:
		t.Fatalf("%+v of %g, %g, %g: what is given moves: %+v", n, theta, bias, unit, s)
	case math.Mod(level, 2) != 1 || math.Abs(float64(s.Theta)/s.Unit-level) > slack:
		t.Fatalf("%+v: %+v is no odd number of units", n, s)
	case math.Abs(float64(s.Theta/theta)-1) > moved || math.Abs(s.Unit/unit-1) > moved:
		t.Fatalf("%+v of %g, %g, %g: moves too far: %+v", n, theta, bias, unit, s)
	case bias == 0 && s.Bias != 0, math.Abs(float64(s.Bias-bias)) > s.Unit*(1+slack)+1e-6*math.Abs(float64(bias)):
		t.Fatalf("%+v: bias %g of unit %g becomes %g", n, bias, s.Unit, s.Bias)
	}
	if again, ok := n.Settle(s.Theta, s.Bias, s.Unit, given); !ok || again.Theta != s.Theta || again.Bias != s.Bias || math.Abs(again.Unit/s.Unit-1) > 1e-6 {
		t.Fatalf("%+v: %+v becomes %+v", n, s, again)
	}
	start := n.V0 * float64(s.Theta) / s.Unit // less whole units
	if n.Lockstep {
		if b := float64(s.Bias) / s.Unit; beside(b) > slack || beside(start-level) < leastGap-slack {
			t.Fatalf("%+v: %+v fires at a potential, or its bias is no multiple", n, s)
		}
	} else {
		start += float64(n.Timesteps) * float64(s.Bias) / s.Unit
	}
	post := n.Alpha * float64(s.Theta) / s.Unit
	if bias != 0 && !n.Lockstep && math.Abs(beside(start-post)-0.5) > slack {
		t.Fatalf("%+v: %+v: the post step's level lies %g beside sums", n, s, beside(start-post))
	}
	return n.Lockstep && n.Alpha != 0 && beside(start-post) < 0.05 || !n.Lockstep && beside(start) < 0.05
}
