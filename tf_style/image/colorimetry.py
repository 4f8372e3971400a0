"""Colour spaces by their primaries, their white and the curve of their numbers, and sRGB."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

# Chromaticities x, y of red, green, blue and white.
_D65 = (0.3127, 0.329)
_C = (0.31, 0.316)
_SRGB = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *_D65)
# Source: ITU-T H.273, table 2.
_PRIMARIES = {
    1: _SRGB,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.6, 0.15, 0.06, *_D65),
    6: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65),
    7: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *_D65),
    10: (1, 0, 0, 1, 0, 0, 1 / 3, 1 / 3),
    11: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.314, 0.351),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *_D65),
    22: (0.63, 0.34, 0.295, 0.605, 0.155, 0.077, *_D65),
}
# How far chromaticities may lie from those of sRGB and still be rounded ones.
_ROUNDED = 0.002
# A gamma this near to that of sRGB stands for sRGB itself. Source: libpng, PNG_GAMMA_THRESHOLD.
_SAME_GAMMA = 0.05
# Light of white in HDR pictures, in cd/m². Source: ITU-R BT.2408, 2.1.
_HDR_WHITE = 203
# Responses of the eye's cones to XYZ. Source: Lam, Bradford, 1985.
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def _srgb_light(value: np.ndarray) -> np.ndarray:
    """Source: IEC 61966-2-1, 5.2."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _srgb_value(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _pq_light(value: np.ndarray) -> np.ndarray:
    """Source: ITU-R BT.2100, table 4."""
    root = value ** (32 / 2523)
    share = np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)
    return share ** (16384 / 2610) * (10_000 / _HDR_WHITE)


def _hlg_light(value: np.ndarray) -> np.ndarray:
    """On a display of 1000 cd/m². Source: ITU-R BT.2100, table 5."""
    scene = np.where(value <= 0.5, value**2 / 3,
                     (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luminance = scene @ np.array([0.2627, 0.678, 0.0593], np.float32)
    return scene * np.maximum(luminance, 1e-9)[..., None] ** 0.2 * (1000 / _HDR_WHITE)


# Source: ITU-T H.273, table 3. The curves of video are those of cameras: they are shown, like
# sRGB, on displays of about the same curve.
_CURVES: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    **dict.fromkeys((1, 2, 6, 7, 11, 12, 13, 14, 15), _srgb_light),
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    8: lambda value: value,
    16: _pq_light,
    17: lambda value: value**2.6 * (52.37 / 48),
    18: _hlg_light,
}


@dataclasses.dataclass(frozen=True)
class ColorSpace:
    """An RGB colour space.

    Attributes:
        light: from numbers in `[0, 1]` to light, 1 for white.
        primaries: the chromaticities x, y of red, green, blue and white.
        black, white: the numbers that mean 0 and 1.
    """

    light: Callable[[np.ndarray], np.ndarray] = _srgb_light
    primaries: Sequence[float] = _SRGB
    black: float = 0.0
    white: float = 1.0

    @property
    def is_hdr(self) -> bool:
        """Whether it holds light brighter than white."""
        return self.light in (_pq_light, _hlg_light)

    @property
    def is_srgb(self) -> bool:
        """Whether its numbers are those of sRGB."""
        same = np.abs(np.subtract(self.primaries, _SRGB)).max() <= _ROUNDED
        return self.light is _srgb_light and same and (self.black, self.white) == (0, 1)

    def to_srgb(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels `(height, width, 3)` in `[0, 1]`, in sRGB; what sRGB cannot show is clipped."""
        if self.is_srgb:
            return pixels
        matrix = (np.linalg.inv(_to_xyz(_SRGB)) @ _to_xyz(self.primaries)).astype(np.float32)
        found = np.empty_like(pixels)
        # In bands, so that memory need not hold several more pictures.
        for top in range(0, len(pixels), 256):
            band = (pixels[top : top + 256] - self.black) / (self.white - self.black)
            light = self.light(np.clip(band, 0, 1)) @ matrix.T
            found[top : top + 256] = _srgb_value(np.clip(light, 0, 1))
        return found


def coded(primaries: int, curve: int, matrix: int, full: int, bits: int) -> ColorSpace | None:
    """The colour space with these code points of ITU-T H.273; `None` for unknown ones.

    Args:
        full: 1 if black and white are the ends of the range, 0 if they are those of video.
        bits: of each number.
    """
    if primaries == 2:
        primaries = 1
    if primaries not in _PRIMARIES or curve not in _CURVES or matrix or full > 1:
        return None
    ends = (0, 1) if full else [level * 2 ** (bits - 8) / (2**bits - 1) for level in (16, 235)]
    return ColorSpace(_CURVES[curve], _PRIMARIES[primaries], *ends)


def measured(gamma: float | None, primaries: Sequence[float] | None) -> ColorSpace | None:
    """The colour space of a gamma, with which light was encoded, and primaries; `None` for neither.

    What cannot be meant is left out.
    """
    if gamma is not None and not 0.1 <= gamma <= 10:
        gamma = None
    if primaries is not None and not _are_possible(primaries):
        primaries = None
    if gamma is None and primaries is None:
        return None
    same = gamma is None or abs(gamma * 2.2 - 1) <= _SAME_GAMMA
    return ColorSpace(
        _srgb_light if same else lambda value: value ** (1 / gamma), primaries or _SRGB
    )


def _are_possible(primaries: Sequence[float]) -> bool:
    red, green, blue, white = np.reshape(primaries, (4, 2))
    area = np.linalg.det([green - red, blue - red])
    return white[1] > 0.05 and white.sum() <= 1 and abs(area) > 0.01 and np.max(primaries) <= 2


def _to_xyz(primaries: Sequence[float]) -> np.ndarray:
    """From RGB to XYZ, adapted to the white of sRGB."""
    points = np.reshape(primaries, (4, 2))
    points = np.column_stack([points, 1 - points.sum(axis=1)]).T
    white, target = points[:, 3] / points[1, 3], np.append(_D65, 1 - sum(_D65)) / _D65[1]
    matrix = points[:, :3] * np.linalg.solve(points[:, :3], white)
    cones = np.diag((_BRADFORD @ target) / (_BRADFORD @ white))
    return np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD @ matrix
