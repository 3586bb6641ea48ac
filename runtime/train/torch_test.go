package train

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"spikingir/graph"
)

// A torchCase is a network that fixtures/gen/gradients.py ran in PyTorch.
type torchCase struct {
	Name            string
	Surrogate       string
	Slope           float32
	Reset           bool
	Shape           []int // of the images
	Images, By, Out []float32
	Params          []struct {
		Name  string
		Dims  []int64
		Elems []float32
		Grad  []float64
	}
}

// torchBodies are the nodes of the networks of gradients.py.
var torchBodies = map[string]string{
	"dncnn": `
c1 = Conv <pads = [1, 1, 1, 1]> (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
s1 = ai.spikingir.MPRN <@, v0 = 0.0> (e1, b1, t1, a1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
s2 = ai.spikingir.MPRN <@, v0 = 0.25> (c2, b2, t2, a2)
c3 = Conv <pads = [1, 1, 1, 1]> (s2, w3)
s3, v3 = ai.spikingir.IF <@, v0 = 0.5> (c3, b3, t3)
o = ai.spikingir.CPM <@cpm> (s3, v3, k, kb)
y = Sub (x, o)`,
	"aodnet": `
c1 = Conv (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
s1 = ai.spikingir.MPRN <@, v0 = 0.0> (e1, b1, t1, a1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
s2 = ai.spikingir.MPRN <@, v0 = 0.0> (c2, b2, t2, a2)
j = Concat <axis = 1> (s1, s2)
c3 = Conv <pads = [2, 2, 2, 2]> (j, w3)
s3, v3 = ai.spikingir.IF <@, v0 = 0.0> (c3, b3, t3)
o = ai.spikingir.CPM <@cpm> (s3, v3, k)
one = Constant <value_float = 1.0> ()
p = Mul (o, x)
q = Sub (p, o)
r = Add (q, one)
y = Relu (r)`,
	"deconv": `
c1 = Conv <strides = [2, 2], pads = [1, 1, 1, 1]> (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
n1 = Neg (e1)
p1 = ai.spikingir.MPRN <@, v0 = 0.0> (e1, b1, t1, a1)
m1 = ai.spikingir.IF <@, v0 = 0.5> (n1, b1, t2)
j = Concat <axis = 1> (p1, m1)
c2 = ConvTranspose <strides = [2, 2], pads = [1, 1, 1, 1]> (j, w2)
s2 = ai.spikingir.IF <@, v0 = 0.25> (c2, "", t3)
c3 = Conv <pads = [1, 1, 1, 1], group = 3> (s2, w3)
s3 = ai.spikingir.IF <@, v0 = 0.0> (c3, b3, t4)
y = ai.spikingir.Decode <@> (s3)`,
}

// model builds the network of a case, with its parameters.
func (c *torchCase) model(t *testing.T, steps int) *graph.Model {
	t.Helper()
	net := netCase{name: c.Name, steps: steps, post: 1, channels: c.Shape[1], body: torchBodies[c.Name]}
	for _, p := range c.Params {
		if strings.HasSuffix(p.Name, ".v0") {
			continue
		}
		dims := strings.Trim(strings.ReplaceAll(fmt.Sprint(p.Dims), " ", ","), "[]")
		if dims == "" {
			dims = "-"
		}
		net.params += fmt.Sprintf("%s %s 1\n", p.Name, dims)
	}
	m := net.model(t)
	for _, v := range m.Graph.Initializers() {
		for _, p := range c.Params {
			if p.Name == v.Name() {
				m.Graph.SetInitializer(v, graph.NewFloat32(p.Dims, p.Elems), nil)
			}
		}
	}
	return m
}

// TestTorch holds outputs and gradients against PyTorch's.
func TestTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/gradients.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Steps int
		Cases []torchCase
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(fmt.Sprintf("%s/%s/%v", c.Name, c.Surrogate, c.Reset), func(t *testing.T) {
			n := compile(t, c.model(t, file.Steps), c.Shape[2], c.Shape[3], Options{
				Surrogate: Surrogate(c.Surrogate), Slope: float64(c.Slope), ResetGradient: c.Reset, TrainThresholds: true, TrainV0: true})
			w := n.NewWorker()
			image, size := len(c.Images)/c.Shape[0], len(c.By)/c.Shape[0]
			var out []float32
			for i := range c.Shape[0] { // the images of a batch, one after the other
				y, err := w.Forward(c.Images[i*image:(i+1)*image], Spikes, Hooks{})
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, y...)
				if err := w.Backward(c.By[i*size : (i+1)*size]); err != nil {
					t.Fatal(err)
				}
			}
			near(t, "output", out, widen(c.Out), 1e-5)
			grads := n.Gradients(nil, []*Worker{w})
			if len(n.params) != len(c.Params) {
				t.Errorf("%d parameters, PyTorch has %d", len(n.params), len(c.Params))
			}
			for i, p := range n.params {
				for _, q := range c.Params {
					if p.Name == q.Name {
						near(t, "gradient of "+p.Name, grads[i], q.Grad, 1e-5)
					}
				}
			}
		})
	}
}
