package exec_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// measureAll is runAll with figures, and tells whether the image was cut.
func measureAll(t *testing.T, p *exec.Program, x *ops.Tensor) (all []*exec.Result, cut bool) {
	t.Helper()
	all, err := p.RunAll(context.Background(), map[string]*ops.Tensor{p.Inputs()[0].Name(): x}, exec.RunOptions{
		Measure:  true,
		Progress: func(_, total int) { cut = total > len(p.Units()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, cut
}

// stepByStep reports whether a layer of p runs one timestep after another: images are
// measured whole then.
func stepByStep(p *exec.Program) bool {
	return slices.ContainsFunc(p.Units(), func(u exec.Unit) bool { return u.StepByStep })
}

// compareMeasured measures x by p and compares with the whole image's figures; only the
// sums of the potentials of first layers are rounded otherwise. It tells whether the
// image was cut.
func compareMeasured(t *testing.T, p *exec.Program, x *ops.Tensor, want []*exec.Result) bool {
	t.Helper()
	got, cut := measureAll(t, p, x)
	tiling := p.Tiling(x.Dims)
	sameResults(t, "measured", got, want)
	if d := cmp.Diff(want, got, cmpopts.EquateApprox(1e-13, 0), cmpopts.IgnoreFields(exec.Result{}, "Outputs")); d != "" {
		t.Errorf("%+v: tiles are measured otherwise (-whole +tiles):\n%s", tiling, d)
	}
	return cut
}

// TestMeasuredTiles measures layers in fixed point, whose sums no tiles may change, in
// tiles of several sizes: joined spikes, groups, strides, several timesteps.
func TestMeasuredTiles(t *testing.T) {
	for name, src := range dyadic {
		m := dyadicModel(t, src, 6)
		c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
		x := random(5, -1, 2, 2, int(c), 51, 78)
		o := exec.Options{Timesteps: []int{2, 4, 6}, MemoryLimit: -1}
		want, _ := measureAll(t, compile(t, m, o), x)
		for _, limit := range []int64{600 << 10, 250 << 10} {
			o.MemoryLimit = limit
			if !compareMeasured(t, compile(t, m, o), x, want) {
				t.Errorf("%s: not cut by a limit of %d", name, limit)
			}
		}
	}
}
