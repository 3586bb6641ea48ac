// Package text reads and writes models in the ONNX textual syntax
// (onnx/docs/Syntax.md): the language of the passes' golden cases, of dumps
// and of differences between them.
//
//	<ir_version: 10, opset_import: ["" : 17]>
//	g (float[N,1,H,W] x) => (float[N,1,H,W] y)
//	<
//	  float[1,1,1,1] w = {0.5},
//	  float[N,1,H,W] a
//	>
//	{
//	  [conv] a = Conv <kernel_shape = [1, 1]> (x, w)
//	  y = Relu(a) # origin="relu1" pass="fold-batchnorm"
//	}
//
// Everything of the standard's grammar is read. What is printed follows it too,
// except for what it has no form for:
//
//   - Names and dimensions that are no identifiers are quoted, as the standard
//     has it since onnx 1.17 or so: "onnx::Conv_65", float["2*H+1"]. Domains,
//     operators, attributes and overloads may be quoted likewise.
//   - A string in quotes knows the standard's one escape, a backslash before any
//     character. One that holds control characters or invalid UTF-8 is printed as
//     $"...", with Go's escapes.
//   - What a node carries beside its attributes stands behind it in a note, a
//     comment that this parser reads back and others skip:
//     # origin="conv1" pass="relu-to-if" region="spiking" doc="..." any.key="value".
//     Keys other than those four are metadata; a quoted key always is. A value
//     of a list and the graph (behind its opening brace) may have a note too,
//     with doc and metadata. Comments of any other look are for people.
//   - Sparse tensors are written by their values and indices:
//     sparse_tensor(float[9]) s = {float[2] {1, 2}, int64[2] {0, 5}}.
//   - An attribute without type and value is written name: undefined.
//   - A NaN other than the default one is written by its bits: nan(0x7f800001).
//
// Elements of float16, bfloat16, 8-bit and 4-bit floats are written by their bits
// as integers, complex numbers as two numbers each; that is the standard's form.
//
// Two locations of external data have a meaning here. Numbers made from a seed
// keep large weights out of golden cases, see [Parse]:
//
//	float[64,3,7,7] w = ["location": "seed:7", "scale": "0.1"]
//
// and "elided" stands for elements left out of a dump, see [Options].
//
// Printing and parsing keep the IR but for: which field of the file held a
// tensor's elements, unknown fields, denotations, segments, and the
// documentation and metadata of attributes and tensors. A model that parsed
// prints as itself from then on.
package text
