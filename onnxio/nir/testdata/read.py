"""Reads NIR files as the project's own reader does (neuromorphs/NIR: serialization.py, ir/*.py),
and says where it would refuse one: read.py FILE... It needs h5py and numpy.

For each type it knows the fields that the constructor takes and those that it must get; shapes are
inferred from the inputs on and compared along every edge, as NIRGraph.check_types does.
"""
import sys

import h5py
import numpy as np

NEEDS = {  # the others may be there
    "Input": {"shape"}, "Output": {"shape"}, "IF": {"r", "v_threshold", "v_reset"}, "I": {"r"}, "Scale": {"scale"},
    "Conv2d": {"input_shape", "weight", "stride", "padding", "dilation", "groups", "bias"},
    "AvgPool2d": {"kernel_size", "stride", "padding"}, "Flatten": {"start_dim", "end_dim", "input_type"},
    "Linear": {"weight"}, "Affine": {"weight", "bias"},
}


def text(x):
    return x.decode("utf8") if isinstance(x, bytes) else x


def tree(group):
    """A group as nested dictionaries, as hdf2dict makes them."""
    return {text(k): tree(v) if isinstance(v, h5py.Group) else text(v[()]) for k, v in group.items()}


def windows(size, kernel, stride, padding, dilation=(1, 1)):
    """The output size of a window; the reader takes the first side of a kernel for both."""
    return [int((size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1) for i in range(2)]


def shapes(node, given):
    """What a node takes and gives; None is whatever it gets."""
    kind = node["type"]
    if kind in ("Input", "Output"):
        return list(node["shape"]), list(node["shape"])
    if kind in ("IF", "I", "Scale"):
        all_ = {"IF": ("r", "v_threshold", "v_reset"), "I": ("r",), "Scale": ("scale",)}[kind]
        assert len({node[k].shape for k in all_}) == 1, "all parameters must have the same shape"
        assert all(node[k].dtype == np.float32 for k in all_)
        return list(node[all_[0]].shape), list(node[all_[0]].shape)
    if kind == "Conv2d":
        w, size = node["weight"], node["input_shape"]
        assert node["groups"] == 1 and node["bias"].shape == w.shape[:1], "bias and groups"
        return [w.shape[1], *size], [w.shape[0], *windows(size, (w.shape[2],) * 2, node["stride"], node["padding"], node["dilation"])]
    if kind == "AvgPool2d":
        return None, [given[0], *windows(given[1:], node["kernel_size"], node["stride"], node["padding"])]
    if kind == "Flatten":
        assert node["start_dim"] == 0 and node["end_dim"] == -1
        return list(node["input_type"]), [int(np.prod(node["input_type"]))]
    w = node["weight"]
    assert kind == "Linear" or node["bias"].shape == w.shape[:1]
    return [w.shape[1]], [w.shape[0]]


def check(path):
    with h5py.File(path, "r") as f:
        assert text(f["version"][()]) == "1.0"
        graph = tree(f["node"])
    assert graph["type"] == "NIRGraph" and set(graph) <= {"type", "nodes", "edges", "metadata"}, graph.keys()
    nodes, edges = graph["nodes"], [(text(a), text(b)) for a, b in graph["edges"]]
    for name, node in nodes.items():
        have = set(node) - {"type", "metadata"}
        assert have == NEEDS[node["type"]], (name, node["type"], have)
        assert name.isidentifier() or name[0].isdigit(), name
        for value in node.get("metadata", {}).values():
            assert isinstance(value, str), (name, value)
    assert len(set(edges)) == len(edges), "an edge stands twice"
    sources, targets = {a for a, _ in edges}, {b for _, b in edges}
    for name, node in nodes.items():
        assert (name in targets) != (node["type"] == "Input"), f"{name} is no input and nothing leads to it"
        assert (name in sources) != (node["type"] == "Output"), f"{name} is no output and leads nowhere"
    gives, left = {}, dict(nodes)
    while left:
        ready = [n for n in left if all(a in gives for a, b in edges if b == n)]
        assert ready, "the graph has a circle"
        for name in ready:
            got = [gives[a] for a, b in edges if b == name]
            takes, gives[name] = shapes(left.pop(name), got[0] if got else None)
            for g in got:
                assert takes is None or list(map(int, g)) == list(map(int, takes)), (name, g, takes)
    kinds = [n["type"] for n in nodes.values()]
    print(path.split("/")[-1], len(nodes), len(edges), kinds.count("IF"))


for path in sys.argv[1:]:
    check(path)
