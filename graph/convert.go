package graph

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Float32s converts the elements of a real floating point tensor (float,
// double, float16, bfloat16) to float32.
func (t *Tensor) Float32s() ([]float32, error) {
	var at func(i int) float32
	le := binary.LittleEndian
	switch t.DType {
	case Float32:
		at = func(i int) float32 { return math.Float32frombits(le.Uint32(t.data[4*i:])) }
	case Float64:
		at = func(i int) float32 { return float32(math.Float64frombits(le.Uint64(t.data[8*i:]))) }
	case Float16:
		at = func(i int) float32 { return float16(le.Uint16(t.data[2*i:])) }
	case BFloat16:
		at = func(i int) float32 { return math.Float32frombits(uint32(le.Uint16(t.data[2*i:])) << 16) }
	default:
		return nil, fmt.Errorf("tensor of %v, want float, double, float16 or bfloat16", t.DType)
	}
	return convert(t, at)
}

// Int64s converts the elements of an integer (8 bits and more) or bool tensor to
// int64. An element of a uint64 tensor above the largest int64 is an error.
func (t *Tensor) Int64s() ([]int64, error) {
	var at func(i int) int64
	le := binary.LittleEndian
	switch t.DType {
	case Int64, Uint64:
		at = func(i int) int64 { return int64(le.Uint64(t.data[8*i:])) }
	case Int32:
		at = func(i int) int64 { return int64(int32(le.Uint32(t.data[4*i:]))) }
	case Uint32:
		at = func(i int) int64 { return int64(le.Uint32(t.data[4*i:])) }
	case Int16:
		at = func(i int) int64 { return int64(int16(le.Uint16(t.data[2*i:]))) }
	case Uint16:
		at = func(i int) int64 { return int64(le.Uint16(t.data[2*i:])) }
	case Int8:
		at = func(i int) int64 { return int64(int8(t.data[i])) }
	case Uint8, Bool:
		at = func(i int) int64 { return int64(t.data[i]) }
	default:
		return nil, fmt.Errorf("tensor of %v, want an integer type of 8 to 64 bits or bool", t.DType)
	}
	out, err := convert(t, at)
	if err == nil && t.DType == Uint64 {
		if i := slices.IndexFunc(out, func(x int64) bool { return x < 0 }); i >= 0 {
			return nil, fmt.Errorf("element %d of the uint64 tensor, %d, is above the largest int64",
				i, uint64(out[i]))
		}
	}
	return out, err
}

// convert lists element 0 to the last.
func convert[T any](t *Tensor, at func(i int) T) ([]T, error) {
	n, err := t.loadedLen()
	if err != nil {
		return nil, err
	}
	out := make([]T, n)
	for i := range out {
		out[i] = at(i)
	}
	return out, nil
}

func (t *Tensor) loadedLen() (int64, error) {
	n, err := t.Len()
	if err != nil {
		return 0, err
	}
	if !t.Loaded() {
		return 0, fmt.Errorf("tensor %v%v is external and was not loaded", t.DType, t.Dims)
	}
	return n, nil
}

// float16 widens an IEEE binary16.
func float16(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h>>10) & 31
	man := uint32(h) & 1023
	switch exp {
	case 0:
		x := float32(man) / (1 << 24) // subnormal or zero: exact
		return math.Float32frombits(math.Float32bits(x) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}
