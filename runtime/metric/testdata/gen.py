"""Writes vectors.json, which the tests of package metric read.

Needs numpy, torch and scikit-image. Run in this folder: python3 gen.py. The Go
tests do not need Python.
"""
import json

import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def ssim(a, b, **kw):
    """Mean over channels of planar images, in double precision."""
    return float(np.mean([structural_similarity(x, y, data_range=1.0, **kw) for x, y in zip(a, b)]))


def quality_cases(rng):
    cases = []
    for c, h, w, noise in [(1, 11, 11, 0.1), (1, 16, 23, 0.02), (3, 13, 12, 0.3), (1, 12, 30, 0.0)]:
        yy, xx = np.mgrid[0:h, 0:w]
        a = np.stack([0.5 + 0.4 * np.sin(xx / (3 + k) + yy / 4.0) for k in range(c)]).astype(np.float32)
        b = (a + noise * rng.standard_normal(a.shape)).astype(np.float32)
        if noise == 0:
            b[:] = 0.5  # a flat image: its variance is 0
        x, y = a.astype(np.float64), b.astype(np.float64)
        cases.append(dict(
            c=c, h=h, w=w, a=a.ravel().tolist(), b=b.ravel().tolist(),
            psnr=float(peak_signal_noise_ratio(x, y, data_range=1.0)),
            gaussian=ssim(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False),
            uniform7=ssim(x, y)))
    return cases


def conv_cases():
    """Taps counted by convolving ones with ones, where padding adds nothing."""
    cases = []
    for s in [dict(cin=1, cout=64, k=(3, 3), size=(9, 7), stride=(1, 1), pad=(1, 1), dil=(1, 1), group=1),
              dict(cin=6, cout=3, k=(5, 7), size=(8, 12), stride=(1, 1), pad=(2, 3), dil=(1, 1), group=1),
              dict(cin=4, cout=8, k=(3, 3), size=(11, 10), stride=(2, 3), pad=(1, 0), dil=(2, 1), group=2),
              dict(cin=3, cout=3, k=(1, 1), size=(5, 5), stride=(1, 1), pad=(0, 0), dil=(1, 1), group=3),
              dict(cin=1, cout=1, k=(9, 9), size=(3, 3), stride=(1, 1), pad=(4, 4), dil=(1, 1), group=1)]:
        x = torch.ones(1, s["cin"], *s["size"], dtype=torch.float64)
        w = torch.ones(s["cout"], s["cin"] // s["group"], *s["k"], dtype=torch.float64)
        y = torch.nn.functional.conv2d(x, w, stride=s["stride"], padding=s["pad"],
                                       dilation=s["dil"], groups=s["group"])
        cases.append(dict(s, macs=float(y.numel() * w[0].numel()), exact=float(y.sum()),
                          outputs=y.numel(), inputs=x.numel()))
    return cases


def main():
    rng = np.random.default_rng(20260102)
    with open("vectors.json", "w") as f:
        json.dump(dict(quality=quality_cases(rng), conv=conv_cases()), f, separators=(",", ":"))
        f.write("\n")


main()
