package onnxio

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strconv"

	"spikingir/graph"
	"spikingir/internal/atomicfile"
)

// WriteOptions tells how to write a model. The zero value leaves every tensor
// where it is, inside of the file or outside.
type WriteOptions struct {
	// ExternalThreshold, when positive, moves every initializer of at least so
	// many bytes to one data file beside the model and the others into the
	// model. Tensors of attributes and sparse ones stay where they are.
	ExternalThreshold int64
	// Location names that data file; empty: the model's name + ".data".
	Location string
}

// dataAlignment is where tensors begin in a data file, so that it can be mapped
// in memory by pages.
const dataAlignment = 4096

// WriteFile writes a model to a file, its external data beside it. Files appear
// under their names only when they are complete.
func WriteFile(path string, m *graph.Model) error {
	return WriteOptions{}.WriteFile(path, m)
}

// WriteFile writes a model to a file, its external data beside it. Files appear
// under their names only when they are complete.
func (o WriteOptions) WriteFile(path string, m *graph.Model) error {
	l := &layout{files: map[string][]chunk{}}
	e := &encoder{}
	if o.ExternalThreshold > 0 {
		l.location = o.Location
		if l.location == "" {
			l.location = filepath.Base(path) + ".data"
		}
		if err := checkLocation(l.location); err != nil {
			return err
		}
		l.location = pathpkg.Clean(l.location)
		l.threshold = o.ExternalThreshold
		l.moved = map[*graph.Tensor]*graph.Tensor{}
		e.place = l.move
	}
	data, err := encodeWith(e, m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if l.err != nil {
		return fmt.Errorf("%s: %w", path, l.err)
	}
	if err := l.collect(m); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return l.write(path, m.Source, data)
}

// chunk is the elements of a tensor at their place in a data file.
type chunk struct {
	offset int64
	data   []byte
}

// layout is the data files of a model that is being written.
type layout struct {
	files map[string][]chunk // by location

	// For moving tensors to one file:
	location  string
	threshold int64
	end       int64
	moved     map[*graph.Tensor]*graph.Tensor
	err       error
}

// move gives the form in which t is written when tensors are moved.
func (l *layout) move(t *graph.Tensor) *graph.Tensor {
	if u := l.moved[t]; u != nil {
		return u
	}
	if t.DType.Bits() == 0 {
		return t
	}
	data := t.Bytes()
	if !t.Loaded() {
		l.err = fmt.Errorf("the external data of a %v%v tensor was not loaded", t.DType, t.Dims)
		return t
	}
	u := *t
	switch {
	case int64(len(data)) >= l.threshold:
		at := (l.end + dataAlignment - 1) / dataAlignment * dataAlignment
		l.end = at + int64(len(data))
		l.files[l.location] = append(l.files[l.location], chunk{at, data})
		u.Store = graph.ExternalData
		u.External = &graph.External{Entries: graph.Metadata{
			{Key: "location", Value: l.location},
			{Key: "offset", Value: strconv.FormatInt(at, 10)},
			{Key: "length", Value: strconv.Itoa(len(data))},
		}}
	case t.Store == graph.ExternalData:
		u.Store, u.External = graph.RawData, nil
	default:
		return t
	}
	l.moved[t] = &u
	return &u
}

func (l *layout) collect(m *graph.Model) error {
	for t := range tensors(m) {
		if t.Store != graph.ExternalData || l.moved[t] != nil {
			continue
		}
		if t.External == nil {
			return errors.New("a tensor's data is external but nothing says where")
		}
		w, err := parseExternal(t.External)
		if err != nil {
			return err
		}
		c := chunk{w.offset, t.Bytes()}
		if c.data == nil && t.Loaded() {
			c.data = []byte{} // an empty tensor
		}
		name := pathpkg.Clean(w.location)
		if name == l.location {
			return fmt.Errorf("the name %q of the new data file is taken by external data: "+
				"choose another location", name)
		}
		l.files[name] = append(l.files[name], c)
	}
	return nil
}

// write puts the data files in place, then the model. When it fails it takes
// away the data files that were not there before.
func (l *layout) write(path string, source *graph.Source, data []byte) (err error) {
	dir := filepath.Dir(path)
	var made []string
	defer func() {
		for _, name := range made {
			if err != nil {
				os.Remove(name)
			}
		}
	}()
	var names []string
	for name := range l.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		target := filepath.Join(dir, filepath.FromSlash(name))
		if filepath.Clean(target) == filepath.Clean(path) {
			return fmt.Errorf("%s: the model and its external data have the same name", path)
		}
		isNew := !fileExists(target)
		w := dataFile{
			target: target, chunks: l.files[name],
			original: originalFile(source, name), precious: inputData(source, path, target),
		}
		if err := w.write(); err != nil {
			return err
		}
		if isNew {
			made = append(made, target)
		}
	}
	return atomicfile.WriteBytes(path, false, data)
}

// inputData reports whether target holds data of the input model, which is not
// the one being written over.
func inputData(source *graph.Source, path, target string) bool {
	if source == nil || source.Path == "" {
		return false
	}
	same := func(a, b string) bool {
		x, errX := filepath.Abs(a)
		y, errY := filepath.Abs(b)
		return errX == nil && errY == nil && x == y
	}
	return !same(source.Path, path) &&
		same(filepath.Dir(source.Path), filepath.Dir(path)) && fileExists(target)
}

func fileExists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// originalFile gives the input model's data file at a location, nil when it
// cannot be read.
func originalFile(source *graph.Source, location string) []byte {
	if source == nil || source.Path == "" {
		return nil
	}
	files, err := openExternal(filepath.Dir(source.Path))
	if err != nil {
		return nil
	}
	defer files.close()
	file, err := files.open(location)
	if err != nil {
		return nil
	}
	data, err := file.region(0, file.size)
	if err != nil {
		return nil
	}
	return data
}

// dataFile is one file of external data to be written.
type dataFile struct {
	target   string
	chunks   []chunk
	original []byte // the input model's file of that name, nil for none
	precious bool   // the target is that file, and another model needs it
}

func (w *dataFile) in(data []byte) bool {
	for _, c := range w.chunks {
		end := c.offset + int64(len(c.data))
		if end > int64(len(data)) || !bytes.Equal(data[c.offset:end], c.data) {
			return false
		}
	}
	return true
}

// write leaves a file alone that holds the same elements already, so that models
// can share it. Else it copies the original, which keeps gaps and checksums, or
// puts the elements together.
func (w *dataFile) write() error {
	have, err := os.ReadFile(w.target)
	if err == nil && w.in(have) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if w.precious {
		return fmt.Errorf("%s holds data of the input model and would change: "+
			"write to another folder", w.target)
	}
	file := w.original
	if file == nil || !w.in(file) {
		if file, err = w.compose(); err != nil {
			return fmt.Errorf("%s: %w", w.target, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(w.target), 0o777); err != nil {
		return err
	}
	return atomicfile.WriteBytes(w.target, false, file)
}

// maxGap bounds the unused bytes of a data file that is put together.
const maxGap = 64 << 20

func (w *dataFile) compose() ([]byte, error) {
	size, used := int64(0), int64(0)
	for _, c := range w.chunks {
		if c.data == nil {
			return nil, errors.New("its contents were not loaded, so it cannot be written: " +
				"read the model with its folder")
		}
		used += int64(len(c.data))
		size = max(size, c.offset+int64(len(c.data)))
	}
	if size > used+maxGap {
		return nil, fmt.Errorf("its %d bytes of elements are spread over %d bytes", used, size)
	}
	file := make([]byte, size)
	for _, c := range w.chunks {
		copy(file[c.offset:], c.data)
	}
	if !w.in(file) {
		return nil, errors.New("two tensors with different elements overlap")
	}
	return file, nil
}
