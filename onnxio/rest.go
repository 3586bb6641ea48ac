package onnxio

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fields tells which fields of a message the IR carries, as sets of field
// numbers. Those in full are carried with their presence; those in nonzero
// only where they differ from their default, so that a default that is present
// in the file counts as not modelled.
type fields struct{ full, nonzero uint64 }

func set(numbers ...protoreflect.FieldNumber) (s uint64) {
	for _, n := range numbers {
		s |= 1 << n
	}
	return s
}

// without is f with the given numbers carried in no form.
func (f fields) without(numbers ...protoreflect.FieldNumber) fields {
	s := set(numbers...)
	return fields{f.full &^ s, f.nonzero &^ s}
}

// rest gives the wire bytes of everything in m that the IR does not carry, nil
// when it carries all.
func (f fields) rest(m proto.Message) ([]byte, error) {
	src := m.ProtoReflect()
	var left protoreflect.Message
	src.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		bit := set(fd.Number())
		if f.full&bit != 0 || f.nonzero&bit != 0 && !isZero(fd, v) {
			return true
		}
		if left == nil {
			left = src.New()
		}
		left.Set(fd, v)
		return true
	})
	if left == nil {
		return clone(src.GetUnknown()), nil
	}
	left.SetUnknown(src.GetUnknown())
	return marshal(left.Interface())
}

func isZero(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return v.String() == ""
	case protoreflect.BytesKind:
		return len(v.Bytes()) == 0
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return v.Int() == 0
	case protoreflect.EnumKind:
		return v.Enum() == 0
	}
	return false
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }

// merge brings wire bytes kept by the reader back into m. It is done first, so
// that what the IR says now prevails.
func merge(kept []byte, m proto.Message) error {
	if len(kept) == 0 {
		return nil
	}
	if err := (proto.UnmarshalOptions{Merge: true}).Unmarshal(kept, m); err != nil {
		return fmt.Errorf("kept bytes of unknown fields are damaged: %w", err)
	}
	return nil
}

func field(b []byte, n protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), content)
}

// marshalOptions writes fields by number: protobuf-go does so for messages without
// extensions, of which there are none here.
var marshalOptions = proto.MarshalOptions{Deterministic: true, AllowPartial: true}

func marshal(m proto.Message) ([]byte, error) { return marshalOptions.Marshal(m) }
