package count

import (
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/spike"
)

// TestLeastScale demands that rounded weights of that scale run by tiles, or fit at least, and hardly
// so: at a smaller scale they do not.
func TestLeastScale(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, s := range []layerCase{{s: square(leastIn, leastOut, 3)}, {s: square(leastIn, leastOut, 5)}, {s: square(leastIn-1, leastOut, 3)}} {
		for range 20 {
			n := s.s.Weights() / s.s.OutC
			tiles := suits(s.s.ConvShape)
			weight := make([]float64, n)
			for i := range weight {
				weight[i] = r.NormFloat64()
			}
			for _, less := range []float64{1, 0.99} {
				scale := less * LeastScale(s.s.ConvShape, weight, 11)
				k := s
				for range s.s.OutC {
					for _, w := range weight {
						k.weight = append(k.weight, int16(min(math.Round(w/scale), math.MaxInt16)))
					}
				}
				conv, err := k.pack()
				if fits := err == nil && (!tiles || conv.winograd != nil); less == 1 && !fits || less < 1 && fits && tiles {
					t.Fatalf("%v: %v of the scale, tiled %v, error %v", &k, less, conv.winograd != nil, err)
				}
			}
		}
	}
}

// TestTiles makes sure that tiles are what other tests run, and that weights that are too large for
// them are computed otherwise.
func TestTiles(t *testing.T) {
	for _, c := range []struct {
		bound int
		tiled bool
	}{{3600, true}, {spike.MostWeight, false}, {127, false}} {
		k := layerCase{s: square(64, 20, 3), h: 5, w: 9}
		k.fill(rand.New(rand.NewPCG(1, 1)), 1, Most, []int{64}, c.bound)
		conv, err := k.pack()
		if err != nil {
			t.Fatal(err)
		}
		if tiled := conv.winograd != nil; tiled != c.tiled {
			t.Errorf("weights up to %d: tiles %v, want %v", c.bound, tiled, c.tiled)
		}
		for i := range k.sources[0].Data {
			k.sources[0].Data[i] = uint8(Most * (i >> (i % 8) & 1))
		}
		k.check(t, 1)
	}
}

// TestLeastScaleOfSums demands scales at which sums that are not halved yet fit.
func TestLeastScaleOfSums(t *testing.T) {
	weight := make([]float64, 9*600)
	for i := range weight {
		weight[i] = float64(1 - 2*(i%2)) // so that sums of nine are small
	}
	s := square(600, leastOut, 3)
	k := layerCase{s: s}
	scale := LeastScale(s.ConvShape, weight, Most)
	for range s.OutC {
		for _, w := range weight {
			k.weight = append(k.weight, int16(math.Round(w/scale)))
		}
	}
	conv, err := k.pack()
	if err != nil || conv.winograd == nil || conv.winograd.most != Most {
		t.Fatalf("error %v, %+v", err, conv.winograd)
	}
}

// TestTilesOverflow takes sums that are whole outputs, but more than 32 bits before they are halved.
func TestTilesOverflow(t *testing.T) {
	k := layerCase{s: square(600, 16, 3), h: 4, w: 4}
	k.fill(rand.New(rand.NewPCG(1, 1)), 1, Most, []int{600}, 127)
	for i := range k.sources[0].Data {
		k.sources[0].Data[i] = Most
	}
	for i := range k.weight {
		k.weight[i] = 3600
	}
	k.check(t, 1)
}
