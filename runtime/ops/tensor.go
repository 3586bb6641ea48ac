package ops

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
)

// A Tensor is a dense row-major tensor. F32 holds the elements of every
// floating point type, I64 those of every integer type and of bool (0 and 1);
// uint64 is kept as its two's complement.
type Tensor struct {
	DType graph.DType
	Dims  []int // empty: a scalar
	F32   []float32
	I64   []int64
	// List is the tensors of a sequence, which nothing changes; nil unless t is one. A sequence
	// has no elements of its own.
	List []*Tensor
}

// maxElements bounds the length of a tensor: 32 GiB of float32.
const maxElements = 1 << 33

// NewTensor makes a tensor of zeros. It panics when the size is not [Sizeable]
// or the type is not one of those of [Computable].
func NewTensor(d graph.DType, dims []int) *Tensor {
	if !Sizeable(dims) || !Computable(d) {
		panic(fmt.Sprintf("ops: no tensor of %v%v", d, dims))
	}
	t := &Tensor{DType: d, Dims: slices.Clone(dims)}
	if d.IsFloat() {
		t.F32 = make([]float32, product(dims))
	} else {
		t.I64 = make([]int64, product(dims))
	}
	return t
}

// Floats makes a float32 tensor over elems, which it keeps; their number must be
// the product of dims.
func Floats(elems []float32, dims ...int) *Tensor {
	if product(dims) != len(elems) {
		panic(fmt.Sprintf("ops: %d elements for dimensions %v", len(elems), dims))
	}
	return &Tensor{DType: graph.Float32, Dims: slices.Clone(dims), F32: elems}
}

// Ints makes an int64 tensor over elems, as [Floats].
func Ints(elems []int64, dims ...int) *Tensor {
	if product(dims) != len(elems) {
		panic(fmt.Sprintf("ops: %d elements for dimensions %v", len(elems), dims))
	}
	return &Tensor{DType: graph.Int64, Dims: slices.Clone(dims), I64: elems}
}

// Computable reports whether tensors of the type can be computed with: the
// floating point types of 16 bits and more, the integers of 8 bits and more,
// and bool.
func Computable(d graph.DType) bool {
	switch d {
	case graph.Float32, graph.Float64, graph.Float16, graph.BFloat16,
		graph.Int8, graph.Int16, graph.Int32, graph.Int64,
		graph.Uint8, graph.Uint16, graph.Uint32, graph.Uint64, graph.Bool:
		return true
	}
	return false
}

// Sizeable reports whether a tensor of these dimensions can be held.
func Sizeable(dims []int) bool {
	n := 1
	for _, d := range dims {
		if d < 0 || d > maxElements || d > 0 && n > maxElements/d {
			return false
		}
		n *= d
	}
	return true
}

// FromGraph copies a constant. Strings, complex numbers and types under eight
// bits are errors, as is external data that was not loaded.
func FromGraph(g *graph.Tensor) (*Tensor, error) {
	if !Computable(g.DType) {
		return nil, fmt.Errorf("tensor of %v, want a float of 16 bits or more, "+
			"an integer of 8 bits or more, or bool", g.DType)
	}
	t := &Tensor{DType: g.DType, Dims: make([]int, len(g.Dims))}
	for i, d := range g.Dims {
		t.Dims[i] = int(d)
	}
	if !Sizeable(t.Dims) {
		return nil, fmt.Errorf("tensor dimensions %v are too large", g.Dims)
	}
	var err error
	switch {
	case g.DType.IsFloat():
		t.F32, err = g.Float32s()
	case g.DType == graph.Uint64 && g.Loaded():
		t.I64 = make([]int64, t.Len())
		for i := range t.I64 {
			t.I64[i] = int64(binary.LittleEndian.Uint64(g.Bytes()[8*i:]))
		}
	default:
		t.I64, err = g.Int64s()
	}
	if err != nil {
		return nil, err
	}
	t.round()
	return t, nil
}

// Sizes is the dimensions in the number type of graphs.
func (t *Tensor) Sizes() []int64 { return sizesOf(t.Dims) }

// Graph copies t into a constant of the same element type.
func (t *Tensor) Graph() (*graph.Tensor, error) {
	dims := t.Sizes()
	size := t.DType.Bits() / 8
	data := make([]byte, size*t.Len())
	for i := range t.Len() {
		t.put(data[i*size:], i)
	}
	return graph.NewTensor(t.DType, dims, data)
}

// put writes element i in the type's little-endian form.
func (t *Tensor) put(data []byte, i int) {
	le := binary.LittleEndian
	switch t.DType {
	case graph.Float32:
		le.PutUint32(data, math.Float32bits(t.F32[i]))
	case graph.Float64:
		le.PutUint64(data, math.Float64bits(float64(t.F32[i])))
	case graph.Float16:
		le.PutUint16(data, float16Bits(t.F32[i]))
	case graph.BFloat16:
		le.PutUint16(data, bfloat16Bits(t.F32[i]))
	case graph.Int64, graph.Uint64:
		le.PutUint64(data, uint64(t.I64[i]))
	case graph.Int32, graph.Uint32:
		le.PutUint32(data, uint32(t.I64[i]))
	case graph.Int16, graph.Uint16:
		le.PutUint16(data, uint16(t.I64[i]))
	default: // the types of one byte
		data[0] = byte(t.I64[i])
	}
}

// Len is the number of elements.
func (t *Tensor) Len() int { return product(t.Dims) }

// Rank is the number of dimensions.
func (t *Tensor) Rank() int { return len(t.Dims) }

// Clone copies t.
func (t *Tensor) Clone() *Tensor {
	return &Tensor{t.DType, slices.Clone(t.Dims), slices.Clone(t.F32), slices.Clone(t.I64), slices.Clone(t.List)}
}

// As is t with elements of another type, converted as a Cast does.
func (t *Tensor) As(d graph.DType) *Tensor { return castTo(&Env{}, t, d) }

// String describes t by type and dimensions, as "float[1,3,8,8]".
func (t *Tensor) String() string {
	s := graph.ShapeOf()
	for _, d := range t.Dims {
		s = append(s, graph.Known(int64(d)))
	}
	return graph.TensorOf(t.DType, s).String()
}

// view is t under other dimensions of the same length, sharing its elements.
func (t *Tensor) view(dims []int) *Tensor {
	return &Tensor{t.DType, slices.Clone(dims), t.F32, t.I64, t.List}
}

func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
