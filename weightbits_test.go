package spikingir

import (
	"testing"

	"spikingir/graph"
)

// TestWeightBits holds that fine-tuning finds the bits of weights in the pipeline of a model,
// those of the last rounding where it was written in another form.
func TestWeightBits(t *testing.T) {
	converted, err := Recipe("two-phase", DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	form := DefaultSettings()
	form.WeightBits = 8
	rewritten, err := Rewriting(form)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"": 0, converted.String(): 12, converted.String() + "," + rewritten.String(): 8} {
		m := &graph.Model{}
		m.Metadata.Set(graph.MetaPipeline, text)
		if got := weightBits(m); got != want {
			t.Errorf("%d bits, want %d, of %s", got, want, text)
		}
	}
}
