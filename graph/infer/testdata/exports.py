"""Exports small nets with dynamic shapes, to exports/*.onnx and exports.json.

Run: /usr/bin/python3 exports.py (PyTorch 1.13). The Go test infers each file
and evaluates the output's expression at the sizes that PyTorch was run with.
"""

import json
import os
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")
SIZES = [(1, 16, 24), (3, 8, 40), (2, 33, 17)]


class Fn(nn.Module):
    def __init__(self, f, *mods):
        super().__init__()
        self.f, self.mods = f, nn.ModuleList(mods)

    def forward(self, x):
        return self.f(x, *self.mods)


def conv(i, o, k=3, s=1, bias=False):
    return nn.Conv2d(i, o, k, s, k // 2, bias=bias)


def view(x, c):
    n, _, h, w = x.shape
    return c(x).view(n, 2, 2, h, w).permute(0, 2, 1, 3, 4).reshape(n, 4, h, w)


def unshuffle(x):
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, c * 4, h // 2, w // 2)


def unet(x, down, mid):
    y = down(x)
    y = F.interpolate(mid(y), size=x.shape[2:], mode="nearest")
    return torch.cat([x, y], 1) + 1


def padded(x, down):
    h, w = x.shape[2], x.shape[3]
    y = F.pad(x, (0, (4 - w % 4) % 4, 0, (4 - h % 4) % 4), mode="reflect")
    return down(y)


def attention(x):
    n, c, h, w = x.shape
    q = x.flatten(2)
    a = torch.softmax(q.transpose(1, 2) @ q / c**0.5, -1)
    return (q @ a).view(n, c, h, w)


NETS = {
    "view": Fn(view, conv(3, 4)),
    "unshuffle": Fn(unshuffle),
    "shuffle": Fn(lambda x, c: F.pixel_shuffle(c(x), 2), conv(3, 12)),
    "unet": Fn(unet, conv(3, 4, 3, 2), nn.ConvTranspose2d(4, 5, 2, 2)),
    "padded": Fn(padded, conv(3, 2, 3, 2)),
    "twice": Fn(lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)),
    "half": Fn(lambda x: F.interpolate(x, scale_factor=0.5, mode="nearest")),
    "recompute": Fn(lambda x: F.interpolate(x, scale_factor=1.5, mode="bicubic", recompute_scale_factor=True)),
    "doubled": Fn(lambda x: F.interpolate(x, size=(2 * x.shape[2], x.shape[3] // 2), mode="bilinear")),
    "excite": Fn(lambda x, a, b: x * torch.sigmoid(b(F.relu(a(x.mean((2, 3)))))).view(x.shape[0], 3, 1, 1),
                 nn.Linear(3, 2), nn.Linear(2, 3)),
    "pooled": Fn(lambda x, c: torch.flatten(F.adaptive_avg_pool2d(c(x), 1), 1), conv(3, 5, 3, 2)),
    "ceilpool": Fn(lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True)),
    "crop": Fn(lambda x: x[:, 1:, 2:-2, 3:] - x[:, :2, :-4, :-3]),
    "chunk": Fn(lambda x, c: torch.cat([y * 2 for y in c(x).chunk(2, 1)], 2), conv(3, 4)),
    "expand": Fn(lambda x: x * torch.ones(1, 3, 1, 1).expand(x.shape[0], 3, x.shape[2], x.shape[3])),
    "zeros": Fn(lambda x: torch.cat([x, torch.zeros(x.shape[0], 1, x.shape[2], x.shape[3])], 1)),
    "ramp": Fn(lambda x: x + torch.arange(x.shape[3]).view(1, 1, 1, -1)),
    "tiled": Fn(lambda x: x.repeat(1, 2, 1, 3)),
    "attention": Fn(attention),
    "mosaic": Fn(lambda x: torch.stack([x, x], 2).flatten(1, 2)),
}
OPSETS = {"twice": [9, 11, 13], "half": [9, 16], "view": [9, 13], "crop": [9, 13], "shuffle": [9, 13]}


def main():
    os.makedirs("exports", exist_ok=True)
    want = []
    for name, net in NETS.items():
        net.eval()
        for opset in OPSETS.get(name, [13]):
            file = f"exports/{name}{opset}.onnx"
            torch.onnx.export(net, torch.rand(2, 3, 16, 24), file, opset_version=opset, input_names=["x"],
                              output_names=["y"], dynamic_axes={"x": {0: "N", 2: "H", 3: "W"}})
            outs = []
            for n, h, w in SIZES:
                try:
                    shape = list(net(torch.rand(n, 3, h, w)).shape)
                except RuntimeError:
                    continue  # the net asks for even sizes
                outs.append({"sizes": {"N": n, "H": h, "W": w}, "shape": shape})
            want.append({"file": file, "want": outs})
    with open("exports.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(w) for w in want) + "\n]\n")


torch.manual_seed(1)
main()
