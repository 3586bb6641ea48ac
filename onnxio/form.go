package onnxio

import (
	"bufio"
	"io"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// form is a model as messages without the elements of large tensors. It is written as
// [marshal] would write it with them, and nothing as large as the model is made.
type form struct {
	root   *onnxpb.ModelProto
	lifted map[*onnxpb.TensorProto]lifted
	parts  map[proto.Message]bool // messages that hold a lifted tensor, or are one
	sizes  map[proto.Message]int
}

func newForm() *form {
	return &form{lifted: map[*onnxpb.TensorProto]lifted{}, parts: map[proto.Message]bool{}, sizes: map[proto.Message]int{}}
}

// lift keeps large elements of t out of its message p, and reports whether it did.
func (f *form) lift(t *graph.Tensor, p *onnxpb.TensorProto) bool {
	x := lifted{rawField, t.Bytes()}
	if t.Store == graph.TypedData {
		switch typedFieldOf(t.DType).name {
		case "float_data":
			x.field = floatField
		case "double_data":
			x.field = doubleField
		default:
			return false
		}
	}
	if t.Store == graph.ExternalData || len(x.data) < liftSize || len(dataFields(p)) > 0 {
		return false
	}
	f.lifted[p] = x
	f.parts[p] = true
	return true
}

// holding notes that p holds what is lifted until the function that it gives is called.
func (f *form) holding(p proto.Message) (done func()) {
	before := len(f.lifted)
	return func() {
		if len(f.lifted) > before {
			f.parts[p] = true
		}
	}
}

// writeTo writes the model.
func (f *form) writeTo(w io.Writer) error {
	out := &formWriter{form: f, w: bufio.NewWriterSize(w, 1<<16)}
	if err := out.message(f.root); err != nil {
		return err
	}
	return out.w.Flush()
}

// size is that of the wire form of m.
func (f *form) size(m proto.Message) int {
	if !f.parts[m] {
		return proto.Size(m)
	}
	if n, ok := f.sizes[m]; ok {
		return n
	}
	n := 0
	for _, x := range f.fields(m) {
		switch {
		case x.inner != nil:
			n += protowire.SizeTag(x.number) + protowire.SizeBytes(f.size(x.inner))
		case x.data != nil:
			n += protowire.SizeTag(x.number) + protowire.SizeBytes(len(x.data))
		default:
			n += proto.Size(x.rest)
		}
	}
	f.sizes[m] = n
	return n
}

// piece is a field of a message in parts: another message, lifted elements, or the field
// alone in a message of its own.
type piece struct {
	number protowire.Number
	inner  proto.Message
	data   []byte
	rest   proto.Message
}

// fields is what a message in parts consists of, in the order in which it is written.
func (f *form) fields(m proto.Message) []piece {
	var list []piece
	src := m.ProtoReflect()
	src.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() != nil && fd.IsList():
			for i := range v.List().Len() {
				list = append(list, piece{number: fd.Number(), inner: v.List().Get(i).Message().Interface()})
			}
		case fd.Message() != nil:
			list = append(list, piece{number: fd.Number(), inner: v.Message().Interface()})
		default:
			rest := src.New()
			rest.Set(fd, v)
			list = append(list, piece{number: fd.Number(), rest: rest.Interface()})
		}
		return true
	})
	if t, ok := m.(*onnxpb.TensorProto); ok {
		list = append(list, piece{number: f.lifted[t].field, data: f.lifted[t].data})
	}
	slices.SortStableFunc(list, func(a, b piece) int { return int(a.number - b.number) })
	if unknown := src.GetUnknown(); len(unknown) > 0 {
		rest := src.New()
		rest.SetUnknown(unknown)
		list = append(list, piece{number: math.MaxInt32, rest: rest.Interface()})
	}
	return list
}

// formWriter writes a form.
type formWriter struct {
	*form
	w   *bufio.Writer
	buf []byte
}

func (o *formWriter) message(m proto.Message) error {
	if !o.parts[m] {
		var err error
		if o.buf, err = marshalOptions.MarshalAppend(o.buf[:0], m); err != nil {
			return err
		}
		_, err = o.w.Write(o.buf)
		return err
	}
	for _, x := range o.fields(m) {
		if err := o.piece(x); err != nil {
			return err
		}
	}
	return nil
}

func (o *formWriter) piece(x piece) error {
	switch {
	case x.inner != nil:
		if err := o.header(x.number, o.size(x.inner)); err != nil {
			return err
		}
		return o.message(x.inner)
	case x.data != nil:
		if err := o.header(x.number, len(x.data)); err != nil {
			return err
		}
		_, err := o.w.Write(x.data)
		return err
	}
	return o.message(x.rest)
}

func (o *formWriter) header(n protowire.Number, size int) error {
	o.buf = protowire.AppendVarint(protowire.AppendTag(o.buf[:0], n, protowire.BytesType), uint64(size))
	_, err := o.w.Write(o.buf)
	return err
}
