package exec_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"spikingir/onnxio/text"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// Subgraphs read values of the graph around them, also such as nothing else reads any more,
// and of the graph around that one.
const flowModel = `<ir_version: 8, opset_import: ["" : 17]>
g (float[N] x, int64 trips) => (float[N] y, float[K,N] all)
<bool go = {1}>
{
  a = Neg (x)
  b = Relu (a)
  c = Relu (x)
  zero = Sub (x, x)
  y, all = Loop (trips, go, zero) <
    body = step (int64 i, bool again, float[N] sum) => (bool more, float[N] next, float[N] slice) {
      more = Identity (again)
      first = Cast <to = 9> (i)
      next = If (first) <
        then_branch = t () => (d) { d = Add (sum, b) },
        else_branch = e () => (f) { f = Add (sum, c) }
      >
      slice = Mul (next, a)
    }
  >
}`

func TestControlFlow(t *testing.T) {
	m, err := text.Parse(flowModel)
	if err != nil {
		t.Fatal(err)
	}
	p, err := exec.Compile(m, exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // memory is used again
		res, err := p.Run(context.Background(), map[string]*ops.Tensor{
			"x": ops.Floats([]float32{2, -1}, 2), "trips": ops.Ints([]int64{3})}, exec.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		// c = {2 0}, then twice b = {0 1}; a = {-2 1}
		if y := res.Outputs[0].F32; !slices.Equal(y, []float32{2, 2}) {
			t.Errorf("y is %v, want [2 2]", y)
		}
		if all := res.Outputs[1].F32; !slices.Equal(all, []float32{-4, 0, -4, 1, -4, 2}) {
			t.Errorf("slices are %v", all)
		}
	}
	// a run that is given up ends between two iterations
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	if _, err := p.Run(ctx, map[string]*ops.Tensor{
		"x": ops.Floats([]float32{2}, 1), "trips": ops.Ints([]int64{1 << 60})}, exec.RunOptions{}); err == nil {
		t.Error("a run that was given up goes on")
	}
}

// A subgraph that reads a time-major value is refused: it would need to run at each
// timestep.
func TestControlFlowOfTime(t *testing.T) {
	m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,1,H,W] x, bool p) => (y)
<float theta = {1}>
{
  s = ai.spikingir.Encode <timesteps = 2, post = 0> (x)
  n = ai.spikingir.IF <timesteps = 2, post = 0> (s, , theta)
  z = If (p) <
    then_branch = t () => (a) { a = Relu (n) },
    else_branch = e () => (b) { b = Neg (n) }
  >
  y = ai.spikingir.Decode <timesteps = 2, post = 0> (n)
}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Compile(m, exec.Options{}); err == nil || !strings.Contains(err.Error(), `time-major value "n"`) {
		t.Errorf("error %v, want one that names n", err)
	}
}

// Sequences live between operators: cut, picked from, grown in a loop and joined again.
func TestSequences(t *testing.T) {
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,5] x) => (float[N,M] y)
<int64 two = {2}, int64 last = {-1}, int64 zero = {0}, bool go = {1}, int64[1] one = {1}>
{
  pieces = SplitToSequence <axis = 1> (x, two)
  count = SequenceLength (pieces)
  none = SequenceEmpty ()
  turned = Loop (count, go, none) <
    body = step (int64 i, bool again, seq(float[N,K]) sofar) => (bool more, seq(float[N,K]) next) {
      more = Identity (again)
      piece = SequenceAt (pieces, i)
      next = SequenceInsert (sofar, piece, zero)
    }
  >
  end = SequenceAt (turned, last)
  all = ConcatFromSequence <axis = 1> (turned)
  y = Concat <axis = 1> (all, end)
}`)
	if err != nil {
		t.Fatal(err)
	}
	p, err := exec.Compile(m, exec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		res, err := p.Run(context.Background(), map[string]*ops.Tensor{"x": ops.Floats([]float32{1, 2, 3, 4, 5}, 1, 5)}, exec.RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if y := res.Outputs[0].F32; !slices.Equal(y, []float32{5, 3, 4, 1, 2, 1, 2}) {
			t.Errorf("y is %v", y)
		}
	}
	m, err = text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[2] x) => (seq(float[2]) y)
{
  y = SequenceConstruct (x, x)
}`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.Compile(m, exec.Options{}); err == nil || !strings.Contains(err.Error(), "want inputs and outputs that are tensors") {
		t.Errorf("a sequence as output: error %v", err)
	}
}
