package recipes_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/recipes"
	"spikingir/passes/spiking"
	"spikingir/passes/standard"
	"spikingir/runtime/ops"
)

// trains gives the spikes of every neuron, in graph order, as its
// emission divided by its threshold. One with two phases is read out by its rate, which
// tells how many of its steps fire.
func trains(t *testing.T, m *graph.Model, x *ops.Tensor) [][]float32 {
	t.Helper()
	var neurons []*graph.Node
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			neurons = append(neurons, n)
			expose(m, overTime(m, n, n.Output(0)))
		}
	}
	res := run(t, m, x)
	res = res[len(res)-len(neurons):]
	var all [][]float32
	for k, n := range neurons {
		theta, err := passes.Threshold(n)
		if err != nil {
			t.Fatal(err)
		}
		plane := 1
		for _, d := range res[k].Dims[2:] {
			plane *= d
		}
		var spikes []float32
		timing, err := op.TimingOf(m.Graph)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range res[k].F32 {
			y /= theta[i/plane%res[k].Dims[1]%len(theta)]
			if timing.Schedule != op.TwoPhase {
				spikes = append(spikes, y)
				continue
			}
			for step := range timing.Slices() {
				spikes = append(spikes, y*float32(timing.Timesteps)-float32(step))
			}
		}
		all = append(all, spikes)
	}
	return all
}

// overTime is a time-major value that n reads or makes: its slices, or with two phases
// their sum divided by T.
func overTime(m *graph.Model, n *graph.Node, v *graph.Value) *graph.Value {
	if op.ScheduleOf(n) == op.Lockstep {
		return v
	}
	attrs := append(graph.Attrs(nil), n.Attrs...)
	attrs.Delete("v0")
	return m.Graph.AddNode(spiking.Op("Decode"), attrs, []*graph.Value{v}, m.Graph.FreshName("rate")).Output(0)
}

// powersOfTwo rounds every threshold up to a power of two.
func powersOfTwo(t *testing.T, m *graph.Model) {
	t.Helper()
	for n := range m.Graph.Nodes() {
		if !op.IsNeuron(n) {
			continue
		}
		theta, err := passes.Threshold(n)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range theta {
			theta[i] = float32(math.Exp2(math.Ceil(math.Log2(float64(x)))))
		}
		n.Input(2).Const = graph.NewFloat32(n.Input(2).Const.Dims, theta)
	}
}

// TestUnitForm compares the unit form with the amplitude form: the same spikes
// and the same result, to the last bit where thresholds are powers of two.
func TestUnitForm(t *testing.T) {
	x := random(5, -1, 1, 2, 2, 8, 8)
	for _, recipe := range append(slices.Clone(first), "deng-gu") {
		for _, per := range []normalizethresholds.Granularity{"layer", "channel"} {
			s := plain(10)
			s.Per = per
			for _, exact := range []bool{true, false} {
				name := fmt.Sprintf("%s/%s/powers of two %v", recipe, per, exact)
				t.Run(name, func(t *testing.T) { checkForms(t, network, recipe, s, x, exact) })
				s := s
				s.Readout = "rate"
				t.Run(name+"/operators", func(t *testing.T) { checkForms(t, operators, recipe, s, x, exact) })
			}
		}
	}
}

// checkForms converts a model and brings the result into unit form.
func checkForms(t *testing.T, src, recipe string, s recipes.Settings, x *ops.Tensor, exact bool) {
	t.Helper()
	amplitude := parse(t, src)
	convert(t, amplitude, recipe, s, x)
	if exact {
		powersOfTwo(t, amplitude)
	}
	unit := amplitude.Clone()
	p, err := passes.Parse("infer-shapes,claim,absorb-scales", append(standard.Passes(), claim))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(unit, passes.Options{}); err != nil {
		t.Fatal(err)
	}
	compareForms(t, amplitude, unit, x, exact)
}

// claim stands for the passes that made a model timed.
var claim = &passes.Pass{
	Name: "claim", Doc: "claim what a converted model has",
	Gives: passes.Timed | passes.Thresholds,
	Run:   func(*passes.Context) (bool, error) { return false, nil },
}

func compareForms(t *testing.T, amplitude, unit *graph.Model, x *ops.Tensor, exact bool) {
	t.Helper()
	d, scaled := 0.0, run(t, unit, x)
	for i, o := range run(t, amplitude, x) {
		d = max(d, distance(t, o, scaled[i]))
	}
	first, second := trains(t, amplitude, x), trains(t, unit, x)
	if len(first) != len(second) {
		t.Fatalf("%d neurons in amplitude form, %d in unit form", len(first), len(second))
	}
	fired, differ, total := 0, 0, 0
	for k := range first {
		for i, s := range first[k] {
			total++
			if s > 0.5 {
				fired++
			}
			if (s > 0.5) != (second[k][i] > 0.5) {
				differ++
			}
		}
	}
	if fired == 0 {
		t.Error("no neuron fires: the comparison shows nothing")
	}
	if exact && (d != 0 || differ > 0) {
		t.Errorf("the forms differ by %g and in %d spikes of %d, want none", d, differ, total)
	}
	if differ*200 > total {
		t.Errorf("the forms differ in %d spikes of %d, want 0.5 %% at most", differ, total)
	}
}

// TestPerChannel writes each layer's threshold once for every channel: the
// results stay the same to the last bit.
func TestPerChannel(t *testing.T) {
	x := random(6, -1, 1, 1, 2, 8, 8)
	for _, recipe := range first {
		layer := parse(t, network)
		s := plain(10)
		s.Per = "layer"
		convert(t, layer, recipe, s, x)
		channel := layer.Clone()
		for n := range channel.Graph.Nodes() {
			if !op.IsNeuron(n) {
				continue
			}
			theta, err := passes.Threshold(n)
			if err != nil || len(theta) != 1 {
				t.Fatalf("thresholds %v (%v), want one", theta, err)
			}
			c, _ := n.Input(0).Type.Shape[1].Size()
			list := make([]float32, c)
			for i := range list {
				list[i] = theta[0]
			}
			v := n.Input(2)
			v.Const = graph.NewFloat32([]int64{c, 1, 1}, list)
			v.Type = graph.TensorOf(graph.Float32, graph.ShapeOf(c, 1, 1))
		}
		if d := distance(t, run(t, layer, x)[0], run(t, channel, x)[0]); d != 0 {
			t.Errorf("recipe %s: the same thresholds per channel differ by %g", recipe, d)
		}
	}
}
