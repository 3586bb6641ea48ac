package graph

import (
	"slices"
	"strings"
	"testing"
)

func TestDense(t *testing.T) {
	values := NewFloat32([]int64{2}, []float32{5, 7})
	for _, c := range []struct {
		name    string
		indices *Tensor
		limit   int64
		want    []float32
		err     string
	}{
		{name: "linear", indices: NewInt64([]int64{2}, []int64{1, 5}), want: []float32{0, 5, 0, 0, 0, 7}},
		{name: "by dimension", indices: NewInt64([]int64{2, 2}, []int64{0, 2, 1, 0}), want: []float32{0, 0, 5, 7, 0, 0}},
		{name: "past the end", indices: NewInt64([]int64{2}, []int64{1, 6}), err: "index 6, want 0 to 5"},
		{name: "negative", indices: NewInt64([]int64{2}, []int64{-1, 5}), err: "index -1"},
		{name: "past a dimension", indices: NewInt64([]int64{2, 2}, []int64{0, 3, 1, 0}), err: "index 3 in dimension 1"},
		{name: "too few", indices: NewInt64([]int64{1}, []int64{1}), err: "has indices [1], want [2] or [2,2]"},
		{name: "too large", indices: NewInt64([]int64{2}, []int64{1, 5}), limit: 23, err: "takes 24 bytes in full, want 23 at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limit := c.limit
			if limit == 0 {
				limit = 24
			}
			got, err := (&SparseTensor{Values: values, Indices: c.indices, Dims: []int64{2, 3}}).Dense(limit)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if x, err := got.Float32s(); err != nil || !slices.Equal(x, c.want) {
				t.Errorf("%v (%v), want %v", x, err, c.want)
			}
		})
	}
}
