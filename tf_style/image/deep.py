"""PNG and TIFF pictures of 16 bits a channel, with the packages of the extra `deep`.

Pillow reads 16-bit colour as 8 bits and cannot write it. The packages are imagecodecs (PNG, colour
management, compressed TIFF) and tifffile.
"""

from __future__ import annotations

import importlib.util
import io
import zlib
from pathlib import Path

import numpy as np
from PIL import PngImagePlugin

_PACKAGES = ("imagecodecs", "tifffile")
# Length of a PNG's signature and header chunk, which other chunks follow.
_PNG_HEAD = 33


def is_available() -> bool:
    """Whether the packages of the extra `deep` are installed."""
    return all(importlib.util.find_spec(package) for package in _PACKAGES)


def read(path: Path, kind: str) -> np.ndarray:
    """The pixels of the first picture in a file, as they are stored.

    Args:
        kind: `PNG` or `TIFF`.

    Returns:
        `(height, width, channels)`; for some TIFF files another shape.
    """
    if kind == "PNG":
        import imagecodecs

        return imagecodecs.png_decode(path.read_bytes())
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        pixels = page.asarray()
        # The channels are stored one after the other.
        return np.moveaxis(pixels, 0, 2) if page.axes == "SYX" else pixels


def to_srgb(pixels: np.ndarray, profile: bytes, srgb: bytes) -> np.ndarray:
    """`(height, width, 3)` uint16 from one ICC profile to another; as given if one does not fit."""
    import imagecodecs

    try:
        return imagecodecs.cms_transform(
            np.ascontiguousarray(pixels), profile, srgb, colorspace="rgb", outcolorspace="rgb"
        )
    except (imagecodecs.CmsError, ValueError):
        return pixels


def encode(pixels: np.ndarray, kind: str, profile: bytes, info: PngImagePlugin.PngInfo) -> bytes:
    """A PNG or TIFF file.

    Args:
        pixels: `(height, width, 3 or 4)` uint16; the fourth channel is alpha.
        kind: `PNG` or `TIFF`.
        profile: the ICC profile to embed.
        info: what else a PNG holds.
    """
    content = io.BytesIO()
    if kind == "PNG":
        import imagecodecs

        png = imagecodecs.png_encode(pixels)
        content.write(png[:_PNG_HEAD])
        name = b"ICC Profile\0"
        # Source: PNG specification, 11.3.3.3: the name, the method 0, the compressed profile.
        PngImagePlugin.putchunk(content, b"iCCP", name + b"\0" + zlib.compress(profile))
        for chunk, data, *_ in info.chunks:
            PngImagePlugin.putchunk(content, chunk, data)
        content.write(png[_PNG_HEAD:])
    else:
        import tifffile

        tifffile.imwrite(
            content, pixels, photometric="rgb", compression="zlib", predictor=True,
            extrasamples=["unassalpha"] if pixels.shape[2] == 4 else None,
            iccprofile=profile, metadata=None, software=False,
        )
    return content.getvalue()
