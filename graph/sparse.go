package graph

import "fmt"

// Dense is the tensor that s stands for: its values at their indices, 0 elsewhere. An
// error says what of it does not fit. It takes no more than limit bytes.
func (s *SparseTensor) Dense(limit int64) (*Tensor, error) {
	if s.Values == nil || s.Indices == nil {
		return nil, fmt.Errorf("sparse tensor %v without values or indices", s.Dims)
	}
	width := s.Values.DType.Bits() / 8
	if width == 0 {
		return nil, fmt.Errorf("sparse tensor of %v, want elements of whole bytes", s.Values.DType)
	}
	t := &Tensor{DType: s.Values.DType, Dims: s.Dims}
	size, err := t.ByteSize()
	if err != nil {
		return nil, fmt.Errorf("sparse tensor: %w", err)
	}
	if size > limit {
		return nil, fmt.Errorf("sparse tensor %v%v takes %d bytes in full, want %d at most", t.DType, s.Dims, size, limit)
	}
	places, err := s.places()
	if err != nil {
		return nil, err
	}
	t.data = make([]byte, size)
	for i, at := range places {
		copy(t.data[at*int64(width):], s.Values.data[i*width:(i+1)*width])
	}
	return t, nil
}

// places is where each value stands among the elements in row-major order.
func (s *SparseTensor) places() ([]int64, error) {
	nnz, err := s.Values.loadedLen()
	if err != nil {
		return nil, fmt.Errorf("values of a sparse tensor: %w", err)
	}
	if s.Indices.DType != Int64 {
		return nil, fmt.Errorf("indices of a sparse tensor are %v, want int64", s.Indices.DType)
	}
	indices, err := s.Indices.Int64s()
	if err != nil {
		return nil, fmt.Errorf("indices of a sparse tensor: %w", err)
	}
	total, _ := (&Tensor{Dims: s.Dims}).Len() // which Dense has found good
	rank := int64(len(s.Dims))
	linear := len(s.Indices.Dims) == 1
	if want := nnz * rank; len(s.Indices.Dims) > 2 || linear && int64(len(indices)) != nnz || !linear && int64(len(indices)) != want {
		return nil, fmt.Errorf("a sparse tensor %v of %d values has indices %v, want [%d] or [%d,%d]",
			s.Dims, nnz, s.Indices.Dims, nnz, nnz, rank)
	}
	places := make([]int64, nnz)
	for i := range places {
		if linear {
			places[i] = indices[i]
		} else {
			for k, d := range s.Dims {
				x := indices[int64(i)*rank+int64(k)]
				if x < 0 || x >= d {
					return nil, fmt.Errorf("value %d of a sparse tensor %v has index %d in dimension %d", i, s.Dims, x, k)
				}
				places[i] = places[i]*d + x
			}
		}
		if places[i] < 0 || places[i] >= total {
			return nil, fmt.Errorf("value %d of a sparse tensor %v has index %d, want 0 to %d", i, s.Dims, places[i], total-1)
		}
	}
	return places, nil
}
