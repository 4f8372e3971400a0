"""ICC profiles: what the numbers of a picture file mean, and the same colours in sRGB."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image, ImageCms

# What lcms and Pillow raise for profiles that are damaged, or made for another kind of picture.
_UNFIT = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def srgb_profile() -> bytes:
    """The sRGB profile that pictures are saved with, the same bytes each time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # The creation time, which would make two files of the same picture differ.
    # Source: ICC.1:2010, 7.2.8: year, month, day, hour, minute, second, 16 bits each.
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    return bytes(profile)


def to_srgb(image: Image.Image) -> Image.Image:
    """An 8-bit image without transparency, as RGB in sRGB.

    The file's profile is used with the perceptual intent, the default of Pillow and most viewers.
    Without a profile, or with one that does not fit the pixels, they are taken as sRGB.
    """
    profile = image.info.get("icc_profile")
    if image.mode not in ("L", "CMYK", "RGB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if profile and profile != srgb_profile():
        try:
            return ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"), outputMode="RGB",
            )
        except _UNFIT:
            pass
    return image.convert("RGB")


def gray_to_srgb(gray: np.ndarray, profile: bytes | None) -> np.ndarray:
    """Gray values in `[0, 1]` of any depth in sRGB, by their profile's curve at 256 points."""
    if not profile:
        return gray
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    ramp.info["icc_profile"] = profile
    curve = np.asarray(to_srgb(ramp), np.float32)[0, :, 1] / 255
    return np.interp(gray, np.linspace(0, 1, 256), curve).astype(np.float32)
