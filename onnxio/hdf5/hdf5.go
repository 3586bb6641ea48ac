// Package hdf5 writes HDF5 files: groups, and datasets of float32, int64 and text, which
// lie in one piece and are not compressed. Files are of the oldest version of the format
// (superblock 0, symbol tables), which every reader knows and h5py writes too, and hold no
// times: the same content gives the same bytes.
//
// Numbers that are all the same take no place: HDF5 lets a dataset without storage state
// one number that stands for all. So the parameters of a million neurons take no more
// than those of one.
package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A Group holds groups and datasets by their names. The zero Group is empty.
type Group struct{ members map[string]any }

// Group adds an empty group of that name and gives it.
func (g *Group) Group(name string) *Group {
	sub := &Group{}
	g.set(name, sub)
	return sub
}

// Set adds a dataset of that name, in the place of what had it before.
func (g *Group) Set(name string, d Dataset) { g.set(name, d) }

func (g *Group) set(name string, member any) {
	if g.members == nil {
		g.members = map[string]any{}
	}
	g.members[name] = member
}

// names lists the members in the order that symbol tables demand: by bytes.
func (g *Group) names() []string {
	list := make([]string, 0, len(g.members))
	for name := range g.members {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// A Dataset is an array in row-major order; without dimensions it is a single element.
type Dataset struct {
	dims []int64
	kind kind
	f32  []float32
	i64  []int64
	text []string
	fill *float32 // stands for all elements, of which none is stored
}

type kind uint8

const (
	float kind = iota
	integer
	text
)

// sizes are the bytes of an element; that of a text is where it is found.
var sizes = [...]int64{float: 4, integer: 8, text: 16}

// Floats is an array of float32.
func Floats(dims []int64, elems []float32) Dataset {
	return Dataset{dims: dims, kind: float, f32: elems}
}

// Filled is an array of float32 that are all x, and takes no place.
func Filled(dims []int64, x float32) Dataset { return Dataset{dims: dims, kind: float, fill: &x} }

// Ints is an array of int64.
func Ints(dims []int64, elems ...int64) Dataset {
	return Dataset{dims: dims, kind: integer, i64: elems}
}

// Strings is an array of texts in UTF-8, which have no zero bytes.
func Strings(dims []int64, elems ...string) Dataset {
	return Dataset{dims: dims, kind: text, text: elems}
}

// Dims are the dimensions, none of a single element.
func (d Dataset) Dims() []int64 { return d.dims }

// maxRank is the most dimensions that HDF5 knows.
const maxRank = 32

// check finds what cannot be written.
func (d Dataset) check() error {
	n := int64(1)
	for _, k := range d.dims {
		if k < 0 || k > 0 && n > math.MaxInt64/16/k {
			return fmt.Errorf("dimensions %v, want numbers of 0 and more that can be stored", d.dims)
		}
		n *= k
	}
	have := int64(len(d.f32) + len(d.i64) + len(d.text))
	switch {
	case len(d.dims) > maxRank:
		return fmt.Errorf("%d dimensions, want %d at most", len(d.dims), maxRank)
	case d.fill == nil && have != n:
		return fmt.Errorf("%d elements of dimensions %v, want %d", have, d.dims, n)
	}
	for _, s := range d.text {
		if strings.IndexByte(s, 0) >= 0 {
			return fmt.Errorf("text %q has a zero byte, where HDF5 ends it", s)
		}
	}
	return nil
}

// count is the number of elements.
func (d Dataset) count() int64 {
	n := int64(1)
	for _, k := range d.dims {
		n *= k
	}
	return n
}

// Write writes a file with what is in root. A name with a slash or a zero byte, or an array
// whose number of elements is not that of its dimensions, is an error that names it.
func Write(w io.Writer, root *Group) error {
	f := &file{end: superblockSize}
	f.refs = f.texts(root.texts())
	at, err := f.group(root, "")
	if err != nil {
		return fmt.Errorf("hdf5: %w", err)
	}
	if _, err := w.Write(superblock(at, f.end)); err != nil {
		return err
	}
	for _, b := range f.blocks {
		if err := b.write(w); err != nil {
			return err
		}
	}
	return nil
}

// texts lists those of all datasets, in the order in which these are written.
func (g *Group) texts() []string {
	var list []string
	for _, name := range g.names() {
		switch m := g.members[name].(type) {
		case *Group:
			list = append(list, m.texts()...)
		case Dataset:
			list = append(list, m.text...)
		}
	}
	return list
}

// file is what follows the superblock, piece by piece.
type file struct {
	blocks []block
	end    uint64
	refs   []byte // what stands for the texts of datasets that are not written yet
}

// block is bytes, or the numbers of a dataset.
type block struct {
	bytes []byte
	f32   []float32
	i64   []int64
}

// put appends bytes, made a multiple of 8, and gives their address.
func (f *file) put(b []byte) uint64 {
	return f.append(block{bytes: padded(b)}, uint64(len(b)+7)/8*8)
}

func (f *file) append(b block, size uint64) uint64 {
	at := f.end
	f.blocks = append(f.blocks, b)
	f.end += size
	return at
}

// chunk is how many numbers are brought to bytes at once.
const chunk = 1 << 13

func (b block) write(w io.Writer) error {
	if b.bytes != nil {
		_, err := w.Write(b.bytes)
		return err
	}
	var out []byte
	n := 0
	for list := range slices.Chunk(b.f32, chunk) {
		out = out[:0]
		for _, x := range list {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
		n += len(out)
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	for list := range slices.Chunk(b.i64, chunk) {
		out = out[:0]
		for _, x := range list {
			out = binary.LittleEndian.AppendUint64(out, uint64(x))
		}
		n += len(out)
		if _, err := w.Write(out); err != nil {
			return err
		}
	}
	_, err := w.Write(make([]byte, (8-n%8)%8))
	return err
}

// padded appends zeros up to a multiple of 8.
func padded(b []byte) []byte { return append(b, make([]byte, (8-len(b)%8)%8)...) }
