package ops

import (
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/graph"
)

// zeros makes a tensor of zeros.
func zeros(d graph.DType, dims ...int) *Tensor { return NewTensor(d, dims) }

func TestGraphRoundTrip(t *testing.T) {
	floats := []float32{0, float32(math.Copysign(0, -1)), 1, -2.5, 65504, 6.1035156e-05,
		5.9604645e-08, float32(math.Inf(1)), float32(math.Inf(-1))}
	whole := map[graph.DType][]int64{
		graph.Bool: {0, 1}, graph.Int8: {-128, 127}, graph.Int16: {-32768, 32767},
		graph.Int32: {math.MinInt32, math.MaxInt32}, graph.Int64: {math.MinInt64, math.MaxInt64},
		graph.Uint8: {0, 255}, graph.Uint16: {0, 65535}, graph.Uint32: {0, math.MaxUint32},
		graph.Uint64: {0, -1},
	}
	for d := graph.Float32; d.Valid(); d++ {
		if !Computable(d) {
			continue
		}
		x := zeros(d, len(whole[d]))
		copy(x.I64, whole[d])
		if d.IsFloat() {
			x = zeros(d, len(floats))
			copy(x.F32, floats)
			x.round()
		}
		g, err := x.Graph()
		if err != nil {
			t.Errorf("%v: %v", d, err)
			continue
		}
		if y, err := FromGraph(g); err != nil || !sameBits(x, y) {
			t.Errorf("%v: %v came back as %v, %v", d, x, y, err)
		}
	}
}

func TestFromGraphRefuses(t *testing.T) {
	strings, err := graph.NewStrings([]int64{1}, [][]byte{[]byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	external, err := graph.NewExternal(graph.Float32, []int64{2}, &graph.External{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := graph.NewTensor(graph.Int4, []int64{2}, []byte{0})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []*graph.Tensor{strings, external, packed} {
		if x, err := FromGraph(g); err == nil {
			t.Errorf("tensor of %v gives %v, want an error", g.DType, x)
		}
	}
}

// Every number of 16 bits keeps its bits.
func TestHalfExhaustive(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		if x := float16Value(h); x == x && float16Bits(x) != h {
			t.Fatalf("float16 %#04x is %v, which rounds to %#04x", h, x, float16Bits(x))
		}
		x := math.Float32frombits(uint32(h) << 16)
		if x == x && bfloat16Bits(x) != h {
			t.Fatalf("bfloat16 %#04x is %v, which rounds to %#04x", h, x, bfloat16Bits(x))
		}
		if x != x && float16Value(float16Bits(x)) == float16Value(float16Bits(x)) {
			t.Fatalf("NaN %#08x becomes the float16 %#04x", math.Float32bits(x), float16Bits(x))
		}
	}
}

// Rounding to 16 bits picks the nearer neighbour, of equally near ones the even.
func TestHalfRounding(t *testing.T) {
	bfloat := func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		x := math.Float32frombits(rng.Uint32() &^ (1 << 31))
		if x != x || rng.IntN(2) == 0 {
			x = float32(math.Ldexp(rng.Float64(), rng.IntN(45)-28)) // the range of float16
		}
		if x < 65504 {
			checkNearest(t, x, float16Bits(x), float16Value)
		}
		if x < math.MaxFloat32/2 {
			checkNearest(t, x, bfloat16Bits(x), bfloat)
		}
	}
	ties := []struct {
		x    float32
		want uint16
	}{
		{1 + 1.0/2048, 0x3c00}, {1 + 3.0/2048, 0x3c02}, {65519.996, 0x7bff}, {65520, 0x7c00},
		{1.0 / (1 << 25), 0}, {3.0 / (1 << 25), 2}, {1e30, 0x7c00},
	}
	for _, c := range ties {
		if got := float16Bits(c.x); got != c.want {
			t.Errorf("float16 of %v is %#04x, want %#04x", c.x, got, c.want)
		}
	}
}

func checkNearest(t *testing.T, x float32, h uint16, value func(uint16) float32) {
	t.Helper()
	distance := func(h uint16) float64 { return math.Abs(float64(x) - float64(value(h))) }
	for _, other := range []uint16{h - 1, h + 1} {
		if h == 0 && other == math.MaxUint16 {
			continue
		}
		if d, e := distance(h), distance(other); e < d || e == d && h&1 == 1 {
			t.Fatalf("%v rounds to %#04x (%v), want %#04x (%v)", x, h, value(h), other, value(other))
		}
	}
}

func TestTruncate(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		to   graph.DType
		x    float32
		want int64
	}{
		{graph.Int32, 2.9, 2}, {graph.Int32, -2.9, -2}, {graph.Int32, nan, 0},
		{graph.Int32, 3e9, math.MaxInt32}, {graph.Int32, -3e9, math.MinInt32},
		{graph.Int64, inf, math.MaxInt64}, {graph.Int64, -inf, math.MinInt64},
		{graph.Int64, 1 << 62, 1 << 62}, {graph.Int64, -1 << 62, -1 << 62},
		{graph.Uint8, 300, 255}, {graph.Uint8, -3, 0}, {graph.Int8, -128.5, -128},
		{graph.Uint64, 1 << 63, math.MinInt64}, {graph.Uint64, inf, -1}, {graph.Uint64, -1, 0},
	} {
		if got := truncate(c.to, c.x); got != c.want {
			t.Errorf("%v of %v is %d, want %d", c.to, c.x, got, c.want)
		}
	}
}

func TestSizeable(t *testing.T) {
	for _, c := range []struct {
		dims []int
		want bool
	}{
		{nil, true}, {[]int{3, 0}, true}, {[]int{-1}, false}, {[]int{1 << 40}, false},
		{[]int{1 << 20, 1 << 20}, false}, {[]int{1 << 32, 1 << 32}, false},
		{[]int{0, 1 << 32, 1 << 32}, true},
	} {
		if got := Sizeable(c.dims); got != c.want {
			t.Errorf("Sizeable(%v) = %t, want %t", c.dims, got, c.want)
		}
	}
}
