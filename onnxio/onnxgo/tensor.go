package onnxgo

import (
	"encoding/binary"
	"fmt"
	"math"

	"gorgonia.org/tensor"

	"spikingir/graph"
)

func convert(t tensor.Tensor) (*graph.Tensor, error) {
	dims := make([]int64, 0, t.Dims())
	for _, d := range t.Shape() {
		dims = append(dims, int64(d))
	}
	switch x := t.Data().(type) {
	case float32:
		return pack(graph.Float32, dims, []float32{x}, appendFloat32)
	case []float32:
		return pack(graph.Float32, dims, x, appendFloat32)
	case float64:
		return pack(graph.Float64, dims, []float64{x}, appendFloat64)
	case []float64:
		return pack(graph.Float64, dims, x, appendFloat64)
	case int32:
		return pack(graph.Int32, dims, []int32{x}, appendInt32)
	case []int32:
		return pack(graph.Int32, dims, x, appendInt32)
	case int64:
		return pack(graph.Int64, dims, []int64{x}, appendInt64)
	case []int64:
		return pack(graph.Int64, dims, x, appendInt64)
	}
	return nil, fmt.Errorf("%w: it gives a tensor of %v", ErrUnsupported, t.Dtype())
}

func pack[T any](d graph.DType, dims []int64, elems []T, add func([]byte, T) []byte) (
	*graph.Tensor, error,
) {
	data := make([]byte, 0, len(elems)*d.Bits()/8)
	for _, x := range elems {
		data = add(data, x)
	}
	return graph.NewTensor(d, dims, data)
}

func appendFloat32(b []byte, x float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
}

func appendFloat64(b []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}

func appendInt32(b []byte, x int32) []byte {
	return binary.LittleEndian.AppendUint32(b, uint32(x))
}

func appendInt64(b []byte, x int64) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(x))
}
