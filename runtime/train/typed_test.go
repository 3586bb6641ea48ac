package train

import (
	"strings"
	"testing"

	"spikingir/graph"
)

const typedNet = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[2,1,3,3] w1 = ["location": "seed:1"], float[1,2,3,3] w2 = ["location": "seed:2"], float theta = {1}, float[2,1,1] bias = {0, 0}>
{
  [conv1] a = Conv <pads = [1, 1, 1, 1]> (x, w1)
  [encode] e = ai.spikingir.Encode <timesteps = 2> (a)
  [if] s = ai.spikingir.IF <timesteps = 2, v0 = 0.5> (e, bias, theta)
  [conv2] c = Conv <pads = [1, 1, 1, 1]> (s, w2)
  [decode] y = ai.spikingir.Decode <timesteps = 2> (c)
}`

// TestTypedConstants holds that constants of other types, and none, are an error of the
// node and no panic.
func TestTypedConstants(t *testing.T) {
	compile(t, parse(t, typedNet), 8, 8, Options{Surrogate: Sigmoid, Slope: 4})
	for _, c := range []struct{ node, input string }{
		{"conv1", "w1"}, {"conv2", "w2"}, {"if", "theta"}, {"if", "bias"},
	} {
		for _, typ := range []graph.DType{graph.Int64, graph.Int32, graph.Uint8, graph.Bool, graph.StringType, 0} {
			m := parse(t, typedNet)
			v := m.Graph.Value(c.input)
			n, err := v.Const.Len()
			if err != nil {
				t.Fatal(err)
			}
			var other *graph.Tensor
			switch typ {
			case 0:
			case graph.StringType:
				other, err = graph.NewStrings(v.Const.Dims, make([][]byte, n))
			default:
				other, err = graph.NewTensor(typ, v.Const.Dims, make([]byte, n*int64(typ.Bits())/8))
			}
			if err != nil {
				t.Fatal(err)
			}
			use := v.Uses()[0]
			if other == nil && c.input == "bias" {
				continue // which may be left out
			}
			var by *graph.Value
			if other != nil {
				by = m.Graph.AddInitializer("other", other)
			}
			use.Node.SetInput(use.Index, by)
			if _, err := Compile(m, 8, 8, Options{Surrogate: Sigmoid, Slope: 4}); err == nil || !strings.Contains(err.Error(), c.node) {
				t.Errorf("%s of type %v: %v, want an error of node %s", c.input, typ, err, c.node)
			}
		}
	}
}

// TestProject holds that initial potentials stay in their range, and thresholds above 0,
// wherever an update takes them.
func TestProject(t *testing.T) {
	n := compile(t, parse(t, typedNet), 8, 8, Options{Surrogate: Sigmoid, Slope: 4, TrainV0: true, TrainThresholds: true})
	for _, c := range []struct{ at, want float32 }{{-0.25, 0}, {0.25, 0.25}, {1.5, 1}} {
		for _, p := range n.Params() {
			switch p.Role {
			case V0:
				p.Data[0] = c.at
			case Threshold:
				p.Data[0] = -1000
			}
		}
		n.project()
		n.Refresh()
		n.Store()
		for node := range n.model.Graph.Nodes() {
			if !node.IsSpiking("IF") {
				continue
			}
			if got, _ := graph.Get(node.Attrs, "v0", graph.Float(-1)); float32(got) != c.want {
				t.Errorf("v0 of %g is stored as %g, want %g", c.at, got, c.want)
			}
			if theta, err := node.Input(2).Const.Float32s(); err != nil || !(theta[0] > 0) {
				t.Errorf("theta is stored as %v, %v", theta, err)
			}
		}
	}
}
