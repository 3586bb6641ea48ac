// Package onnxgo is a second, independent reader of ONNX files: it decodes them
// with github.com/owulveryck/onnx-go and builds the same IR as package onnxio.
// Where the two agree, a decoding error of either would have shown.
//
// # What it reads
//
// onnx-go hands a backend of ours ([graph.Graph] is built from it) the nodes,
// their operators and attributes, the order of inputs and outputs, the names of
// values and the contents of initializers. It does not hand out the header, so
// that part is read with package onnxpb: IR version, operator sets, producer,
// and the types of the graph's inputs and outputs, whose symbolic dimensions
// onnx-go drops.
//
// # What is lost
//
// Names, documentation and metadata of nodes; the order of attributes (they are
// sorted by name); value_info; documentation and metadata of the model; whether
// a tensor was raw or typed; that an initializer is an input, too (IR version 3
// and before); initializers that nothing uses; training information;
// quantisation annotations. A model read this way is not written back as the
// bytes it came from.
//
// # What is refused
//
// An error that wraps [ErrUnsupported] says what onnx-go v0.5.0 cannot carry:
// subgraphs, functions, operators of other domains (it drops the domain),
// sparse or external tensors, attributes of the types graph, tensors, type and
// sparse tensor, element types other than float, double, int32 and int64, empty
// tensors, and everything it panics on.
package onnxgo
