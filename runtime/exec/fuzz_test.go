package exec_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/internal/randommodel"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/runtime/equiv"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// FuzzAny holds the executor, which plans, joins nodes and uses buffers again, to the operators
// run one by one on whole tensors.
func FuzzAny(f *testing.F) {
	for _, data := range randommodel.Seeds(300) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := randommodel.Any(data)
		defer showFailed(t, m.Model)
		executeKnown(t, m, exec.Options{})
	})
}

// FuzzNetwork holds networks to the same, and to the same bits on several threads and in tiles.
func FuzzNetwork(f *testing.F) {
	for _, data := range randommodel.Seeds(200) {
		f.Add(data)
	}
	pool := machine.NewPool(3)
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := randommodel.Network(data)
		defer showFailed(t, m.Model)
		if _, err := recipes.Runnable().Run(m.Model, randommodel.PassOptions(nil)); err != nil {
			t.Fatalf("the network cannot be made to run: %v", err)
		}
		want := executeKnown(t, m, exec.Options{MemoryLimit: -1})
		sameBits(t, "on three threads", want, executeKnown(t, m, exec.Options{MemoryLimit: -1, Pool: pool}))
		sameBits(t, "in tiles", want, executeKnown(t, m, exec.Options{MemoryLimit: 1}))
	})
}

// FuzzSpiking holds converted networks to the same bits on several threads, in tiles, and in a
// run that gives results at several numbers of timesteps.
func FuzzSpiking(f *testing.F) {
	for i, data := range randommodel.Seeds(120) {
		f.Add(data, byte(i), i%5 == 0)
	}
	pool := machine.NewPool(3)
	f.Cleanup(pool.Close)
	f.Fuzz(func(t *testing.T, data []byte, recipe byte, float32s bool) {
		m := randommodel.Network(data)
		x, alone := m.Image()
		if !alone {
			t.Skip("the network takes more than an image")
		}
		defer showFailed(t, m.Model)
		s := recipes.Defaults()
		s.Timesteps, s.Analog, s.Lower = 4, "keep", recipes.None
		p, err := recipes.New(recipes.Names()[int(recipe)%len(recipes.Names())], s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(m.Model, randommodel.PassOptions(x)); err != nil {
			skipRefused(t, err)
		}
		o := exec.Options{MemoryLimit: -1}
		if float32s {
			o.Precision = exec.Float32
		}
		want := executeAll(t, m.Model, x, o)[0]
		o.Pool = pool
		sameBits(t, "on three threads", want, executeAll(t, m.Model, x, o)[0])
		o.MemoryLimit = 1
		sameBits(t, "in tiles", want, executeAll(t, m.Model, x, o)[0])
		o.Timesteps = []int{2, 4}
		several, err := exec.Compile(m.Model, o)
		if err != nil {
			return // it is not timed
		}
		all, err := several.RunAll(context.Background(), map[string]*ops.Tensor{several.Inputs()[0].Name(): x}, exec.RunOptions{})
		if err == nil { // one that encodes what it has read out runs for one number of timesteps alone
			sameBits(t, "with an earlier result", want, all[1].Outputs)
		}
	})
}

// showFailed logs the model of a test that fails.
func showFailed(t *testing.T, m *graph.Model) {
	if t.Failed() {
		t.Logf("the model:\n%s", text.Format(m))
	}
}

// skipRefused ends the test of a model that passes refuse, and fails where a pass is at fault.
func skipRefused(t *testing.T, err error) {
	t.Helper()
	var fault *passes.Internal
	if errors.As(err, &fault) {
		t.Fatal(err)
	}
	t.Skip(err)
}

// executeKnown executes a model and holds its outputs to what they are known to be.
func executeKnown(t *testing.T, m *randommodel.Model, o exec.Options) []*ops.Tensor {
	t.Helper()
	o.Precision = exec.Float32
	p, err := exec.Compile(m.Model, o)
	if err != nil {
		t.Fatalf("what can be computed is refused: %v", err)
	}
	in := map[string]*ops.Tensor{}
	for name, x := range m.Inputs {
		if in[name], err = ops.FromGraph(x); err != nil {
			t.Fatal(err)
		}
	}
	r, err := p.Run(context.Background(), in, exec.RunOptions{})
	if err != nil {
		t.Fatalf("what can be computed fails: %v", err)
	}
	got := map[string]*graph.Tensor{}
	for i, v := range m.Graph.Outputs() {
		if got[v.Name()], err = r.Outputs[i].Graph(); err != nil {
			t.Fatal(err)
		}
	}
	d, err := equiv.Compare(m.Model, m.Values, got, false)
	if err != nil {
		t.Fatal(err)
	}
	if !(d.Size <= m.Rounding()) {
		t.Fatalf("executed at once and node by node: %v", d)
	}
	return r.Outputs
}

// executeAll runs a network on an image.
func executeAll(t *testing.T, m *graph.Model, x *ops.Tensor, o exec.Options) (all [][]*ops.Tensor) {
	t.Helper()
	p, err := exec.Compile(m, o)
	if err != nil {
		t.Fatalf("what was converted is refused: %v", err)
	}
	for _, r := range runAll(t, p, x) {
		all = append(all, r.Outputs)
	}
	return all
}

// sameBits demands the same results.
func sameBits(t *testing.T, how string, want, got []*ops.Tensor) {
	t.Helper()
	same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
	for i := range want {
		if !slices.EqualFunc(want[i].F32, got[i].F32, same) || !slices.Equal(want[i].I64, got[i].I64) || !slices.Equal(want[i].Dims, got[i].Dims) {
			t.Errorf("%s output %d has other bits", how, i)
		}
	}
}
