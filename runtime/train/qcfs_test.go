package train

import (
	"math"
	"testing"
)

// TestQCFSForward holds that the stage rates on an integrate-and-fire neuron with v0 = 1/2 is
// the training of QCFS (Bu et al., ICLR 2022): forward the clip-floor-shift function
// lambda*clip(floor(x*L/lambda + 1/2)/L, 0, 1) with L = T and lambda the threshold; backward
// straight through between 0 and lambda, and by lambda what is left of the rounding, or 1
// where it clips.
func TestQCFSForward(t *testing.T) {
	const steps, lambda = 4, 0.8
	m := parse(t, `<ir_version: 8, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float theta = {0.8}>
{
  e = ai.spikingir.Encode <timesteps = 4, post = 0> (x)
  [relu] s = ai.spikingir.IF <timesteps = 4, post = 0, v0 = 0.5> (e, "", theta)
  y = ai.spikingir.Decode <timesteps = 4, post = 0> (s)
}`)
	const h, w = 16, 16
	n := compile(t, m, h, w, Options{TrainThresholds: true})
	x, by := make([]float32, h*w), make([]float32, h*w)
	var theta float64
	for i := range x {
		x[i] = float32(i)/160 - 0.3003 // past both ends, and at no level
		by[i] = float32(i%7) - 3
	}
	worker := n.NewWorker()
	got, err := worker.Forward(x, Rates, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range x {
		level := math.Floor(float64(v)*steps/float64(float32(lambda))+0.5) / steps
		want := float64(float32(lambda)) * min(max(level, 0), 1)
		if d := math.Abs(float64(got[i]) - want); d > 1e-6 {
			t.Fatalf("x = %g gives %g, want %g", v, got[i], want)
		}
		switch u := float64(v) / lambda; {
		case u <= 0:
		case u < 1:
			theta += float64(by[i]) * (level - u)
		default:
			theta += float64(by[i])
		}
	}
	_, grads := gradients(t, n, x, by, Rates, Hooks{})
	for i, p := range n.Params() {
		if p.Role != Threshold {
			continue
		}
		// Thresholds are the softplus of what is trained.
		slope := 1 - math.Exp(-lambda)
		if d := math.Abs(float64(grads[i][0]) - theta*slope); d > 1e-3*math.Abs(theta*slope) {
			t.Errorf("the gradient by lambda is %g, want %g", grads[i][0], theta*slope)
		}
		return
	}
	t.Error("the threshold is not trained")
}
