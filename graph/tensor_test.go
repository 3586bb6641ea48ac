package graph

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDTypes(t *testing.T) {
	for d := Float32; d < numDTypes; d++ {
		got, ok := ParseDType(d.String())
		if !ok || got != d || !d.Valid() {
			t.Errorf("%v is read as %v, %v", d, got, ok)
		}
		if (d.Bits() == 0) != (d == StringType) {
			t.Errorf("%v has %d bits", d, d.Bits())
		}
	}
	for _, d := range []DType{-1, Undefined, numDTypes} {
		if d.Valid() || d.Bits() != 0 || d.IsFloat() {
			t.Errorf("%v counts as a type", d)
		}
		if _, ok := ParseDType(d.String()); ok {
			t.Errorf("%v is read", d)
		}
	}
	if s := DType(99).String(); s != "dtype(99)" {
		t.Errorf("an unknown type prints as %s", s)
	}
	if !BFloat16.IsFloat() || !Float4E2M1.IsFloat() || Int8.IsFloat() || Complex64.IsFloat() {
		t.Error("IsFloat is wrong")
	}
}

func TestNewTensor(t *testing.T) {
	for _, c := range []struct {
		name  string
		dtype DType
		dims  []int64
		bytes int
		want  string
	}{
		{"scalar", Float32, nil, 4, ""},
		{"empty", Float32, []int64{3, 0}, 0, ""},
		{"nibbles are packed", Int4, []int64{3}, 2, ""},
		{"pairs of bits are packed", Uint2, []int64{5}, 2, ""},
		{"too short", Int64, []int64{2}, 15, "15 bytes of data for int64[2], want 16"},
		{"too long", Float16, []int64{1}, 3, "want 2"},
		{"negative", Int8, []int64{2, -1}, 0, "negative dimension -1 in [2 -1]"},
		{"too large", Complex128, []int64{1 << 28, 1 << 28}, 0, "are too large"},
		{"far too large", Int8, []int64{math.MaxInt64, math.MaxInt64}, 0, "are too large"},
		{"strings", StringType, []int64{1}, 1, "element type string has no byte form"},
		{"undefined", Undefined, nil, 0, "element type undefined has no byte form"},
	} {
		x, err := NewTensor(c.dtype, c.dims, make([]byte, c.bytes))
		wantError(t, c.name, err, c.want)
		if err == nil && (!x.Loaded() || len(x.Bytes()) != c.bytes) {
			t.Errorf("%s: the tensor does not hold its elements", c.name)
		}
	}
	// The largest length allowed has a size in bits.
	x := &Tensor{DType: Complex128, Dims: []int64{maxElements}}
	if n, err := x.ByteSize(); err != nil || n != maxElements*16 {
		t.Errorf("the size is %d, %v", n, err)
	}
	wantPanic(t, "want 8", func() { NewFloat32([]int64{2}, []float32{1}) })
	wantPanic(t, "want 8", func() { NewInt64(nil, nil) })
}

func TestStringTensor(t *testing.T) {
	x, err := NewStrings([]int64{2}, [][]byte{[]byte("a"), nil})
	if err != nil || !x.Loaded() || len(x.Strings()) != 2 || x.Bytes() != nil {
		t.Errorf("%v, %v", x, err)
	}
	_, err = NewStrings([]int64{2}, nil)
	wantError(t, "too few", err, "0 strings for dimensions [2], want 2")
	_, err = NewStrings([]int64{-2}, nil)
	wantError(t, "negative", err, "negative dimension")
	_, err = x.Float32s()
	wantError(t, "floats", err, "tensor of string, want float")
	_, err = x.Int64s()
	wantError(t, "integers", err, "tensor of string, want an integer type")
}

func TestExternal(t *testing.T) {
	at := &External{Entries: Metadata{{"location", "f"}}}
	x, err := NewExternal(Float32, []int64{2}, at, nil)
	if err != nil || x.Loaded() || x.External != at {
		t.Errorf("%v, %v", x, err)
	}
	_, err = x.Float32s()
	wantError(t, "not loaded", err, "tensor float[2] is external and was not loaded")
	x, err = NewExternal(Float32, []int64{1}, at, []byte{0, 0, 128, 63})
	if err != nil || !x.Loaded() || x.Store != ExternalData {
		t.Errorf("%v, %v", x, err)
	}
	if xs, err := x.Float32s(); err != nil || xs[0] != 1 {
		t.Errorf("%v, %v", xs, err)
	}
	_, err = NewExternal(Float32, []int64{2}, at, []byte{1})
	wantError(t, "short", err, "want 8")
	_, err = NewExternal(Float32, []int64{-2}, at, nil)
	wantError(t, "negative", err, "negative dimension")
}

func TestWithDims(t *testing.T) {
	x := NewFloat32([]int64{2, 3}, make([]float32, 6))
	y, err := x.WithDims(3, 2)
	if err != nil || cmp.Diff([]int64{3, 2}, y.Dims) != "" || x.Dims[0] != 2 {
		t.Errorf("%v, %v", y, err)
	}
	_, err = x.WithDims(4)
	wantError(t, "another length", err, "cannot view [2 3] as [4]")
	_, err = x.WithDims(-6)
	wantError(t, "negative", err, "negative dimension")
	_, err = (&Tensor{DType: Float32, Dims: []int64{-1}}).WithDims(1)
	wantError(t, "bad before", err, "negative dimension")
}

// TestFloat16 compares every half with its value by definition (IEEE 754).
func TestFloat16(t *testing.T) {
	for h := range 1 << 16 {
		exp, man := h>>10&31, h&1023
		want := math.Ldexp(float64(1024+man), exp-25)
		switch {
		case exp == 0:
			want = math.Ldexp(float64(man), -24)
		case exp == 31 && man == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := float64(float16(uint16(h)))
		if math.Signbit(got) != (h>>15 == 1) || (got != want && !(math.IsNaN(got) && math.IsNaN(want))) {
			t.Fatalf("half %#04x is %v, want %v", h, got, want)
		}
	}
}

func bytesOf(t *testing.T, x any) []byte {
	t.Helper()
	b, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tensorOf(t *testing.T, d DType, elems any) *Tensor {
	t.Helper()
	b := bytesOf(t, elems)
	x, err := NewTensor(d, []int64{int64(len(b) * 8 / d.Bits())}, b)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestFloat32s(t *testing.T) {
	tiny := math.SmallestNonzeroFloat32
	for _, c := range []struct {
		dtype DType
		elems any
		want  []float32
	}{
		{Float32, []float32{1.5, -0.25, float32(tiny)}, []float32{1.5, -0.25, float32(tiny)}},
		{Float64, []float64{0.1, -1e300, 2}, []float32{0.1, float32(math.Inf(-1)), 2}},
		{Float16, []uint16{0x3c00, 0xc000, 0x0001}, []float32{1, -2, 1.0 / (1 << 24)}},
		{BFloat16, []uint16{0x3f80, 0xc000, 0x7f80}, []float32{1, -2, float32(math.Inf(1))}},
		{Float32, []float32{}, []float32{}},
	} {
		got, err := tensorOf(t, c.dtype, c.elems).Float32s()
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%v: %v, %s", c.dtype, err, d)
		}
	}
	for _, x := range []*Tensor{NewInt64([]int64{1}, []int64{1}), NewInt64([]int64{0}, nil)} {
		_, err := x.Float32s()
		wantError(t, "integers", err, "tensor of int64, want float, double, float16 or bfloat16")
	}
}

func TestInt64s(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		elems any
		want  []int64
	}{
		{Int64, []int64{math.MinInt64, 5}, []int64{math.MinInt64, 5}},
		{Uint64, []uint64{math.MaxInt64}, []int64{math.MaxInt64}},
		{Int32, []int32{math.MinInt32}, []int64{math.MinInt32}},
		{Uint32, []uint32{math.MaxUint32}, []int64{math.MaxUint32}},
		{Int16, []int16{-2}, []int64{-2}},
		{Uint16, []uint16{65535}, []int64{65535}},
		{Int8, []int8{-128}, []int64{-128}},
		{Uint8, []uint8{255}, []int64{255}},
		{Bool, []bool{true, false}, []int64{1, 0}},
	} {
		got, err := tensorOf(t, c.dtype, c.elems).Int64s()
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%v: %v, %s", c.dtype, err, d)
		}
	}
	_, err := tensorOf(t, Uint64, []uint64{1, 1 << 63}).Int64s()
	wantError(t, "large", err, "element 1 of the uint64 tensor, 9223372036854775808, is above")
	_, err = tensorOf(t, Int4, []uint8{1}).Int64s()
	wantError(t, "nibbles", err, "tensor of int4, want an integer type of 8 to 64 bits or bool")
	_, err = (&Tensor{DType: Int8, Dims: []int64{-1}}).Int64s()
	wantError(t, "negative", err, "negative dimension")
}
