package train

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
)

// A netCase is a small spiking network with random parameters.
type netCase struct {
	name        string
	steps, post int
	channels    int // of the image
	h, w        int // of the image: odd where nothing forbids it
	seed        uint64
	// params has a line for each initializer: name, dimensions, and a standard
	// deviation, or half the width and the middle of a uniform distribution.
	params string
	// body is the nodes; @ stands for the attributes of time, @cpm for those of a CPM of
	// a 3x3 kernel as well.
	body string
}

// netCases are the shapes of networks that the passes make, and the operators that
// may lie between neurons.
var netCases = []netCase{
	{
		// DnCNN: MPRN, signed residual by the shortcut of the potential.
		name: "dncnn", steps: 4, post: 1, channels: 1, h: 7, w: 5, seed: 1,
		params: `
w1 12,1,3,3 0.5
b1 12,1,1 0.1
t1 12,1,1 0.3 0.7
a1 - 0.1 0.75
w2 12,12,3,3 0.2
b2 12,1,1 0.1
t2 12,1,1 0.2 0.5
a2 12,1,1 0.2 0.75
w3 1,12,3,3 0.2
b3 1,1,1 0.1 0.3
t3 - 0.1 0.4
k 1,1,3,3 0.3
kb 1 0.1`,
		body: `
c1 = Conv <pads = [1, 1, 1, 1]> (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
s1, v1 = ai.spikingir.MPRN <@, v0 = 0.0> (e1, b1, t1, a1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
s2, v2 = ai.spikingir.MPRN <@, v0 = 0.25> (c2, b2, t2, a2)
c3 = Conv <pads = [1, 1, 1, 1]> (s2, w3)
s3, v3 = ai.spikingir.IF <@, v0 = 0.5> (c3, b3, t3)
o = ai.spikingir.CPM <@cpm> (s3, v3, k, kb)
y = Sub (x, o)`,
	},
	{
		// AOD-Net: Concat of layers with thresholds of their own, an analog end.
		name: "aodnet", steps: 3, post: 1, channels: 3, h: 6, w: 7, seed: 2,
		params: `
w1 3,3,1,1 0.6
b1 3,1,1 0.2
t1 - 0.1 0.5
a1 - 0.1 0.7
w2 3,3,3,3 0.3
b2 3,1,1 0.2
t2 3,1,1 0.2 0.6
a2 - 0.1 0.8
w3 3,6,5,5 0.15
b3 3,1,1 0.1
t3 3,1,1 0.2 0.6
one - 0.2 0.9
k 3,3,3,3 0.3`,
		body: `
e = ai.spikingir.Encode <@> (x)
c1 = Conv (e, w1)
i1 = ai.spikingir.Bias <@> (c1, b1)
s1, v1 = ai.spikingir.MPRN <@, v0 = 0.0> (i1, "", t1, a1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
s2, v2 = ai.spikingir.MPRN <@, v0 = 0.0> (c2, b2, t2, a2)
j = Concat <axis = 1> (s1, s2)
c3 = Conv <pads = [2, 2, 2, 2]> (j, w3)
s3, v3 = ai.spikingir.IF <@, v0 = 0.0> (c3, b3, t3)
o = ai.spikingir.CPM <@cpm> (s3, v3, k)
p = Mul (o, x)
q = Sub (p, o)
r = Add (q, one)
y = Relu (r)`,
	},
	{
		// VDSR: no biases, no post step, initial potentials of a half.
		name: "vdsr", steps: 5, channels: 1, h: 5, w: 9, seed: 3,
		params: `
w1 16,1,3,3 0.6
t1 16,1,1 0.3 0.6
w2 16,16,3,3 0.2
t2 - 0.1 0.5
w3 1,16,3,3 0.2
t3 - 0.1 0.3
k 1,1,3,3 0.3`,
		body: `
e = ai.spikingir.Encode <@> (x)
c1 = Conv <pads = [1, 1, 1, 1]> (e, w1)
s1 = ai.spikingir.IF <@, v0 = 0.5> (c1, "", t1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
s2 = ai.spikingir.IF <@, v0 = 0.5> (c2, "", t2)
c3 = Conv <pads = [1, 1, 1, 1]> (s2, w3)
s3, v3 = ai.spikingir.IF <@, v0 = 0.0> (c3, "", t3)
o = ai.spikingir.CPM <@cpm> (s3, v3, k)
y = Add (o, x)`,
	},
	{
		// PReLU as two populations, the first of them at the very input; an upsampling
		// end.
		name: "onoff", steps: 3, post: 1, channels: 1, h: 4, w: 5, seed: 4,
		params: `
w1 3,1,3,3 0.6
b1 3 0.1
t1 - 0.1 0.5
t2 3,1,1 0.2 0.5
a1 - 0.1 0.75
w2 4,6,3,3 0.3
b2 4,1,1 0.1
t3 4,1,1 0.2 0.5
t4 4,1,1 0.2 0.4
w3 8,1,4,3 0.5
b3 1 0.1
t5 - 0.1 0.4`,
		body: `
c1 = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
e1 = ai.spikingir.Encode <@> (c1)
n1 = Neg (e1)
p1 = ai.spikingir.MPRN <@, v0 = 0.0> (e1, "", t1, a1)
m1 = ai.spikingir.IF <@, v0 = 0.0> (n1, "", t2)
j1 = Concat <axis = 1> (p1, m1)
c2 = Conv <pads = [1, 1, 1, 1]> (j1, w2)
i2 = ai.spikingir.Bias <@> (c2, b2)
n2 = Neg (i2)
p2 = ai.spikingir.IF <@, v0 = 0.25> (i2, "", t3)
m2 = ai.spikingir.IF <@, v0 = 0.25> (n2, "", t4)
j2 = Concat <axis = 1> (p2, m2)
c3 = ConvTranspose <strides = [2, 2], pads = [1, 1, 1, 0]> (j2, w3)
s3 = ai.spikingir.IF <@, v0 = 0.0> (c3, "", t5)
y = ai.spikingir.Decode <@> (s3)`,
	},
	{
		// Residual blocks: currents and amplitudes of several layers are added.
		name: "residual", steps: 3, post: 1, channels: 3, h: 5, w: 5, seed: 5,
		params: `
w1 16,3,3,3 0.3
b1 16,1,1 0.1
t1 16,1,1 0.2 0.6
w2 16,16,3,3 0.15
b2 16,1,1 0.1
t2 - 0.1 0.5
a2 - 0.1 0.75
w3 16,16,3,3 0.15
b3 16,1,1 0.1
t3 16,1,1 0.2 0.5
a3 16,1,1 0.2 0.75
half - 0.1 0.5
w4 3,16,3,3 0.2
b4 3,1,1 0.1
t4 - 0.1 0.5
k 3,3,3,3 0.3
kb 3 0.1`,
		body: `
c1 = Conv <pads = [1, 1, 1, 1]> (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
s1, v1 = ai.spikingir.IF <@, v0 = 0.25> (e1, b1, t1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w2)
s2, v2 = ai.spikingir.MPRN <@, v0 = 0.0> (c2, b2, t2, a2)
c3 = Conv <pads = [1, 1, 1, 1]> (s2, w3)
r3 = Add (c3, s1)
i3 = ai.spikingir.Bias <@> (r3, b3)
s3, v3 = ai.spikingir.MPRN <@, v0 = 0.0> (i3, "", t3, a3)
g3 = Mul (s3, half)
d3 = Sub (g3, s1)
c4 = Conv <pads = [1, 1, 1, 1]> (d3, w4)
s4, v4 = ai.spikingir.IF <@, v0 = 0.0> (c4, b4, t4)
o = ai.spikingir.CPM <@cpm> (s4, v4, k, kb)
y = Add (o, x)`,
	},
	{
		// FSRCNN's widths, strides, groups and dilation; the amplitudes of the last
		// neurons are the output.
		name: "strides", steps: 3, post: 1, channels: 3, h: 7, w: 9, seed: 6,
		params: `
w1 56,3,5,5 0.15
b1 56,1,1 0.1
t1 - 0.1 0.6
a1 - 0.1 0.75
w2 56,1,3,3 0.4
b2 56,1,1 0.1
t2 56,1,1 0.2 0.5
a2 - 0.1 0.75
w3 12,28,1,1 0.25
b3 12,1,1 0.1
t3 12,1,1 0.2 0.5
w4 3,12,3,2 0.3
b4 3,1,1 0.1 0.4
t4 3,1,1 0.2 0.5`,
		body: `
c1 = Conv <pads = [2, 2, 2, 2], strides = [2, 2]> (x, w1)
e1 = ai.spikingir.Encode <@> (c1)
s1 = ai.spikingir.MPRN <@, v0 = 0.0> (e1, b1, t1, a1)
c2 = Conv <pads = [1, 1, 1, 1], group = 56> (s1, w2)
s2 = ai.spikingir.MPRN <@, v0 = 0.0> (c2, b2, t2, a2)
c3 = Conv <group = 2> (s2, w3)
s3 = ai.spikingir.IF <@, v0 = 0.0> (c3, b3, t3)
c4 = Conv <pads = [2, 0, 2, 1], dilations = [2, 1], strides = [1, 2]> (s3, w4)
s4 = ai.spikingir.IF <@, v0 = 0.0> (c4, b4, t4)
y = ai.spikingir.Decode <@> (s4)`,
	},
	{
		// Convolutions from and to one channel, one threshold shared by two layers, one
		// kernel too; a potential that is added twice.
		name: "shared", steps: 4, post: 1, channels: 1, h: 5, w: 7, seed: 17,
		params: `
w1 1,1,3,3 0.6
b1 1,1,1 0.2
t1 - 0.1 0.5
a1 - 0.1 0.75
t2 - 0.1 0.4
k 1,1,3,3 0.4`,
		body: `
e = ai.spikingir.Encode <@> (x)
c1 = Conv <pads = [1, 1, 1, 1]> (e, w1)
s1 = ai.spikingir.MPRN <@, v0 = 0.0> (c1, b1, t1, a1)
c2 = Conv <pads = [1, 1, 1, 1]> (s1, w1)
s2, v2 = ai.spikingir.MPRN <@, v0 = 0.5> (c2, b1, t1, a1)
c3 = Conv <pads = [1, 1, 1, 1]> (s2, k)
s3, v3 = ai.spikingir.IF <@, v0 = 0.0> (c3, b1, t2)
o = ai.spikingir.CPM <@cpm> (s3, v3, k)
a = Add (o, v3)
b = Add (a, v2)
y = Add (b, v3)`,
	},
	{
		// Standard operators between neurons.
		name: "operators", steps: 3, post: 1, channels: 3, h: 6, w: 4, seed: 8,
		params: `
w1 4,3,1,1 0.6
b1 4,1,1 0.1
t1 4,1,1 0.2 0.5
a1 - 0.1 0.75
w2 12,4,3,3 0.3
b2 12,1,1 0.1
t2 12,1,1 0.2 0.4
w3 12,12,2,2 0.3
t3 - 0.1 0.5
s3 12 0.1 0.7
h3 12 0.2
m3 12 0.2
r3 12 0.2 0.6
t4 - 0.1 0.5`,
		body: `
e = ai.spikingir.Encode <@> (x)
c1 = Conv (e, w1)
s1 = ai.spikingir.MPRN <@, v0 = 0.0> (c1, b1, t1, a1)
p1 = AveragePool <kernel_shape = [2, 2], strides = [1, 1], pads = [0, 0, 1, 1]> (s1)
c2 = Conv <pads = [1, 1, 1, 1]> (p1, w2)
s2 = ai.spikingir.IF <@, v0 = 0.0> (c2, b2, t2)
z2 = Identity (s2)
c3 = ConvTranspose <pads = [1, 0, 0, 1]> (z2, w3)
s3x = ai.spikingir.IF <@, v0 = 0.0> (c3, "", t3)
d3 = DepthToSpace <blocksize = 2> (s3x)
s4, v4 = ai.spikingir.IF <@, v0 = 0.0> (d3, "", t4)
o = ai.spikingir.Decode <@> (s4)
u = SpaceToDepth <blocksize = 2> (v4)
n = BatchNormalization (u, s3, h3, m3, r3)
q = DepthToSpace <blocksize = 2> (n)
y = Sub (o, q)`,
	},
}

// cases are netCases; under -short, which purego and the race detector run with, those
// that cover most at least cost.
func cases() []netCase {
	if !testing.Short() {
		return netCases
	}
	return slices.DeleteFunc(slices.Clone(netCases), func(c netCase) bool {
		return !slices.Contains([]string{"aodnet", "onoff", "shared", "operators"}, c.name)
	})
}

// source is the network as ONNX text.
func (c *netCase) source() string {
	var list []string
	for line := range strings.Lines(strings.TrimSpace(c.params)) {
		f := strings.Fields(line)
		dims := "[" + f[1] + "]"
		if f[1] == "-" {
			dims = ""
		}
		h := fnv.New32a()
		fmt.Fprint(h, c.seed, f[0])
		entries := fmt.Sprintf(`"location": "seed:%d", "scale": "%s"`, h.Sum32(), f[2])
		if len(f) == 4 {
			entries += fmt.Sprintf(`, "dist": "uniform", "shift": "%s"`, f[3])
		}
		list = append(list, fmt.Sprintf("float%s %s = [%s]", dims, f[0], entries))
	}
	times := fmt.Sprintf("timesteps = %d, post = %d", c.steps, c.post)
	body := strings.ReplaceAll(c.body, "@cpm", "@, kernel_shape = [3, 3], pads = [1, 1, 1, 1]")
	body = strings.ReplaceAll(strings.TrimSpace(body), "@", times)
	return fmt.Sprintf(`<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,%d,H,W] x) => (float[N,M,P,Q] y)
<%s>
{
%s
}`, c.channels, strings.Join(list, ",\n"), body)
}

// model parses the network.
func (c *netCase) model(t testing.TB) *graph.Model {
	t.Helper()
	m := parse(t, c.source())
	for _, v := range m.Graph.Initializers() { // seeds are no data that a file can hold
		list, err := v.Const.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		m.Graph.SetInitializer(v, graph.NewFloat32(v.Const.Dims, list), nil)
	}
	return m
}

func parse(t testing.TB, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatalf("%v in\n%s", err, src)
	}
	for n := range m.Graph.Nodes() { // reports go by the names of nodes
		if n.Name == "" {
			n.Name = n.Output(0).Name()
		}
	}
	return m
}

// image is an image for the network, of numbers from -0.2 to 1.
func (c *netCase) image() []float32 {
	r := rand.New(rand.NewPCG(c.seed, 11))
	x := make([]float32, c.channels*c.h*c.w)
	for i := range x {
		x[i] = float32(1.2*r.Float64() - 0.2)
	}
	return x
}

// compile makes the network ready for training on images of its size.
func (c *netCase) compile(t testing.TB, o Options) *Net {
	t.Helper()
	return compile(t, c.model(t), c.h, c.w, o)
}
