package onnxgo

import (
	"encoding/binary"
	"fmt"

	"gorgonia.org/tensor"

	"spikingir/graph"
)

func convert(t tensor.Tensor) (*graph.Tensor, error) {
	dims := make([]int64, 0, t.Dims())
	for _, d := range t.Shape() {
		dims = append(dims, int64(d))
	}
	var d graph.DType
	switch t.Data().(type) {
	case float32, []float32:
		d = graph.Float32
	case float64, []float64:
		d = graph.Float64
	case int32, []int32:
		d = graph.Int32
	case int64, []int64:
		d = graph.Int64
	default:
		return nil, fmt.Errorf("%w: it gives a tensor of %v", ErrUnsupported, t.Dtype())
	}
	data, err := binary.Append([]byte{}, binary.LittleEndian, t.Data())
	if err != nil {
		return nil, err
	}
	return graph.NewTensor(d, dims, data)
}
