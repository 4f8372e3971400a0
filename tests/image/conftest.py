"""What several tests of pictures need: files made of their own parts, and poor pictures."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from tf_style.image.picture import read_picture
from tf_style.image.resize import shrink
from tf_style.settings import InputError

RAMP = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
PICTURE = Image.fromarray(RAMP)
SRGB = ImageCms.createProfile("sRGB")
ORIENTATION = 0x0112
SIGMA = 25 / 255


@pytest.fixture(autouse=True)
def no_warnings_but_expected():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def written(path, content):
    path.write_bytes(content)
    return path


def saved(path, image, **options):
    image.save(path, **options)
    return path


def refused(source, read=read_picture):
    """The one line with which a file is refused."""
    with pytest.raises(InputError) as error:
        read(source)
    message = str(error.value)
    assert message.startswith(f"{source}: ") and "\n" not in message
    return message


def chunk(kind, content):
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def png(width, height, *, depth=8, color=2, interlaced=0, rows=b"", before=b""):
    """A PNG by its own parts, which need not fit together."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def iccp(profile):
    """The chunk of a PNG that holds an ICC profile."""
    return chunk(b"iCCP", b"a\0\0" + zlib.compress(profile, 1))


def ifd(*entries, after=b""):
    """A TIFF of one directory of (tag, type, count, value)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4) + after


def swapped_profile():
    """sRGB with the primaries red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(SRGB).tobytes()
    return profile.replace(b"rXYZ", b"-XYZ").replace(b"bXYZ", b"rXYZ").replace(b"-XYZ", b"bXYZ")


@functools.cache
def _whole(name):
    return read_picture(f"sample:{name}")


@functools.cache
def sample(name, side=384):
    """A sample picture no larger than `side`; it is read once, and cannot be changed."""
    picture = shrink(_whole(name), side)
    picture.setflags(write=False)
    return picture


def in_8_bits(picture):
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def noisy(picture, sigma=SIGMA, channels=3):
    rng = np.random.default_rng(0)
    grain = rng.normal(0, sigma, (*picture.shape[:2], channels))
    return in_8_bits(picture + grain).astype(np.float32) / 255


def compressed(picture, quality=10):
    file = io.BytesIO()
    Image.fromarray(in_8_bits(picture)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32) / 255
