package cost_test

import (
	"math"
	"testing"

	"spikingir/graph"
	"spikingir/graph/cost"
	"spikingir/onnxio/text"
)

// TestOf holds the counts of networks whose layers have other resolutions than their
// outputs.
func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		src    string
		layers map[string]float64
		share  float64
	}{
		"strided and transposed": {`g (float[N,1,H,W] x) => (float[N,1,P,Q] y)
<float[4,1,3,3] a = ["location": "seed:1"], float[4,1,2,2] b = ["location": "seed:2"]>
{
  [down] c = Conv <pads = [1, 1, 1, 1], strides = [2, 2]> (x, a)
  [relu] r = Relu(c)
  [up] y = ConvTranspose <strides = [2, 2]> (r, b)
}`, map[string]float64{"down": 9, "up": 4}, 0},
		"groups, pixel shuffle": {`g (float[N,1,H,W] x) => (float[N,1,P,Q] y)
<float[8,1,3,3] a = ["location": "seed:1"], float[8,2,3,3] b = ["location": "seed:2"], float[9,8,1,1] c = ["location": "seed:3"]>
{
  [head] h = Conv <pads = [1, 1, 1, 1]> (x, a)
  [body] i = Conv <pads = [1, 1, 1, 1], group = 4> (h, b)
  [tail] j = Conv(i, c)
  [shuffle] y = DepthToSpace <blocksize = 3> (j)
}`, map[string]float64{"head": 8, "body": 16, "tail": 8}, 0},
		"a gate, of a fixed size": {`g (float[1,1,8,8] x) => (float[1,2,8,8] y)
<float[2,1,1,1] a = ["location": "seed:1"], float[2,2] b = ["location": "seed:2"], int64[4] to = {0, 0, 1, 1}>
{
  [head] h = Conv(x, a)
  [pool] p = GlobalAveragePool(h)
  [flat] f = Flatten(p)
  [gate] k = Gemm <transB = 1> (f, b)
  [back] l = Reshape(k, to)
  [scale] y = Mul(h, l)
}`, map[string]float64{"head": 2, "gate": 4.0 / 64}, 0},
		"channels last": {`g (float[N,H,W,2] x) => (float[N,H,W,2] y)
<float[2,5] a = ["location": "seed:1"], float[5,2] b = ["location": "seed:2"]>
{
  [up] h = MatMul(x, a)
  [down] y = MatMul(h, b)
}`, map[string]float64{"up": 10, "down": 10}, 0},
		"in integers": {`g (uint8[N,2,H,W] x, float s, uint8 z) => (uint8[N,3,H,W] y)
<float[3,2,3,3] fa = ["location": "seed:1"], float[5,3,1,1] fb = ["location": "seed:2"], float[3,5,1,1] fc = ["location": "seed:3"]>
{
  a = Cast <to = 2> (fa)
  b = Cast <to = 2> (fb)
  c = Cast <to = 2> (fc)
  [head] h = QLinearConv <pads = [1, 1, 1, 1]> (x, s, z, a, s, z, s, z)
  [middle] i = ConvInteger(h, b, z, z)
  j = Cast <to = 2> (i)
  [tail] y = QLinearConv(j, s, z, c, s, z, s, z)
}`, map[string]float64{"head": 54, "middle": 15, "tail": 15}, 0},
		"moved samples": {`g (float[N,2,H,W] x) => (float[N,3,H,W] y)
<float[18,2,1,1] a = ["location": "seed:1"], float[3,2,3,3] b = ["location": "seed:2"]>
{
  [offsets] o = Conv(x, a)
  [deform] y = DeformConv <pads = [1, 1, 1, 1]> (x, b, o)
}`, map[string]float64{"offsets": 36, "deform": 54}, 0},
		"sums of products": {`g (float[N,2,H,W] x) => (float[N,5,H,W] y)
<float[5,2] a = ["location": "seed:1"]>
{
  [mix] y = Einsum <equation = "nchw,dc->ndhw"> (x, a)
}`, map[string]float64{"mix": 10}, 0},
		"products of what was flattened": {`g (float[N,2,H,W] x) => (float[N,2,H,W] z, float[P,3] y)
<float[2,3] a = ["location": "seed:1"], int64[2] rows = {-1, 2}>
{
  t = Transpose <perm = [0, 2, 3, 1]> (x)
  r = Reshape(t, rows)
  [mix] y = MatMul(r, a)
  z = Relu(x)
}`, map[string]float64{"mix": 6}, 0},
		"spiking": {`g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[2,1,1,1] a = ["location": "seed:1"], float[1,2,3,3] b = ["location": "seed:2"], float theta = {1}, float alpha = {0.75},
 float[1,1,3,3] d = ["location": "seed:3"]>
{
  [head] h = Conv(x, a)
  e = ai.spikingir.Encode <timesteps = 4, post = 1> (h)
  [relu] s = ai.spikingir.MPRN <timesteps = 4, post = 1> (e, "", theta, alpha)
  [tail] c = Conv <pads = [1, 1, 1, 1]> (s, b)
  [out] o, v = ai.spikingir.IF <timesteps = 4, post = 1> (c, "", theta)
  [cpm] y = ai.spikingir.CPM <timesteps = 4, post = 1, kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (o, v, d)
}`, map[string]float64{"head": 2, "tail": 18}, 0.9},
		"a sum of layers": {`g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[2,1,1,1] a = ["location": "seed:1"], float[2,2,1,1] b = ["location": "seed:2"], float[1,2,3,3] d = ["location": "seed:3"], float theta = {1}>
{
  [head] h = Conv(x, a)
  e = ai.spikingir.Encode <timesteps = 4, post = 0> (h)
  [first] f = Conv(e, b)
  [relu] s = ai.spikingir.IF <timesteps = 4, post = 0> (f, "", theta)
  [body] i = Conv(s, b)
  [skip] k = Add(i, e)
  [tail] c = Conv <pads = [1, 1, 1, 1]> (k, d)
  y = ai.spikingir.Decode <timesteps = 4, post = 0> (c)
}`, map[string]float64{"head": 2, "first": 4, "body": 4, "tail": 18}, 4.0 / 28},
	} {
		m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 19, "ai.spikingir" : 1]> ` + c.src)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, ok := cost.Of(m)
		if !ok {
			t.Errorf("%s: no counts", name)
			continue
		}
		found := map[string]float64{}
		total := 0.0
		for n, macs := range got.Layers {
			found[n.Name] = macs
			total += macs
		}
		for layer, want := range c.layers {
			if math.Abs(found[layer]-want) > 1e-9 {
				t.Errorf("%s: layer %s has %g MACs a pixel, want %g", name, layer, found[layer], want)
			}
		}
		if len(found) != len(c.layers) || math.Abs(total-got.Total) > 1e-9 {
			t.Errorf("%s: layers %v, in all %g; want %v", name, found, got.Total, c.layers)
		}
		if math.Abs(got.SpikeShare()-c.share) > 1e-9 {
			t.Errorf("%s: %g of the MACs are driven by spikes, want %g", name, got.SpikeShare(), c.share)
		}
		currents := 0.0
		if name == "a sum of layers" {
			currents = 18.0 / 28
		}
		if math.Abs(got.CurrentShare()-currents) > 1e-9 {
			t.Errorf("%s: %g of the MACs read currents, want %g", name, got.CurrentShare(), currents)
		}
	}
}

// TestOfNothing holds that what has no shapes or no pixels has no counts.
func TestOfNothing(t *testing.T) {
	for _, src := range []string{
		`g (float[] x) => (float[] y) { y = Relu(x) }`,
		`g (float[N,3] x) => (float[N,3] y) { y = Relu(x) }`,
	} {
		m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17]> ` + src)
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := cost.Of(m); ok {
			t.Errorf("%s: %v", src, c)
		}
	}
	if c := (cost.MACs{Layers: map[*graph.Node]float64{}}); c.SpikeShare() != 0 {
		t.Error("a network without layers has a share")
	}
}
