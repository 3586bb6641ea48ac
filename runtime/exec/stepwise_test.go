package exec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// stepwise is an independent simulator: the whole network step after step, in
// graph order, every slice a float tensor. It shares nothing with the planner
// but the standard operators.
type stepwise struct {
	t           *testing.T
	steps, post int
	values      map[*graph.Value]*ops.Tensor // the slice of the moment, or an analog value
	v           map[*graph.Node][]float32
	sum         map[*graph.Node][]float32
}

func simulate(t *testing.T, m *graph.Model, x *ops.Tensor, steps, post int) []*ops.Tensor {
	t.Helper()
	s := &stepwise{t, steps, post, map[*graph.Value]*ops.Tensor{}, map[*graph.Node][]float32{}, map[*graph.Node][]float32{}}
	s.values[m.Graph.Inputs()[0]] = x
	for _, v := range m.Graph.Initializers() {
		c, err := ops.FromGraph(v.Const)
		if err != nil {
			t.Fatal(err)
		}
		s.values[v] = c
	}
	for k := range steps + post {
		for n := range m.Graph.Nodes() {
			s.node(n, k)
		}
	}
	var outs []*ops.Tensor
	for _, v := range m.Graph.Outputs() {
		outs = append(outs, s.values[v])
	}
	return outs
}

func (s *stepwise) node(n *graph.Node, k int) {
	in := make([]*ops.Tensor, n.NumInputs())
	for i, v := range n.Inputs() {
		if v != nil {
			in[i] = s.values[v]
		}
	}
	switch n.Op() {
	case graph.Op{Domain: graph.Spiking, Type: "Encode"}:
		y := in[0].Clone()
		if k >= s.steps {
			clear(y.F32)
		}
		s.values[n.Output(0)] = y
	case graph.Op{Domain: graph.Spiking, Type: "Bias"}:
		s.values[n.Output(0)] = s.add(in[0], in[1], k)
	case graph.Op{Domain: graph.Spiking, Type: "IF"}, graph.Op{Domain: graph.Spiking, Type: "MPRN"}:
		s.neuron(n, in, k)
	case graph.Op{Domain: graph.Spiking, Type: "Decode"}, graph.Op{Domain: graph.Spiking, Type: "CPM"}:
		s.read(n, in, k)
	default:
		s.standard(n, in)
	}
}

func (s *stepwise) standard(n *graph.Node, in []*ops.Tensor) {
	op, err := ops.Bind(n, 17)
	if err != nil {
		s.t.Fatal(err)
	}
	pool := machine.NewPool(1)
	defer pool.Close()
	out, err := op.Run(&ops.Env{Pool: pool, Alloc: ops.NewTensor}, in)
	if err != nil {
		s.t.Fatal(err)
	}
	for i, t := range out {
		if n.Output(i) != nil {
			s.values[n.Output(i)] = t.Clone()
		}
	}
}

// channel picks element i's entry of one number or one per channel.
func channel(b, x *ops.Tensor, i int) float32 {
	if len(b.F32) == 1 {
		return b.F32[0]
	}
	return b.F32[i/(x.Dims[2]*x.Dims[3])%x.Dims[1]]
}

func (s *stepwise) add(x, b *ops.Tensor, k int) *ops.Tensor {
	y := x.Clone()
	if b == nil || k >= s.steps {
		return y
	}
	for i := range y.F32 {
		y.F32[i] += channel(b, x, i)
	}
	return y
}

func (s *stepwise) neuron(n *graph.Node, in []*ops.Tensor, k int) {
	c := s.add(in[0], in[1], k)
	v := s.v[n]
	if v == nil {
		v = make([]float32, len(c.F32))
		v0, _ := graph.Get(n.Attrs, "v0", graph.Float(0))
		for i := range v {
			v[i] = float32(v0) * channel(in[2], c, i)
		}
		s.v[n] = v
	}
	y := c.Clone()
	for i := range v {
		theta := channel(in[2], c, i)
		fire := theta
		if n.IsSpiking("MPRN") && k >= s.steps {
			fire = theta * channel(in[3], c, i)
		}
		v[i] += c.F32[i]
		y.F32[i] = 0
		if v[i] >= fire {
			y.F32[i] = theta
			v[i] -= theta
		}
	}
	s.values[n.Output(0)] = y
	if n.Output(1) != nil {
		s.values[n.Output(1)] = &ops.Tensor{DType: graph.Float32, Dims: c.Dims, F32: slices.Clone(v)}
	}
}

// read sums the slices; after the last it gives the value.
func (s *stepwise) read(n *graph.Node, in []*ops.Tensor, k int) {
	sum := s.sum[n]
	if sum == nil {
		sum = make([]float32, len(in[0].F32))
		s.sum[n] = sum
	}
	for i, x := range in[0].F32 {
		sum[i] += x
	}
	o := &ops.Tensor{DType: graph.Float32, Dims: in[0].Dims, F32: slices.Clone(sum)}
	for i := range o.F32 {
		if n.IsSpiking("CPM") {
			o.F32[i] += in[1].F32[i] // the nets below have 1x1 kernels of one
		}
		o.F32[i] /= float32(s.steps)
	}
	s.values[n.Output(0)] = o
}

// nets are networks whose plans differ: what is shared between layers, kept
// over time, or fed from several places.
var nets = map[string]string{
	"residual stream without activation": `g (float[N,2,H,W] x) => (float[N,2,H,W] o)
<float[2,2,3,3] w1 = ["location": "seed:1", "scale": "0.4"], float[2,2,3,3] w2 = ["location": "seed:2", "scale": "0.4"],
 float[2,2,3,3] w3 = ["location": "seed:3", "scale": "0.4"], float[2,1,1] b = {0.1, -0.2}, float theta = {0.7}, float alpha = {0.75},
 float[2,2,1,1] one = {1, 0, 0, 1}>
{
  e = ai.spikingir.Encode <@@> (x)
  s = ai.spikingir.MPRN <@@> (e, , theta, alpha)
  stream = Conv <pads = [1, 1, 1, 1]> (s, w1)
  h = ai.spikingir.MPRN <@@, v0 = 0.5> (stream, b, theta, alpha)
  d = Conv <pads = [1, 1, 1, 1]> (h, w2)
  sum = Add(stream, d)
  biased = ai.spikingir.Bias <@@> (sum, b)
  k = ai.spikingir.MPRN <@@> (biased, , theta, alpha)
  f = Conv <pads = [1, 1, 1, 1]> (k, w3)
  total = Add(biased, f)
  y, v = ai.spikingir.IF <@@> (total, , theta)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (y, v, one)
}`,
	"two populations on one current, concatenated": `g (float[N,1,H,W] x) => (float[N,2,H,W] o, float[N,2,H,W] r)
<float[2,1,3,3] w1 = ["location": "seed:4", "scale": "0.6"], float[2,4,3,3] w2 = ["location": "seed:5", "scale": "0.4"],
 float[2,1,1] theta = {0.5, 0.9}, float[2,2,1,1] one = {1, 0, 0, 1}>
{
  e = ai.spikingir.Encode <@@> (x)
  c = Conv <pads = [1, 1, 1, 1]> (e, w1)
  on = ai.spikingir.IF <@@> (c, , theta)
  m = Neg(c)
  off = ai.spikingir.IF <@@> (m, , theta)
  both = Concat <axis = 1> (on, off)
  d = Conv <pads = [1, 1, 1, 1]> (both, w2)
  y, v = ai.spikingir.IF <@@> (d, , theta)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (y, v, one)
  r = ai.spikingir.Decode <@@> (on)
}`,
	"an encoded input used late, pooling and shuffling": `g (float[N,4,H,W] x) => (float[N,4,H2,W2] o)
<float[4,1,2,2] w1 = ["location": "seed:6", "scale": "0.6"], float[4,1,1] b = {0.1, 0.2, 0.3, 0.4},
 float theta = {0.6}, float[4,4,1,1] one = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}>
{
  e = ai.spikingir.Encode <@@> (x)
  s = ai.spikingir.IF <@@> (e, , theta)
  p = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (s)
  g1 = Conv <group = 4, pads = [0, 0, 1, 1]> (p, w1)
  q = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (e)
  sum = Sub(g1, q)
  y, v = ai.spikingir.IF <@@> (sum, b, theta)
  o = ai.spikingir.CPM <@@, kernel_shape = [1, 1]> (y, v, one)
}`,
}

// TestAgainstStepwise demands the same bits from the plan in float32, which runs layer
// after layer, as from the simulator that runs step after step.
func TestAgainstStepwise(t *testing.T) {
	for name, src := range nets {
		for _, post := range []int{0, 1} {
			if post == 0 {
				// An MPRN exists only with a post step.
				src = mprnToIF(src)
			} else {
				src = nets[name]
			}
			m := model(t, src, 9, post)
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			x := random(uint64(len(name)), -1, 1.5, 2, int(c), 8, 10)
			want := simulate(t, m, x, 9, post)
			p, err := exec.Compile(m, exec.Options{Precision: exec.Float32})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{Measure: true})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range want {
				if d := distance(t, res.Outputs[i], want[i]); d != 0 {
					t.Errorf("%s, post = %d: output %d differs by %g", name, post, i, d)
				}
			}
			for _, n := range res.Neurons {
				if n.Spikes == 0 {
					t.Errorf("%s: a layer of %s never fires: the test is too weak", name, n.Op)
				}
			}
		}
	}
}

// mprnToIF replaces every MPRN by an IF.
func mprnToIF(src string) string {
	src = strings.ReplaceAll(src, "MPRN", "IF")
	return strings.ReplaceAll(src, ", theta, alpha)", ", theta)")
}

// TestTimesteps demands that one run for several T gives at each what a
// run of its own gives: outputs, spikes, potentials and work.
func TestTimesteps(t *testing.T) {
	several := []int{2, 5, 9}
	for name, src := range nets {
		for _, post := range []int{0, 1} {
			if post == 0 {
				src = mprnToIF(nets[name])
			} else {
				src = nets[name]
			}
			m := model(t, src, 9, post)
			c, _ := m.Graph.Inputs()[0].Type.Shape[1].Size()
			in := map[string]*ops.Tensor{"x": random(3, -1, 1.5, 1, int(c), 8, 10)}
			p, err := exec.Compile(m, exec.Options{Timesteps: several})
			if err != nil {
				t.Fatal(err)
			}
			all, err := p.RunAll(t.Context(), in, exec.RunOptions{Measure: true})
			if err != nil {
				t.Fatal(err)
			}
			for i, k := range several {
				q, err := exec.Compile(m, exec.Options{Timesteps: []int{k}})
				if err != nil {
					t.Fatal(err)
				}
				one, err := q.Run(t.Context(), in, exec.RunOptions{Measure: true})
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(one, all[i]); d != "" {
					t.Errorf("%s, post = %d, T = %d: a run of its own differs (-own +one of several):\n%s", name, post, k, d)
				}
			}
		}
	}
}
