package exec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
)

// twoPhase is model for a network of lock-step, with neurons of the two-phase schedule.
func twoPhase(t *testing.T, src string, steps, post int) *graph.Model {
	t.Helper()
	m := model(t, src, steps, post)
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			op.SetTwoPhase(n)
		}
	}
	m.SetOpset(graph.Spiking, op.TwoPhaseVersion)
	return m
}

// pooled is a network with what stands between spikes and convolutions.
const pooled = `g (float[N,2,H,W] x) => (float[N,2,H,W] o)
<float[2,1,1] theta = {0.5, 0.25}, float one = {1}, float two = {2}, float[2,2,3,3] w = ["location": "seed:1"], float[3,4,1,1] v = ["location": "seed:2"], float[2,2,1,1] id = {1, 0, 0, 1}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.IF <@@> (e, , theta)
  n = Neg(e)
  z = ai.spikingir.IF <@@> (n, , theta)
  [direct] d = Conv <pads = [1, 1, 1, 1]> (y, w)
  s = Sub(y, z)
  [sum] c = Conv <pads = [1, 1, 1, 1]> (s, w)
  m = Mul(y, two)
  k = Concat <axis = 1> (m, z)
  [joined] j = Conv(k, v)
  q, qv = ai.spikingir.IF <@@> (c, , one)
  u = Add(q, d)
  r, rv = ai.spikingir.IF <@@> (u, , one)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1], pads = [0, 0, 0, 0]> (r, rv, id)
  h = ai.spikingir.IF <@@> (j, , one)
}`

// TestTwoPhaseTiles demands the same bits and figures of whole images and of tiles, on any
// number of threads, for one number of timesteps and for several, in either precision.
func TestTwoPhaseTiles(t *testing.T) {
	for _, precision := range []exec.Precision{exec.FixedPoint, exec.Float32} {
		for _, name := range []string{"spiking", "spiking upscaling"} {
			checkTwoPhaseTiles(t, name, precision)
		}
	}
}

func checkTwoPhaseTiles(t *testing.T, name string, precision exec.Precision) {
	pool := machine.NewPool(3)
	defer pool.Close()
	m := twoPhase(t, tileable[name], 5, 1)
	x := random(3, -1, 2, 1, 1, 61, 47)
	o := exec.Options{Timesteps: []int{2, 3, 5}, MemoryLimit: -1, Precision: precision}
	whole := compile(t, m, o)
	if n := fixedLayers(whole); (n > 0) != (precision == exec.FixedPoint) {
		t.Errorf("%s: %d layers in integers", name, n)
	}
	want, _ := measureAll(t, whole, x)
	for at, k := range o.Timesteps {
		one := compile(t, m, exec.Options{Timesteps: []int{k}, MemoryLimit: -1, Precision: precision, Pool: pool})
		got, _ := measureAll(t, one, x)
		sameResults(t, name, got, want[at:at+1])
		if d := cmp.Diff(want[at], got[0], cmpopts.IgnoreFields(exec.Result{}, "Outputs")); d != "" {
			t.Errorf("%s: measured alone at T = %d (-several +alone):\n%s", name, k, d)
		}
	}
	o.MemoryLimit = 150 << 10
	if !compareMeasured(t, compile(t, m, o), x, want) {
		t.Errorf("%s: not cut by a limit of %d", name, o.MemoryLimit)
	}
}

// TestTwoPhaseWork compares the work of first layers with that of lock-step, where a
// neuron on a constant current fires as often: spikes, synapses and operations.
func TestTwoPhaseWork(t *testing.T) {
	x := random(5, 0, 0.25, 2, 2, 9, 7)
	for i := range x.F32 { // multiples of 1/64, so that no sum is rounded
		x.F32[i] = float32(int(x.F32[i]*64)) / 64
	}
	lock := execute(t, compile(t, model(t, pooled, 8, 0), exec.Options{Precision: exec.Float32}), x)
	two := execute(t, compile(t, twoPhase(t, pooled, 8, 0), exec.Options{}), x)
	for _, name := range []string{"direct", "sum", "joined"} {
		if d := cmp.Diff(workOf(t, lock, name), workOf(t, two, name)); d != "" {
			t.Errorf("%s (-lock-step +two-phase):\n%s", name, d)
		}
		if w := workOf(t, two, name); w.SpikesIn == 0 || !w.Driven {
			t.Errorf("%s: %+v: the test shows nothing", name, w)
		}
	}
	byNode := map[string]exec.NeuronReport{}
	for _, n := range lock.Neurons {
		byNode[n.Origin] = n
	}
	for _, n := range two.Neurons[:2] {
		l := byNode[n.Origin]
		if n.Spikes != l.Spikes || n.Elements != l.Elements || n.Op != "TwoPhaseIF" {
			t.Errorf("%s: %d spikes of %d neurons, in lock-step %d of %d", n.Origin, n.Spikes, n.Elements, l.Spikes, l.Elements)
		}
	}
}

// TestTwoPhasePooling counts the spikes behind an operator that mixes them: one for each
// step in which one of those that meet has fired.
func TestTwoPhasePooling(t *testing.T) {
	m := twoPhase(t, `g (float[1,1,2,4] x) => (float[1,1,1,2] o)
<float one = {1}, float[1,1,1,1] w = {1}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.IF <@@> (e, , one)
  p = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (y)
  [conv] c = Conv(p, w)
  z = ai.spikingir.IF <@@> (c, , one)
  o = ai.spikingir.Decode <@@> (z)
}`, 4, 0)
	x := random(1, 0, 1, 1, 1, 2, 4)
	copy(x.F32, []float32{0.25, 0.5, 0, 0, 0.75, 0, -1, 0.25})
	if w := workOf(t, execute(t, compile(t, m, exec.Options{}), x), "conv"); w.SpikesIn != 3+1 || w.ExactOps != 4 {
		t.Errorf("%v spikes and %v synapses, want 4 of each: the most in each window", w.SpikesIn, w.ExactOps)
	}
}

// TestTwoPhaseReadout holds the identity of the output stage, and its residual past
// saturation.
func TestTwoPhaseReadout(t *testing.T) {
	for _, post := range []int{0, 1} {
		for _, steps := range []int{1, 3, 10, 50} {
			x := random(7, -2, 5, 1, 2, 6, 5)
			if d := distance(t, runModel(t, twoPhase(t, readout, steps, post), x, exec.Options{}), x); d > 1e-6 {
				t.Errorf("T = %d: off the current by %g", steps, d)
			}
		}
	}
}

// TestTwoPhaseRefused holds what is refused, by name.
func TestTwoPhaseRefused(t *testing.T) {
	mixed := twoPhase(t, pooled, 4, 0)
	for n := range mixed.Graph.Nodes() {
		if op.IsNeuron(n) && n.Output(0).Name() == "q" {
			n.SetOp(graph.Op{Domain: graph.Spiking, Type: "IF"})
		}
	}
	old := twoPhase(t, pooled, 4, 0)
	old.SetOpset(graph.Spiking, op.SpikingVersion)
	newer := twoPhase(t, pooled, 4, 0)
	newer.SetOpset(graph.Spiking, op.NewestSpiking+1)
	for name, c := range map[string]struct {
		m    *graph.Model
		want string
	}{
		"mixed":         {mixed, "want one for all neurons of a network"},
		"older version": {old, "opset 1, want one from 2 to 3"},
		"newer version": {newer, "opset 4, want one from 1 to 3"},
		"time-major output": {twoPhase(t, strings.Replace(pooled, "(float[N,2,H,W] o)", "(float[N,2,H,W] o, float[M,2,H,W] y)", 1), 4, 0),
			`its time-major result "y" is an output`},
		"bias of a Conv": {twoPhase(t, strings.NewReplacer("(y, w)", "(y, w, two2)", "float one", "float[2] two2 = {1, 2}, float one").Replace(pooled), 4, 0),
			"adds a constant to every slice"},
		"no time": {twoPhase(t, strings.ReplaceAll(pooled, "@@", "timesteps = 0, post = 0"), 0, 0), "a neuron without time has no schedule"},
	} {
		if _, err := exec.Compile(c.m, exec.Options{}); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "node ") {
			t.Errorf("%s: %v, want a node's name and %q", name, err, c.want)
		}
	}
}
