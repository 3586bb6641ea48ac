package reference_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/ops"
	"spikingir/runtime/reference"
)

// normal is n numbers from a normal distribution.
func normal(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// shift is x + h*d.
func shift(x, d []float64, h float64) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		y[i] = x[i] + h*d[i]
	}
	return y
}

// differences holds the gradients of net, which must be smooth, against central
// differences along random directions. dead is the ending of names of parameters
// whose gradient must be 0; all others must have one.
func differences(t *testing.T, net *reference.Net, x []float64, seed uint64, dead string) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	size := 1
	for _, d := range net.OutputShape() {
		size *= d
	}
	weights := normal(r, size)
	grads, err := net.Gradients(x, weights)
	if err != nil {
		t.Fatal(err)
	}
	if len(grads) != len(net.Parameters())+1 {
		t.Fatalf("%d gradients of %d parameters and the input", len(grads), len(net.Parameters()))
	}
	loss := func(x []float64) float64 {
		y, err := net.Output(x)
		if err != nil {
			t.Fatal(err)
		}
		return dot(y, weights)
	}
	for i, g := range grads {
		at := func(h float64, d []float64) float64 { return loss(shift(x, d, h)) }
		if i > 0 {
			p := net.Parameter(g.Name)
			at = func(h float64, d []float64) float64 {
				if err := net.SetParameter(g.Name, shift(p, d, h)); err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := net.SetParameter(g.Name, p); err != nil {
						t.Fatal(err)
					}
				}()
				return loss(x)
			}
		}
		d := normal(r, len(g.Value))
		got, want, ok := dot(g.Value, d), 0.0, false
		for _, h := range []float64{2e-5, 2e-6} { // a Relu may have a kink within the wider one
			want = (8*(at(h, d)-at(-h, d)) - at(2*h, d) + at(-2*h, d)) / (12 * h)
			ok = ok || math.Abs(got-want) <= 1e-6*max(math.Abs(want), math.Abs(got), 1e-2)
		}
		if !ok {
			t.Errorf("gradient of %q%v along a direction: %.9g, differences say %.9g", g.Name, g.Dims, got, want)
		}
		if none := dot(g.Value, g.Value) == 0; none != (dead != "" && strings.HasSuffix(g.Name, dead)) {
			t.Errorf("gradient of %q is 0: %t, want 0 for %q alone", g.Name, none, dead)
		}
	}
}

// TestNetworks holds the gradients of whole smoothed networks against differences.
// With v0 = 0 and the Dirac kernel that conversion starts from, CPM gives the mean
// current, whatever the threshold of the output neuron: its gradient is 0.
func TestNetworks(t *testing.T) {
	for _, c := range []struct {
		name, recipe string
		h, w         int
		dead         string
	}{
		{"aodnet", "", 6, 5, ""}, {"dncnn", "", 6, 5, ""}, {"prelunet", "", 4, 3, ""}, {"residual", "", 6, 5, ""},
		{"aodnet", "spikingir", 6, 5, "/Relu_4.theta"}, {"dncnn", "spikingir", 6, 5, ".out.theta"}, {"vdsr", "spikingir", 5, 6, ".out.theta"},
		{"prelunet", "spikingir", 4, 3, ".out.theta"}, {"residual", "spikingir", 5, 4, ".out.theta"}, {"dncnn", "rueckauer", 5, 4, ""},
	} {
		for _, s := range []reference.Surrogate{reference.Sigmoid, reference.Triangle, reference.Arctan} {
			if whole := c.name+c.recipe == "aodnetspikingir"; !whole && (testing.Short() || s != reference.Sigmoid) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%s/%v", c.name, c.recipe, s), func(t *testing.T) {
				m, x := fixture(t, c.name, c.recipe, 2)
				x = cut(x, c.h, c.w)
				net := build(t, m, x.Dims, reference.Options{Surrogate: s, ThroughReset: true, Smooth: true})
				differences(t, net, widen(x), 3, c.dead)
			})
		}
	}
}

// widen is the elements of x in float64.
func widen(x *ops.Tensor) []float64 {
	y := make([]float64, len(x.F32))
	for i, v := range x.F32 {
		y[i] = float64(v)
	}
	return y
}

// header begins the model of one operator on x, which has 4 channels, with
// parameters of random numbers.
const header = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,4,H,W] x) => (float[N,M,P,Q] y)
<%s>
{
  %s
}`

// random writes a parameter of random multiples of 1/64 from lo to lo + 2.
func random(r *rand.Rand, name string, lo float64, dims ...int) string {
	var list, shape []string
	n := 1
	for _, d := range dims {
		n *= d
		shape = append(shape, fmt.Sprint(d))
	}
	for range n {
		list = append(list, fmt.Sprint(lo+float64(r.IntN(128))/64))
	}
	return fmt.Sprintf("float[%s] %s = {%s}", strings.Join(shape, ","), name, strings.Join(list, ", "))
}

// operators is one case for each form that the reference translates; the
// parameters are those that the body names.
var operators = []struct{ name, body string }{
	{"conv", `y = Conv <pads = [1, 1, 1, 1]> (x, w33, b6)`},
	{"conv stride", `y = Conv <pads = [0, 1, 1, 2], strides = [2, 3]> (x, w33, b6)`},
	{"conv dilation", `y = Conv <pads = [2, 1, 2, 1], dilations = [2, 1]> (x, w33)`},
	{"conv groups", `y = Conv <group = 2, auto_pad = "SAME_UPPER"> (x, wg, b6)`},
	{"conv depthwise", `y = Conv <group = 4, pads = [1, 1, 1, 1]> (x, wd)`},
	{"conv to one channel", `y = Conv (x, w1)`},
	{"two dilations of one size", `a = Conv <pads = [1, 1, 1, 1], strides = [5, 6]> (x, w33)
  b = Conv <pads = [1, 1, 1, 1], strides = [5, 6], dilations = [2, 2]> (x, w33)
  y = Concat <axis = 1> (a, b)`},
	{"transposed", `y = ConvTranspose <strides = [2, 2], pads = [1, 0, 1, 1], output_padding = [1, 0]> (x, wt, b6)`},
	{"transposed dilation", `y = ConvTranspose <strides = [1, 3], dilations = [2, 1]> (x, wt)`},
	{"transposed groups", `y = ConvTranspose <group = 2, strides = [2, 1], auto_pad = "SAME_LOWER"> (x, wt)`},
	{"transposed output shape", `y = ConvTranspose <strides = [2, 2], output_shape = [11, 9]> (x, wt)`},
	{"average", `y = AveragePool <kernel_shape = [2, 3], strides = [2, 1], pads = [1, 0, 0, 1]> (x)`},
	{"average counting padding", `y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1], count_include_pad = 1, ceil_mode = 1> (x)`},
	{"global", `y = GlobalAveragePool (x)`},
	{"batch norm", `y = BatchNormalization (x, b4, c4, d4, e4)`},
	{"relu", `y = Relu (x)`},
	{"leaky", `y = LeakyRelu <alpha = 0.25> (x)`},
	{"prelu", `y = PRelu (x, s411)`},
	{"clip", `lo = Constant <value_float = -0.5> ()
  hi = Constant <value_float = 0.75> ()
  y = Clip (x, lo, hi)`},
	{"clip below", `lo = Constant <value_float = 0.125> ()
  y = Clip (x, lo)`},
	{"sigmoid", `y = Sigmoid (x)`},
	{"tanh", `y = Tanh (x)`},
	{"add channels", `y = Add (x, s411)`},
	{"subtract from one number", `y = Sub (one, x)`},
	{"multiply rows and columns", `a = Mul (x, row)
  y = Mul (column, a)`},
	{"divide", `y = Div (x, e4b)`},
	{"square", `y = Mul (x, x)`},
	{"sum", `y = Sum (x, s411, one)`},
	{"negative", `a = Neg (x)
  y = Identity (a)`},
	{"concat", `a = Conv (x, w1)
  y = Concat <axis = -3> (a, x, a)`},
	{"concat rows", `y = Concat <axis = 2> (x, x)`},
	{"pad", `p = Constant <value_ints = [0, 1, 0, 2, 0, 0, -1, 1]> ()
  y = Pad (x, p)`},
	{"nearest neighbour", `s = Constant <value_floats = [1.0, 1.0, 2.0, 3.0]> ()
  y = Resize <mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"> (x, "", s)`},
	{"nearest centre", `s = Constant <value_floats = [1.0, 1.0, 1.0, 2.0]> ()
  y = Resize (x, "", s)`},
	{"depth to space", `y = DepthToSpace <blocksize = 2> (x)`},
	{"pixel shuffle", `y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)`},
	{"space to depth", `a = Concat <axis = 2> (x, x)
  c = Concat <axis = 3> (a, a)
  y = SpaceToDepth <blocksize = 2> (c)`},
	{"neuron", `e = ai.spikingir.Encode <timesteps = 3, post = 1> (x)
  i = Conv <pads = [1, 1, 1, 1]> (e, w33)
  a = ai.spikingir.Bias <timesteps = 3, post = 1> (i, s611)
  s, v = ai.spikingir.MPRN <timesteps = 3, post = 1, v0 = 0.25> (a, b611, theta, alpha)
  j = Add (s, a)
  q, u = ai.spikingir.IF <timesteps = 3, post = 1, v0 = 0.0> (j, "", theta1)
  r = ai.spikingir.Decode <timesteps = 3, post = 1> (s)
  o = ai.spikingir.CPM <timesteps = 3, post = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (q, u, wc, b6)
  l = Add (o, v)
  y = Sub (l, r)`},
	{"time-major output", `e = ai.spikingir.Encode <timesteps = 2, post = 0> (x)
  y, v = ai.spikingir.IF <timesteps = 2, post = 0, v0 = 0.5> (e, "", theta1)`},
}

// operatorModel is the model of a case of operators.
func operatorModel(t *testing.T, body string) *graph.Model {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	var used []string
	for _, p := range []struct {
		name string
		lo   float64
		dims []int
	}{
		{"w33", -1, []int{6, 4, 3, 3}}, {"wg", -1, []int{6, 2, 3, 2}}, {"wd", -1, []int{4, 1, 3, 3}},
		{"w1", -1, []int{1, 4, 1, 1}}, {"wt", -1, []int{4, 6, 3, 2}}, {"wc", -1, []int{6, 6, 3, 3}},
		{"b6", -1, []int{6}}, {"b4", -1, []int{4}}, {"c4", -1, []int{4}}, {"d4", -1, []int{4}}, {"e4", 0.5, []int{4}},
		{"e4b", 0.5, []int{4, 1, 1}}, {"s411", -1, []int{4, 1, 1}}, {"s611", -1, []int{6, 1, 1}}, {"b611", -1, []int{6, 1, 1}},
		{"row", -1, []int{6}}, {"column", -1, []int{1, 4, 5, 1}}, {"one", -1, []int{1}},
		{"theta", 1, []int{6, 1, 1}}, {"alpha", 0.5, []int{1}}, {"theta1", 0.75, []int{}},
	} {
		for _, word := range strings.FieldsFunc(body, func(c rune) bool { return strings.ContainsRune(" (),\n", c) }) {
			if word == p.name {
				used = append(used, random(r, p.name, p.lo, p.dims...))
				break
			}
		}
	}
	src := fmt.Sprintf(header, strings.Join(used, ", "), body)
	src = strings.Replace(src, "float[] theta1", "float theta1", 1)
	return parse(t, strings.Replace(src, "<>\n", "", 1))
}

// TestOperators holds each operator against exec, and its gradients against
// differences.
func TestOperators(t *testing.T) {
	for _, c := range operators {
		t.Run(c.name, func(t *testing.T) {
			m := operatorModel(t, c.body)
			r := rand.New(rand.NewPCG(7, 8))
			x := &ops.Tensor{DType: graph.Float32, Dims: []int{1, 4, 5, 6}}
			for range 4 * 5 * 6 {
				x.F32 = append(x.F32, float32(2*r.Float64()-1))
			}
			if c.name == "sum" || c.name == "clip" { // and a batch
				x.Dims = []int{2, 4, 3, 5}
			}
			agree(t, m, x, 1e-5)
			net := build(t, m, x.Dims, reference.Options{ThroughReset: true, Smooth: true})
			differences(t, net, widen(x), 9, "")
		})
	}
}
