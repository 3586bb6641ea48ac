package ops

import (
	"math"

	"spikingir/graph"
)

// round brings every element into the range and precision of t's type. An
// element that is there already is not written, so that a shared one is safe.
func (t *Tensor) round() {
	switch t.DType {
	case graph.Float16:
		roundFloats(t.F32, func(x float32) float32 { return float16Value(float16Bits(x)) })
	case graph.BFloat16:
		roundFloats(t.F32, func(x float32) float32 {
			return math.Float32frombits(uint32(bfloat16Bits(x)) << 16)
		})
	case graph.Bool, graph.Int8, graph.Int16, graph.Int32,
		graph.Uint8, graph.Uint16, graph.Uint32:
		for i, x := range t.I64 {
			if y := wrap(t.DType, x); y != x {
				t.I64[i] = y
			}
		}
	}
}

func roundFloats(elems []float32, f func(float32) float32) {
	for i, x := range elems {
		if y := f(x); math.Float32bits(y) != math.Float32bits(x) {
			elems[i] = y
		}
	}
}

// wrap reduces x modulo the range of an integer type, as two's complement
// arithmetic does; every number other than 0 is the bool 1.
func wrap(d graph.DType, x int64) int64 {
	switch d {
	case graph.Bool:
		return truth(x != 0)
	case graph.Int8:
		return int64(int8(x))
	case graph.Int16:
		return int64(int16(x))
	case graph.Int32:
		return int64(int32(x))
	case graph.Uint8:
		return int64(uint8(x))
	case graph.Uint16:
		return int64(uint16(x))
	case graph.Uint32:
		return int64(uint32(x))
	}
	return x
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// float16Bits rounds x to the nearest IEEE binary16, ties to even.
func float16Bits(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	a := b & 0x7fffffff
	switch {
	case a > 0x7f800000: // NaN, kept quiet
		return sign | 0x7e00
	case a >= 0x47800000: // 2^16 and more
		return sign | 0x7c00
	case a < 0x38800000: // below 2^-14: subnormal, in units of 2^-24
		unit := math.Float32frombits(a) * (1 << 24)
		return sign | uint16(math.RoundToEven(float64(unit)))
	}
	a += 0xfff + a>>13&1
	return sign | uint16(a>>13-112<<10)
}

// float16Value widens an IEEE binary16.
func float16Value(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, man := uint32(h>>10)&31, uint32(h)&1023
	switch exp {
	case 0:
		return math.Float32frombits(math.Float32bits(float32(man)/(1<<24)) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}

// bfloat16Bits rounds x to the nearest bfloat16, ties to even.
func bfloat16Bits(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 { // NaN: rounding could carry into infinity
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// truncate converts a float to an integer of type d towards zero. What does
// not fit becomes the nearest number that does, NaN becomes 0: the standard
// leaves both open, and CPUs differ.
func truncate(d graph.DType, x float32) int64 {
	lo, hi := integerRange(d)
	switch f := float64(x); {
	case math.IsNaN(f):
		return 0
	case f <= lo:
		if d == graph.Int64 {
			return math.MinInt64
		}
		return int64(lo)
	case f >= hi:
		switch d {
		case graph.Int64:
			return math.MaxInt64
		case graph.Uint64:
			return -1
		}
		return int64(hi)
	case d == graph.Uint64:
		return int64(uint64(f))
	default:
		return int64(f)
	}
}

// nearestInt is the number of an integer type or bool that is nearest to x.
func nearestInt(d graph.DType, x int64) int64 {
	if d == graph.Bool {
		return min(max(x, 0), 1)
	}
	if d.Bits() == 64 {
		return x
	}
	lo, hi := integerRange(d)
	return min(max(x, int64(lo)), int64(hi))
}

// integerRange is the smallest and largest number of an integer type, rounded
// up to a float64 for 64 bits.
func integerRange(d graph.DType) (lo, hi float64) {
	bits := float64(d.Bits())
	switch d {
	case graph.Uint8, graph.Uint16, graph.Uint32, graph.Uint64:
		return 0, math.Exp2(bits) - 1
	}
	return -math.Exp2(bits - 1), math.Exp2(bits-1) - 1
}
