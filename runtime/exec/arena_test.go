package exec

import (
	"context"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/ops"
)

const leaky = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,2,H,W] x, float[K] late) => (float[N,2,H,W] r, float[N,1,H,W] q, float[L] cut)
<float[2,2,1,1] w = {1, 0, 0, 1}, float[2,1,1] theta = {0.5, 1}, int64[1] three = {3}>
{
  a = Abs(x)
  view = Identity(a)
  e = ai.spikingir.Encode <timesteps = 3> (view)
  c = Conv(e, w)
  y, v = ai.spikingir.IF <timesteps = 3> (c, , theta)
  "", half = Split <axis = 1> (y)
  d = Conv(y, w)
  z = ai.spikingir.IF <timesteps = 3> (d, , theta)
  r = ai.spikingir.CPM <timesteps = 3, kernel_shape = [1, 1]> (z, v, w)
  q = ai.spikingir.Decode <timesteps = 3> (half)
  cut = Reshape(late, three)
}`

// TestNoLeak holds that a run, one that fails too, leaves no buffer behind: the
// next run makes none.
func TestNoLeak(t *testing.T) {
	m, err := text.Parse(leaky)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(m, Options{Timesteps: []int{1, 3}})
	if err != nil {
		t.Fatal(err)
	}
	x := ops.NewTensor(graph.Float32, []int{1, 2, 4, 4})
	good, bad := ops.NewTensor(graph.Float32, []int{3}), ops.NewTensor(graph.Float32, []int{4})
	buffers := func(late *ops.Tensor) (n int, err error) {
		_, err = p.Run(context.Background(), map[string]*ops.Tensor{"x": x, "late": late}, RunOptions{Measure: true})
		if len(p.arenas.free) != 1 {
			t.Fatalf("%d arenas after a run, want one", len(p.arenas.free))
		}
		a := p.arenas.free[0]
		if len(a.inUse) != 0 {
			t.Errorf("%d buffers are in use after a run", len(a.inUse))
		}
		for _, list := range a.floats.free {
			n += len(list)
		}
		return n, err
	}
	first, err := buffers(good)
	if err != nil || first == 0 {
		t.Fatalf("%d buffers, %v", first, err)
	}
	for range 3 {
		if n, err := buffers(good); n != first || err != nil {
			t.Errorf("%d buffers, %v, want %d", n, err, first)
		}
	}
	failed, err := buffers(bad)
	if err == nil {
		t.Fatal("a reshape of 4 elements to 3 succeeds")
	}
	for range 3 {
		if n, _ := buffers(bad); n != failed {
			t.Errorf("%d buffers after an error, want %d", n, failed)
		}
	}
}

// TestArena holds the counting of values that share a buffer.
func TestArena(t *testing.T) {
	a := newArena(nil, false)
	x := a.tensor(graph.Float32, []int{2, 3})
	view := &ops.Tensor{DType: graph.Float32, Dims: []int{6}, F32: x.F32}
	a.hold(x)
	a.hold(view)
	a.release(x)
	if y := a.tensor(graph.Float32, []int{6}); &y.F32[0] == &x.F32[0] {
		t.Error("a buffer is given out while a view lives in it")
	}
	a.release(view)
	if y := a.tensor(graph.Float32, []int{3, 2}); &y.F32[0] != &x.F32[0] {
		t.Error("a free buffer is not reused")
	}
	foreign := ops.NewTensor(graph.Float32, []int{6})
	a.hold(foreign)
	a.release(foreign)
	if y := a.tensor(graph.Float32, []int{6}); &y.F32[0] == &foreign.F32[0] {
		t.Error("a caller's buffer is given out")
	}
	a.release(a.tensor(graph.Float32, []int{0, 4}))
}
