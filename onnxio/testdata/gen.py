"""Makes the models of this folder with the onnx package (1.12).

plain/  models that onnx-go can carry, too
*.onnx  models with features that it cannot
Run: python3 gen.py, in this folder.
"""
import os

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

F = TensorProto.FLOAT


# onnx 1.12 uses names that numpy has dropped since.
for alias, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
    setattr(np, alias, kind)


def value(name, shape=("N", 1, "H", "W"), elem=F):
    """A value; shape None leaves the rank unknown, where the checker is not run."""
    return helper.make_tensor_value_info(name, elem, shape)


def floats(name, *shape):
    n = int(np.prod(shape, dtype=int))
    return numpy_helper.from_array((np.arange(n) / 8 - 1).reshape(shape).astype(np.float32), name)


def model(graph, ir=8, opsets=(("", 15),), **kw):
    m = helper.make_model(
        graph, opset_imports=[helper.make_opsetid(d, v) for d, v in opsets],
        producer_name="gen.py", **kw)
    m.ir_version = ir
    return m


def save(m, path, check=True):
    if check:
        onnx.checker.check_model(m)
    with open(path, "wb") as f:
        f.write(m.SerializeToString(deterministic=True))


def plain():
    conv = helper.make_node("Conv", ["x", "w", "b"], ["c"], "conv", kernel_shape=[3, 3],
                            pads=[1, 1, 1, 1], auto_pad="NOTSET")
    relu = helper.make_node("Relu", ["c"], ["r"], "relu")
    square = helper.make_node("Mul", ["r", "r"], ["y"], "square", doc_string="a square")
    inits = [floats("w", 1, 1, 3, 3), floats("b", 1)]
    g = helper.make_graph([conv, relu, square], "defaults",
                          [value("x"), value("w", (1, 1, 3, 3)), value("b", (1,))],
                          [value("y")], inits)
    save(model(g, ir=3, opsets=(("", 8),)), "plain/ir3_defaults.onnx")

    nodes = [
        helper.make_node("Constant", [], ["lo"], value=helper.make_tensor("", F, [], [-0.5])),
        helper.make_node("Constant", [], ["hi"],
                         value=helper.make_tensor("", F, [], np.float32(0.5).tobytes(), raw=True)),
        helper.make_node("Clip", ["x", "", "hi"], ["a"]),
        helper.make_node("Clip", ["a", "lo"], ["b"]),
        helper.make_node("Split", ["b", "parts"], ["p", "q"], axis=1),
        helper.make_node("Sub", ["q", "p"], ["d"]),
        helper.make_node("LeakyRelu", ["d"], ["y"], alpha=0.0),
        helper.make_node("Dropout", ["d"], ["z", ""]),
    ]
    parts = helper.make_tensor("parts", TensorProto.INT64, [2], [1, 2])
    g = helper.make_graph(nodes, "optional", [value("x", (1, 3, 4, 4))],
                          [value("y", None), value("z", None)], [parts],
                          value_info=[value("a", (1, 3, 4, 4)), value("b", (1, 3, 4, 4))])
    save(model(g), "plain/optional.onnx", check=False)

    typed = [
        helper.make_tensor("f", F, [2], [1.5, -0.0]),
        helper.make_tensor("d", TensorProto.DOUBLE, [2], [1e300, 0.1]),
        helper.make_tensor("i", TensorProto.INT32, [2], [-1, 2**31 - 1]),
        helper.make_tensor("l", TensorProto.INT64, [2], [-1, 2**62]),
    ]
    nodes = [helper.make_node("Cast", [t.name], [t.name + "_y"], to=F) for t in typed]
    g = helper.make_graph(nodes, "typed", [], [value(t.name + "_y", (2,)) for t in typed], typed)
    save(model(g), "plain/typed.onnx")


def elements():
    """Every element type of ONNX 1.12, typed and where possible raw."""
    T = TensorProto
    lists = {
        T.FLOAT: [1.0, float("nan")], T.UINT8: [0, 255], T.INT8: [-128, 127],
        T.UINT16: [0, 65535], T.INT16: [-32768, 32767], T.INT32: [-2**31, 2**31 - 1],
        T.INT64: [-2**63, 2**63 - 1], T.STRING: [b"a", b"\xff\x00"], T.BOOL: [True, False],
        T.FLOAT16: [1.5, -2.0], T.DOUBLE: [1e-300, 2.0], T.UINT32: [0, 2**32 - 1],
        T.UINT64: [0, 2**64 - 1], T.COMPLEX64: [1 + 2j, -1j], T.COMPLEX128: [1 + 2j, -1j],
        T.BFLOAT16: [1.5, -2.0],
    }
    inits, nodes, outs = [], [], []
    for elem, vals in lists.items():
        name = T.DataType.Name(elem).lower()
        inits.append(helper.make_tensor(name, elem, [2], vals))
        if elem not in (T.STRING, T.BFLOAT16):
            a = np.array(vals, helper.mapping.TENSOR_TYPE_TO_NP_TYPE[elem])
            inits.append(helper.make_tensor(name + "_raw", elem, [2], a.tobytes(), raw=True))
        inits.append(helper.make_tensor(name + "_empty", elem, [0, 3], []))
    for t in inits:
        nodes.append(helper.make_node("Identity", [t.name], [t.name + "_y"]))
        outs.append(value(t.name + "_y", list(t.dims), t.data_type))
    save(model(helper.make_graph(nodes, "elements", [], outs, inits)), "elements.onnx")


def subgraphs():
    def branch(name, op):
        inner = helper.make_graph([helper.make_node(op, ["c", name + "_w"], [name + "_z"])],
                                  name + "_inner", [], [value(name + "_z", None)],
                                  [floats(name + "_w", 1)])
        cond = helper.make_node("If", ["deep"], [name + "_y"], name + "_if",
                                then_branch=inner, else_branch=helper.make_graph(
                                    [helper.make_node("Identity", ["x"], [name + "_e"])],
                                    name + "_else", [], [value(name + "_e", None)]))
        return helper.make_graph([cond], name, [], [value(name + "_y", None)])

    nodes = [
        helper.make_node("Relu", ["x"], ["c"], "relu"),
        helper.make_node("If", ["flag"], ["y"], "choose",
                         then_branch=branch("then", "Add"), else_branch=branch("else", "Mul")),
    ]
    b = TensorProto.BOOL
    g = helper.make_graph(nodes, "nested",
                          [value("x"), value("flag", (), b), value("deep", (), b)],
                          [value("y", None)])
    save(model(g), "subgraphs.onnx", check=False)

    body = helper.make_graph(
        [helper.make_node("Add", ["sum_in", "step"], ["sum_out"]),
         helper.make_node("Mul", ["sum_out", "scale"], ["scan_out"])],
        "body", [value("sum_in", None), value("step", None)],
        [value("sum_out", None), value("scan_out", None)])
    scan = helper.make_node("Scan", ["zero", "x"], ["last", "all"], "scan",
                            body=body, num_scan_inputs=1)
    g = helper.make_graph([scan], "scan", [value("x", ("T", 4))],
                          [value("last", (4,)), value("all", ("T", 4))],
                          [floats("zero", 4), floats("scale", 4)])
    save(model(g), "scan.onnx", check=False)


def functions():
    f = helper.make_function(
        "my.domain", "Leaky", ["x"], ["y"],
        [helper.make_node("LeakyRelu", ["x"], ["t"]), helper.make_node("Neg", ["t"], ["y"])],
        [helper.make_opsetid("", 15)], ["alpha"])
    ref = AttributeProto(name="alpha", ref_attr_name="alpha", type=AttributeProto.FLOAT)
    f.node[0].attribute.append(ref)
    f.doc_string = "a function"
    nodes = [helper.make_node("Leaky", ["x"], ["y"], "call", domain="my.domain", alpha=0.25)]
    g = helper.make_graph(nodes, "calls", [value("x")], [value("y")])
    save(model(g, opsets=(("", 15), ("my.domain", 1)), functions=[f]), "functions.onnx")


def rare():
    """Sparse initializers, annotations, training, metadata, other types."""
    sparse = helper.make_sparse_tensor(floats("s", 2),
                                       helper.make_tensor("s_i", TensorProto.INT64, [2, 2],
                                                          [0, 1, 2, 3]), [4, 4])
    seq = helper.make_tensor_sequence_value_info("list", F, ("N",))
    opt = helper.make_value_info("maybe", helper.make_optional_type_proto(
        helper.make_tensor_type_proto(F, ["N"])))
    table = helper.make_value_info("table", onnx.TypeProto())
    table.type.map_type.key_type = TensorProto.STRING
    table.type.map_type.value_type.tensor_type.elem_type = TensorProto.INT64
    table.type.denotation = "TABLE"
    opaque = helper.make_value_info("thing", onnx.TypeProto())
    opaque.type.opaque_type.domain, opaque.type.opaque_type.name = "my.domain", "Thing"
    ragged = helper.make_value_info("ragged", helper.make_sparse_tensor_type_proto(F, [3, None]))
    nodes = [
        helper.make_node("MatMul", ["x", "s"], ["y"], "mul"),
        helper.make_node("Mystery", ["list", "maybe", "table", "thing", "ragged", "y"], ["z"],
                         "mystery", domain="my.domain", t=[floats("t1", 1), floats("t2", 2)],
                         kind=helper.make_tensor_type_proto(F, [1]), words=["a", "b"],
                         nothing=sparse, empty=b""),
    ]
    x = value("x", ("N", 4))
    x.doc_string = "the input"
    x.type.denotation = "TENSOR"
    x.type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    info = [value("y", ("N", 4)), value("nowhere", (1,)), value("y", (7, 4))]
    g = helper.make_graph(nodes, "rare", [x, seq, opt, table, opaque, ragged], [value("z", None)],
                          [floats("k", 2)], value_info=info, doc_string="rare things",
                          sparse_initializer=[sparse])
    note = g.quantization_annotation.add(tensor_name="y")
    note.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="k")
    m = model(g, opsets=(("", 15), ("my.domain", 3)), doc_string="a model", model_version=7,
              domain="my.domain", producer_version="1")
    helper.set_model_props(m, {"author": "gen.py", "empty": ""})
    train = helper.make_graph([helper.make_node("Identity", ["k"], ["k_new"])], "train", [],
                              [value("k_new", (2,))])
    m.training_info.append(helper.make_training_info(train, [("k", "k_new")], None, None))
    save(m, "rare.onnx", check=False)


def external():
    g = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], "gemm")], "external",
        [value("x", ("N", 4))], [value("y", ("N", 3))],
        [floats("w", 4, 3), floats("b", 3)])
    m = model(g)
    os.makedirs("external", exist_ok=True)
    path = "external/weights.bin"
    if os.path.exists(path):
        os.remove(path)
    onnx.save_model(m, "external/model.onnx", save_as_external_data=True,
                    all_tensors_to_one_file=True, location="weights.bin", size_threshold=0)


def unsorted():
    nodes = [
        helper.make_node("Add", ["b", "c"], ["y"], "last"),
        helper.make_node("Relu", ["a"], ["b"], "second"),
        helper.make_node("Neg", ["b"], ["c"], "third"),
        helper.make_node("Abs", ["x"], ["a"], "first"),
    ]
    g = helper.make_graph(nodes, "unsorted", [value("x")], [value("y")])
    save(model(g), "plain/unsorted.onnx", check=False)


os.makedirs("plain", exist_ok=True)
plain()
elements()
subgraphs()
functions()
rare()
external()
unsorted()
