package op_test

import (
	"strings"
	"testing"

	"spikingir/graph/op"
	"spikingir/onnxio/text"
)

// TestCheckWeights names the node, the weight and the count of numbers that are none, and
// leaves masks, limits and what nothing reads alone.
func TestCheckWeights(t *testing.T) {
	for _, c := range []struct{ weights, nodes, want string }{
		{"float[1,1,1,2] w = {1, 2}", "y = Conv(x, w)", ""},
		{"float[1,1,1,2] w = {nan, inf}", "[c] y = Conv(x, w)",
			`node "c" (Conv): its input "w" has 2 numbers, 1 of them NaN, 1 of them infinite, want finite ones`},
		{"double[1,1,1,2] w = {1e300, 2}", "y = Conv(x, w)", ""},
		{"float16[1,1,1,2] w = {32256, 0}", "[c] y = Conv(x, w)", `1 of them NaN`},
		{"float[1,1,1,2] w = {1, 2}, float[1] b = {-inf}", "[c] y = Conv(x, w, b)", `input "b" has 1 numbers, 1 of them infinite`},
		{"float[1,1,1,2] w = {nan, 2}", "[c] y = Relu(x)", ""},
		{"float[1] w = {nan}", "[c] a = PRelu(x, w)\n[d] b = Mul(a, w)\ny = Add(w, b)", `so have 2 other inputs of nodes`},
		{"float m = {-inf}, float i = {inf}", "a = Add(x, m)\nb = Clip(a, m, i)\ny = Where(c, b, m)", ""},
		{"float m = {nan}", "[limit] y = Clip(x, m)", `node "limit" (Clip)`},
		{"float[1] s = {1}, float[1] v = {-0.000005}", "y = BatchNormalization(x, s, s, s, v)", ""},
		{"float[1] s = {1}, float[1] v = {-1}", "[n] y = BatchNormalization(x, s, s, s, v)", `1 of them a variance below 0`},
		{"float one = {1}", "[k] w = Constant <value_floats = [1.0, -inf]> ()\n[p] y = MatMul(x, w)", `node "p" (MatMul): its input "w"`},
	} {
		m, err := text.Parse("<ir_version: 8, opset_import: [\"\" : 17]>\ng (float[N,1,H,W] x, bool c) => (float[?,?,?,?] y)\n<" +
			c.weights + ">\n{\n" + c.nodes + "\n}")
		if err != nil {
			t.Fatalf("%s: %v", c.nodes, err)
		}
		err = op.CheckWeights(m)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s of %s: error %v, want %q", c.nodes, c.weights, err, c.want)
		}
	}
}
