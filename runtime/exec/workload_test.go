package exec_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// workOf is the work of the named node.
func workOf(t *testing.T, res *exec.Result, node string) exec.WorkReport {
	t.Helper()
	var found []exec.WorkReport
	for _, w := range res.Work {
		if w.Node == node {
			found = append(found, w)
		}
	}
	if len(found) != 1 {
		t.Fatalf("node %q has %d work reports, want 1", node, len(found))
	}
	return found[0]
}

// axis is a convolution along one side of an image.
type axis struct{ in, kernel, stride, dilation, before, after int }

func randomAxis(r *rand.Rand) axis {
	return axis{9 + r.IntN(4), 1 + r.IntN(4), 1 + r.IntN(3), 1 + r.IntN(2), r.IntN(3), r.IntN(3)}
}

func (a axis) out() int {
	return (a.in+a.before+a.after-(a.kernel-1)*a.dilation-1)/a.stride + 1
}

// taps counts the pairs of an output and a tap that lie inside the image.
func (a axis) taps() (n int) {
	for o := range a.out() {
		for k := range a.kernel {
			if i := o*a.stride - a.before + k*a.dilation; i >= 0 && i < a.in {
				n++
			}
		}
	}
	return n
}

// TestConvWork compares the counts of strided, dilated and grouped convolutions
// with those of every tap. With a spike at every element
// of every step the synaptic operations are the exact MACs, T times.
func TestConvWork(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 6))
	const steps = 2
	for range 40 {
		g := 1 + r.IntN(2)
		cin, cout := g*(1+r.IntN(2)), g*(1+r.IntN(3))
		rows, cols := randomAxis(r), randomAxis(r)
		pairs := float64(cin / g * cout)
		outs := float64(rows.out() * cols.out())
		macs := 2 * pairs * outs * float64(rows.kernel*cols.kernel)
		exact := 2 * pairs * float64(rows.taps()*cols.taps())
		inputs := float64(2 * cin * rows.in * cols.in)
		conv := fmt.Sprintf(`Conv <group = %d, strides = [%d, %d], dilations = [%d, %d], pads = [%d, %d, %d, %d]>`,
			g, rows.stride, cols.stride, rows.dilation, cols.dilation, rows.before, cols.before, rows.after, cols.after)
		m := model(t, fmt.Sprintf(`g (float[N,%d,H,W] x) => (float[N,C2,H2,W2] r, float[N,C2,H2,W2] a)
<float[%d,%d,%d,%d] w = ["location": "seed:1"], float[%d] b = ["location": "seed:2"], float theta = {1}>
{
  e = ai.spikingir.Encode <@@> (x)
  y = ai.spikingir.IF <@@> (e, , theta)
  [c] d = %s (y, w)
  z = ai.spikingir.IF <@@> (d, , theta)
  r = ai.spikingir.Decode <@@> (z)
  [analog] a = %s (x, w, b)
}`, cin, cout, cin/g, rows.kernel, cols.kernel, cout, conv, conv), steps, 0)
		x := random(1, 1, 2, 2, cin, rows.in, cols.in)
		res := execute(t, compile(t, m, exec.Options{}), x)
		c, a := workOf(t, res, "c"), workOf(t, res, "analog")
		for _, w := range []exec.WorkReport{c, a} {
			if w.MACs != macs || w.ExactMACs != exact || w.Inputs != inputs {
				t.Errorf("%+v x %+v: work %+v, want %g MACs, %g exact ones, %g inputs", rows, cols, w, macs, exact, inputs)
			}
		}
		if !c.Driven || c.Bias || c.SpikesIn != steps*c.Inputs || c.ExactOps != steps*c.ExactMACs {
			t.Errorf("%+v x %+v: driven by %g spikes, %g operations, want %g and %g",
				rows, cols, c.SpikesIn, c.ExactOps, steps*c.Inputs, steps*c.ExactMACs)
		}
		if a.Driven || a.Current || !a.Bias || a.Outputs != 2*float64(cout)*outs || a.Runs != 1 {
			t.Errorf("analog work %+v, want one run with a bias", a)
		}
	}
}

// TestConvTransposeWork counts the taps of transposed convolutions that land in
// the result one by one.
func TestConvTransposeWork(t *testing.T) {
	for _, c := range []struct {
		kernel, stride, pad, extra, h, w, group int
		attr                                    string
	}{
		{kernel: 3, stride: 2, pad: 1, extra: 1, h: 4, w: 5, group: 1},
		{kernel: 4, stride: 2, pad: 1, h: 3, w: 6, group: 2},
		{kernel: 9, stride: 3, pad: 4, extra: 2, h: 5, w: 4, group: 1},
		{kernel: 2, stride: 1, h: 1, w: 1, group: 2},
	} {
		m := model(t, fmt.Sprintf(`g (float[N,2,H,W] x) => (float[N,C2,H2,W2] y)
<float[2,3,%[1]d,%[1]d] w = ["location": "seed:1"]>
{ [c] y = ConvTranspose <group = %[2]d, strides = [%[3]d, %[3]d], pads = [%[4]d, %[4]d, %[4]d, %[4]d],
  output_padding = [%[5]d, %[5]d]> (x, w) }`, c.kernel, c.group, c.stride, c.pad, c.extra), 0, 0)
		res := execute(t, compile(t, m, exec.Options{}), random(1, 0, 1, 2, 2, c.h, c.w))
		y := res.Outputs[0].Dims
		taps := func(in, out int) (n int) {
			for i := range in {
				for k := range c.kernel {
					if o := i*c.stride - c.pad + k; o >= 0 && o < out {
						n++
					}
				}
			}
			return n
		}
		const images, cin, perGroup = 2, 2, 3
		macs := images * cin * perGroup * c.h * c.w * c.kernel * c.kernel
		exact := images * cin * perGroup * taps(c.h, y[2]) * taps(c.w, y[3])
		if w := workOf(t, res, "c"); w.MACs != float64(macs) || w.ExactMACs != float64(exact) {
			t.Errorf("%+v: %g and %g MACs, want %d and %d", c, w.MACs, w.ExactMACs, macs, exact)
		}
	}
}

// TestProductWork counts products of either order, transposed or not, and of
// weights that are computed.
func TestProductWork(t *testing.T) {
	const m, k, n = 2, 3, 4
	for _, c := range []struct {
		src    string
		in     []int
		inputs float64
	}{
		{`g (float[M,K] x) => (float[M,N] y) <float[3,4] w = ["location": "seed:1"]> { [p] y = MatMul(x, w) }`,
			[]int{m, k}, m * k},
		{`g (float[M,K] x) => (float[N,M] y) <float[4,3] w = ["location": "seed:1"]> { [p] y = MatMul(w, x) }`,
			[]int{k, m}, m * k},
		{`g (float[M,K] x) => (float[M,N] y) <float[4,3] w = ["location": "seed:1"]> { [p] y = Gemm <transB = 1> (x, w) }`,
			[]int{m, k}, m * k},
		{`g (float[M,K] x) => (float[M,N] y) <float[3,4] w = ["location": "seed:1"]> { [p] y = Gemm <transA = 1> (x, w) }`,
			[]int{k, m}, m * k},
		{`g (float[M,K] x) => (float[N,M] y) <float[4,3] w = ["location": "seed:1"]> { [p] y = Gemm <transB = 1> (w, x) }`,
			[]int{m, k}, m * k},
		{`g (float[1,2,1,W] x) => (float[1,4,1,K] y)
<float[4,1,1,3] a = ["location": "seed:1"], float[4,2,1,1] z = ["location": "seed:1"]>
{
  w = MatMul(z, a)
  [p] y = Conv(x, w)
}`, []int{1, 2, 1, 3}, 6},
	} {
		res := execute(t, compile(t, model(t, c.src, 0, 0), exec.Options{}), random(1, 0, 1, c.in...))
		w := workOf(t, res, "p")
		const want = m * k * n // of the Conv: 4 outputs of 2*1*3 taps
		if w.MACs != want || w.ExactMACs != want || w.Inputs != c.inputs {
			t.Errorf("%s: %+v, want %d MACs and %g inputs", c.src, w, want, c.inputs)
		}
	}
}

// TestSteppedWork holds what is charged for operators in the time loop that
// spikes alone do not drive, and that nothing is in the post step that is not
// computed.
func TestSteppedWork(t *testing.T) {
	m := model(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] r)
<float[1,1,1,1] w = {0.5}, float[1,2,1,1] w2 = {0.5, 0.5}, float[1,1,1] b = {0.25}, float theta = {1}, float alpha = {0.75}>
{
  e = ai.spikingir.Encode <@@> (x)
  [steady] c = Conv(e, w)
  [bias] f = ai.spikingir.Bias <@@> (c, b)
  [n] y = ai.spikingir.MPRN <@@> (f, , theta, alpha)
  [spikes] d = Conv(y, w)
  [current] k = Conv(d, w)
  both = Concat <axis = 1> (y, e)
  [mixed] l = Conv(both, w2)
  [sum] s = Add(k, l)
  [stepbias] u = ai.spikingir.Bias <@@> (s, b)
  [out] z = ai.spikingir.IF <@@> (u, b, theta)
  r = ai.spikingir.Decode <@@> (z)
}`, 5, 1)
	x := random(3, 0, 1, 1, 1, 2, 3)
	res := execute(t, compile(t, m, exec.Options{}), x)
	for _, c := range []struct {
		node            string
		driven, current bool
		runs            int
		adds            float64
	}{
		{"steady", false, true, 1, 0},
		{"bias", false, true, 1, 6},
		{"spikes", true, false, 0, 0},
		{"current", false, false, 6, 0},
		{"mixed", false, false, 6, 0},
		{"sum", false, false, 6, 36},
		{"stepbias", false, false, 5, 30},
	} {
		w := workOf(t, res, c.node)
		if w.Driven != c.driven || w.Current != c.current || w.Runs != c.runs || w.Adds != c.adds {
			t.Errorf("%s: %+v, want %+v", c.node, w, c)
		}
	}
	for i, bias := range []bool{false, true} {
		if n := res.Neurons[i]; n.Bias != bias || !n.Post || n.Steps != 5 {
			t.Errorf("neuron report %+v, want bias = %v and a post step", n, bias)
		}
	}
}

// TestSumOfTrains counts the spikes of both operands of a sum, and does not fail
// on a sum that an earlier layer computed.
func TestSumOfTrains(t *testing.T) {
	m := model(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] r)
<float[1,1,1,1] w = {0.5}, float theta = {1}>
{
  e = ai.spikingir.Encode <@@> (x)
  f = Neg(e)
  g1 = Neg(f)
  [a] s1 = ai.spikingir.IF <@@> (e, , theta)
  [b] s2 = ai.spikingir.IF <@@> (g1, , theta)
  both = Add(s1, s2)
  [near] c = Conv(both, w)
  y = ai.spikingir.IF <@@> (c, , theta)
  [late] d = Conv(both, w)
  k = Conv(y, w)
  s = Add(d, k)
  z = ai.spikingir.IF <@@> (s, , theta)
  r = ai.spikingir.Decode <@@> (z)
}`, 4, 0)
	x := ops.Floats([]float32{0.25, 0.5, 1, 0}, 1, 1, 2, 2)
	res := execute(t, compile(t, m, exec.Options{}), x)
	if w := workOf(t, res, "near"); w.SpikesIn != 2*(1+2+4) {
		t.Errorf("%g spikes arrive through a sum, want 14", w.SpikesIn)
	}
	// What is kept is the sum: seven places and steps that are not 0.
	if w := workOf(t, res, "late"); !w.Driven || w.SpikesIn != 1+2+4 {
		t.Errorf("work %+v, want 7 spikes", w)
	}
}

// TestAnalogProductWork counts the operators of the analog part that multiply in integers, at
// moved samples or by an equation.
func TestAnalogProductWork(t *testing.T) {
	m := model(t, `g (float[N,2,H,W] x) => (float[N,3,H,W] r, float[N,4,H2,W2] s, float[N,3,H,W] u, float[N,5,H,W] v)
<float[3,2,3,3] w = ["location": "seed:1"], float[4,2,2,2] k = ["location": "seed:2"], float[18,2,1,1] o = ["location": "seed:3"],
 float[5,2] m = ["location": "seed:4"], float one = {1}, uint8 zero = {0}, float[3] b = ["location": "seed:5"]>
{
  q = QuantizeLinear(x, one, zero)
  wq = QuantizeLinear(w, one, zero)
  kq = QuantizeLinear(k, one, zero)
  [conv] c = QLinearConv <pads = [1, 1, 1, 1]> (q, one, zero, wq, one, zero, one, zero)
  r = DequantizeLinear(c, one, zero)
  [strided] i = ConvInteger <strides = [2, 2]> (q, kq)
  s = Cast <to = 1> (i)
  offsets = Conv(x, o)
  [deform] u = DeformConv <pads = [1, 1, 1, 1]> (x, w, offsets, b)
  [mix] v = Einsum <equation = "nchw,dc->ndhw"> (x, m)
}`, 1, 0)
	m.SetOpset("", 19)
	const images, h, w = 2, 6, 8
	res := execute(t, compile(t, m, exec.Options{}), random(1, 0, 1, images, 2, h, w))
	for node, want := range map[string]exec.WorkReport{
		"conv":    {MACs: images * h * w * 3 * 2 * 9, ExactMACs: images * 3 * 2 * (3*h - 2) * (3*w - 2)},
		"strided": {MACs: images * h / 2 * w / 2 * 4 * 2 * 4, ExactMACs: images * h / 2 * w / 2 * 4 * 2 * 4},
		"deform":  {MACs: images * h * w * 3 * 2 * 9, ExactMACs: images * h * w * 3 * 2 * 9, Bias: true},
		"mix":     {MACs: images * h * w * 2 * 5, ExactMACs: images * h * w * 2 * 5},
	} {
		got := workOf(t, res, node)
		if got.MACs != want.MACs || got.ExactMACs != want.ExactMACs || got.Bias != want.Bias || got.Driven || got.Runs != 1 {
			t.Errorf("%s: work %+v, want %g MACs, %g exact ones, bias %t", node, got, want.MACs, want.ExactMACs, want.Bias)
		}
	}
}
