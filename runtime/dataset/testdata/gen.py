"""Writes the files and vectors that the tests of package dataset read.

Needs numpy, Pillow, tifffile, torch, scipy and scikit-image. Run in this folder:
python3 gen.py. The Go tests do not need Python.
"""
import json
import struct
import zlib

import numpy as np
import tifffile
import torch
from PIL import Image, ImageOps
from scipy.special import ndtri
from skimage.color import rgb2ycbcr


def cubic(x):
    x = np.abs(x)
    inner = 1.5 * x**3 - 2.5 * x**2 + 1
    outer = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, inner, np.where(x <= 2, outer, 0))


def matrix(n, out, scale):
    """Dense weights of MATLAB's imresize along one side: kernel sampled on a
    widely mirrored axis, folded back, rows normalised."""
    s = min(scale, 1.0)
    centre = (np.arange(out) + 0.5) / scale - 0.5
    pad = int(np.ceil(4 / s)) + 2
    axis = np.arange(-pad, n + pad)
    full = cubic(s * (centre[:, None] - axis[None, :]))
    full /= full.sum(axis=1, keepdims=True)
    mirror = np.pad(np.arange(n), pad, mode="symmetric")
    w = np.zeros((out, n))
    for j, src in enumerate(mirror):
        w[:, src] += full[:, j]
    return w


def resize_cases(rng):
    cases = []
    sizes = [(12, 16, 6, 8), (12, 16, 3, 4), (6, 9, 2, 3), (5, 7, 10, 14), (5, 7, 20, 21),
             (9, 11, 4, 25), (3, 2, 1, 1), (1, 1, 4, 5), (8, 8, 8, 8), (17, 13, 5, 6)]
    for h, w, oh, ow in sizes:
        x = rng.integers(0, 256, (h, w)) / 255.0
        x = x.astype(np.float32)
        y = matrix(h, oh, oh / h) @ x.astype(np.float64) @ matrix(w, ow, ow / w).T
        cases.append(dict(h=h, w=w, oh=oh, ow=ow, input=x.ravel().tolist(), want=y.ravel().tolist()))
    return cases


def torch_cases(rng):
    """A second implementation, equal away from the borders, which it treats
    in another way: margin is the number of output pixels to leave out."""
    cases = []
    for h, w, oh, ow, margin in [(24, 32, 12, 16, 2), (32, 24, 8, 6, 2)]:
        x = rng.random((h, w)).astype(np.float32)
        t = torch.from_numpy(x.astype(np.float64))[None, None]
        y = torch.nn.functional.interpolate(t, size=(oh, ow), mode="bicubic", antialias=True,
                                            align_corners=False)
        cases.append(dict(h=h, w=w, oh=oh, ow=ow, margin=margin,
                          input=x.ravel().tolist(), want=y.numpy().ravel().tolist()))
    return cases


def png(path, w, h, bits, colour, rows, extra=b""):
    """Writes a PNG by hand, for the kinds that Pillow does not write."""
    def chunk(tag, data):
        body = tag + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    raw = b"".join(b"\0" + r for r in rows)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n")
        f.write(chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, 0)))
        f.write(extra)
        f.write(chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def files(rng):
    """Small image files and what they hold, as integers up to max."""
    out = []
    h, w = 11, 15
    yy, xx = np.mgrid[0:h, 0:w]
    rgb = np.stack([xx * 16, yy * 22, (xx * yy * 7) % 200 + 20], -1).astype(np.uint8)
    gray = ((xx * 13 + yy * 9) % 256).astype(np.uint8)
    alpha = rng.integers(0, 256, (h, w)).astype(np.uint8)
    alpha[0] = 0

    def add(name, pix, top=255, tol=0):
        pix = np.asarray(pix).astype(int)
        pix = pix[None] if pix.ndim == 2 else pix.transpose(2, 0, 1)
        out.append(dict(file=name, shape=list(pix.shape), max=top, tol=tol, pix=pix.ravel().tolist()))

    Image.fromarray(gray).save("gray8.png")
    add("gray8.png", gray)
    Image.fromarray(rgb).save("rgb8.png")
    add("rgb8.png", rgb)
    Image.fromarray(np.dstack([rgb, alpha])).save("rgba8.png")
    add("rgba8.png", rgb)
    Image.fromarray(np.dstack([gray, alpha]), "LA").save("graya8.png")
    add("graya8.png", gray)
    pal = Image.fromarray(rgb).quantize(16)
    pal.save("palette.png")
    add("palette.png", np.array(pal.convert("RGB")))
    pal.save("palette_alpha.png", transparency=bytes(range(0, 256, 16)))
    add("palette_alpha.png", np.array(pal.convert("RGB")))
    bits = (gray > 128)
    Image.fromarray(bits).save("gray1.png")
    add("gray1.png", bits * 255)
    g16 = rng.integers(0, 65536, (h, w)).astype(">u2")
    png("gray16.png", w, h, 16, 0, [r.tobytes() for r in g16])
    add("gray16.png", g16, 65535)
    c16 = rng.integers(0, 65536, (h, w, 3)).astype(">u2")
    png("rgb16.png", w, h, 16, 2, [r.tobytes() for r in c16])
    add("rgb16.png", c16, 65535)
    a16 = rng.integers(0, 65536, (h, w, 4)).astype(">u2")
    png("rgba16.png", w, h, 16, 6, [r.tobytes() for r in a16])
    add("rgba16.png", a16[..., :3], 65535)

    for name, kw in [("444.jpg", dict(subsampling=0)), ("422.jpg", dict(subsampling=1)),
                     ("420.jpg", dict(subsampling=2)), ("progressive.jpg", dict(subsampling=2, progressive=True))]:
        Image.fromarray(rgb).save(name, quality=92, **kw)
        add(name, np.array(Image.open(name)), tol=2)
    Image.fromarray(gray).save("gray.jpg", quality=92)
    add("gray.jpg", np.array(Image.open("gray.jpg")), tol=1)
    Image.fromarray(rgb).convert("CMYK").save("cmyk.jpg", quality=92)
    add("cmyk.jpg", np.array(Image.open("cmyk.jpg").convert("RGB")), tol=2)

    Image.fromarray(rgb).save("rgb24.bmp")
    add("rgb24.bmp", rgb)
    pal.save("palette8.bmp")
    add("palette8.bmp", np.array(pal.convert("RGB")))
    with open("top_down32.bmp", "wb") as f:
        f.write(b"BM" + struct.pack("<IHHI", 54 + 4 * w * h, 0, 0, 54))
        f.write(struct.pack("<IiiHHIIiiII", 40, w, -h, 1, 32, 0, 0, 0, 0, 0, 0))
        f.write(np.dstack([rgb[..., ::-1], alpha]).tobytes())
    add("top_down32.bmp", rgb)
    return out


def kinds():
    """More files: other formats, opacity, depth and orientation. Those that unread makes
    are refused."""
    out = []
    rng = np.random.default_rng(20260102)
    h, w = 11, 15
    yy, xx = np.mgrid[0:h, 0:w]
    rgb = np.stack([xx * 16, yy * 22, (xx * yy * 7) % 200 + 20], -1).astype(np.uint8)
    gray = ((xx * 13 + yy * 9) % 256).astype(np.uint8)
    alpha = ((xx * 31 + yy * 57) % 256).astype(np.uint8)
    rgb16 = rng.integers(0, 65536, (h, w, 3)).astype(np.uint16)
    a16 = rng.integers(1, 65536, (h, w, 1)).astype(np.uint16)

    def add(name, pix, top=255, tol=0, alpha=None):
        pix = np.asarray(pix).astype(float)
        pix = pix[None] if pix.ndim == 2 else pix.transpose(2, 0, 1)
        out.append(dict(file=name, shape=list(pix.shape), max=top, tol=tol, pix=pix.ravel().tolist(),
                        alpha=None if alpha is None else np.asarray(alpha).ravel().tolist()))

    def exif(orientation):
        e = Image.Exif()
        e[0x112] = orientation
        return e

    for o in range(1, 9):
        name = f"orientation{o}.png"
        Image.fromarray(gray).save(name, exif=exif(o))
        add(name, np.array(ImageOps.exif_transpose(Image.open(name))))
    Image.fromarray(rgb).save("orientation6.jpg", quality=92, subsampling=0, exif=exif(6))
    add("orientation6.jpg", np.array(ImageOps.exif_transpose(Image.open("orientation6.jpg"))), tol=2)
    Image.fromarray(np.dstack([rgb, alpha])).save("orientation8.webp", lossless=True, exact=True, exif=exif(8))
    turned = np.array(ImageOps.exif_transpose(Image.open("orientation8.webp")))
    add("orientation8.webp", turned[..., :3], alpha=turned[..., 3])
    tifffile.imwrite("orientation5.tif", rgb, photometric="rgb", extratags=[(274, "H", 1, 5, True)], software=False, metadata=None)
    add("orientation5.tif", rgb.transpose(1, 0, 2))

    g16 = np.dstack([rgb16[..., :1], a16]).astype(">u2")
    png("graya16.png", w, h, 16, 4, [r.tobytes() for r in g16])
    add("graya16.png", rgb16[..., 0], 65535, alpha=a16)
    tifffile.imwrite("plane.tif", gray, photometric="minisblack", software=False, metadata=None)
    with open("plane.tif", "rb+") as f:  # says that its one plane is apart, in the place of a unit
        data = f.read()
        at = data.index(struct.pack("<HHI", 296, 3, 1))
        f.seek(at)
        f.write(struct.pack("<HHII", 284, 3, 1, 2))
    add("plane.tif", gray)
    tifffile.imwrite("gray16.tif", rgb16[..., 0], photometric="minisblack", byteorder=">", software=False, metadata=None)
    add("gray16.tif", rgb16[..., 0], 65535)
    tifffile.imwrite("rgb16.tif", rgb16, photometric="rgb", software=False, metadata=None)
    add("rgb16.tif", rgb16, 65535)
    Image.fromarray(gray).save("lzw.tif", compression="tiff_lzw")
    add("lzw.tif", gray)
    for name, photometric in [("fax.tif", 0), ("fax_black.tif", 1)]:
        Image.fromarray(gray > 128).save(name, compression="group4", tiffinfo={262: photometric})
        add(name, (gray > 128) * 255)
    tifffile.imwrite("rgba.tif", np.dstack([rgb, alpha]), photometric="rgb", extrasamples=["unassalpha"], software=False, metadata=None)
    add("rgba.tif", rgb, alpha=alpha)
    over = (rgb.astype(float) * alpha[..., None] / 255).astype(np.uint8)
    tifffile.imwrite("premultiplied.tif", np.dstack([over, alpha]), photometric="rgb", extrasamples=["assocalpha"], software=False, metadata=None)
    straight = np.where(alpha[..., None] > 0, over * 255.0 / np.maximum(alpha, 1)[..., None], 0)
    add("premultiplied.tif", straight, alpha=alpha)
    tifffile.imwrite("pages.tif", np.stack([gray, 255 - gray]), photometric="minisblack", software=False, metadata=None)
    add("pages.tif", gray)

    Image.fromarray(rgb).save("lossy.webp", quality=90)
    add("lossy.webp", np.array(Image.open("lossy.webp").convert("RGB")), tol=2)
    Image.fromarray(np.dstack([rgb, alpha])).save("lossy_alpha.webp", quality=90)
    both = np.array(Image.open("lossy_alpha.webp"))
    add("lossy_alpha.webp", both[..., :3], tol=2, alpha=both[..., 3])
    Image.fromarray(rgb).save("lossless.webp", lossless=True)
    add("lossless.webp", rgb)

    Image.fromarray(gray > 128).save("bits.bmp")
    add("bits.bmp", np.repeat((gray > 128)[..., None] * 255, 3, 2))
    with open("v4.bmp", "wb") as f:
        f.write(b"BM" + struct.pack("<IHHI", 122 + 4 * w * h, 0, 0, 122))
        f.write(struct.pack("<IiiHHIIiiII", 108, w, -h, 1, 32, 3, 0, 0, 0, 0, 0))
        f.write(struct.pack("<IIII", 0xff0000, 0xff00, 0xff, 0xff000000) + bytes(52))
        f.write(np.dstack([rgb[..., ::-1], alpha]).tobytes())
    add("v4.bmp", rgb, alpha=alpha)
    return out


def unread():
    """Files that are refused."""
    frames = [Image.new("RGB", (8, 6), c) for c in ("red", "green", "blue")]
    for name in ("animated.png", "animated.webp", "animated.gif"):
        frames[0].save(name, save_all=True, append_images=frames[1:], duration=100)
    tifffile.imwrite("cmyk.tif", np.zeros((6, 8, 4), np.uint8), photometric="separated", software=False, metadata=None)
    tifffile.imwrite("planar.tif", np.zeros((3, 6, 8), np.uint8), photometric="rgb", planarconfig="separate", software=False, metadata=None)
    tifffile.imwrite("float.tif", np.zeros((6, 8), np.float32), photometric="minisblack", software=False, metadata=None)


def main():
    rng = np.random.default_rng(20260101)
    k = [0, 1, 2, 1000, 2**20, 2**40, 2**49, 2**51, 2**52 - 1, 2**52, 2**52 + 2**51, 2**53 - 1]
    # Exact in double precision for the lower half; the upper one by symmetry.
    normal = [ndtri((i + 0.5) / 2**53) if i < 2**52 else -ndtri((2**53 - 1 - i + 0.5) / 2**53) for i in k]
    rgb = rng.random((4, 5, 3)).astype(np.float32)
    ycc = rgb2ycbcr(rgb.astype(np.float64)) / 255
    vectors = dict(
        resize=resize_cases(rng), torch=torch_cases(rng), files=files(rng),
        normal=dict(k=[str(i) for i in k], want=normal),
        ycbcr=dict(h=4, w=5, rgb=rgb.transpose(2, 0, 1).ravel().tolist(),
                   want=ycc.transpose(2, 0, 1).ravel().tolist()),
    )
    unread()
    for name, data in [("vectors.json", vectors), ("kinds.json", kinds())]:
        with open(name, "w") as f:
            json.dump(data, f, indent=None, separators=(",", ":"))
            f.write("\n")


main()
