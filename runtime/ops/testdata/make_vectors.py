#!/usr/bin/python3
"""Writes onnx.json.gz and torch.json.gz, the reference vectors of package ops.

onnx.json.gz holds ONNX's own backend node tests (onnx 1.12) of the operators
that the package runs. torch.json.gz holds single layers and functions that
PyTorch (1.13) exports at several opsets, with PyTorch's results.

A case is a small graph: nodes with attributes, constants, inputs and the
outputs expected. Elements are base64 of their little-endian bytes.
"""
import base64, gzip, io, json, os, sys
import numpy as np

for kind in (float, int, bool, object):  # numpy 1.24 dropped what onnx 1.12 uses
    setattr(np, kind.__name__, kind)

import onnx
from onnx import numpy_helper
import torch
import torch.nn as nn
import torch.nn.functional as F

OPS = set("""
Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant
ConstantOfShape Conv ConvTranspose Cos DepthToSpace DequantizeLinear Div Dropout Elu Equal Erf Exp Expand Flatten
Floor Gather Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish
Identity InstanceNormalization LayerNormalization LeakyRelu Less LessOrEqual Log LpPool MatMul Max
MaxPool Mean Min Mish Mod Mul Neg Not Or PRelu Pad Pow QuantizeLinear Range Reciprocal ReduceL2 ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum Relu Reshape Resize Round Selu Shape Sigmoid Sign Sin Size Slice
Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh ThresholdedRelu Tile
Transpose Unsqueeze Upsample Where
Acos Acosh ArgMin Asin Asinh Atan Atanh BitShift CastLike Compress ConvInteger Cosh CumSum DynamicQuantizeLinear
Einsum EyeLike GatherElements GatherND GridSample Hardmax IsInf IsNaN LRN LogSoftmax MatMulInteger
MeanVarianceNormalization NonZero OneHot QLinearConv QLinearMatMul ReduceL1 ReduceLogSum ReduceLogSumExp
ReduceSumSquare ReverseSequence Scatter ScatterElements ScatterND Shrink Sinh Tan TopK Trilu Xor
BitwiseAnd BitwiseNot BitwiseOr BitwiseXor GlobalLpPool GroupNormalization LpNormalization RMSNormalization Swish
""".split())

LIMIT = 100000  # characters of a case; the few larger ones only repeat others at size

OLDEST = 6  # opset; the operators that ONNX tests at an older one have not changed until then

NUMBERS = {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16}  # element types with a byte form


def tensor(t, kind=None):
    """kind: the element type declared, which tells bfloat16 from the uint16 that carries it."""
    if not isinstance(t, onnx.TensorProto):
        t = numpy_helper.from_array(np.asarray(t))
    if t.data_type not in NUMBERS or t.data_type == 16:
        raise TypeError("element type %d" % t.data_type)
    data = np.ascontiguousarray(numpy_helper.to_array(t)).tobytes()
    return {"type": kind or t.data_type, "dims": list(t.dims), "data": base64.b64encode(data).decode()}


def declared(values, tensors):
    return {v.name: tensor(x, v.type.tensor_type.elem_type) for v, x in zip(values, tensors)}


def attribute(a):
    v = onnx.helper.get_attribute_value(a)
    kind = onnx.AttributeProto.AttributeType.Name(a.type).lower()
    if kind == "tensor":
        return {"tensor": tensor(v)}
    if kind == "string":
        return {"string": v.decode()}
    if kind in ("int", "float", "ints", "floats"):
        return {kind: list(v) if kind.endswith("s") else v}
    raise TypeError("attribute of type " + kind)


def case(name, model, inputs, outputs, rtol, atol):
    opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    g = model.graph
    return {
        "name": name, "opset": max(opset, OLDEST), "rtol": rtol, "atol": atol,
        "nodes": [{
            "op": n.op_type, "in": list(n.input), "out": list(n.output),
            "attrs": {a.name: attribute(a) for a in n.attribute},
        } for n in g.node],
        "constants": {t.name: tensor(t) for t in g.initializer},
        "inputs": declared(g.input, inputs),
        "outputs": declared(g.output, outputs),
    }


def usable(model):
    return all(n.op_type in OPS and n.domain in ("", "ai.onnx") for n in model.graph.node)


def onnx_cases():
    from onnx.backend.test.case.node import collect_testcases
    for t in collect_testcases(None):
        model = t.model
        if not usable(model):
            continue
        try:
            inputs, outputs = t.data_sets[0]
            yield case(t.name, model, inputs, outputs, t.rtol, t.atol)
        except (TypeError, AttributeError) as e:  # strings, sequences
            print("skip %s: %s" % (t.name, e), file=sys.stderr)


class Call(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, *x):
        return self.f(*x)


def torch_modules():
    """Yields (name, opsets, module, inputs)."""
    r = torch.randn
    every = (9, 11, 13, 16)
    conv, deconv = nn.Conv2d, nn.ConvTranspose2d
    for name, m, x in [
        ("conv_3x3", conv(3, 5, 3, padding=1), r(2, 3, 9, 11)),
        ("conv_1x1", conv(4, 6, 1), r(1, 4, 7, 5)),
        ("conv_9x9_nobias", conv(1, 4, 9, padding=4, bias=False), r(1, 1, 13, 10)),
        ("conv_stride_dilation", conv(4, 6, 3, stride=2, padding=3, dilation=2), r(1, 4, 12, 15)),
        ("conv_groups", conv(6, 9, (3, 5), padding=(1, 2), groups=3), r(2, 6, 8, 9)),
        ("conv_depthwise", conv(6, 6, 3, stride=(1, 2), groups=6), r(1, 6, 8, 9)),
        ("conv_1d", nn.Conv1d(3, 4, 3, stride=2, padding=2, dilation=2), r(2, 3, 17)),
        ("conv_3d", nn.Conv3d(2, 4, (2, 3, 3), stride=(1, 2, 1), padding=1, groups=2), r(2, 2, 4, 5, 6)),
        ("deconv_9x9_stride3", deconv(4, 2, 9, stride=3, padding=4, output_padding=2), r(1, 4, 6, 5)),
        ("deconv_stride2", deconv(3, 4, 4, stride=2, padding=1), r(2, 3, 5, 6)),
        ("deconv_groups_dilation", deconv(4, 6, 3, stride=(2, 1), dilation=2, groups=2), r(1, 4, 5, 6)),
        ("deconv_1d", nn.ConvTranspose1d(3, 2, 3, stride=2, output_padding=1), r(2, 3, 7)),
        ("deconv_3d", nn.ConvTranspose3d(2, 2, 3, stride=2, padding=1, groups=2), r(1, 2, 3, 4, 3)),
        ("prelu_shared", nn.PReLU(), r(2, 3, 4, 5)),
        ("prelu_channels", nn.PReLU(3), r(2, 3, 4, 5)),
        ("batchnorm", nn.BatchNorm2d(4), r(2, 4, 3, 5)),
        ("instancenorm", nn.InstanceNorm2d(4, affine=True), r(2, 4, 3, 5)),
        ("linear", nn.Linear(5, 7), r(3, 5)),
        ("linear_stack", nn.Linear(5, 7), r(2, 3, 5)),
        ("pixel_shuffle", nn.PixelShuffle(3), r(2, 18, 4, 5)),
        ("reflection_pad", nn.ReflectionPad2d((1, 2, 3, 0)), r(1, 2, 5, 6)),
        ("replication_pad", nn.ReplicationPad2d((1, 2, 3, 0)), r(1, 2, 5, 6)),
        ("zero_pad_crop", nn.ZeroPad2d((1, -2, 3, -1)), r(1, 2, 5, 6)),
        ("constant_pad", nn.ConstantPad2d((1, 2, 0, 1), 2.5), r(1, 2, 5, 6)),
        ("avgpool_pad", nn.AvgPool2d(3, 2, padding=1), r(2, 3, 8, 9)),
        ("avgpool_exclude", nn.AvgPool2d(3, 2, padding=1, count_include_pad=False), r(2, 3, 8, 9)),
        ("maxpool", nn.MaxPool2d(3, 2, padding=1), r(2, 3, 8, 9)),
        ("maxpool_dilated", nn.MaxPool2d(2, 2, dilation=2), r(2, 3, 9, 8)),
        ("avgpool_3d", nn.AvgPool3d(2, (2, 1, 2)), r(1, 2, 4, 3, 5)),
        ("maxpool_3d", nn.MaxPool3d(2, (2, 1, 2), padding=1), r(1, 2, 4, 3, 5)),
        ("maxpool_1d", nn.MaxPool1d(3, 2), r(2, 2, 8)),
        ("adaptive_avgpool", nn.AdaptiveAvgPool2d(1), r(2, 3, 5, 4)),
        ("relu6", nn.ReLU6(), 4 * r(3, 5)),
        ("hardtanh", nn.Hardtanh(-0.5, 0.75), r(3, 5)),
        ("leaky_relu", nn.LeakyReLU(0.2), r(3, 5)),
        ("elu", nn.ELU(0.7), r(3, 5)), ("selu", nn.SELU(), r(3, 5)),
        ("sigmoid", nn.Sigmoid(), 30 * r(3, 5)), ("tanh", nn.Tanh(), 3 * r(3, 5)),
        ("softplus", nn.Softplus(), 10 * r(3, 5)), ("softmax", nn.Softmax(dim=1), r(2, 5, 3)),
        ("gelu", nn.GELU(), r(3, 5)), ("silu", nn.SiLU(), r(3, 5)), ("dropout", nn.Dropout(), r(3, 5)),
    ]:
        yield name, every, m, (x,)
    for name, opsets, f, x in [
        ("slice", every, lambda x: x[:, 1:3, ::2, -3:], (r(2, 4, 5, 6),)),
        ("chunk", every, lambda x: x.chunk(3, 1), (r(2, 7, 3),)),
        ("split", every, lambda x: x.split([2, 5], 1), (r(2, 7, 3),)),
        ("cat", every, lambda x, y: torch.cat((x, y), 1), (r(2, 3, 4), r(2, 5, 4))),
        ("view", every, lambda x: x.view(x.size(0), -1, 6), (r(2, 4, 9),)),
        ("permute", every, lambda x: x.permute(0, 2, 3, 1), (r(2, 3, 4, 5),)),
        ("squeeze", every, lambda x: x.squeeze(1).unsqueeze(0), (r(2, 1, 4),)),
        ("mean_dims", every, lambda x: x.mean((2, 3), keepdim=True), (r(2, 3, 4, 5),)),
        ("sum_dim", every, lambda x: x.sum(1), (r(2, 3, 4),)),
        ("amax", every, lambda x: x.amax(1), (r(2, 3, 4),)),
        ("clamp", every, lambda x: x.clamp(-0.3, 0.4), (r(3, 5),)),
        ("clamp_min", every, lambda x: x.clamp(min=0.1), (r(3, 5),)),
        ("expand", every, lambda x: x.expand(2, 3, 4), (r(3, 1),)),
        ("repeat", every, lambda x: x.repeat(2, 1, 3), (r(2, 3),)),
        ("where", every, lambda x, y: torch.where(x > 0, x, y), (r(3, 4), r(4))),
        ("to_int", every, lambda x: (3 * x).to(torch.int32).to(torch.float32), (r(3, 4),)),
        ("arithmetic", every, lambda x, y: (x * 2 - y) / (y * y + 1) + x, (r(2, 3, 4), r(3, 1))),
        ("power", every, lambda x: x ** 2 + x.abs() ** 0.5, (r(3, 4),)),
        ("argmax", every, lambda x: x.argmax(1), (r(3, 4),)),
        ("norm", every, lambda x: x.norm(dim=1), (r(3, 4),)),
        ("matmul", every, torch.matmul, (r(2, 1, 3, 4), r(5, 4, 2))),
        ("matmul_vector", every, torch.matmul, (r(2, 3, 4), r(4))),
        ("unshuffle", (11, 13, 16), lambda x: F.pixel_unshuffle(x, 2), (r(1, 2, 4, 6),)),
        ("avgpool_ceil", (11, 13), lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True), (r(1, 2, 7, 6),)),
        ("maxpool_ceil", (11, 13), lambda x: F.max_pool2d(x, 2, 2, 1, ceil_mode=True), (r(1, 2, 7, 6),)),
        ("maxpool_indices", (11, 13), lambda x: F.max_pool2d(x, 2, 2, return_indices=True), (r(1, 1, 6, 5),)),
    ]:
        yield name, opsets, Call(f), x
    x = r(1, 2, 5, 7)
    for label, kw in [("scale2", dict(scale_factor=2)), ("scale3", dict(scale_factor=3.0)),
                      ("size", dict(size=(8, 10))), ("down", dict(size=(3, 4)))]:
        for mode in ("nearest", "bilinear", "bicubic"):
            for corners in ((None,) if mode == "nearest" else (False, True)):
                opsets = every if mode == "nearest" and label != "down" else (11, 13, 16)
                f = lambda x, mode=mode, corners=corners, kw=kw: F.interpolate(
                    x, mode=mode, align_corners=corners, **kw)
                yield "resize_%s_%s%s" % (mode, label, "_corners" if corners else ""), opsets, Call(f), (x,)


def antialias_cases():
    """Resize of opset 18 with antialias, which neither version here exports."""
    x = torch.randn(1, 2, 11, 13)
    for mode, onnx_mode in (("bilinear", "linear"), ("bicubic", "cubic")):
        for size in ((5, 4), (7, 20), (1, 6)):
            want = F.interpolate(x, size=size, mode=mode, antialias=True)
            yield {
                "name": "antialias_%s_%dx%d" % (mode, *size), "opset": 18, "rtol": 1e-4, "atol": 1e-5,
                "nodes": [{"op": "Resize", "in": ["x", "", "", "sizes"], "out": ["y"], "attrs": {
                    "mode": {"string": onnx_mode}, "antialias": {"int": 1},
                    "exclude_outside": {"int": 1}, "cubic_coeff_a": {"float": -0.5},
                    "axes": {"ints": [2, 3]},
                }}],
                "constants": {"sizes": tensor(np.array(size, np.int64))},
                "inputs": {"x": tensor(x.numpy())}, "outputs": {"y": tensor(want.numpy())},
            }


def linear_filter(ratio, scale):
    start = int(np.floor(-1 / scale) + 1)
    weights = np.clip(1 - abs(np.arange(start, 2 - start) - ratio) * scale, 0, 1)
    return weights / weights.sum()


def resize_cases():
    """Resize in every mode, by the reference of ONNX's own tests."""
    from onnx.backend.test.case.node.resize import (
        cubic_coeffs, interpolate_nd, linear_coeffs, nearest_coeffs)
    rng = np.random.RandomState(5)
    x = rng.randn(5, 6).astype(np.float32)
    roi = np.array([0.25, -0.1, 0.75, 1.2], np.float32)

    def one(label, attrs, opset, sizes, coeffs, **kwargs):
        want = interpolate_nd(x, coeffs, roi=kwargs.pop("roi", None), **{sizes[0]: sizes[1]}, **kwargs)
        name, values = sizes
        given = np.array(values, np.int64 if name == "output_size" else np.float32)
        return {
            "name": "resize_" + label, "opset": opset, "rtol": 1e-4, "atol": 1e-5,
            "nodes": [{"op": "Resize", "out": ["y"], "attrs": attrs, "in": [
                "x", "roi", "" if name == "output_size" else "n", "n" if name == "output_size" else ""]}],
            "constants": {"n": tensor(given), "roi": tensor(roi)},
            "inputs": {"x": tensor(x)}, "outputs": {"y": tensor(want.astype(np.float32))},
        }

    ways = [("output_size", [7, 4]), ("output_size", [3, 11]), ("scale_factors", np.array([1.7, 0.65], np.float32))]
    for i, way in enumerate(ways):
        for coordinate in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "tf_crop_and_resize"):
            if i == 2 and coordinate in ("align_corners", "tf_crop_and_resize"):
                continue  # there the reference departs from the standard's sizes
            attrs = {"coordinate_transformation_mode": {"string": coordinate},
                     "extrapolation_value": {"float": 9.5}}
            common = dict(coordinate_transformation_mode=coordinate, extrapolation_value=9.5, roi=roi)
            label = "%s_%d_" % (coordinate, i)
            for mode in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
                a = dict(attrs, mode={"string": "nearest"}, nearest_mode={"string": mode})
                yield one(label + mode, a, 13, way, lambda r: nearest_coeffs(r, mode), **common)
            yield one(label + "linear", dict(attrs, mode={"string": "linear"}), 13, way, linear_coeffs, **common)
            for outside in (0, 1):
                a = dict(attrs, mode={"string": "cubic"}, cubic_coeff_a={"float": -0.6},
                         exclude_outside={"int": outside})
                yield one(label + "cubic%d" % outside, a, 13, way, lambda r: cubic_coeffs(r, A=-0.6),
                          exclude_outside=bool(outside), **common)
    attrs = {"mode": {"string": "linear"}, "antialias": {"int": 1}}
    yield one("antialias_edge", attrs, 18, ("scale_factors", np.array([0.5, 0.5], np.float32)),
              lambda r: linear_filter(r, 0.5))


def direct_cases():
    """Operators newer than both versions, from PyTorch's functions."""
    x = torch.linspace(-6, 6, 25).reshape(5, 5)
    for name, opset, op, attrs, want in [
        ("mish", 18, "Mish", {}, F.mish(x)),
        ("gelu_none", 20, "Gelu", {}, F.gelu(x)),
        ("gelu_tanh", 20, "Gelu", {"approximate": {"string": "tanh"}}, F.gelu(x, approximate="tanh")),
        ("wrap_pad", 19, "Pad", {"mode": {"string": "wrap"}}, F.pad(x[None, None], (1, 2, 2, 1), "circular")[0, 0]),
        ("lppool", 18, "LpPool", {"kernel_shape": {"ints": [2, 2]}, "strides": {"ints": [1, 2]}, "p": {"int": 3}},
         None),
        ("avgpool_dilated", 19, "AveragePool",
         {"kernel_shape": {"ints": [2, 2]}, "dilations": {"ints": [2, 1]}}, None),
    ]:
        y = x
        constants, ins = {}, ["x"]
        if op == "Pad":
            constants["pads"] = tensor(np.array([2, 1, 1, 2], np.int64))
            ins.append("pads")
        if op == "LpPool":
            y = x[None, None]
            want = F.lp_pool2d(y.abs(), 3, 2, (1, 2))
        if op == "AveragePool":
            y = x[None, None]
            want = (y[:, :, :3, :-1] + y[:, :, 2:, :-1] + y[:, :, :3, 1:] + y[:, :, 2:, 1:]) / 4
        yield {
            "name": name, "opset": opset, "rtol": 1e-5, "atol": 1e-6,
            "nodes": [{"op": op, "in": ins, "out": ["y"], "attrs": attrs}], "constants": constants,
            "inputs": {"x": tensor(y.numpy())}, "outputs": {"y": tensor(want.numpy())},
        }


def newer_cases():
    """Operators without a test in onnx 1.12, from PyTorch's functions."""
    g = torch.Generator().manual_seed(7)
    x = torch.randn(2, 6, 4, 5, generator=g)
    c, q = torch.randn(6, generator=g), torch.randn(6, generator=g)
    r = torch.randn(5, generator=g)
    i, j = torch.randint(-9, 99, (3, 4), generator=g), torch.randint(-9, 99, (4,), generator=g)
    each = lambda t, groups: t[:groups].repeat_interleave(6 // groups)
    rms = x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-3) * r
    for name, opset, op, attrs, ins, want in [
        ("groupnorm21", 21, "GroupNormalization", {"num_groups": {"int": 3}}, [x, c, q], F.group_norm(x, 3, c, q)),
        ("groupnorm18", 18, "GroupNormalization", {"num_groups": {"int": 3}, "epsilon": {"float": 0.1}}, [x, c[:3], q[:3]],
         F.group_norm(x, 3, each(c, 3), each(q, 3), 0.1)),
        ("lpnorm2", 11, "LpNormalization", {"axis": {"int": 1}}, [x], F.normalize(x, 2, 1)),
        ("lpnorm1", 11, "LpNormalization", {"p": {"int": 1}}, [x], F.normalize(x, 1, -1)),
        ("rmsnorm", 23, "RMSNormalization", {"epsilon": {"float": 1e-3}}, [x, r], rms),
        ("swish", 24, "Swish", {"alpha": {"float": 1.5}}, [x], x * torch.sigmoid(1.5 * x)),
        ("globallppool", 11, "GlobalLpPool", {"p": {"int": 3}}, [x], (x.abs() ** 3).sum((2, 3), keepdim=True) ** (1 / 3)),
        ("bitand", 18, "BitwiseAnd", {}, [i, j], i & j),
        ("bitor", 18, "BitwiseOr", {}, [i, j], i | j),
        ("bitxor", 18, "BitwiseXor", {}, [i, j], i ^ j),
        ("bitnot", 18, "BitwiseNot", {}, [i], ~i),
    ]:
        names = ["x%d" % k for k in range(len(ins))]
        yield {
            "name": name, "opset": opset, "rtol": 1e-5, "atol": 1e-6,
            "nodes": [{"op": op, "in": names, "out": ["y"], "attrs": attrs}], "constants": {},
            "inputs": {n: tensor(t.numpy()) for n, t in zip(names, ins)}, "outputs": {"y": tensor(want.numpy())},
        }


def torch_cases():
    for name, opsets, module, inputs in torch_modules():
        module.eval()
        for m in module.modules():  # defaults would make the tests weak
            if isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d)):
                nn.init.normal_(m.weight)
                nn.init.normal_(m.bias)
            if isinstance(m, nn.BatchNorm2d):
                nn.init.normal_(m.running_mean)
                nn.init.uniform_(m.running_var, 0.5, 2)
            if isinstance(m, nn.PReLU):
                nn.init.normal_(m.weight)
        want = module(*inputs)
        want = want if isinstance(want, (tuple, list)) else (want,)
        seen = set()
        for opset in opsets:
            f = io.BytesIO()
            try:
                torch.onnx.export(module, inputs, f, opset_version=opset)
            except Exception as e:  # not every function has a form at every opset
                print("skip %s at opset %d: %s" % (name, opset, str(e).splitlines()[0]), file=sys.stderr)
                continue
            model = onnx.load_from_string(f.getvalue())
            form = str([(n.op_type, len(n.input), n.attribute) for n in model.graph.node])
            if form in seen:
                continue
            seen.add(form)
            if not usable(model):
                print("skip %s at opset %d: operators" % (name, opset), file=sys.stderr)
                continue
            yield case("%s_op%d" % (name, opset), model, [x.numpy() for x in inputs],
                       [y.detach().numpy() for y in want], 1e-4, 1e-5)
    yield from resize_cases()
    yield from antialias_cases()
    yield from direct_cases()
    yield from newer_cases()


def write(name, cases):
    cases = sorted(cases, key=lambda c: c["name"])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    lines = [json.dumps(c, sort_keys=True, separators=(",", ":")) for c in cases]
    lines = [line for line in lines if len(line) <= LIMIT]
    with open(path, "wb") as f, gzip.GzipFile(filename="", mode="wb", fileobj=f, mtime=0) as z:
        z.write("\n".join(lines).encode())
    print("%s: %d cases, %d bytes" % (name, len(lines), os.path.getsize(path)))


if __name__ == "__main__":
    np.random.seed(0)
    write("onnx.json.gz", onnx_cases())
    torch.manual_seed(0)
    write("torch.json.gz", torch_cases())
