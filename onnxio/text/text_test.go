package text

import (
	"testing"

	"spikingir/fixtures"
	"spikingir/onnxio"
)

func TestFixturesRoundTrip(t *testing.T) {
	for _, name := range fixtures.Names() {
		b, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnxio.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		first := Format(m)
		back, err := Parse(first)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if second := Format(back); second != first {
			t.Errorf("%s: printing what was parsed differs", name)
		}
	}
}
