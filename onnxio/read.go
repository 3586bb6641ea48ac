package onnxio

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/internal/regular"
	"spikingir/onnxio/onnxpb"
)

// ReadOptions tells how to read a model. The zero value reads one that has no
// external data to load.
type ReadOptions struct {
	// Path names the file in messages and in the model's Source.
	Path string
	// Dir is the folder of external data. When it is empty such tensors stay
	// unloaded: they keep their place and can be written again.
	Dir string
	// MaxBytes bounds the size of the model file; 0 is protobuf's own limit.
	MaxBytes int64
	// MaxExternal bounds the external data that is read, before memory is taken for
	// it; 0 reads any amount.
	MaxExternal int64
	// Warn hears of what is odd about a model but no error; nil ignores it.
	Warn func(error)

	linked string // another folder of external data, "" for none
}

// ReadFile reads the model at path with the external data beside it.
func ReadFile(path string) (*graph.Model, error) {
	return ReadOptions{}.ReadFile(path)
}

// ReadFile reads the model at path, a regular file, and external data from o.Dir or, if
// that is empty, from the folder of path; where path is a link, then from the folder of
// the file it leads to.
func (o ReadOptions) ReadFile(path string) (*graph.Model, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o.Path = path
	if o.Dir == "" {
		o.Dir = filepath.Dir(path)
		o.linked = linkedFolder(path)
	}
	return Read(f, o)
}

// Read reads a model up to the end of r.
func Read(r io.Reader, o ReadOptions) (*graph.Model, error) {
	limit := o.MaxBytes
	if limit <= 0 {
		limit = maxMessage
	}
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, invalid(o.Path, -1, fmt.Errorf("the file has more than %d bytes", limit))
	}
	return o.Decode(data)
}

// Decode reads a model from data, which it may keep. External data stays
// unloaded.
func Decode(data []byte) (*graph.Model, error) {
	return ReadOptions{}.Decode(data)
}

// Decode reads a model from data, which it may keep.
func (o ReadOptions) Decode(data []byte) (*graph.Model, error) {
	if len(data) == 0 {
		return nil, invalid(o.Path, -1, errors.New("the file is empty"))
	}
	p := &onnxpb.ModelProto{}
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(data, p); err != nil {
		offset, err := diagnose(data, err)
		return nil, invalid(o.Path, offset, err)
	}
	d := &decoder{warn: o.Warn, pending: map[*graph.Value]bool{}}
	if o.Dir != "" {
		dirs := []string{o.Dir}
		if o.linked != "" {
			dirs = append(dirs, o.linked)
		}
		files, err := openExternal(o.MaxExternal, dirs...)
		if err != nil {
			return nil, err
		}
		defer files.close()
		d.external = files
	}
	m, err := d.model(p)
	if err != nil {
		return nil, invalid(o.Path, -1, explain(data, p, err))
	}
	return m, o.remember(m, d, data)
}

func (o ReadOptions) remember(m *graph.Model, d *decoder, data []byte) error {
	own, err := (&encoder{}).encode(m)
	if err != nil {
		return invalid(o.Path, -1, err)
	}
	m.Source = &graph.Source{
		Path:          o.Path,
		Fingerprint:   sha256.Sum256(own),
		SHA256:        sha256.Sum256(data),
		EarlyMetadata: d.early && m.IRVersion < graph.MetadataIR,
	}
	if !bytes.Equal(own, data) {
		m.Source.Bytes = data
	}
	return nil
}
