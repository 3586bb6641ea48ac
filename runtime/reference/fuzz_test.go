package reference_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"spikingir/internal/randommodel"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/runtime/reference"
)

// FuzzForward holds the executor to the reference on random networks, as they are and as
// recipes convert them. Where a potential is next to its level, rounding decides, and
// nothing is compared.
func FuzzForward(f *testing.F) {
	for i, data := range randommodel.Seeds(60) {
		f.Add(data, byte(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, recipe byte) {
		m := randommodel.Network(data)
		x, alone := m.Image()
		if !alone || len(m.Graph.Outputs()) != 1 {
			t.Skip("the reference takes an image and gives one")
		}
		defer func() {
			if t.Failed() {
				t.Logf("the model:\n%s", text.Format(m.Model))
			}
		}()
		p := recipes.CleanUp()
		if names := append(recipes.Names(), ""); names[int(recipe)%len(names)] != "" {
			s := recipes.Defaults()
			s.Timesteps, s.Analog, s.Lower = 3, "keep", recipes.None
			var err error
			if p, err = recipes.New(names[int(recipe)%len(names)], s); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := p.Run(m.Model, randommodel.PassOptions(x)); err != nil {
			var fault *passes.Internal
			if errors.As(err, &fault) {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		net, err := reference.Build(m.Model, x.Dims, reference.Options{})
		if err != nil {
			t.Skip(err) // it knows fewer operators
		}
		want := executed(t, m.Model, x)
		got, err := net.Forward(x.F32)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(net.OutputShape(), want.Dims) {
			t.Fatalf("output %v, exec has %v", net.OutputShape(), want.Dims)
		}
		if net.Distance() < 1e-4 {
			t.Skip("a potential lies next to its level")
		}
		for i := range got {
			if d := math.Abs(float64(got[i]) - float64(want.F32[i])); !(d <= 1e-4*max(1, math.Abs(float64(got[i])))) {
				t.Fatalf("element %d is %v, exec has %v", i, got[i], want.F32[i])
			}
		}
	})
}
