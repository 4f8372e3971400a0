"""PNG and TIFF pictures of more than 8 bits a channel, with the packages of the extra `deep`.

Pillow reads 16-bit colour as 8 bits and cannot write it; of other numbers, it reads only gray. The
packages are imagecodecs (PNG, colour management, compressed TIFF) and tifffile.
"""

from __future__ import annotations

import importlib.util
import io
import math
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import PngImagePlugin

from tf_style.image.numbers import Numbers
from tf_style.image.png import Chunks

_PACKAGES = ("imagecodecs", "tifffile")
# Length of a PNG's signature and header chunk, which other chunks follow.
_PNG_HEAD = 33
# Kind of picture → how many of its channels are colours. Source: TIFF 6.0, section 8.
_COLORS = {0: 1, 1: 1, 2: 3}
_MOST_EXTRA = 4
# Kinds of alpha. Source: TIFF 6.0, section 18, ExtraSamples.
_ASSOCIATED, _UNASSOCIATED = 1, 2


def is_available() -> bool:
    """Whether the packages of the extra `deep` are installed."""
    return all(importlib.util.find_spec(package) for package in _PACKAGES)


def read(path: Path, chunks: Chunks | None) -> Numbers:
    """The numbers of the first picture in a file.

    Args:
        chunks: what the file holds, if it is a PNG, of 16 bits a channel; else it is a TIFF.

    Raises:
        ValueError: if some are missing.
    """
    if chunks is None:
        with open(path, "rb") as file:
            return Tiff(file).read()
    import imagecodecs

    pixels = imagecodecs.png_decode(chunks.content)
    if pixels.dtype != np.uint16:
        raise ValueError(f"expected 16 bits a channel, found {pixels.dtype}")
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] in (2, 4):
        return Numbers(pixels[..., :-1], pixels[..., -1])
    return Numbers(pixels)


def read_jpeg2000(path: Path, bits: int) -> Numbers:
    """The numbers of a JPEG 2000 file of colours.

    Args:
        bits: of each number.
    """
    import imagecodecs

    pixels = imagecodecs.jpeg2k_decode(path.read_bytes())
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        raise ValueError(f"expected RGB, with or without alpha, found {pixels.shape}")
    alpha = pixels[..., 3] if pixels.shape[2] == 4 else None
    return Numbers(pixels[..., :3], alpha, bits=bits)


class Tiff:
    """A TIFF file, opened; any numbers of gray and RGB pictures, with and without alpha.

    Attributes:
        width, height: of the first picture as it is stored, in pixels.
        orientation: the EXIF tag that says which side is up.
        profile: the ICC profile; `None` for none.
        is_animated: whether more pictures follow the first.

    Raises:
        ValueError: (on construction) if it is none, or holds something else.
    """

    def __init__(self, file: BinaryIO):
        import tifffile

        file.seek(0)
        self._file = tifffile.TiffFile(file)
        page = self._page = self._file.pages.first
        self.height, self.width = page.imagelength, page.imagewidth
        self.orientation = getattr(page.tags.get(274), "value", 1)
        self.profile = getattr(page.tags.get(34675), "value", None)
        self.is_animated = len(self._file.pages) > 1
        colors = _COLORS.get(page.photometric)
        if colors is None or not colors <= page.samplesperpixel <= colors + _MOST_EXTRA:
            raise ValueError(f"its colours are {page.photometric.name} of {page.samplesperpixel} "
                             "channels; expected gray or RGB")
        if page.imagedepth > 1 or page.dtype is None or page.dtype.kind not in "uif":
            raise ValueError("expected whole or floating-point numbers of a flat picture")
        self._colors = colors

    @classmethod
    def known(cls, file: BinaryIO) -> Tiff | None:
        """A file, opened; `None` for what is no such TIFF, or if the packages are missing."""
        with suppress(Exception):
            return cls(file) if is_available() else None
        return None

    def read(self) -> Numbers:
        """The numbers of the first picture.

        Raises:
            ValueError: if some are missing.
        """
        page = self._page
        size = self._file.filehandle.size
        held = [count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)
                if start and count and start + count <= size]
        if len(held) < math.prod(page.chunked) or (
                page.compression == 1 and sum(held) * 8 < page.size * page.bitspersample):
            raise ValueError("pixels are missing")
        pixels = page.asarray().reshape(page.shape)
        if page.axes == "SYX":
            # The channels are stored one after the other.
            pixels = np.moveaxis(pixels, 0, 2)
        pixels = pixels.reshape(self.height, self.width, page.samplesperpixel)
        # Pillow takes a fourth channel that the file does not name for alpha, too.
        extra = page.extrasamples or (_UNASSOCIATED,) * (pixels.shape[2] - self._colors)
        has_alpha = len(extra) > 0 and extra[0] in (_ASSOCIATED, _UNASSOCIATED)
        return Numbers(
            pixels[..., : self._colors],
            pixels[..., self._colors] if has_alpha else None,
            bits=page.bitspersample, inverted=page.photometric == 0,
            premultiplied=has_alpha and extra[0] == _ASSOCIATED,
        )


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
