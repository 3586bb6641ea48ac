package onnxio

import (
	"errors"
	"fmt"
	"strings"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

var (
	// externalTensor has every field but those that hold elements.
	externalTensor = fields{full: set(1, 3, 13, 14, 16), nonzero: set(2, 8, 12)}
	opaqueTensor   = fields{full: set(1, 3, 16), nonzero: set(2, 8, 12, 14)}
	tensorFields   = fields{
		full: set(1, 3, 4, 5, 6, 7, 9, 10, 11, 16), nonzero: set(2, 8, 12, 14),
	}
	sparseFields = fields{full: set(1, 2, 3)}
)

func (d *decoder) tensor(p *onnxpb.TensorProto) (*graph.Tensor, error) {
	if p == nil {
		return nil, errors.New("it holds no tensor")
	}
	t, f, err := d.elements(p)
	if err != nil {
		return nil, err
	}
	t.Name = p.GetName()
	t.Doc = p.GetDocString()
	t.Metadata = metadata(p.MetadataProps)
	if p.Segment != nil {
		t.Segment = &graph.Segment{Begin: p.Segment.GetBegin(), End: p.Segment.GetEnd()}
	}
	t.Unknown, err = f.rest(p)
	return t, err
}

// elements reads type, dimensions and elements, and says which fields that
// took.
func (d *decoder) elements(p *onnxpb.TensorProto) (*graph.Tensor, fields, error) {
	dt, dims := graph.DType(p.GetDataType()), p.Dims
	if dims == nil {
		dims = []int64{}
	}
	held := dataFields(p)
	lifted, isLifted := d.typed[p]
	if isLifted && !dt.Valid() {
		lifted.copyTo(p)
	} else if isLifted {
		held = append(held, lifted.name())
	}
	switch {
	case p.GetDataLocation() == onnxpb.TensorProto_EXTERNAL:
		if len(held) > 0 {
			return nil, externalTensor, fmt.Errorf("its data is external but it holds %s, too",
				strings.Join(held, " and "))
		}
		t, err := d.externalTensor(dt, dims, p)
		return t, externalTensor, err
	case len(held) > 1:
		return nil, tensorFields, fmt.Errorf("its data is in %s, want one of them",
			strings.Join(held, " and "))
	case !dt.Valid():
		// Elements of a type of no known size stay wire bytes.
		return &graph.Tensor{DType: dt, Dims: dims, Store: graph.TypedData}, opaqueTensor, nil
	case p.RawData != nil:
		if dt == graph.StringType {
			return nil, tensorFields, errors.New("strings in raw_data, want string_data")
		}
		t, err := graph.NewTensor(dt, dims, p.RawData)
		return t, tensorFields, err
	}
	t, err := d.typedTensor(dt, dims, p, held)
	return t, tensorFields, err
}

func (d *decoder) typedTensor(dt graph.DType, dims []int64, p *onnxpb.TensorProto, held []string) (
	*graph.Tensor, error,
) {
	want := typedFieldOf(dt)
	if len(held) == 1 && held[0] != want.name {
		return nil, fmt.Errorf("elements of type %v in %s, want %s", dt, held[0], want.name)
	}
	if dt == graph.StringType {
		return graph.NewStrings(dims, p.StringData)
	}
	data := d.typed[p].data
	if data == nil {
		var err error
		if data, err = packTyped(dt, p); err != nil {
			return nil, err
		}
	}
	t, err := graph.NewTensor(dt, dims, data)
	if err != nil {
		return nil, err
	}
	t.Store = graph.TypedData
	return t, nil
}

func (d *decoder) externalTensor(dt graph.DType, dims []int64, p *onnxpb.TensorProto) (
	*graph.Tensor, error,
) {
	ext := &graph.External{Entries: metadata(p.ExternalData)}
	if dt.Bits() == 0 {
		return nil, fmt.Errorf("elements of type %v cannot be external", dt)
	}
	t, err := graph.NewExternal(dt, dims, ext, nil)
	if err != nil {
		return nil, err
	}
	where, err := parseExternal(ext)
	if err != nil || d.external == nil {
		return t, err
	}
	size, err := t.ByteSize()
	if err != nil {
		return nil, err
	}
	data, err := d.external.read(where, size)
	if err != nil {
		return nil, fmt.Errorf("external data: %w", err)
	}
	return graph.NewExternal(dt, dims, ext, data)
}

// sparse checks the shapes of the parts: values [nnz], indices [nnz] or
// [nnz, rank] of type int64.
func (d *decoder) sparse(p *onnxpb.SparseTensorProto) (*graph.SparseTensor, error) {
	if p == nil {
		return nil, errors.New("it holds no tensor")
	}
	values, err := d.tensor(p.Values)
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	indices, err := d.tensor(p.Indices)
	if err != nil {
		return nil, fmt.Errorf("indices: %w", err)
	}
	s := &graph.SparseTensor{Values: values, Indices: indices, Dims: p.Dims}
	if len(values.Dims) != 1 {
		return nil, fmt.Errorf("values have dimensions %v, want one", values.Dims)
	}
	nnz, rank := values.Dims[0], int64(len(s.Dims))
	id := indices.Dims
	fits := len(id) == 1 && id[0] == nnz || len(id) == 2 && id[0] == nnz && id[1] == rank
	if !fits {
		return nil, fmt.Errorf("indices have dimensions %v, want [%d] or [%d %d]",
			id, nnz, nnz, rank)
	}
	if indices.DType != graph.Int64 {
		return nil, fmt.Errorf("indices are %v, want int64", indices.DType)
	}
	s.Unknown, err = sparseFields.rest(p)
	return s, err
}
