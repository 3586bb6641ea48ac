package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
)

// elementwiseCases pair each operator with its definition for one element. d is
// what dst held before.
var elementwiseCases = []struct {
	name string
	run  func(dst, x, y []float32)
	want func(d, x, y float32) float32
}{
	{"Relu", func(dst, x, _ []float32) { Relu(dst, x) }, func(_, x, _ float32) float32 {
		if x < 0 {
			return 0
		}
		return x
	}},
	{"LeakyRelu", func(dst, x, _ []float32) { LeakyRelu(dst, x, 0.1) }, func(_, x, _ float32) float32 {
		if x < 0 {
			return 0.1 * x
		}
		return x
	}},
	{"Clip", func(dst, x, _ []float32) { Clip(dst, x, -0.5, 1) }, func(_, x, _ float32) float32 {
		if x != x {
			return x
		}
		return min(max(x, -0.5), 1)
	}},
	{"Add", Add, func(_, x, y float32) float32 { return x + y }},
	{"Sub", Sub, func(_, x, y float32) float32 { return x - y }},
	{"Mul", Mul, func(_, x, y float32) float32 { return x * y }},
	{"Div", Div, func(_, x, y float32) float32 { return x / y }},
	{"AddScalar", func(dst, x, _ []float32) { AddScalar(dst, x, 0.3) },
		func(_, x, _ float32) float32 { return x + 0.3 }},
	{"MulScalar", func(dst, x, _ []float32) { MulScalar(dst, x, 0.3) },
		func(_, x, _ float32) float32 { return x * 0.3 }},
	{"Axpy", func(dst, x, _ []float32) { Axpy(dst, x, 0.3) },
		func(d, x, _ float32) float32 { return d + float32(0.3*x) }},
}

func TestElementwise(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, c := range elementwiseCases {
			for n := range 70 {
				d, x, y := kerneltest.Wild(r, n), kerneltest.Wild(r, n), kerneltest.Wild(r, n)
				dst, check := kerneltest.Fence(d, 12345)
				c.run(dst, x, y)
				check(t)
				for i := range n {
					if want := c.want(d[i], x[i], y[i]); !kerneltest.SameBits(dst[i], want) {
						t.Fatalf("%s, n=%d: element %d of %v, %v, %v is %v, want %v",
							c.name, n, i, d[i], x[i], y[i], dst[i], want)
					}
				}
			}
		}
	})
}

// TestElementwiseAliasing: dst may be an operand.
func TestElementwiseAliasing(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(13, 14))
		for _, c := range elementwiseCases {
			for _, n := range []int{5, 16, 37} {
				x, y := kerneltest.Normal(r, n), kerneltest.Normal(r, n)
				inX := append([]float32(nil), x...)
				c.run(inX, inX, y)
				inY := append([]float32(nil), y...)
				c.run(inY, x, inY)
				both := append([]float32(nil), x...)
				c.run(both, both, both)
				for i := range n {
					if want := c.want(x[i], x[i], y[i]); !kerneltest.SameBits(inX[i], want) {
						t.Errorf("%s into x: element %d is %v, want %v", c.name, i, inX[i], want)
					}
					if want := c.want(y[i], x[i], y[i]); !kerneltest.SameBits(inY[i], want) {
						t.Errorf("%s into y: element %d is %v, want %v", c.name, i, inY[i], want)
					}
					if want := c.want(x[i], x[i], x[i]); !kerneltest.SameBits(both[i], want) {
						t.Errorf("%s into both: element %d is %v, want %v", c.name, i, both[i], want)
					}
				}
			}
		}
	})
}

func TestElementwiseLengthsPanic(t *testing.T) {
	two, three := make([]float32, 2), make([]float32, 3)
	for _, c := range elementwiseCases {
		if kerneltest.Caught(func() { c.run(three, two, three) }) == nil {
			t.Errorf("%s of 3 and 2 elements did not panic", c.name)
		}
	}
	if kerneltest.Caught(func() { Add(two, two, three) }) == nil {
		t.Error("Add of 2 and 3 elements did not panic")
	}
}

func TestReluKeepsNaNAndNegativeZero(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		x := make([]float32, 33)
		for i := range x {
			x[i] = float32(math.Copysign(0, -1))
		}
		x[7], x[32] = float32(math.NaN()), float32(math.NaN())
		Relu(x, x)
		if x[7] == x[7] || x[32] == x[32] {
			t.Errorf("Relu of NaN is %v and %v", x[7], x[32])
		}
		if !math.Signbit(float64(x[0])) || !math.Signbit(float64(x[31])) {
			t.Errorf("Relu of -0 is %v and %v", x[0], x[31])
		}
	})
}
