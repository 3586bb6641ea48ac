package recipes_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/graph/cost"
	"spikingir/graph/op"
	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// rcan is a network of residual blocks with channel attention, as RCAN has them: two
// convolutions, then a gate of one number a channel by pooling, two layers and a Sigmoid.
func rcan(blocks int) string {
	var weights, nodes strings.Builder
	seed := 10
	weight := func(name, dims string) string {
		seed++
		fmt.Fprintf(&weights, ", float[%s] %s = [\"location\": \"seed:%d\"]", dims, name, seed)
		return name
	}
	x := "head"
	for b := range blocks {
		p := func(name string) string { return fmt.Sprintf("%s%d", name, b) }
		fmt.Fprintf(&nodes, `
  [%[1]s] %[1]s = Conv <pads = [1, 1, 1, 1]> (%[2]s, %[3]s)
  [%[4]s] %[4]s = Relu(%[1]s)
  [%[5]s] %[5]s = Conv <pads = [1, 1, 1, 1]> (%[4]s, %[6]s)
  [%[7]s] %[7]s = GlobalAveragePool(%[5]s)`, p("first"), x, weight(p("w"), "4,4,3,3"), p("relu"), p("second"), weight(p("v"), "4,4,3,3"), p("pool"))
		fmt.Fprintf(&nodes, `
  [%[1]s] %[1]s = Conv(%[2]s, %[3]s)
  [%[4]s] %[4]s = Relu(%[1]s)
  [%[5]s] %[5]s = Conv(%[4]s, %[6]s)
  [%[7]s] %[7]s = Sigmoid(%[5]s)`, p("squeeze"), p("pool"), weight(p("s"), "2,4,1,1"), p("gaterelu"), p("excite"), weight(p("e"), "4,2,1,1"), p("gate"))
		fmt.Fprintf(&nodes, `
  [%[1]s] %[1]s = Mul(%[2]s, %[3]s)
  [%[4]s] %[4]s = Add(%[5]s, %[1]s)`, p("scale"), p("second"), p("gate"), p("sum"), x)
		x = p("sum")
	}
	return fmt.Sprintf(`<ir_version: 8, opset_import: ["" : 17]>
rcan (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[4,1,3,3] wh = ["location": "seed:1"], float[1,4,3,3] wt = ["location": "seed:2"]%s>
{
  [head] head = Conv <pads = [1, 1, 1, 1]> (x, wh)%s
  [tail] t = Conv <pads = [1, 1, 1, 1]> (%s, wt)
  [skip] y = Add(x, t)
}`, weights.String(), nodes.String(), x)
}

// peak is the largest magnitude of a tensor: seeded weights give no image's range.
func peak(x *ops.Tensor) float64 {
	top := 0.0
	for _, y := range x.F32 {
		top = max(top, math.Abs(float64(y)))
	}
	return top
}

// TestIslands holds that gates stay analog as small islands: the activations of the blocks
// become neurons, those of the gates do not, and half of the work is driven by spikes.
func TestIslands(t *testing.T) {
	x := random(3, 0, 1, 1, 1, 12, 12)
	ann := parse(t, rcan(2))
	for _, recipe := range []string{"spikingir", "rueckauer", "two-phase", "qcfs"} {
		s := recipes.Defaults()
		s.Timesteps, s.Percentile, s.Analog = 64, 100, "keep"
		m := ann.Clone()
		convert(t, m, recipe, s, x)
		checkFacts(t, m, s)
		var neurons, gates []string
		for n := range m.Graph.Nodes() {
			switch {
			case op.IsNeuron(n) && strings.HasPrefix(n.OriginLabel(), "relu"):
				neurons = append(neurons, n.OriginLabel())
			case n.Is("Relu"):
				gates = append(gates, n.OriginLabel())
			}
			if n.Is("Sigmoid") && n.Region != graph.AnalogPost {
				t.Errorf("%s: node %s is in region %v", recipe, n.OriginLabel(), n.Region)
			}
		}
		if d := cmp.Diff([][]string{{"relu0", "relu1"}, {"gaterelu0", "gaterelu1"}}, [][]string{neurons, gates}); d != "" {
			t.Errorf("%s: neurons and analog ReLUs (-want +got):\n%s", recipe, d)
		}
		// Of each block the second convolution, 4*4*9 of 2*4*4*9, beside head and tail, 2*36.
		if c, ok := cost.Of(m); !ok || c.SpikeShare() < 0.43 || c.SpikeShare() > 0.45 {
			t.Errorf("%s: spikes drive %.3f of the multiply-accumulates, want 0.444", recipe, c.SpikeShare())
		}
		want := run(t, ann, x)[0]
		db := agreement(t, run(t, m, x)[0], want) + 20*math.Log10(peak(want))
		floor := 40.0
		if recipe == "rueckauer" || recipe == "qcfs" { // its rates have no compensation
			floor = 30
		}
		if !(db > floor) {
			t.Errorf("%s: agreement %.1f dB, want above %.0f", recipe, db, floor)
		}
	}
}

// TestChannelsLast holds that activations and linear layers on channels-last tensors are
// converted channel by channel: the network runs on images of other sizes than those that
// it was calibrated on.
func TestChannelsLast(t *testing.T) {
	ann := parse(t, `<ir_version: 8, opset_import: ["" : 17]>
last (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[4,1,3,3] a = ["location": "seed:1"], float[4,6] b = ["location": "seed:2"], float[6] c = ["location": "seed:3"],
 float[6,4] d = ["location": "seed:4"], float[1,4,3,3] e = ["location": "seed:5"]>
{
  [conv1] f = Conv <pads = [1, 1, 1, 1]> (x, a)
  [to] g = Transpose <perm = [0, 2, 3, 1]> (f)
  [relu1] h = Relu(g)
  [linear1] i = MatMul(h, b)
  [bias] j = Add(i, c)
  [relu2] k = Relu(j)
  [linear2] l = MatMul(k, d)
  [back] m = Transpose <perm = [0, 3, 1, 2]> (l)
  [conv2] y = Conv <pads = [1, 1, 1, 1]> (m, e)
}`)
	s := recipes.Defaults()
	s.Timesteps, s.Percentile = 256, 100
	m := ann.Clone()
	convert(t, m, "spikingir", s, random(4, 0, 1, 1, 1, 40, 40))
	thresholds := 0
	for n := range m.Graph.Nodes() {
		if n.Is("Transpose") {
			t.Errorf("node %s is left", n.OriginLabel())
		}
		if op.IsMPRN(n) {
			theta := n.Input(op.NeuronTheta).Const
			thresholds += int(theta.Dims[0])
		}
	}
	if thresholds != 4+6 {
		t.Errorf("%d thresholds, want one for each of 4 and 6 channels", thresholds)
	}
	x := random(3, 0, 1, 1, 1, 9, 14)
	want := run(t, ann, x)[0]
	if db := agreement(t, run(t, m, x)[0], want) + 20*math.Log10(peak(want)); !(db > 40) {
		t.Errorf("agreement %.1f dB, want above 40", db)
	}
}
