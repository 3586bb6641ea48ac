package onnxio

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
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
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	o.Path = path
	if err := o.checkSize(info.Size()); err != nil {
		return nil, err
	}
	if o.Dir == "" {
		o.Dir = filepath.Dir(path)
		o.linked = linkedFolder(path)
	}
	data, err := readSized(f, info.Size())
	if err != nil {
		return nil, err
	}
	return o.Decode(data)
}

// Read reads a model up to the end of r.
func Read(r io.Reader, o ReadOptions) (*graph.Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, o.limit()+1))
	if err != nil {
		return nil, err
	}
	if err := o.checkSize(int64(len(data))); err != nil {
		return nil, err
	}
	return o.Decode(data)
}

func (o ReadOptions) limit() int64 {
	if o.MaxBytes <= 0 {
		return maxMessage
	}
	return min(o.MaxBytes, maxMessage)
}

func (o ReadOptions) checkSize(size int64) error {
	if size > o.limit() {
		return invalid(o.Path, -1, fmt.Errorf("the file has more than %d bytes", o.limit()))
	}
	return nil
}

// readSized reads a file of so many bytes into memory once, without more room than it takes.
func readSized(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	n, err := io.ReadFull(f, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return data[:n], nil // it has become shorter: decoding says so
	}
	return data, err
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
	p, typed, err := unmarshal(data)
	if err != nil {
		offset, err := diagnose(data, err)
		return nil, invalid(o.Path, offset, err)
	}
	var warnings []string
	warn := func(err error) {
		warnings = append(warnings, err.Error())
		if o.Warn != nil {
			o.Warn(err)
		}
	}
	if err := scatter(p); err != nil {
		warn(err)
	}
	d := &decoder{warn: warn, pending: map[*graph.Value]bool{}, typed: typed}
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
	if err := o.remember(m, data); err != nil {
		return nil, err
	}
	m.Source.Warnings = warnings
	return m, nil
}

// unmarshal reads the messages of a model. Large elements are not copied out of data; those
// that are not in raw_data are in the map.
func unmarshal(data []byte) (*onnxpb.ModelProto, map[*onnxpb.TensorProto]lifted, error) {
	options := proto.UnmarshalOptions{AllowPartial: true}
	l := &lifter{}
	if rest := l.cut(data, inModel, 0); !l.damaged && len(l.table) > 0 {
		p := &onnxpb.ModelProto{}
		if options.Unmarshal(rest, p) == nil {
			if typed, ok := l.restore(p); ok {
				return p, typed, nil
			}
		}
	}
	p := &onnxpb.ModelProto{}
	return p, nil, options.Unmarshal(data, p)
}

func (o ReadOptions) remember(m *graph.Model, data []byte) error {
	own, err := (&encoder{}).encode(m)
	if err != nil {
		return invalid(o.Path, -1, err)
	}
	h, same := sha256.New(), &comparer{want: data}
	if err := own.writeTo(io.MultiWriter(h, same)); err != nil {
		return invalid(o.Path, -1, err)
	}
	m.Source = &graph.Source{
		Path:        o.Path,
		Fingerprint: [sha256.Size]byte(h.Sum(nil)),
		SHA256:      sha256.Sum256(data),
	}
	if same.differs || len(same.want) > 0 {
		m.Source.Bytes = data
	}
	return nil
}

// comparer compares what is written with what is wanted.
type comparer struct {
	want    []byte // the rest of it
	differs bool
}

func (c *comparer) Write(b []byte) (int, error) {
	if !c.differs {
		if c.differs = !bytes.HasPrefix(c.want, b); !c.differs {
			c.want = c.want[len(b):]
		}
	}
	return len(b), nil
}
