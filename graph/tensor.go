package graph

import (
	"encoding/binary"
	"fmt"
)

// Storage says in which field of the wire format a tensor's elements are kept.
type Storage uint8

// RawData is TensorProto.raw_data; TypedData the field of the element type
// (float_data, int64_data, ...); ExternalData a file beside the model.
const (
	RawData Storage = iota
	TypedData
	ExternalData
)

// External says where the elements of a tensor lie outside the model file.
type External struct {
	Entries Metadata // location, offset, length, checksum, in file order
}

// Segment is TensorProto.Segment: the tensor is a chunk of a larger one.
type Segment struct{ Begin, End int64 }

// Tensor is a constant: element type, dimensions and elements. It is immutable
// once it hangs on a Value or an attribute.
type Tensor struct {
	Name     string // of a tensor attribute; an initializer's name is its Value's
	DType    DType
	Dims     []int64
	Doc      string
	Metadata Metadata
	Store    Storage
	External *External // set when Store is ExternalData
	Segment  *Segment
	Unknown  []byte // wire bytes of fields not modelled

	data    []byte   // little endian, packed; not for strings
	strings [][]byte // elements of a string tensor
}

// SparseTensor is ONNX's coordinate format: the non-zero values and their
// indices, either linear [nnz] or per dimension [nnz, rank].
type SparseTensor struct {
	Values, Indices *Tensor
	Dims            []int64
	Unknown         []byte
}

// NewTensor makes a tensor over little-endian bytes, which it keeps. It checks
// that the bytes fit the dimensions.
func NewTensor(d DType, dims []int64, data []byte) (*Tensor, error) {
	t := &Tensor{DType: d, Dims: dims, data: data}
	if d.Bits() == 0 {
		return nil, fmt.Errorf("element type %v has no byte form", d)
	}
	want, err := t.ByteSize()
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != want {
		return nil, fmt.Errorf("%d bytes of data for %v%v, want %d", len(data), d, dims, want)
	}
	return t, nil
}

// NewStrings makes a string tensor.
func NewStrings(dims []int64, elems [][]byte) (*Tensor, error) {
	t := &Tensor{DType: StringType, Dims: dims, Store: TypedData, strings: elems}
	n, err := t.Len()
	if err != nil {
		return nil, err
	}
	if int64(len(elems)) != n {
		return nil, fmt.Errorf("%d strings for dimensions %v, want %d", len(elems), dims, n)
	}
	return t, nil
}

// NewFloat32 makes a float tensor; the length of elems must be the product of
// dims, else it panics.
func NewFloat32(dims []int64, elems []float32) *Tensor {
	return mustTensor(Float32, dims, elems)
}

// NewInt64 makes an int64 tensor; the length of elems must be the product of
// dims, else it panics.
func NewInt64(dims []int64, elems []int64) *Tensor {
	return mustTensor(Int64, dims, elems)
}

// Scalar is a float tensor of rank 0.
func Scalar(x float32) *Tensor { return NewFloat32([]int64{}, []float32{x}) }

func mustTensor(d DType, dims []int64, elems any) *Tensor {
	data, err := binary.Append([]byte{}, binary.LittleEndian, elems)
	if err != nil {
		panic("graph: " + err.Error())
	}
	t, err := NewTensor(d, dims, data)
	if err != nil {
		panic("graph: " + err.Error())
	}
	return t
}

// maxElements bounds a tensor's length so that its size in bits fits an int64.
const maxElements = 1 << 55

// Len is the number of elements; an error names a negative or overflowing
// dimension.
func (t *Tensor) Len() (int64, error) {
	n := int64(1)
	for _, d := range t.Dims {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension %d in %v", d, t.Dims)
		}
		if d > 0 && n > maxElements/d {
			return 0, fmt.Errorf("dimensions %v are too large", t.Dims)
		}
		n *= d
	}
	return n, nil
}

// ByteSize is the size of the packed elements in bytes.
func (t *Tensor) ByteSize() (int64, error) {
	n, err := t.Len()
	if err != nil {
		return 0, err
	}
	return (n*int64(t.DType.Bits()) + 7) / 8, nil
}

// Bytes gives the packed little-endian elements; read only. It is nil for
// strings and for external data that was not loaded.
func (t *Tensor) Bytes() []byte { return t.data }

// Strings gives the elements of a string tensor; read only.
func (t *Tensor) Strings() [][]byte { return t.strings }

// Loaded reports whether the elements are in memory.
func (t *Tensor) Loaded() bool {
	n, err := t.Len()
	return err == nil && (n == 0 || t.data != nil || t.strings != nil)
}

// WithDims is the same elements under other dimensions of the same length.
func (t *Tensor) WithDims(dims ...int64) (*Tensor, error) {
	u := *t
	u.Dims = dims
	n, err := t.Len()
	if err != nil {
		return nil, err
	}
	m, err := u.Len()
	if err != nil {
		return nil, err
	}
	if n != m {
		return nil, fmt.Errorf("cannot view %v as %v", t.Dims, dims)
	}
	return &u, nil
}

// NewExternal makes a tensor whose elements lie outside the model file; data
// is nil when they were not loaded.
func NewExternal(d DType, dims []int64, ext *External, data []byte) (*Tensor, error) {
	t := &Tensor{DType: d, Dims: dims, Store: ExternalData, External: ext}
	if data == nil {
		_, err := t.ByteSize()
		return t, err
	}
	u, err := NewTensor(d, dims, data)
	if err != nil {
		return nil, err
	}
	t.data = u.data
	return t, nil
}
