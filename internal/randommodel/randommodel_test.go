package randommodel_test

import (
	"bytes"
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/internal/randommodel"
	"spikingir/onnxio"
)

// seeds is the byte strings of the tests below.
const seeds = 400

// TestSameBytes: the same bytes give the same model, which is written and read.
func TestSameBytes(t *testing.T) {
	for name, f := range map[string]func([]byte) *randommodel.Model{"any": randommodel.Any, "network": randommodel.Network} {
		for i, data := range randommodel.Seeds(seeds / 4) {
			first := encode(t, f(data))
			if !bytes.Equal(first, encode(t, f(data))) {
				t.Fatalf("%s, seed %d: another model the second time", name, i)
			}
			if _, err := onnxio.Decode(first); err != nil {
				t.Fatalf("%s, seed %d: %v", name, i, err)
			}
		}
	}
}

func encode(t *testing.T, m *randommodel.Model) []byte {
	t.Helper()
	b, err := onnxio.Encode(m.Model)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestVariety holds that the models are worth testing with: of many operators, several nodes
// each, at every opset.
func TestVariety(t *testing.T) {
	for _, c := range []struct {
		name      string
		make      func([]byte) *randommodel.Model
		operators int
		nodes     float64
	}{{"any", randommodel.Any, 130, 4}, {"network", randommodel.Network, 40, 6}} {
		have, opsets, total := map[graph.Op]int{}, map[int64]int{}, 0
		for _, data := range randommodel.Seeds(seeds) {
			m := c.make(data)
			opsets[m.Opset("")]++
			for n := range m.Graph.Nodes() {
				have[n.Op()]++
				total++
			}
			for _, v := range m.Graph.Outputs() {
				if m.Values[v.Name()] == nil {
					t.Fatalf("%s: nobody knows what output %q is", c.name, v.Name())
				}
			}
		}
		var names []string
		for o := range have {
			names = append(names, o.String())
		}
		slices.Sort(names)
		t.Logf("%s: %d operators, %.1f nodes a model: %v", c.name, len(have), float64(total)/seeds, names)
		if len(have) < c.operators || float64(total)/seeds < c.nodes || len(opsets) < 8 {
			t.Errorf("%s: %d operators, %.1f nodes a model, %d opsets; want %d, %g, 8 or more",
				c.name, len(have), float64(total)/seeds, len(opsets), c.operators, c.nodes)
		}
	}
}
