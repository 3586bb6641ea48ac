package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/passes/recipes"
)

// exact makes a network of the two-phase schedule whose numbers are so few bits long that no
// sum or product is rounded: then the order of operations does not matter.
func exactly(t *testing.T, c netCase, steps int) *graph.Model {
	t.Helper()
	c.steps = steps
	c.body = strings.NewReplacer("spikingir.IF", "spikingir.TwoPhaseIF", "spikingir.MPRN", "spikingir.TwoPhaseMPRN").Replace(c.body)
	m := parse(t, strings.Replace(c.source(), `"ai.spikingir" : 1`, `"ai.spikingir" : 2`, 1))
	for _, v := range m.Graph.Initializers() {
		list, err := v.Const.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range list {
			switch v.Name()[0] {
			case 't':
				list[i] = float32(math.Exp2(math.Round(math.Log2(float64(x)))))
			case 'a':
				list[i] = 0.75
			default:
				list[i] = float32(math.Round(float64(x)*8)) / 8
			}
		}
		m.Graph.SetInitializer(v, graph.NewFloat32(v.Const.Dims, list), nil)
	}
	return m
}

// TestTwoPhaseExact holds that mode Rates is what a two-phase network computes, to the last
// bit where nothing is rounded: output, spikes and residual potentials.
func TestTwoPhaseExact(t *testing.T) {
	for _, c := range netCases {
		if !slices.Contains([]string{"aodnet", "vdsr", "onoff", "shared"}, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			for _, steps := range []int{1, 2, 8} {
				m := exactly(t, c, steps)
				n := compile(t, m, c.h, c.w, Options{})
				if n.Own() != Rates {
					t.Fatal("not taken for a two-phase network")
				}
				x := c.image()
				for i := range x {
					x[i] = float32(math.Round(float64(x[i])*16)) / 16
				}
				sameForward(t, n, m, x)
				w := n.NewWorker()
				got, err := w.Forward(x, Rates, Hooks{})
				if err != nil {
					t.Fatal(err)
				}
				want := executed(t, m, x, c.h, c.w).Outputs[0].F32
				if !slices.Equal(got, want) {
					t.Errorf("T = %d: output is %v, exec has %v", steps, got[:3], want[:3])
				}
			}
		})
	}
}

// TestRounding holds weights that are rounded while they are trained to those that the pass
// quantise-weights gives, and their gradients to those of a network that has them already.
func TestRounding(t *testing.T) {
	for _, name := range fixtures.Names() {
		if testing.Short() && name == "dncnn" {
			continue
		}
		for _, recipe := range []string{"two-phase", "spikingir"} {
			t.Run(name+"/"+recipe, func(t *testing.T) { checkRounding(t, name, recipe) })
		}
	}
}

func checkRounding(t *testing.T, name, recipe string) {
	bits := func(bits int) func(*recipes.Settings) { return func(s *recipes.Settings) { s.WeightBits = bits } }
	m, x := converted(t, name, recipe, 0.25, 5, 7, 5, bits(16))
	given, _ := converted(t, name, recipe, 0.25, 5, 7, 5, bits(8))
	n := compile(t, m, 7, 5, Options{WeightBits: 8})
	if len(n.roundings) == 0 {
		t.Fatal("no layer is rounded")
	}
	plain := compile(t, given, 7, 5, Options{})
	moved := false
	for i, p := range n.params {
		want := plain.params[i]
		// The pass leaves weights that are all but on the grid.
		near(t, p.Name, p.elems, widen(want.elems), 1e-5)
		moved = moved || p.Role == Weight && !slices.Equal(p.elems, p.Data)
	}
	for i, l := range n.neurons {
		near(t, "thresholds of "+l.node.Label(), l.theta1, widen(plain.neurons[i].theta1), 1e-6)
	}
	if !moved {
		t.Error("no weight was rounded")
	}
	by := normal(rand.New(rand.NewPCG(3, 4)), n.output.elems)
	_, got := gradients(t, n, x, by, Rates, Hooks{})
	_, want := gradients(t, plain, x, by, Rates, Hooks{})
	for i, p := range n.params {
		near(t, "gradient of "+p.Name, got[i], widen(want[i]), 1e-3)
	}
	n.Store()
	n = compile(t, m, 7, 5, Options{WeightBits: 8})
	for _, r := range n.roundings {
		near(t, r.w.Name+" rounded again", r.w.elems, widen(r.w.Data), 1e-6)
	}
}
