package onnxio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
	"spikingir/internal/regular"
)

// A dataFile is the elements that lie outside of a model, in one file.
type dataFile struct {
	name    string // set by place
	chunks  []chunk
	offsets map[chunkKey]int64
	moved   map[*graph.Tensor]bool // goes into the file, or from outside into the model: false
}

// chunk is elements at their place.
type chunk struct {
	offset int64
	data   []byte
}

// chunkKey identifies elements in memory: tensors that share them share their place.
type chunkKey struct {
	first *byte
	n     int
}

const (
	// pageAlignment is where tensors of a page or more begin, so that they can be
	// mapped in memory by pages.
	pageAlignment = 4096
	// smallAlignment is that of smaller ones, a cache line.
	smallAlignment = 64
)

// gather finds the tensors of a model whose elements are to lie outside.
func (o WriteOptions) gather(m *graph.Model) (*dataFile, error) {
	d := &dataFile{offsets: map[chunkKey]int64{}, moved: map[*graph.Tensor]bool{}}
	if m.Graph == nil {
		return d, nil // the encoder says so
	}
	if o.ExternalThreshold > 0 {
		for g := range m.Graphs() {
			for _, v := range g.Initializers() {
				t := v.Const
				if t == nil || t.DType.Bits() == 0 || !t.Loaded() {
					continue
				}
				if large := int64(len(t.Bytes())) >= o.ExternalThreshold; large || t.Store == graph.ExternalData {
					d.add(t, large)
				}
			}
		}
	}
	for t := range tensors(m) {
		if _, done := d.moved[t]; done || t.Store != graph.ExternalData {
			continue
		}
		if t.External == nil {
			return nil, errors.New("a tensor's data is external but nothing says where")
		}
		if !t.Loaded() {
			return nil, fmt.Errorf("the external data of a %v%v tensor was not loaded: read the model with its folder", t.DType, t.Dims)
		}
		d.add(t, true)
	}
	return d, nil
}

// add gives a tensor a place in the file, or in the model: there too where it is empty.
func (d *dataFile) add(t *graph.Tensor, outside bool) {
	data := t.Bytes()
	d.moved[t] = outside && len(data) > 0
	if !d.moved[t] {
		return
	}
	key := chunkKey{&data[0], len(data)}
	if _, there := d.offsets[key]; there {
		return
	}
	alignment := int64(smallAlignment)
	if len(data) >= pageAlignment {
		alignment = pageAlignment
	}
	at := (d.size() + alignment - 1) / alignment * alignment
	d.offsets[key] = at
	d.chunks = append(d.chunks, chunk{at, data})
}

func (d *dataFile) size() int64 {
	if len(d.chunks) == 0 {
		return 0
	}
	last := d.chunks[len(d.chunks)-1]
	return last.offset + int64(len(last.data))
}

// place names the file and gives the form in which a tensor is written then.
func (d *dataFile) place(name string) func(*graph.Tensor) *graph.Tensor {
	d.name = name
	return func(t *graph.Tensor) *graph.Tensor {
		outside, moved := d.moved[t]
		if !moved {
			return t
		}
		u := *t
		u.Store, u.External = graph.RawData, nil
		if outside {
			data := t.Bytes()
			u.Store = graph.ExternalData
			u.External = &graph.External{Entries: graph.Metadata{
				{Key: "location", Value: name},
				{Key: "offset", Value: strconv.FormatInt(d.offsets[chunkKey{&data[0], len(data)}], 10)},
				{Key: "length", Value: strconv.Itoa(len(data))},
			}}
		}
		return &u
	}
}

// writeTo writes the file, zeros between the chunks.
func (d *dataFile) writeTo(w io.Writer) error {
	end := int64(0)
	for _, c := range d.chunks {
		if _, err := w.Write(make([]byte, c.offset-end)); err != nil {
			return err
		}
		if _, err := w.Write(c.data); err != nil {
			return err
		}
		end = c.offset + int64(len(c.data))
	}
	return nil
}

func (d *dataFile) sum() []byte {
	h := sha256.New()
	_ = d.writeTo(h) // a hash takes everything
	return h.Sum(nil)
}

// isIn reports whether the file of that name, which is no link, holds this data.
func (d *dataFile) isIn(name string) bool {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() != d.size() {
		return false
	}
	f, _, err := regular.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && bytes.Equal(h.Sum(nil), d.sum())
}

// The name of a data file: that of its model, a dot, this many digits of its hash, and
// the ending.
const (
	hashDigits = 16
	dataEnding = ".data"
)

// dataName is the name of the file that holds data of a hash, for a model of a name. A
// location is text, which a file's name need not be.
func dataName(model string, sum []byte) string {
	return strings.ToValidUTF8(model, "_") + "." + hex.EncodeToString(sum)[:hashDigits] + dataEnding
}

// isDataName reports whether dataName gives name for a model.
func isDataName(name, model string) bool {
	hash, ok := strings.CutPrefix(name, strings.ToValidUTF8(model, "_")+".")
	hash, ending := strings.CutSuffix(hash, dataEnding)
	return ok && ending && len(hash) == hashDigits && strings.Trim(hash, "0123456789abcdef") == ""
}

// ownData lists the data files beside a model that WriteFile has named after it, and
// those of them that the model states.
func ownData(model string) (all, used []string) {
	entries, err := os.ReadDir(filepath.Dir(model))
	if err != nil {
		return nil, nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() && isDataName(e.Name(), filepath.Base(model)) {
			all = append(all, e.Name())
		}
	}
	return all, stated(all, model)
}

// dropData removes data files beside a model, which WriteFile has named after it and it no
// longer states: those of its old self, unless another model there states them, and those
// that a process has left which was killed before it wrote its model. The latter are known
// by no file of the folder stating them, of whatever name, as a model that was renamed
// has. What cannot be read or removed stays: it does no harm.
func dropData(model string, all, old []string) {
	dir := filepath.Dir(model)
	all = without(all, stated(all, model))
	if len(all) == 0 {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	orphans := without(all, old)
	old = without(all, orphans)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); isData(e.Name()) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		orphans = without(orphans, stated(orphans, path))
		if strings.EqualFold(filepath.Ext(e.Name()), ".onnx") {
			old = without(old, stated(old, path))
		}
	}
	for _, name := range old {
		removeUnheld(filepath.Join(dir, name), false)
	}
	for _, name := range orphans {
		removeUnheld(filepath.Join(dir, name), true)
	}
}

// without is list but for the names of others.
func without(list, others []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(others, name) })
}

// isData reports whether dataName gives name for some model.
func isData(name string) bool {
	model := strings.TrimSuffix(name, dataEnding)
	return len(model) > hashDigits && isDataName(name, model[:len(model)-hashDigits-1])
}

// stated lists the names that stand somewhere in a file: all of them where it cannot be
// read, and none where there is no such file.
func stated(names []string, path string) []string {
	if len(names) == 0 {
		return nil
	}
	f, info, err := regular.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return slices.Clone(names)
	}
	defer f.Close()
	if info.Size() > maxMessage {
		return nil // no model
	}
	longest := 0
	for _, name := range names {
		longest = max(longest, len(name))
	}
	found := map[string]bool{}
	buf := make([]byte, 0, 1<<20+longest)
	for {
		n, err := io.ReadFull(f, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for _, name := range names {
			found[name] = found[name] || bytes.Contains(buf, []byte(name))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return slices.Clone(names)
		}
		buf = buf[:copy(buf, buf[len(buf)-longest:])] // a name may lie across two pieces
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !found[name] })
}
