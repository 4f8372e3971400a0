"""A picture's few colours, and whether a colour is among them. No TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageColor

from tf_style.image.numbers import eight_bit
from tf_style.image.resize import shrink
from tf_style.settings import InputError

_COUNT = 5
# More pixels give the same colours, and take longer than the rest of the look at a picture.
_SIDE = 64
# In Oklab: a colour of another name is seldom nearer. And the least share that is seen as one of
# the picture's colours.
_NEAR, _LEAST = 0.14, 0.15


@dataclasses.dataclass(frozen=True)
class Swatch:
    """One colour of a palette.

    Attributes:
        color: `#rrggbb`, sRGB.
        share: of the picture's pixels, 0 to 1.
    """

    color: str
    share: float


def palette(picture: np.ndarray) -> tuple[Swatch, ...]:
    """At most five colours that stand for all of a picture's, the most frequent first.

    Args:
        picture: `(height, width, 3)` in `[0, 1]`.
    """
    small = Image.fromarray(eight_bit(shrink(picture, _SIDE)))
    reduced = small.quantize(_COUNT, method=Image.Quantize.MEDIANCUT, kmeans=3)
    colors = np.reshape(reduced.getpalette()[: 3 * _COUNT], (-1, 3))
    counts = sorted(reduced.getcolors(), reverse=True)
    whole = sum(count for count, _ in counts)
    return tuple(Swatch(_written(colors[index]), round(count / whole, 3))
                 for count, index in counts)


def colors_of(text: str) -> list[str]:
    """The colours that `text` names, as `#rrggbb`: names such as `navy`, or `#1e3c5a`, by commas.

    Raises:
        InputError: for one that is not known.
    """
    found = []
    for name in text.split(","):
        try:
            found.append(_written(ImageColor.getrgb(name.strip())[:3]))
        except ValueError:
            raise InputError(f"--palette={text}: expected colours such as navy, gold or #1e3c5a, "
                             f"between commas. Received: {name.strip()!r}") from None
    return found


def has_colors(swatches: Iterable[Swatch], colors: Iterable[str]) -> bool:
    """Whether each of these colours covers a visible part, a seventh, of a picture."""
    swatches = list(swatches)
    known = _oklab([each.color for each in swatches])
    shares = np.array([each.share for each in swatches])
    return all(
        shares[np.linalg.norm(known - color, axis=1) < _NEAR].sum() >= _LEAST
        for color in _oklab(list(colors))
    )


def mean_colors(palettes: Iterable[Sequence[Swatch]]) -> np.ndarray:
    """The mean colour of each palette in Oklab, `(count, 3)`."""
    palettes = list(palettes)
    shares = np.array([each.share for swatches in palettes for each in swatches])
    known = _oklab([each.color for swatches in palettes for each in swatches])
    starts = np.cumsum([0, *map(len, palettes)])[:-1]
    sums = np.add.reduceat(np.column_stack([known * shares[:, None], shares]), starts)
    return sums[:, :3] / sums[:, 3:]


def _written(color: Iterable[int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in color)


def _oklab(colors: list[str]) -> np.ndarray:
    """`#rrggbb` in coordinates where distances are as large as they look, `(count, 3)`.

    Source: Ottosson, A perceptual color space for image processing, 2020.
    """
    values = np.frombuffer(bytes.fromhex("".join(each[1:] for each in colors)), np.uint8)
    values = values.reshape(-1, 3) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    cones = light @ np.array([[0.4122214708, 0.2119034982, 0.0883024619],
                              [0.5363325363, 0.6806995451, 0.2817188376],
                              [0.0514459929, 0.1073969566, 0.6299787005]])
    return np.cbrt(cones) @ np.array([[0.2104542553, 1.9779984951, 0.0259040371],
                                      [0.7936177850, -2.4285922050, 0.7827717662],
                                      [-0.0040720468, 0.4505937099, -0.8086757660]])
