package grad

import (
	"math/rand/v2"
	"testing"

	"spikingir/onnxio/text"
	"spikingir/runtime/ops"
)

// BenchmarkBackward takes patches of 128 x 128 with 64 channels.
func BenchmarkBackward(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"Conv3x3", "(float[1,64,128,128] x, float[64,64,3,3] w, float[64] b) => (float y) { y = Conv <pads = [1, 1, 1, 1]> (x, w, b) }"},
		{"ConvDepthwise", "(float[1,64,128,128] x, float[64,1,3,3] w) => (float y) { y = Conv <group = 64, pads = [1, 1, 1, 1]> (x, w) }"},
		{"ConvTranspose", "(float[1,64,64,64] x, float[64,64,4,4] w) => (float y) { y = ConvTranspose <strides = [2, 2], pads = [1, 1, 1, 1]> (x, w) }"},
		{"MatMul", "(float[16384,64] x, float[64,64] w) => (float y) { y = MatMul (x, w) }"},
		{"Add", "(float[1,64,128,128] x, float[1,64,128,128] w) => (float y) { y = Add (x, w) }"},
		{"Mul", "(float[1,64,128,128] x, float[64,1,1] w) => (float y) { y = Mul (x, w) }"},
		{"PRelu", "(float[1,64,128,128] x, float[64,1,1] w) => (float y) { y = PRelu (x, w) }"},
		{"Sigmoid", "(float[1,64,128,128] x) => (float y) { y = Sigmoid (x) }"},
		{"Concat", "(float[1,32,128,128] x, float[1,32,128,128] w) => (float y) { y = Concat <axis = 1> (x, w) }"},
		{"DepthToSpace", "(float[1,64,128,128] x) => (float y) { y = DepthToSpace <blocksize = 2> (x) }"},
		{"Resize", "(float[1,64,64,64] x) => (float y) <float[4] s = {1, 1, 2, 2}> { y = Resize <mode = \"cubic\"> (x, , s) }"},
		{"MaxPool", "(float[1,64,128,128] x) => (float y) { y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) }"},
		{"AveragePool", "(float[1,64,128,128] x) => (float y) { y = AveragePool <kernel_shape = [3, 3], pads = [1, 1, 1, 1]> (x) }"},
		{"InstanceNorm", "(float[1,64,128,128] x, float[64] s, float[64] b) => (float y) { y = InstanceNormalization (x, s, b) }"},
		{"ReduceMean", "(float[1,64,128,128] x) => (float y) { y = ReduceMean <axes = [1]> (x) }"},
	} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, c.text) })
	}
}

func benchmark(b *testing.B, source string) {
	m, err := text.Parse("<ir_version: 10, opset_import: [\"\" : 17]>\ng " + source)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range m.Graph.Nodes() {
		back, err := Bind(n, 17)
		if err != nil {
			b.Fatal(err)
		}
		run, err := ops.Bind(n, 17)
		if err != nil {
			b.Fatal(err)
		}
		var in, gin []*ops.Tensor
		for i, v := range n.Inputs() {
			switch {
			case v == nil:
				in, gin = append(in, nil), append(gin, nil)
			case v.Const != nil:
				x, err := ops.FromGraph(v.Const)
				if err != nil {
					b.Fatal(err)
				}
				in, gin = append(in, x), append(gin, nil)
			default:
				sizes, _ := v.Type.Shape.Sizes()
				in = append(in, draw(rng, smooth, i, v.Type.Elem, sizes))
				gin = append(gin, in[i].Clone())
			}
		}
		out, err := run.Run(&ops.Env{}, in)
		if err != nil {
			b.Fatal(err)
		}
		gout := cotangents(rng, smooth, out)
		for b.Loop() {
			if err := back.Backward(in, out, gout, gin); err != nil {
				b.Fatal(err)
			}
		}
	}
}
