package text

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"spikingir/graph"
)

const (
	// seedPrefix begins the location of elements that are made from a seed.
	seedPrefix = "seed:"
	// maxSeeded bounds the number of such elements.
	maxSeeded = 1 << 24
)

func isSeeded(t *graph.Tensor) bool {
	if t.Store != graph.ExternalData || t.External == nil {
		return false
	}
	location, _ := t.External.Entries.Get("location")
	return strings.HasPrefix(location, seedPrefix)
}

// recipe is what the entries of a seeded tensor say.
type recipe struct {
	seed         uint64
	uniform      bool
	scale, shift float64
}

func readRecipe(entries graph.Metadata) (r recipe, err error) {
	r.scale = 1
	for _, kv := range entries {
		switch kv.Key {
		case "location":
			r.seed, err = strconv.ParseUint(strings.TrimPrefix(kv.Value, seedPrefix), 10, 64)
		case "dist":
			r.uniform = kv.Value == "uniform"
			if !r.uniform && kv.Value != "normal" {
				err = strconv.ErrSyntax
			}
		case "scale":
			r.scale, err = strconv.ParseFloat(kv.Value, 64)
		case "shift":
			r.shift, err = strconv.ParseFloat(kv.Value, 64)
		default:
			return r, fmt.Errorf("found entry %q of a seeded tensor, "+
				"want location, dist, scale or shift", kv.Key)
		}
		if err != nil {
			return r, fmt.Errorf("found %q: %q in a seeded tensor, want location seed:N, "+
				"dist normal or uniform, numbers for scale and shift", kv.Key, kv.Value)
		}
	}
	return r, nil
}

func seeded(d graph.DType, dims []int64, entries graph.Metadata) ([]byte, error) {
	r, err := readRecipe(entries)
	if err != nil {
		return nil, err
	}
	n, err := (&graph.Tensor{DType: d, Dims: dims}).Len()
	if err != nil {
		return nil, err
	}
	if d != graph.Float32 && d != graph.Float64 {
		return nil, fmt.Errorf("found a seeded tensor of %v, want float or double", d)
	}
	if n > maxSeeded {
		return nil, fmt.Errorf("found a seeded tensor of %d elements, want %d at most", n, maxSeeded)
	}
	source := rand.New(rand.NewPCG(r.seed, 0))
	data := make([]byte, 0, n*int64(d.Bits()/8))
	for range n {
		x := r.draw(source)
		if d == graph.Float32 {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(x)))
		} else {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
		}
	}
	return data, nil
}

// draw makes one element. The product is rounded before the shift is added, so
// that every machine makes the same bits.
func (r recipe) draw(source *rand.Rand) float64 {
	if r.uniform {
		return float64((2*source.Float64()-1)*r.scale) + r.shift
	}
	return float64(source.NormFloat64()*r.scale) + r.shift
}
