package hdf5

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The names and sizes of this file are those of the HDF5 File Format Specification, version
// 1.1: "II.A. Disk Format: Level 0A - Format Signature and Superblock" and what follows it.
const (
	superblockSize = 96
	undefined      = math.MaxUint64 // an address of nothing

	leafK     = 4  // a symbol table node has up to 2*leafK names
	internalK = 16 // a node of a B-tree has up to 2*internalK children
)

var (
	u16 = binary.LittleEndian.AppendUint16
	u32 = binary.LittleEndian.AppendUint32
	u64 = binary.LittleEndian.AppendUint64
)

// superblock is that of version 0; the group at root is the root.
func superblock(root table, end uint64) []byte {
	b := []byte("\x89HDF\r\n\x1a\n")
	b = append(b, 0, 0, 0, 0, 0, 8, 8, 0) // versions; bytes of offsets and lengths
	b = u16(u16(b, leafK), internalK)
	b = u32(b, 0)
	b = u64(u64(u64(u64(b, 0), undefined), end), undefined)
	b = u64(u64(b, 0), root.header)
	b = u32(u32(b, 1), 0) // the entry holds the addresses of tree and heap, which follow
	return u64(u64(b, root.tree), root.heap)
}

// table is where the parts of a group are.
type table struct{ header, tree, heap uint64 }

// entry is a name of a group and the object header that it leads to.
type entry struct {
	name   uint64 // its place in the heap
	header uint64
}

// group writes a group behind what is in it. Path is its name for errors.
func (f *file) group(g *Group, path string) (t table, err error) {
	var entries []entry
	heap := make([]byte, 8) // the empty name, which is the least
	for _, name := range g.names() {
		if name == "" || name == "." || strings.ContainsAny(name, "/\x00") {
			return t, fmt.Errorf("%s/: the name %q cannot be written, want one without slashes and zeros", path, name)
		}
		e := entry{name: uint64(len(heap))}
		heap = padded(append(append(heap, name...), 0))
		switch m := g.members[name].(type) {
		case *Group:
			sub, err := f.group(m, path+"/"+name)
			if err != nil {
				return t, err
			}
			e.header = sub.header
		case Dataset:
			if err := m.check(); err != nil {
				return t, fmt.Errorf("%s/%s: %w", path, name, err)
			}
			e.header = f.dataset(m)
		}
		entries = append(entries, e)
	}
	t.tree = f.tree(entries)
	data := f.put(heap)
	// 1 says that no part of the heap is free.
	t.heap = f.put(u64(u64(u64(append([]byte("HEAP"), 0, 0, 0, 0), uint64(len(heap))), 1), data))
	t.header = f.put(header(message{0x11, u64(u64(nil, t.tree), t.heap)}))
	return t, nil
}

// node is a node of a B-tree, or a symbol table node below it, and the greatest name in it.
type node struct{ at, last uint64 }

// tree writes the B-tree over the names of a group and gives its root.
func (f *file) tree(entries []entry) uint64 {
	var nodes []node
	for len(entries) > 0 {
		n := min(len(entries), 2*leafK)
		nodes = append(nodes, node{f.symbols(entries[:n]), entries[n-1].name})
		entries = entries[n:]
	}
	for level := byte(0); ; level++ {
		nodes = f.level(level, nodes)
		if len(nodes) == 1 {
			return nodes[0].at
		}
	}
}

// symbols writes a symbol table node.
func (f *file) symbols(entries []entry) uint64 {
	b := u16(append([]byte("SNOD"), 1, 0), uint16(len(entries)))
	for _, e := range entries {
		b = append(u64(u64(b, e.name), e.header), make([]byte, 24)...)
	}
	return f.put(append(b, make([]byte, (2*leafK-len(entries))*40)...))
}

// level writes the nodes of a B-tree above others.
func (f *file) level(level byte, below []node) []node {
	const size = 24 + 2*internalK*8 + (2*internalK+1)*8
	count := max(1, (len(below)+2*internalK-1)/(2*internalK))
	var made []node
	before := uint64(0) // the greatest name to the left: of none, the empty one
	for i := range count {
		some := below[:min(len(below), 2*internalK)]
		below = below[len(some):]
		left, right := f.end-size, f.end+size
		if i == 0 {
			left = undefined
		}
		if i == count-1 {
			right = undefined
		}
		b := u16(append([]byte("TREE"), 0, level), uint16(len(some)))
		b = u64(u64(b, left), right)
		b = u64(b, before)
		for _, n := range some {
			b = u64(u64(b, n.at), n.last)
			before = n.last
		}
		made = append(made, node{f.put(append(b, make([]byte, size-len(b))...)), before})
	}
	return made
}

// message is one of an object header.
type message struct {
	kind uint16
	data []byte
}

// header is an object header of version 1.
func header(list ...message) []byte {
	var body []byte
	for _, m := range list {
		data := padded(m.data)
		body = append(u16(u16(body, m.kind), uint16(len(data))), 0, 0, 0, 0)
		body = append(body, data...)
	}
	b := u16([]byte{1, 0}, uint16(len(list)))
	b = u32(u32(b, 1), uint32(len(body))) // one link leads here
	return append(append(b, 0, 0, 0, 0), body...)
}

// dataset writes the elements of a dataset and the object header that describes them.
func (f *file) dataset(d Dataset) uint64 {
	at, size := uint64(undefined), uint64(d.count()*sizes[d.kind])
	switch {
	case d.fill != nil || size == 0:
	case d.kind == float:
		at = f.append(block{f32: d.f32}, (size+7)/8*8)
	case d.kind == integer:
		at = f.append(block{i64: d.i64}, size)
	default:
		at = f.put(slices.Clip(f.refs[:size]))
		f.refs = f.refs[size:]
	}
	space := append([]byte{1, byte(len(d.dims)), 0, 0}, 0, 0, 0, 0)
	for _, k := range d.dims {
		space = u64(space, uint64(k))
	}
	fill := []byte{2, 2, 2, 1} // storage late, filled where it is set, which it is
	if d.fill != nil {
		fill = u32(u32(fill, 4), math.Float32bits(*d.fill))
	} else {
		fill = u32(fill, 0)
	}
	layout := u64(u64([]byte{3, 1}, at), size)
	return f.put(header(message{1, space}, message{3, types[d.kind]}, message{5, fill}, message{8, layout}))
}

// types are the datatype messages: IEEE float32, int64, and text of any length in UTF-8, whose
// parts are unsigned bytes. All are little-endian.
var types = [...][]byte{
	float:   {0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0},
	integer: {0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0},
	text:    {0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0},
}

// The global heap has collections of at least heapSize bytes, and up to heapMost objects
// in each.
const (
	heapSize = 4096
	heapMost = 1 << 15
)

// texts puts texts on the global heap and gives what stands for them in datasets.
func (f *file) texts(list []string) []byte {
	var refs []byte
	for len(list) > 0 {
		some := list[:min(len(list), heapMost)]
		list = list[len(some):]
		var objects []byte
		for i, s := range some {
			if s == "" { // which is no object
				refs = append(refs, make([]byte, sizes[text])...)
				continue
			}
			refs = u32(u64(u32(refs, uint32(len(s))), f.end), uint32(i+1))
			objects = u32(u16(u16(objects, uint16(i+1)), 1), 0)
			objects = padded(append(u64(objects, uint64(len(s))), s...))
		}
		const head = 16
		size := max(heapSize, (head+len(objects)+head+7)/8*8)
		b := u64(append([]byte("GCOL"), 1, 0, 0, 0), uint64(size))
		b = append(b, objects...)
		free := size - len(b)
		b = u64(u32(u16(u16(b, 0), 0), 0), uint64(free)) // the object 0 is what is free
		f.put(append(b, make([]byte, size-len(b))...))
	}
	return refs
}
