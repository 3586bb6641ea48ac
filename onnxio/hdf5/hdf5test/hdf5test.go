// Package hdf5test reads HDF5 files such as package hdf5 writes, for tests: it follows
// addresses from the superblock on, knows nothing of how files are written, and says where
// one is not as the specification has it.
package hdf5test

import (
	"encoding/binary"
	"fmt"
	"math"
)

// An Array is a dataset; one of its lists has the elements.
type Array struct {
	Dims   []int64
	Floats []float32
	Ints   []int64
	Texts  []string
	Filled bool // the elements are not stored
}

// Read gives the datasets of a file by their paths, such as /node/edges, and the groups, as
// nil, by theirs.
func Read(b []byte) (found map[string]*Array, err error) {
	r := &reader{b: b, found: map[string]*Array{}}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("hdf5test: %v", p)
		}
	}()
	r.superblock()
	return r.found, nil
}

// reader reads a file; what is wrong is a panic, which Read makes an error.
type reader struct {
	b     []byte
	found map[string]*Array
}

const undefined = math.MaxUint64

func (r *reader) u16(at uint64) uint64 { return uint64(binary.LittleEndian.Uint16(r.b[at:])) }
func (r *reader) u32(at uint64) uint64 { return uint64(binary.LittleEndian.Uint32(r.b[at:])) }
func (r *reader) u64(at uint64) uint64 { return binary.LittleEndian.Uint64(r.b[at:]) }

func (r *reader) want(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Sprintf(format, args...))
	}
}

func (r *reader) signed(at uint64, sign string) {
	r.want(string(r.b[at:at+uint64(len(sign))]) == sign, "%q at %d, want %q", r.b[at:at+4], at, sign)
}

func (r *reader) superblock() {
	r.signed(0, "\x89HDF\r\n\x1a\n")
	r.want(r.b[8] == 0 && r.b[13] == 8 && r.b[14] == 8, "superblock of version %d, offsets of %d bytes", r.b[8], r.b[13])
	r.want(r.u64(40) == uint64(len(r.b)), "the file ends at %d, want %d", len(r.b), r.u64(40))
	r.want(r.u32(72) == 1, "the root is cached as %d", r.u32(72))
	tree, heap := r.group(r.u64(64), "")
	r.want(tree == r.u64(80) && heap == r.u64(88), "the root has other addresses in the superblock")
}

// messages gives those of an object header by their kinds.
func (r *reader) messages(at uint64) map[uint64][]byte {
	r.want(r.b[at] == 1, "object header of version %d at %d", r.b[at], at)
	all := map[uint64][]byte{}
	p := at + 16
	for range r.u16(at + 2) {
		size := r.u16(p + 2)
		r.want(size%8 == 0, "a message of %d bytes at %d", size, p)
		all[r.u16(p)] = r.b[p+8 : p+8+size]
		p += 8 + size
	}
	r.want(p-at-16 == r.u32(at+8), "object header of %d bytes at %d, want %d", p-at-16, at, r.u32(at+8))
	return all
}

func (r *reader) group(at uint64, path string) (tree, heap uint64) {
	r.found[path+"/"] = nil
	m := r.messages(at)[0x11]
	tree, heap = binary.LittleEndian.Uint64(m), binary.LittleEndian.Uint64(m[8:])
	r.signed(heap, "HEAP")
	data := r.u64(heap + 24)
	r.want(data+r.u64(heap+8) <= uint64(len(r.b)), "the heap at %d ends behind the file", heap)
	name := func(offset uint64) string {
		r.want(offset < r.u64(heap+8), "a name outside of the heap at %d", heap)
		end := data + offset
		for r.b[end] != 0 {
			end++
		}
		return string(r.b[data+offset : end])
	}
	last := ""
	r.tree(tree, -1, name, func(link string, header uint64) {
		r.want(last < link, "the name %q behind %q", link, last)
		last = link
		r.object(header, path+"/"+link)
	})
	return tree, heap
}

// tree visits the names below a node of a B-tree of a level, or of any where that is negative, and
// gives the least and the greatest that its keys allow.
func (r *reader) tree(at uint64, level int, name func(uint64) string, visit func(string, uint64)) (low, high string) {
	r.signed(at, "TREE")
	r.want(level < 0 || int(r.b[at+5]) == level, "level %d at %d, want %d", r.b[at+5], at, level)
	low = name(r.u64(at + 24))
	high = low
	for i := range r.u16(at + 6) {
		child, least := r.u64(at+32+16*i), high
		high = name(r.u64(at + 40 + 16*i))
		within := func(link string, header uint64) {
			r.want(least < link && link <= high, "the name %q between the keys %q and %q", link, least, high)
			visit(link, header)
		}
		if r.b[at+5] > 0 {
			a, b := r.tree(child, int(r.b[at+5])-1, name, within)
			r.want(a == least && b == high, "keys %q and %q below %q and %q", a, b, least, high)
			continue
		}
		r.signed(child, "SNOD")
		for k := range r.u16(child + 6) {
			within(name(r.u64(child+8+40*k)), r.u64(child+16+40*k))
		}
	}
	return low, high
}

func (r *reader) object(at uint64, path string) {
	m := r.messages(at)
	if m[0x11] != nil {
		r.group(at, path)
		return
	}
	space, kind, fill, layout := m[1], m[3], m[5], m[8]
	a := &Array{Dims: []int64{}}
	n := 1
	for i := range int(space[1]) {
		d := binary.LittleEndian.Uint64(space[8+8*i:])
		a.Dims, n = append(a.Dims, int64(d)), n*int(d)
	}
	r.want(layout[0] == 3 && layout[1] == 1, "%s is laid out as %v", path, layout[:2])
	data, size := binary.LittleEndian.Uint64(layout[2:]), binary.LittleEndian.Uint64(layout[10:])
	width := uint64(binary.LittleEndian.Uint32(kind[4:]))
	r.want(size == uint64(n)*width, "%s has %d bytes, want %d of %d", path, size, n, width)
	element := make([]byte, width)
	if data == undefined && n > 0 {
		a.Filled = true
		if binary.LittleEndian.Uint32(fill[4:]) > 0 {
			copy(element, fill[8:])
		}
	}
	for i := range n {
		at := data + uint64(i)*width
		if !a.Filled {
			element = r.b[at : at+width]
		}
		switch kind[0] {
		case 0x11:
			a.Floats = append(a.Floats, math.Float32frombits(binary.LittleEndian.Uint32(element)))
		case 0x10:
			a.Ints = append(a.Ints, int64(binary.LittleEndian.Uint64(element)))
		case 0x19:
			a.Texts = append(a.Texts, r.text(element))
		default:
			panic(fmt.Sprintf("%s is of class %#x", path, kind[0]))
		}
	}
	r.found[path] = a
}

// text is what a dataset refers to on the global heap.
func (r *reader) text(ref []byte) string {
	n, at, index := uint64(binary.LittleEndian.Uint32(ref)), binary.LittleEndian.Uint64(ref[4:]), uint64(binary.LittleEndian.Uint32(ref[12:]))
	if n == 0 {
		return ""
	}
	r.signed(at, "GCOL")
	end := at + r.u64(at+8)
	for p := at + 16; p < end; {
		size := r.u64(p + 8)
		switch r.u16(p) {
		case index:
			r.want(size == n, "text %d at %d has %d bytes, want %d", index, at, size, n)
			return string(r.b[p+16 : p+16+size])
		case 0:
			r.want(p+size == end, "what is free ends at %d, want %d", p+size, end)
		}
		p += 16 + (size+7)/8*8
	}
	panic(fmt.Sprintf("no text %d at %d", index, at))
}
