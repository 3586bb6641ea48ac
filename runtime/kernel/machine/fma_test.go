package machine

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

// exactFMA is w*x + acc rounded once, by arbitrary precision where the operands
// are finite and the sum is not zero, else by the rules of IEEE 754 that float64
// arithmetic follows.
func exactFMA(w, x, acc float32) float32 {
	s := float64(w)*float64(x) + float64(acc)
	for _, v := range []float32{w, x, acc} {
		if math.IsInf(float64(v), 0) || math.IsNaN(float64(v)) {
			return float32(s)
		}
	}
	exact := func(v float32) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(v)) }
	sum := exact(w)
	sum.Mul(sum, exact(x))
	sum.Add(sum, exact(acc))
	if sum.Sign() == 0 {
		return float32(s)
	}
	rounded, _ := sum.Float32()
	return rounded
}

func TestFMAEdges(t *testing.T) {
	for _, w := range kerneltest.Edges() {
		for _, x := range kerneltest.Edges() {
			for _, acc := range kerneltest.Edges() {
				checkFMA(t, w, x, acc)
			}
		}
	}
}

// TestFMARandom draws operands whose sums fall near midpoints of neighbouring
// float32 numbers, where rounding twice goes wrong, and operands of any bits.
func TestFMARandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	slow, double := 0, 0
	for range 300_000 {
		w := math.Float32frombits(r.Uint32())
		x := math.Float32frombits(r.Uint32())
		acc := math.Float32frombits(r.Uint32())
		checkFMA(t, w, x, acc)

		// acc has few bits, the product 1 + tiny parts far below its last bit.
		e := r.IntN(30) + 20
		acc = float32(math.Ldexp(float64(1<<23+r.IntN(1<<23)), -e))
		half := math.Ldexp(1, -e-1)
		x = 1 + float32(math.Ldexp(float64(r.IntN(16)-8), -23))
		w = float32(half) * (1 + float32(math.Ldexp(float64(r.IntN(16)-8), -23)))
		if r.IntN(2) == 0 {
			w = -w
		}
		checkFMA(t, w, x, acc)
		s := float64(w)*float64(x) + float64(acc)
		if math.Float64bits(s)&belowHalf == midpoint {
			slow++
		}
		if float32(s) != exactFMA(w, x, acc) {
			double++
		}
	}
	if slow == 0 || double == 0 {
		t.Errorf("drew %d sums on a midpoint, %d of them rounded wrongly when rounded twice, want some",
			slow, double)
	}
}

// TestFMASubnormal draws products and sums in and below the subnormal range, and
// sums a hair off the midpoint of two subnormal numbers.
func TestFMASubnormal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200_000 {
		w := float32(math.Ldexp(r.NormFloat64(), -60-r.IntN(30)))
		x := float32(math.Ldexp(r.NormFloat64(), -60-r.IntN(30)))
		acc := float32(math.Ldexp(r.NormFloat64(), -120-r.IntN(30)))
		checkFMA(t, w, x, acc)

		acc = math.Float32frombits(r.Uint32N(1 << 23))
		w = 0x1p-75 + float32(math.Ldexp(float64(r.IntN(5)-2), -98))
		x = 0x1p-75 + float32(math.Ldexp(float64(r.IntN(5)-2), -98))
		checkFMA(t, w, x, acc)
		checkFMA(t, -w, x, acc)
	}
}

func checkFMA(t *testing.T, w, x, acc float32) {
	t.Helper()
	if got, want := FMA32(w, x, acc), exactFMA(w, x, acc); !kerneltest.SameBits(got, want) {
		t.Fatalf("FMA32(%x, %x, %x) = %x, want %x", w, x, acc, got, want)
	}
}
