package recipes_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/passtest"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// sizeArithmetic is what networks compute between two layers with the size of a tensor r of 4
// channels, as PyTorch writes it: from r to m, of 4 channels too.
var sizeArithmetic = map[string]string{
	"chunk": `
  s = Shape(r)
  c = Gather <axis = 0> (s, one)
  d = Div(c, two)
  e = Mul(d, two)
  p = Slice(r, zero, d, one)
  q = Slice(r, d, e, one)
  m = Concat <axis = 1> (q, p)`,
	"view": `
  n = Shape <end = 1> (r)
  hw = Shape <start = 2> (r)
  s = Concat <axis = 0> (n, two, two, hw)
  v = Reshape(r, s)
  t = Transpose <perm = [0, 2, 1, 3, 4]> (v)
  u = Shape(r)
  m = Reshape(t, u)`,
	"twice": `
  s = Shape <start = 2> (r)
  b = Mul(s, two)
  nc = Shape <end = 2> (r)
  z = Concat <axis = 0> (nc, b)
  m = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (r, , , z)`,
	"size of the skip": `
  g = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]> (r)
  s = Shape(r)
  u = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (g, , , s)
  m = Add(r, u)`,
	"pad to a multiple": `
  h = Shape <start = 2, end = 3> (r)
  k = Mod(h, four)
  l = Sub(four, k)
  n = Mod(l, four)
  z = Concat <axis = 0> (zero, zero, zero, zero, zero, zero, n, zero)
  w = Pad <mode = "reflect"> (r, z)
  m = Slice(w, zero, h, two)`,
	"expand": `
  s = Shape(r)
  a = ReduceMean <axes = [2, 3]> (r)
  b = Expand(a, s)
  b4 = Slice(b, zero, two, one)
  t = Shape(x)
  o = Expand(half, t)
  r1 = Slice(r, zero, one, one)
  m = Concat <axis = 1> (b4, o, r1)`,
	"coordinates": `
  h = Shape <start = 2, end = 3> (r)
  hs = Squeeze(h)
  i = Range(zero0, hs, one0)
  f = Cast <to = 1> (i)
  hf = Cast <to = 1> (hs)
  y1 = Div(f, hf)
  y2 = Unsqueeze(y1, row)
  n1 = Shape <end = 1> (r)
  hw = Shape <start = 2> (r)
  nhw = Concat <axis = 0> (n1, one, hw)
  g = Expand(y2, nhw)
  r3 = Slice(r, zero, three, one)
  m = Concat <axis = 1> (r3, g)`,
	"halves": `
  h = Shape <start = 2, end = 3> (r)
  k = Div(h, two)
  p = Slice(r, k, h, two)
  q = Slice(r, zero, k, two)
  m = Concat <axis = 2> (p, q)`,
	"constant map": `
  r3 = Slice(r, zero, three, one)
  m = Concat <axis = 1> (r3, map)`,
}

// sizedNetwork is a network of three convolutions with a piece of sizeArithmetic in it.
func sizedNetwork(t *testing.T, body string) *graph.Model {
	t.Helper()
	dims := "N,1,H,W"
	if strings.Contains(body, ", map)") {
		dims = "1,1,7,10"
	}
	random := rand.New(rand.NewPCG(5, 5))
	floats := func(n int) string {
		xs := make([]string, n)
		for i := range xs {
			xs[i] = fmt.Sprintf("%.4f", 0.3*random.NormFloat64())
		}
		return "{" + strings.Join(xs, ", ") + "}"
	}
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 16]>
g (float[` + dims + `] x) => (float[A,1,B,C] y)
<float[4,1,3,3] w1 = ` + floats(36) + `, float[4] b1 = ` + floats(4) + `, float[4,4,3,3] w2 = ` + floats(144) + `,
 float[4] b2 = ` + floats(4) + `, float[1,4,3,3] w3 = ` + floats(36) + `, float[1,1,7,10] map = ` + floats(70) + `,
 float[1,1,1,1] half = {0.5}, int64[1] zero = {0}, int64[1] one = {1}, int64[1] two = {2}, int64[1] three = {3},
 int64[1] four = {4}, int64[3] row = {0, 1, 3}, int64 zero0 = {0}, int64 one0 = {1}>
{
  first = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
  r = Relu(first)` + body + `
  second = Conv <pads = [1, 1, 1, 1]> (m, w2, b2)
  last = Relu(second)
  y = Conv <pads = [1, 1, 1, 1]> (last, w3)
}`)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSizeArithmetic converts networks that compute with sizes, and runs them at a size at which
// divisions leave remainders, on two images where the batch is free.
func TestSizeArithmetic(t *testing.T) {
	for name, body := range sizeArithmetic {
		t.Run(name, func(t *testing.T) {
			m := sizedNetwork(t, body)
			n := 2
			if name == "constant map" {
				n = 1
			}
			x := ops.NewTensor(graph.Float32, []int{n, 1, 7, 10})
			r := rand.New(rand.NewPCG(1, 2))
			for i := range x.F32 {
				x.F32[i] = r.Float32()
			}
			want := run(t, m, x)[0]
			for _, recipe := range []string{"spikingir", "two-phase"} {
				s := recipes.Defaults()
				s.Timesteps, s.Percentile = 256, 100
				c := m.Clone()
				convert(t, c, recipe, s, x)
				got := run(t, c, x)[0]
				if db := agreement(t, got, want); !(db >= 40) {
					t.Errorf("%s agrees with its ANN to %.1f dB, want 40", recipe, db)
				}
			}
			s := recipes.Defaults()
			s.Timesteps, s.Percentile = 3, 100
			functions, flat := m.Clone(), m.Clone()
			convert(t, functions, "spikingir", s, x)
			s.Lower = recipes.Flat
			convert(t, flat, "spikingir", s, x)
			if d := distance(t, run(t, functions, x)[0], run(t, flat, x)[0]); d > 1e-5 {
				t.Errorf("the flat form gives other pixels, by up to %g", d)
			}
		})
	}
}

// TestSizeOfNeurons refuses sizes that a result of neurons decides.
func TestSizeOfNeurons(t *testing.T) {
	m := sizedNetwork(t, `
  v = ReduceMax <axes = [0, 1, 2, 3], keepdims = 0> (r)
  i = Cast <to = 7> (v)
  j = Unsqueeze(i, zero)
  m = Slice(r, zero, j, two)`)
	p, err := recipes.New("spikingir", recipes.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Run(m, passes.Options{Evaluate: passtest.Evaluate})
	if err == nil || !strings.Contains(err.Error(), `computed from results of neurons`) {
		t.Errorf("error is %v, want one that tells what sizes are computed from", err)
	}
}
