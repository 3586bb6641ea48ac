"""Writes schemas.json: inputs, outputs and attributes of the standard operators
at each opset from 6 on, as the onnx package states them.

Run: /usr/bin/python3 schemas.py (onnx 1.12, opset 17).
"""

import json
from onnx import defs

TYPES = {1: "float", 2: "int", 3: "string", 4: "tensor", 5: "graph", 6: "floats", 7: "ints", 8: "strings",
         11: "sparse_tensor"}
NAMES = """Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant ConstantOfShape Conv
ConvTranspose Cos DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf Exp Expand Flatten Floor Gather Gemm GlobalAveragePool
GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity If InstanceNormalization LayerNormalization
LeakyRelu Less LessOrEqual Log Loop LpPool MatMul Max MaxPool Mean Min Mod Mul Neg Not Or PRelu Pad Pow QuantizeLinear Range
Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape Resize Round Scan Selu Shape
Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh ThresholdedRelu
Tile Transpose Unsqueeze Upsample Where
Acos Acosh ArgMin Asin Asinh Atan Atanh BitShift CastLike Compress ConvInteger Cosh CumSum DynamicQuantizeLinear Einsum EyeLike
GatherElements GatherND GlobalLpPool GridSample Hardmax IsInf IsNaN LRN LogSoftmax LpNormalization MatMulInteger
MeanVarianceNormalization NonZero OneHot QLinearConv QLinearMatMul ReduceL1 ReduceLogSum ReduceLogSumExp ReduceSumSquare
ReverseSequence SequenceConstruct SequenceEmpty SequenceAt SequenceInsert SequenceErase SequenceLength
SplitToSequence ConcatFromSequence Scatter ScatterElements ScatterND Shrink Sinh Tan TopK Trilu Xor""".split()


def many(n):
    return -1 if n > 1000 else n


out = []
for name in NAMES:
    last = None
    for opset in range(6, 18):
        try:
            s = defs.get_schema(name, opset, "")
        except Exception:
            continue
        form = {
            "in": [s.min_input, many(s.max_input)], "out": [s.min_output, many(s.max_output)],
            "attrs": {k: TYPES[int(a.type)] + "!" * a.required for k, a in sorted(s.attributes.items())},
            "deprecated": bool(s.deprecated),
        }
        if form != last:
            out.append({"op": name, "since": opset, **form})
        last = form
with open("schemas.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(o) for o in out) + "\n]\n")
print(len(out))
