// Package text reads and writes models in the ONNX textual syntax
// (onnx/docs/Syntax.md): the language of the passes' golden cases, of dumps
// and of differences between them.
//
//	<ir_version: 10, opset_import: ["" : 17]>
//	g (float[N,1,H,W] x) => (float[N,1,H,W] y)
//	<float[1,1,1,1] w = {0.5}, float[N,1,H,W] a>
//	{
//	  [conv] a = Conv <kernel_shape = [1, 1]> (x, w)
//	  y = Relu(a)
//	}
//
// Beyond the standard's grammar:
//
//   - Names that are no C identifiers are quoted: "onnx::Conv_65". Dimension
//     expressions are quoted too: float["2*H+1"].
//   - What a node carries beside its attributes stands behind it in a comment,
//     which the parser reads back and other parsers skip:
//     # origin="conv1" pass="relu-to-if" region="spiking" "any.key"="value"
//   - A tensor whose element type has no decimal form, or is left out of a dump,
//     is written as data: uint4[3] q = ["raw": "2103"].
//   - ["location": "seed:7", "scale": "0.5"] stands for normal random numbers of
//     that standard deviation, from PCG with that seed (floating point only).
//
// Printing and parsing keep the IR but for: which field of the file held a
// tensor's data, unknown fields, documentation of values, and metadata of
// values, tensors and graphs.
package text
