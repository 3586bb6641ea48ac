"""Writes vectors.json: what onnx's own shape inference says of single nodes.

Run: /usr/bin/python3 vectors.py (onnx 1.12). Each case states its inputs with
symbols and lists, for several sizes of those symbols, the output types that
onnx infers with numbers in their place. The Go test infers both ways.
"""

import json
import onnx
import onnx.numpy_helper
import onnx.shape_inference
from onnx import TensorProto as T
from onnx import helper as h

F, I, B = T.FLOAT, T.INT64, T.BOOL
ELEM = {T.FLOAT: "float", T.INT64: "int64", T.BOOL: "bool", T.INT32: "int32",
        T.FLOAT16: "float16", T.DOUBLE: "double", T.INT8: "int8", T.UINT8: "uint8"}
SIZES = [{"N": 2, "H": 16, "W": 24}, {"N": 1, "H": 17, "W": 13}, {"N": 3, "H": 31, "W": 20}]
X = (F, ["N", 6, "H", "W"])
cases = []


class K:
    """A constant input."""

    def __init__(self, values, elem=I, shape=None):
        self.values, self.elem = values, elem
        self.shape = [len(values)] if shape is None else shape


def infer(op, opset, inputs, attrs, nout, sizes):
    ins, inits, names = [], [], []
    for i, x in enumerate(inputs):
        name = "" if x is None else f"x{i}"
        names.append(name)
        if isinstance(x, K):
            inits.append(h.make_tensor(name, x.elem, x.shape, x.values))
        elif x is not None:
            shape = [sizes.get(d, d) for d in x[1]]
            ins.append(h.make_tensor_value_info(name, x[0], shape))
    outs = [f"y{i}" for i in range(nout)]
    node = h.make_node(op, names, outs, **attrs)
    graph = h.make_graph([node], "g", ins, [h.make_empty_tensor_value_info(o) for o in outs], inits)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)])
    # onnx may leave outputs of the graph without a type: read value_info too.
    got = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    types = {v.name: v.type for v in list(got.graph.output) + list(got.graph.value_info)}
    result = []
    for o in outs:
        t = types[o].tensor_type
        shape = None
        if t.HasField("shape"):
            shape = [d.dim_value if d.HasField("dim_value") else None for d in t.shape.dim]
        result.append({"elem": ELEM[t.elem_type], "shape": shape})
    return result


def attr(a):
    p = h.make_attribute("a", a)
    kind = onnx.AttributeProto.AttributeType.Name(p.type).lower()
    if kind == "tensor":
        arr = onnx.numpy_helper.to_array(p.t)
        return {"type": kind, "elem": ELEM[p.t.data_type], "dims": list(p.t.dims),
                "value": [float(x) for x in arr.flatten()]}
    return {"type": kind, "value": a}


def case(op, opset, inputs, nout=1, sizes=None, **attrs):
    want = []
    for s in sizes or SIZES:
        want.append({"sizes": s, "outputs": infer(op, opset, inputs, attrs, nout, s)})
    ins = []
    for x in inputs:
        if x is None:
            ins.append(None)
        elif isinstance(x, K):
            ins.append({"elem": ELEM[x.elem], "shape": x.shape, "const": x.values})
        else:
            ins.append({"elem": ELEM[x[0]], "shape": x[1]})
    cases.append({"op": op, "opset": opset, "inputs": ins, "outputs": nout,
                  "attrs": {k: attr(v) for k, v in attrs.items()}, "want": want})


def layers():
    for k, s, d, p in [(3, 1, 1, 1), (3, 2, 1, 1), (1, 1, 1, 0), (5, 3, 1, 2), (3, 1, 2, 2), (4, 2, 1, 1),
                       (2, 2, 1, 0), (3, 4, 1, 0)]:
        case("Conv", 13, [X, (F, [8, 6, k, k]), (F, [8])], kernel_shape=[k, k], strides=[s, s],
             dilations=[d, d], pads=[p, p, p, p])
        case("ConvTranspose", 11, [X, (F, [6, 4, k, k])], kernel_shape=[k, k], strides=[s, s],
             dilations=[d, d], pads=[p, p, p, p], output_padding=[s - 1, s - 1])
    case("Conv", 9, [X, (F, [12, 3, 3, 5])], group=2, pads=[0, 1, 2, 3], strides=[2, 1])
    case("Conv", 11, [X, (F, [8, 6, 3, 3])])
    for auto in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        for s in [1, 2, 3]:
            case("Conv", 11, [X, (F, [8, 6, 4, 3])], auto_pad=auto, strides=[s, s])
            case("MaxPool", 12, [X], kernel_shape=[3, 3], auto_pad=auto, strides=[s, s])
            case("AveragePool", 11, [X], kernel_shape=[2, 3], auto_pad=auto, strides=[s, s])
        case("ConvTranspose", 11, [X, (F, [6, 4, 3, 3])], auto_pad=auto, strides=[2, 2])
    case("Conv", 11, [(F, ["N", 4, "H"]), (F, [5, 4, 3])], pads=[1, 1], strides=[2])
    case("Conv", 11, [(F, ["N", 4, "H", "W", 9]), (F, [5, 4, 3, 3, 3])], pads=[1, 1, 1, 1, 1, 1])
    case("ConvTranspose", 11, [X, (F, [6, 4, 3, 3])], output_shape=[40, 50], strides=[2, 2])
    case("ConvTranspose", 11, [X, (F, [6, 4, 3, 3])], group=3, strides=[3, 2], pads=[0, 1, 1, 0])
    for k, s, p in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 3, 0), (5, 2, 2)]:
        for ceil in [0, 1]:
            case("MaxPool", 12, [X], 2, kernel_shape=[k, k], strides=[s, s], pads=[p] * 4, ceil_mode=ceil)
            case("AveragePool", 11, [X], kernel_shape=[k, k], strides=[s, s], pads=[p] * 4,
                 ceil_mode=ceil, count_include_pad=1)
        case("LpPool", 11, [X], kernel_shape=[k, k], strides=[s, s], pads=[p] * 4, p=1)
    case("MaxPool", 10, [X], kernel_shape=[3, 3], dilations=[2, 2], strides=[1, 2])
    case("MaxPool", 8, [X], kernel_shape=[3, 3])
    case("AveragePool", 7, [X], kernel_shape=[3, 2], strides=[2, 2])
    case("GlobalAveragePool", 13, [X])
    case("GlobalMaxPool", 7, [X])
    case("Gemm", 13, [(F, ["N", 6]), (F, [6, 9]), (F, [9])])
    case("Gemm", 9, [(F, [6, "N"]), (F, [9, 6]), (F, [9])], transA=1, transB=1, alpha=0.5)
    case("Gemm", 11, [(F, ["N", 6]), (F, [9, 6])], transB=1)
    for a, b in [(["N", 6], [6, 4]), (["N", 3, "H", 6], [6, 4]), ([6], [6, 4]), (["N", "H", 6], [6]),
                 (["N", 1, "H", 6], [3, 6, "W"]), ([6], [6])]:
        case("MatMul", 13, [(F, a), (F, b)])
    P = (F, [6])
    case("BatchNormalization", 9, [X, P, P, P, P], epsilon=1e-3)
    case("BatchNormalization", 7, [X, P, P, P, P], 1)
    case("BatchNormalization", 15, [X, P, P, P, P], 3, training_mode=1)
    case("InstanceNormalization", 13, [X, P, P], epsilon=1e-3)
    case("LayerNormalization", 17, [X, (F, ["W"]), (F, ["W"])], 3)
    case("LayerNormalization", 17, [X, (F, ["H", "W"])], 1, axis=-2)


def elementwise():
    for op, opset in [("Relu", 14), ("LeakyRelu", 6), ("Elu", 6), ("Selu", 6), ("Celu", 12),
                      ("HardSigmoid", 6), ("HardSwish", 14), ("Softplus", 6), ("Softsign", 6),
                      ("ThresholdedRelu", 10), ("Sigmoid", 13), ("Tanh", 7), ("Erf", 9), ("Exp", 6),
                      ("Log", 6), ("Sqrt", 13), ("Abs", 6), ("Neg", 13), ("Floor", 6), ("Ceil", 6),
                      ("Round", 11), ("Sign", 9), ("Reciprocal", 6), ("Sin", 7), ("Cos", 7),
                      ("Identity", 14)]:
        case(op, opset, [X])
    case("Not", 7, [(B, ["N", "H"])])
    case("PRelu", 9, [X, (F, [6, 1, 1])])
    case("PRelu", 16, [X, (F, [1])])
    case("Clip", 6, [X], min=0.0, max=6.0)
    case("Clip", 11, [X, K([0.0], F, []), K([6.0], F, [])])
    case("Clip", 13, [X, None, K([6.0], F, [])])
    for op, opset in [("Add", 7), ("Sub", 13), ("Mul", 14), ("Div", 7), ("Pow", 7), ("Equal", 11),
                      ("Less", 9), ("LessOrEqual", 12), ("Greater", 13), ("GreaterOrEqual", 12)]:
        case(op, opset, [X, X])
        case(op, opset, [X, (F, [6, 1, 1])])
        case(op, opset, [(F, []), X])
        case(op, opset, [(F, ["H", 1]), (F, [5, 1, "W"])])
    case("Mod", 13, [(I, ["N", "H"]), (I, ["H"])])
    case("Mod", 10, [X, (F, [])], fmod=1)
    for op in ["And", "Or"]:
        case(op, 7, [(B, ["H", 1]), (B, [5, 1, "W"])])
    for op in ["Min", "Max", "Sum", "Mean"]:
        case(op, 13, [X])
        case(op, 8, [X, (F, ["H", 1]), (F, [1, 1, 1, 1])])
    case("Where", 9, [(B, ["H", 1]), (F, [5, 1, "W"]), (F, ["N", 1, 1, 1])])
    case("Cast", 13, [X], to=T.INT64)
    case("Cast", 9, [X], to=T.FLOAT16)
    Q = ["N", 6, "H", "W"]
    case("QuantizeLinear", 10, [X, (F, [])])
    case("QuantizeLinear", 13, [X, (F, [6]), (T.INT8, [6])])
    case("QuantizeLinear", 13, [(T.INT32, Q), (F, ["H"]), (T.UINT8, ["H"])], axis=-2)
    case("DequantizeLinear", 10, [(T.UINT8, Q), (F, [])])
    case("DequantizeLinear", 13, [(T.INT8, Q), (F, [6]), (T.INT8, [6])])
    case("DequantizeLinear", 13, [(T.INT32, Q), (F, [6])], axis=1)
    case("Softmax", 11, [X])
    case("Softmax", 13, [X], axis=1)
    case("Dropout", 7, [X], ratio=0.3)
    case("Dropout", 10, [X], 2)
    case("Dropout", 13, [X, K([0.5], F, []), K([0], B, [])], 2)
    for op in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"]:
        case(op, 11, [X], axes=[2, 3])
        case(op, 11, [X], axes=[-1], keepdims=0)
        case(op, 12, [X], keepdims=0)
        case(op, 12, [X])
    case("ReduceSum", 13, [X, K([-1, 1])], keepdims=0)
    case("ReduceSum", 13, [X, K([2])])
    case("ReduceSum", 13, [X])
    case("ReduceSum", 13, [X, K([])], noop_with_empty_axes=1)
    case("ArgMax", 13, [X], axis=1)
    case("ArgMax", 11, [X], axis=-2, keepdims=0)


def shapes():
    case("Concat", 13, [X, (F, ["N", 3, "H", "W"])], axis=1)
    case("Concat", 4 + 7, [X, X, X], axis=-1)
    case("Split", 11, [X], 3, axis=1)
    case("Split", 2 + 9, [X], 2, axis=1, split=[2, 4])
    case("Split", 13, [X, K([1, 5])], 2, axis=-3)
    case("Split", 13, [X], 2, axis=1)
    big = 2**63 - 1
    for starts, ends, axes, steps in [([1], [big], [2], [1]), ([0, 2], [-1, big], [2, 3], [1, 1]),
                                      ([3], [-3], [3], [1]), ([0], [big], [2], [2]), ([1], [5], [1], [2]),
                                      ([-1], [-big], [2], [-1]), ([2], [-2], [-1], [3]), ([-1], [0], [1], [-2]),
                                      ([0], [100], [1], [1]), ([-4], [-1], [1], [1])]:
        case("Slice", 13, [X, K(starts), K(ends), K(axes), K(steps)])
        if set(steps) == {1}:
            case("Slice", 9, [X], starts=starts, ends=ends, axes=axes)
    case("Slice", 9, [X], starts=[0, 1], ends=[big, 3])
    case("Slice", 10, [X, K([0, 1]), K([big, 3])])
    for shape in [[0, 0, -1], [0, 2, 3, 0, -1], [-1], [0, -1, 1, 1], [1, -1], [-1, 6, 1], [0, 2, -1]]:
        case("Reshape", 13, [X, K(shape)])
    case("Reshape", 14, [(F, ["N", 12]), K([0, 3, 4])])
    case("Reshape", 5 + 2, [(F, [4, 6]), K([2, -1])])
    for axis in [0, 1, 2, 4, -1]:
        case("Flatten", 13, [X], axis=axis)
    case("Transpose", 13, [X])
    case("Transpose", 7, [X], perm=[0, 2, 3, 1])
    case("Squeeze", 11, [(F, ["N", 1, "H", 1])], axes=[1, -1])
    case("Squeeze", 13, [(F, ["N", 1, "H", 1]), K([3])])
    case("Squeeze", 11, [(F, [1, 5, 1])])
    case("Unsqueeze", 11, [X], axes=[0, -1])
    case("Unsqueeze", 13, [X, K([2])])
    case("Pad", 10, [X], pads=[0, 0, 1, 2, 0, 0, 3, 4], mode="reflect")
    case("Pad", 13, [X, K([0, 1, -1, 2, 0, 1, 0, -3])], mode="constant")
    case("Pad", 11, [X, K([0, 0, 1, 1, 0, 0, 1, 1]), K([0.5], F, [])], mode="edge")
    case("DepthToSpace", 13, [(F, ["N", 12, "H", "W"])], blocksize=2, mode="CRD")
    case("DepthToSpace", 7, [(F, ["N", 18, "H", "W"])], blocksize=3)
    even = [{"N": 2, "H": 16, "W": 24}, {"N": 1, "H": 2, "W": 8}]
    case("SpaceToDepth", 13, [X], blocksize=2, sizes=even)
    case("Gather", 13, [X, K([1], I, [])], axis=1)
    case("Gather", 11, [X, K([0, 2, -1, 1], I, [2, 2])], axis=2)
    case("Gather", 11, [X, (I, [3])])
    case("Expand", 8, [(F, ["H", 1]), K([2, 1, 7])])
    case("Expand", 13, [(F, [3, 1]), K([3, 4])])
    case("Tile", 6, [X, K([1, 2, 3, 1])])
    case("Shape", 13, [X])
    case("Shape", 15, [X], start=1, end=-1)
    case("Shape", 15, [X], start=-2)
    case("Size", 13, [X])
    case("Range", 11, [K([2], I, []), K([11], I, []), K([3], I, [])])
    case("Range", 11, [K([5.0], F, []), K([-1.0], F, []), K([-2.0], F, [])])
    case("ConstantOfShape", 9, [K([2, 3])])
    case("ConstantOfShape", 9, [K([4])], value=h.make_tensor("v", I, [1], [7]))
    case("Constant", 13, [], value=h.make_tensor("v", F, [2, 2], [1.0, 2.0, 3.0, 4.0]))
    case("Constant", 12, [], value_ints=[1, 2, 3])
    case("Constant", 12, [], value_float=0.5)


def resizes():
    for sy, sx in [(2.0, 2.0), (3.0, 1.0), (0.5, 0.5), (1.5, 0.25), (0.3, 0.7), (2.3, 1.9), (4.0, 1.0)]:
        s = K([1.0, 1.0, sy, sx], F)
        case("Resize", 13, [X, None, s], mode="nearest")
        case("Resize", 11, [X, K([], F), s], mode="linear", coordinate_transformation_mode="align_corners")
        case("Resize", 10, [X, s], mode="linear")
        case("Upsample", 9, [X, s], mode="nearest")
        case("Upsample", 7, [X], mode="linear", scales=[1.0, 1.0, sy, sx])
    case("Resize", 13, [X, None, None, K([2, 6, 40, 50])], mode="cubic", sizes=[{"N": 2, "H": 9, "W": 7}])


layers()
elementwise()
shapes()
resizes()
with open("vectors.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
print(len(cases), "cases", len({c["op"] for c in cases}), "operators")
