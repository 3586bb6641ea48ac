package exec_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio/text"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
	"spikingir/runtime/watch"
)

// runWithin runs a model on an image of 8x8 ones within a budget.
func runWithin(t *testing.T, src string, budget int64) error {
	t.Helper()
	m, err := text.Parse("<ir_version: 8, opset_import: [\"\" : 17, \"ai.spikingir\" : 1]>\n" + src)
	if err != nil {
		t.Fatal(err)
	}
	p, err := exec.Compile(m, exec.Options{Budget: budget, MemoryLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	x := ops.NewTensor(graph.Float32, []int{1, 1, 8, 8})
	for i := range x.F32 {
		x.F32[i] = 1
	}
	_, err = p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
	return err
}

// TestBudget holds that no operator takes more memory than is allowed: the node is named
// and nothing is allocated for it. Each of these takes more than 1 MiB and less than 64.
func TestBudget(t *testing.T) {
	const loop = `[big] n, all = Loop (trips, , small) <
    body = step (int64 i, bool again, float[M] state) => (bool more, float[M] next, float[M] slice) {
      more = Constant <value = bool {1}> () next = Identity (state) slice = Identity (state) }>`
	for name, nodes := range map[string]string{
		"Resize":           `[big] b = Resize <mode = "nearest"> (x, , hundred)`,
		"Resize linear":    `[big] b = Resize <mode = "linear"> (x, , hundred)`,
		"Expand":           `[big] b = Expand (one, shape)`,
		"Tile":             `[big] b = Tile (x, repeats)`,
		"ConstantOfShape":  `[big] b = ConstantOfShape (shape)`,
		"whole numbers":    `[big] b = ConstantOfShape <value = int64[1] {7}> (shape)`,
		"Pad":              `[big] b = Pad (x, pads)`,
		"Gather":           `i = ConstantOfShape <value = int64[1] {0}> (few) [big] b = Gather (ten, i)`,
		"Range":            `[big] b = Range (zero, million, step)`,
		"OneHot":           `[big] b = OneHot (ten, thousand, pair)`,
		"Concat":           `a = Expand (one, row) [big] b = Concat <axis = 0> (a, a, a, a)`,
		"MatMul":           `a = Expand (one, column) c = Expand (one, row) [big] b = MatMul (a, c)`,
		"kept values":      `a = Expand (one, row) c = Neg (a) d = Neg (c) [big] b = Neg (d) e = Concat <axis = 0> (a, c, d, b)`,
		"Loop":             `small = Expand (one, row1) ` + loop,
		"SequenceInsert":   `s = SequenceEmpty () [big] q = Loop (trips, , s) <body = step (int64 i, bool again, seq(float[M]) state) => (bool more, seq(float[M]) next) { more = Constant <value = bool {1}> () o1 = Constant <value = float[1] {1}> () r1 = Constant <value = int64[1] {512}> () e = Expand (o1, r1) next = SequenceInsert (state, e) }> b = SequenceAt (q, first)`,
		"inside of a body": `small = Identity (one) n = Loop (three, , small) <body = step (int64 i, bool again, float[M] state) => (bool more, float[M] next) { more = Constant <value = bool {1}> () sh = Constant <value = int64[2] {1000, 1000}> () [big] e = Expand (state, sh) next = ReduceMax <keepdims = 0> (e) }>`,
	} {
		src := `g (float[1,1,H,W] x) => (float[1,1,H,W] y)
<float[4] hundred = {1, 1, 100, 100}, int64[2] shape = {1000, 1000}, int64[4] repeats = {1, 1, 100, 100}, float[1] one = {1},
 int64[8] pads = {0, 0, 500, 500, 0, 0, 500, 500}, int64[1] few = {100000}, int64[10] ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
 int64 zero = {0}, int64 million = {1000000}, int64 step = {1}, int64[1] thousand = {100000}, float[2] pair = {0, 1},
 int64[2] row = {1, 80000}, int64[2] column = {40, 1}, int64[1] row1 = {512}, int64 trips = {2000}, int64 three = {3}, int64 first = {0}>
{ ` + nodes + ` y = Relu (x) }`
		if err := runWithin(t, src, -1); err != nil {
			t.Errorf("%s without a limit: %v", name, err)
		}
		if err := runWithin(t, src, 64<<20); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		err := runWithin(t, src, 1<<20)
		var node *op.Error
		if !errors.As(err, &node) || node.Node.OriginLabel() != "big" && !strings.Contains(err.Error(), `"big"`) ||
			!strings.Contains(err.Error(), "1.0 MiB are allowed: want") {
			t.Errorf("%s within 1 MiB: %v", name, err)
		}
	}
}

// TestBudgetReuse holds that what is not needed any more counts no more: a chain runs in
// the memory of two of its values, of floats and of integers.
func TestBudgetReuse(t *testing.T) {
	for _, value := range []string{"float[1] {0}", "int64[1] {0}"} {
		nodes := "v0 = ConstantOfShape <value = " + value + "> (shape) "
		for i := range 20 {
			nodes += fmt.Sprintf("v%d = Neg (v%d) ", i+1, i)
		}
		src := `g (float[1,1,H,W] x) => (float[1,1,H,W] y) <int64[1] shape = {30000}> { ` + nodes + ` y = Relu (x) }`
		if err := runWithin(t, src, 1<<19); err != nil {
			t.Errorf("%s: %v", value, err)
		}
		if err := runWithin(t, src, 1<<17); err == nil {
			t.Errorf("%s: a value is larger than allowed", value)
		}
	}
}

// TestBudgetSizes holds that buffers of other sizes make room: each of these values would
// fit alone, all together would not.
func TestBudgetSizes(t *testing.T) {
	nodes := ""
	for i := range 20 {
		nodes += fmt.Sprintf("s%[1]d = Constant <value = int64[1] {%[2]d}> () v%[1]d = ConstantOfShape (s%[1]d) w%[1]d = Neg (v%[1]d) ", i, 30000+i)
	}
	src := `g (float[1,1,H,W] x) => (float[1,1,H,W] y) { ` + nodes + ` y = Relu (x) }`
	if err := runWithin(t, src, 1<<19); err != nil {
		t.Error(err)
	}
}

// TestBudgetSpikes holds that spikes of many timesteps count too.
func TestBudgetSpikes(t *testing.T) {
	for _, precision := range []exec.Precision{exec.FixedPoint, exec.Float32} {
		m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,1,H,W] x) => (float[N,1,H,W] r)
<float[4,1,3,3] w = ["location": "seed:1"], float[1,4,3,3] u = ["location": "seed:2"], float theta = {0.5}>
{
  c = Conv <pads = [1, 1, 1, 1]> (x, w)
  e = ai.spikingir.Encode <timesteps = 60000> (c)
  [spikes] y = ai.spikingir.IF <timesteps = 60000> (e, , theta)
  d = Conv <pads = [1, 1, 1, 1]> (y, u)
  z, v = ai.spikingir.IF <timesteps = 60000> (d, , theta)
  r = ai.spikingir.Decode <timesteps = 60000> (z)
}`)
		if err != nil {
			t.Fatal(err)
		}
		p, err := exec.Compile(m, exec.Options{Precision: precision, Budget: 1 << 20, MemoryLimit: -1})
		if err != nil {
			t.Fatal(err)
		}
		x := ops.NewTensor(graph.Float32, []int{1, 1, 8, 8})
		_, err = p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
		var node *op.Error
		if !errors.As(err, &node) || node.Node.OriginLabel() != "spikes" {
			t.Errorf("%v: %v", precision, err)
		}
	}
}

// TestWatch holds that a run says what it is at, in loops too.
func TestWatch(t *testing.T) {
	m, err := text.Parse(flowModel)
	if err != nil {
		t.Fatal(err)
	}
	p, err := exec.Compile(m, exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &watch.Watch{}
	var said []string
	_, err = p.Run(watch.With(context.Background(), w), map[string]*ops.Tensor{
		"x": ops.Floats([]float32{2, -1}, 2), "trips": ops.Ints([]int64{3})},
		exec.RunOptions{Progress: func(int, int) { said = append(said, w.String()) }})
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, `node "`) || !strings.HasSuffix(all, `, step 3 of 3`) {
		t.Errorf("a run says:\n%s", all)
	}
}
