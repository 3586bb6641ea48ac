package reference

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func dense(dims []int, x []float64) *tensor.Dense {
	return tensor.New(tensor.WithShape(dims...), tensor.WithBacking(x))
}

// elements is the elements of a value in row-major order; they may be shared.
func elements(v gorgonia.Value) ([]float64, error) {
	t, ok := v.(*tensor.Dense)
	if !ok {
		return nil, fmt.Errorf("value of Go type %T, want a dense tensor", v)
	}
	if t.RequiresIterator() || t.IsView() {
		t, ok = t.Materialize().(*tensor.Dense)
		if !ok {
			return nil, fmt.Errorf("a view has no dense copy")
		}
	}
	x, ok := t.Data().([]float64)
	if !ok {
		return nil, fmt.Errorf("tensor of %v, want float64", t.Dtype())
	}
	return x, nil
}

func product(dims []int) int {
	p := 1
	for _, d := range dims {
		p *= d
	}
	return p
}
