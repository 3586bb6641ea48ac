package onnxio

import (
	"bytes"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"spikingir/onnxio/onnxpb"
)

// formats are the beginnings of files that people take for ONNX models.
var formats = []struct{ magic, what string }{
	{"PK\x03\x04", "a zip archive, as PyTorch writes checkpoints: export it with torch.onnx"},
	{"\x80\x02", "a Python pickle: export the model with torch.onnx"},
	{"\x80\x04", "a Python pickle: export the model with torch.onnx"},
	{"\x89HDF", "an HDF5 file: convert it with tf2onnx"},
	{"\x1f\x8b", "a gzip file: unpack it first"},
	{"version https://git-lfs", "a Git LFS pointer: fetch the file with git lfs pull"},
	{"<ir_version", "ONNX in textual syntax"},
	{"<!DOCTYPE", "an HTML page: the download went wrong"},
	{"<html", "an HTML page: the download went wrong"},
	{"{", "JSON"},
	{"\x89PNG", "a PNG image"},
	{"ORTM", "an ONNX Runtime file (ORT format)"},
}

func knownFormat(data []byte) error {
	for _, f := range formats {
		if bytes.HasPrefix(data, []byte(f.magic)) ||
			len(data) >= 8 && f.magic == "ORTM" && string(data[4:8]) == f.magic {
			return fmt.Errorf("not an ONNX model but %s", f.what)
		}
	}
	return nil
}

// diagnose finds out why data is no model: the place of the damage and what
// the file may be instead. cause is protobuf's own complaint.
func diagnose(data []byte, cause error) (offset int64, err error) {
	if err := knownFormat(data); err != nil {
		return -1, err
	}
	s := &scanner{}
	md := (&onnxpb.ModelProto{}).ProtoReflect().Descriptor()
	s.message(data, 0, md, 0)
	switch {
	case s.err == nil:
		return -1, fmt.Errorf("not an ONNX model: %w", cause)
	case s.truncated:
		return s.offset, fmt.Errorf("the file is truncated: %w", s.err)
	case s.offset == 0:
		return -1, errors.New("not an ONNX model: the file is not protobuf")
	}
	return s.offset, fmt.Errorf("not an ONNX model, or damaged: %w", s.err)
}

// explain adds what the file may be when it is protobuf by accident.
func explain(data []byte, p *onnxpb.ModelProto, err error) error {
	if p.Graph != nil {
		return err
	}
	if known := knownFormat(data); known != nil {
		return known
	}
	return err
}

// scanner walks wire format along a descriptor up to the first damage.
type scanner struct {
	offset    int64
	truncated bool // a field of the model ends after the file
	err       error
}

// message scans the bytes of one message that start at base in the file.
func (s *scanner) message(b []byte, base int64, md protoreflect.MessageDescriptor, depth int) {
	if depth > 3*maxDepth {
		s.fail(base, false, fmt.Errorf("messages are nested deeper than %d", depth))
	}
	for at := 0; at < len(b) && s.err == nil; {
		num, typ, n := protowire.ConsumeTag(b[at:])
		if n < 0 {
			s.fail(base+int64(at), false, errors.New("not a field"))
			return
		}
		fd := md.Fields().ByNumber(num)
		size := protowire.ConsumeFieldValue(num, typ, b[at+n:])
		if size < 0 {
			name := fmt.Sprint(num)
			if fd != nil {
				name = string(fd.Name())
			}
			s.fail(base+int64(at), fd != nil && depth == 0,
				fmt.Errorf("field %s of %s is incomplete", name, md.Name()))
			return
		}
		if fd != nil && fd.Message() != nil && typ == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(b[at+n:])
			inner := base + int64(at+n+size-len(content))
			s.message(content, inner, fd.Message(), depth+1)
		}
		at += n + size
	}
}

func (s *scanner) fail(offset int64, truncated bool, err error) {
	s.offset, s.truncated, s.err = offset, truncated, err
}
