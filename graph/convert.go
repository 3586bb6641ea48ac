package graph

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Float32s converts the elements of a real floating point tensor (float,
// double, float16, bfloat16) to float32.
func (t *Tensor) Float32s() ([]float32, error) {
	n, err := t.loadedLen()
	if err != nil {
		return nil, err
	}
	out := make([]float32, n)
	le := binary.LittleEndian
	for i := range out {
		switch t.DType {
		case Float32:
			out[i] = math.Float32frombits(le.Uint32(t.data[4*i:]))
		case Float64:
			out[i] = float32(math.Float64frombits(le.Uint64(t.data[8*i:])))
		case Float16:
			out[i] = float16(le.Uint16(t.data[2*i:]))
		case BFloat16:
			out[i] = math.Float32frombits(uint32(le.Uint16(t.data[2*i:])) << 16)
		default:
			return nil, fmt.Errorf("tensor of %v, want a floating point type", t.DType)
		}
	}
	return out, nil
}

// Int64s converts the elements of an integer or bool tensor to int64.
func (t *Tensor) Int64s() ([]int64, error) {
	n, err := t.loadedLen()
	if err != nil {
		return nil, err
	}
	out := make([]int64, n)
	le := binary.LittleEndian
	for i := range out {
		switch t.DType {
		case Int64, Uint64:
			out[i] = int64(le.Uint64(t.data[8*i:]))
		case Int32:
			out[i] = int64(int32(le.Uint32(t.data[4*i:])))
		case Uint32:
			out[i] = int64(le.Uint32(t.data[4*i:]))
		case Int16:
			out[i] = int64(int16(le.Uint16(t.data[2*i:])))
		case Uint16:
			out[i] = int64(le.Uint16(t.data[2*i:]))
		case Int8:
			out[i] = int64(int8(t.data[i]))
		case Uint8, Bool:
			out[i] = int64(t.data[i])
		default:
			return nil, fmt.Errorf("tensor of %v, want an integer type", t.DType)
		}
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
