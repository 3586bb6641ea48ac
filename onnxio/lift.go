package onnxio

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"spikingir/onnxio/onnxpb"
)

// Large elements are not copied out of a file that was read: tensors hold the bytes where
// they lie. As protobuf copies every field, the file is taken apart first: a lifter writes
// down where elements lie, and leaves a short mark in their place in a copy of the rest,
// which protobuf then reads.

// liftSize is the number of bytes from which on elements are not copied; tests lower it. A
// mark takes less.
var liftSize = 4096

// markField is the field of a TensorProto that stands for lifted elements, and holds their
// index. The largest number that there is will not become ONNX's.
const markField = protowire.MaxValidNumber

// The fields of TensorProto of which the wire form is the raw form of the elements.
const (
	floatField  = 4
	rawField    = 9
	doubleField = 10
)

// lifted is the elements of a tensor and the field that they are of.
type lifted struct {
	field protowire.Number
	data  []byte
}

// holder is a kind of message that holds tensors, or is one.
type holder uint8

const (
	inModel holder = iota
	inGraph
	inNode
	inFunction
	inAttribute
	inSparse
	tensorItself
)

// holds tells which fields of a message hold tensors. The decoder carries all of them.
var holds = [...]map[protowire.Number]holder{
	inModel:     {7: inGraph, 25: inFunction},
	inGraph:     {1: inNode, 5: tensorItself, 15: inSparse},
	inNode:      {5: inAttribute},
	inFunction:  {7: inNode, 11: inAttribute},
	inAttribute: {5: tensorItself, 6: inGraph, 10: tensorItself, 11: inGraph, 22: inSparse, 23: inSparse},
	inSparse:    {1: tensorItself, 2: tensorItself},
}

// lifter takes the large elements out of a file.
type lifter struct {
	table   []lifted
	damaged bool // it is not the wire format: protobuf says where
}

// next is the field that b begins with: its number and type, the lengths of its tag and of its
// value. Where b begins with none the file is damaged.
func (l *lifter) next(b []byte) (num protowire.Number, typ protowire.Type, tag, size int) {
	num, typ, tag = protowire.ConsumeTag(b)
	size = -1
	if tag > 0 {
		size = protowire.ConsumeFieldValue(num, typ, b[tag:])
	}
	l.damaged = l.damaged || size < 0
	return num, typ, tag, size
}

// cut is the message b without the large elements in it: b itself where there are none.
func (l *lifter) cut(b []byte, h holder, depth int) []byte {
	if h == tensorItself {
		return l.tensor(b)
	}
	var out []byte
	done := 0 // so much of b is in out
	for at := 0; at < len(b); {
		num, typ, n, size := l.next(b[at:])
		if l.damaged {
			return b
		}
		inner, ok := holds[h][num]
		if ok && typ == protowire.BytesType && size >= liftSize && depth < 3*maxDepth {
			content, _ := protowire.ConsumeBytes(b[at+n:])
			if less := l.cut(content, inner, depth+1); len(less) < len(content) {
				out = field(append(out, b[done:at]...), num, less)
				done = at + n + size
			}
		}
		at += n + size
	}
	if done == 0 {
		return b
	}
	return append(out, b[done:]...)
}

// tensor cuts the elements out of a tensor, where they are in one field that is there once.
func (l *lifter) tensor(b []byte) []byte {
	var found lifted
	fields, from, to := 0, 0, 0
	for at := 0; at < len(b); {
		num, typ, n, size := l.next(b[at:])
		if l.damaged {
			return b
		}
		switch num {
		case markField:
			return b
		case floatField, rawField, doubleField:
			fields++
			if typ == protowire.BytesType {
				content, _ := protowire.ConsumeBytes(b[at+n:])
				found, from, to = lifted{num, content}, at, at+n+size
			}
		}
		at += n + size
	}
	if fields != 1 || len(found.data) < liftSize || len(found.data)%found.width() != 0 {
		return b
	}
	out := append([]byte(nil), b[:from]...)
	out = protowire.AppendTag(out, markField, protowire.VarintType)
	out = protowire.AppendVarint(out, uint64(len(l.table)))
	l.table = append(l.table, found)
	return append(out, b[to:]...)
}

// width is the size of one number of the field.
func (f lifted) width() int {
	switch f.field {
	case floatField:
		return 4
	case doubleField:
		return 8
	}
	return 1
}

// name is the field's.
func (f lifted) name() string {
	switch f.field {
	case floatField:
		return "float_data"
	case doubleField:
		return "double_data"
	}
	return "raw_data"
}

// restorer puts lifted elements back behind protobuf.
type restorer struct {
	table []lifted
	taken []bool
	typed map[*onnxpb.TensorProto]lifted // those of other fields than raw_data
	inner bool                           // of an attribute: it may be kept as it is, not decoded
	odd   bool                           // the marks are not those that were left
}

// restore gives the tensors of a model their lifted elements: raw ones as their raw_data,
// others in the map. It reports whether every mark was found in its place, once. Else the
// file has such a field itself, or a tensor in two parts that protobuf joins.
func (l *lifter) restore(p *onnxpb.ModelProto) (typed map[*onnxpb.TensorProto]lifted, ok bool) {
	r := &restorer{table: l.table, taken: make([]bool, len(l.table)), typed: map[*onnxpb.TensorProto]lifted{}}
	r.graph(p.Graph)
	for _, f := range p.Functions {
		r.nodes(f.Node)
		r.attributes(f.AttributeProto)
	}
	for _, taken := range r.taken {
		r.odd = r.odd || !taken
	}
	return r.typed, !r.odd
}

func (r *restorer) graph(p *onnxpb.GraphProto) {
	if p == nil {
		return
	}
	r.nodes(p.Node)
	for _, t := range p.Initializer {
		r.tensor(t)
	}
	for _, s := range p.SparseInitializer {
		r.sparse(s)
	}
}

func (r *restorer) nodes(list []*onnxpb.NodeProto) {
	for _, n := range list {
		r.attributes(n.Attribute)
	}
}

func (r *restorer) attributes(list []*onnxpb.AttributeProto) {
	before := r.inner
	r.inner = true
	defer func() { r.inner = before }()
	for _, a := range list {
		r.tensor(a.T)
		r.graph(a.G)
		r.sparse(a.SparseTensor)
		for _, t := range a.Tensors {
			r.tensor(t)
		}
		for _, g := range a.Graphs {
			r.graph(g)
		}
		for _, s := range a.SparseTensors {
			r.sparse(s)
		}
	}
}

func (r *restorer) sparse(p *onnxpb.SparseTensorProto) {
	if p != nil {
		r.tensor(p.Values)
		r.tensor(p.Indices)
	}
}

func (r *restorer) tensor(p *onnxpb.TensorProto) {
	if p == nil || len(p.ProtoReflect().GetUnknown()) == 0 {
		return
	}
	var rest []byte
	marks := 0
	for b := []byte(p.ProtoReflect().GetUnknown()); len(b) > 0; {
		num, _, n := protowire.ConsumeField(b)
		if n < 0 {
			r.odd = true
			return
		}
		if num != markField {
			rest = append(rest, b[:n]...)
			b = b[n:]
			continue
		}
		_, typ, tag := protowire.ConsumeTag(b)
		i, size := protowire.ConsumeVarint(b[tag:])
		if marks++; typ != protowire.VarintType || size < 0 || i >= uint64(len(r.table)) || r.taken[i] || marks > 1 {
			r.odd = true
			return
		}
		r.taken[i] = true
		r.put(p, r.table[i])
		b = b[n:]
	}
	p.ProtoReflect().SetUnknown(rest)
}

func (r *restorer) put(p *onnxpb.TensorProto, x lifted) {
	r.odd = r.odd || len(dataFields(p)) > 0
	x.data = x.data[:len(x.data):len(x.data)]
	switch {
	case x.field == rawField:
		p.RawData = x.data
	case r.inner:
		x.copyTo(p)
	default:
		r.typed[p] = x
	}
}

// copyTo gives p the elements as protobuf would.
func (f lifted) copyTo(p *onnxpb.TensorProto) {
	switch f.field {
	case floatField:
		p.FloatData = unpack(f.data, 4, func(n uint64) float32 { return math.Float32frombits(uint32(n)) })
	case doubleField:
		p.DoubleData = unpack(f.data, 8, math.Float64frombits)
	case rawField:
		p.RawData = f.data
	}
}
