// Package onnxpb holds the messages of an ONNX file as protobuf sees them.
//
// The Go code is generated from onnx-ml.proto in this folder by generate.sh
// (make generate). The proto2 form is used on purpose: it keeps apart an absent
// field and one that is present with its default value, so that unmarshal and
// marshal give back the same bytes.
//
// Only package onnxio and the packages under it may import this one.
package onnxpb

//go:generate sh generate.sh
