package exec_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// asked is a context that counts how often it is asked whether it has ended, which it has from
// some question on: so work is counted in the pieces between two questions, not in seconds.
type asked struct {
	context.Context
	times atomic.Int64
	last  int64 // that is told to go on
}

func (a *asked) Err() error {
	if a.times.Add(1) > a.last {
		return context.Canceled
	}
	return nil
}

// heavy are networks with one convolution, of 16 channels to 16, that takes nearly all of the time.
var heavy = map[string]string{
	"analog":             analog("Conv <pads = [1, 1, 1, 1]>"),
	"analog, dilated":    analog("Conv <pads = [2, 2, 2, 2], dilations = [2, 2]>"),
	"analog, transposed": analog("ConvTranspose <pads = [1, 1, 1, 1]>"),
	"spiking": `g (float[N,1,H,W] x) => (float[N,16,H,W] o)
<float[16,1,1,1] w1 = ["location": "seed:1"], float[16,16,3,3] w2 = ["location": "seed:2"], float theta = {0.5}>
{
  a = Conv(x, w1)
  e = ai.spikingir.Encode <@@> (a)
  y = ai.spikingir.IF <@@> (e, , theta)
  d = Conv <pads = [1, 1, 1, 1]> (y, w2)
  z = ai.spikingir.IF <@@> (d, , theta)
  o = ai.spikingir.Decode <@@> (z)
}`,
}

// analog is such a network without neurons.
func analog(heavy string) string {
	return fmt.Sprintf(`g (float[N,1,H,W] x) => (float[N,16,H,W] o)
<float[16,1,1,1] w1 = ["location": "seed:1"], float[16,16,3,3] w2 = ["location": "seed:2"]>
{
  a = Conv(x, w1)
  r = Relu(a)
  o = %s (r, w2)
}`, heavy)
}

// TestStops holds that a run ends within pieces of 64 million multiply-accumulates, hundredths of a
// second, and not with the layer of a large image at hand: it asks that often, and does nothing
// more once it is told to end.
func TestStops(t *testing.T) {
	const side, steps, threads = 384, 4, 2
	pool := machine.NewPool(threads)
	defer pool.Close()
	x := random(3, -1, 2, 1, 1, side, side)
	for _, c := range []struct {
		net, kind string
		precision exec.Precision
	}{
		{"analog", "", exec.Float32}, {"analog, dilated", "", exec.Float32}, {"analog, transposed", "", exec.Float32},
		{"spiking", "", exec.Float32}, {"spiking", "", exec.FixedPoint},
		{"spiking", "two-phase", exec.Float32}, {"spiking", "two-phase", exec.FixedPoint},
		{"spiking", "BurstIF <@@, burst = 5", exec.FixedPoint},
	} {
		t.Run(fmt.Sprintf("%s, %s, precision %d", c.net, c.kind, c.precision), func(t *testing.T) {
			var m *graph.Model
			switch src := heavy[c.net]; c.kind {
			case "":
				m = model(t, src, steps, 0)
			case "two-phase":
				m = twoPhase(t, src, steps, 0)
			default:
				m = graded(model(t, ofKind(src, c.kind), steps, 0))
			}
			p, err := exec.Compile(m, exec.Options{Pool: pool, Precision: c.precision, MemoryLimit: -1})
			if err != nil {
				t.Fatal(err)
			}
			run := func(last int64) (int64, error) {
				ctx := &asked{Context: context.Background(), last: last}
				_, err := p.Run(ctx, map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
				return ctx.times.Load(), err
			}
			whole, err := run(1 << 40)
			if err != nil {
				t.Fatal(err)
			}
			work := int64(side * side * 16 * 16 * 9)
			if want := work >> 26; whole < want {
				t.Errorf("asked %d times whether to go on, want %d times or more", whole, want)
			}
			for _, last := range []int64{whole / 3, whole / 2} {
				times, err := run(last)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v, want that the run was ended", err)
				}
				if times > last+2*threads+4 {
					t.Errorf("asked %d times more after it was told to end", times-last)
				}
			}
		})
	}
}
