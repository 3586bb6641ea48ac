package exec_test

import (
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// TestFired holds that what neurons are told to have fired is what is counted, in every form
// that spikes are kept in, and that nothing is told of no neuron.
func TestFired(t *testing.T) {
	models := map[string]*graph.Model{}
	for name, src := range dyadic {
		models[name] = dyadicModel(t, src, 6)
	}
	for name, c := range counted {
		models["two-phase "+name] = twoPhaseDyadic(t, c.src, 6, 1)
	}
	for name, m := range models {
		for _, precision := range []exec.Precision{exec.FixedPoint, exec.Float32} {
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			p, err := exec.Compile(m, exec.Options{Precision: precision, Timesteps: []int{3, 6}})
			if err != nil {
				t.Fatal(name, err)
			}
			fired := map[string]*ops.Tensor{}
			all, err := p.RunAll(t.Context(), map[string]*ops.Tensor{"x": random(5, -1, 2, 2, int(c), 11, 38)},
				exec.RunOptions{Fired: func(n *graph.Node, x *ops.Tensor) { fired[n.OriginLabel()] = x.Clone() }})
			if err != nil {
				t.Fatal(name, err)
			}
			neurons := all[1].Neurons
			if len(fired) != len(neurons) || len(neurons) == 0 {
				t.Errorf("%s: told of %d layers, %d are measured", name, len(fired), len(neurons))
			}
			for _, n := range neurons {
				x := fired[n.Origin]
				if x == nil {
					t.Errorf("%s: nothing is told of %q", name, n.Origin)
					continue
				}
				var sum int64
				for _, k := range x.F32 {
					sum += int64(k)
				}
				if sum != n.Spikes || int64(len(x.F32)) != n.Elements || slices.Max(x.F32) > 7 || slices.Min(x.F32) < 0 {
					t.Errorf("%s: %q fires %d times in %d elements %v, measured %d in %d", name, n.Origin, sum, len(x.F32), x.Dims, n.Spikes, n.Elements)
				}
			}
		}
	}
}
