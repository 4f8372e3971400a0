"""Which styles suit a photograph: told from the pictures, before anything is painted. NumPy alone.

What is told is the quality of the result, the harmonic mean of two shares: of the style that it
takes on, and of the content that it keeps, as a network measures them that did not paint it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tf_style.image import color
from tf_style.library.palette import Swatch, mean_colors

# Halvings of a thumbnail, whose long side has 128 pixels.
_SCALES = 6
# What a scale's marks are called, from one pixel of a thumbnail to a quarter of it.
_MARKS = ("fine marks", "fine marks", "strokes", "strokes", "large shapes", "large shapes")
# Contrasts, of channels from 0 to 1: of noise, and one that has a logarithm.
_NOISE, _NOTHING = 1e-3, 1e-6
# The layer whose strength tells of shapes. Descriptors of other networks say nothing about them.
_DEEP = "block5_conv1"


@dataclasses.dataclass(frozen=True)
class Part:
    """One thing that a ranking goes by.

    Attributes:
        weight: how much the quality changes with it.
        usual: what it is on average.
        least: what is less makes no difference: what is faint already does not suit better for
            being fainter.
        less, more: what it means in words if it is clearly less than usual, or more; `{marks}`
            stands for what is as large as the scale that counts.
    """

    weight: float
    usual: float
    less: str
    more: str
    least: float = -np.inf

    def effect(self, values: np.ndarray) -> np.ndarray:
        """How much better or worse than usual such values make a result."""
        return self.weight * (np.maximum(values, self.least) - self.usual)


# Fitted to 132 results, of six photographs and thirty styles; see benchmarks/RESULTS.md.
PARTS = {
    "cover": Part(
        -0.051, 0.31, "its {marks} are soft beside the photograph's forms, which stay",
        "its {marks} are stronger than what they cover", least=-0.75,
    ),
    "shapes": Part(
        0.115, 6.78, "it has few shapes of its own", "it has clear shapes to take over",
    ),
    "contrast": Part(
        -0.13, -1.10, "its tones are calm", "its contrasts are strong", least=-1.75,
    ),
    "colors": Part(
        -0.11, 0.15, "its colours are near the photograph's",
        "its colours are far from the photograph's",
    ),
}
_QUALITY = 0.57
# A change of the quality from which on a part is worth a word, and how many words are.
_WORTH, _REASONS = 0.01, 3


def texture(thumbnail: np.ndarray) -> np.ndarray:
    """How much a picture differs within itself, float64 `(7,)`.

    Six contrasts of its light, fine to coarse: of each scale the root of the mean square of what
    is lost when the picture is halved. And the deviation of its colours from their mean.

    Args:
        thumbnail: `(height, width, 3)` in `[0, 1]`, with a long side of about 128 pixels.

    Source: of the scales: Haar, Zur Theorie der orthogonalen Funktionensysteme, 1910, with the
        directions added up.
    """
    # Products, as NumPy's own variances and means of blocks take ten times as long as the rest.
    pixels = np.asarray(thumbnail, np.float64).reshape(-1, 3)
    means = np.ones(len(pixels)) @ pixels / len(pixels)
    light, found = color.luminance(pixels).reshape(thumbnail.shape[:2]), np.zeros(_SCALES + 1)
    found[-1] = np.sqrt(max(np.vdot(pixels, pixels) / len(pixels) - means @ means, 0))
    for scale in range(_SCALES):
        height, width = (side // 2 for side in light.shape)
        if not height * width:
            # A strip has no scales that are coarser than its short side.
            found[scale:-1] = found[max(0, scale - 1)]
            break
        whole = light[: 2 * height, : 2 * width]
        rows = whole[::2] + whole[1::2]
        light = (rows[:, ::2] + rows[:, 1::2]) / 4
        lost = np.vdot(whole, whole) / whole.size - np.vdot(light, light) / light.size
        found[scale] = np.sqrt(max(lost, 0))
    return found


@dataclasses.dataclass(frozen=True)
class Looks:
    """What of pictures decides how they go together.

    Attributes:
        textures: `(count, 7)`, as `texture` returns them.
        colors: their mean colours in Oklab, `(count, 3)`.
        shapes: log of the strength of deep features, `(count,)`; `nan` where it is not known.
    """

    textures: np.ndarray
    colors: np.ndarray
    shapes: np.ndarray

    @classmethod
    def of(
        cls, textures: Sequence[np.ndarray], palettes: Iterable[Sequence[Swatch]],
        descriptors: np.ndarray, made_by: Mapping[str, Any],
    ) -> Looks:
        """What is known of pictures.

        Args:
            textures: as `texture` returns them.
            descriptors: `(count, length)`.
            made_by: what described them, as in a `Describer`.
        """
        return cls(np.stack(textures), mean_colors(palettes), _shapes(descriptors, made_by))


@dataclasses.dataclass(frozen=True)
class Suitability:
    """How well styles suit a photograph.

    Attributes:
        scores: the quality to be expected, 0 to 1, `(count,)`.
        parts: key of `PARTS` → what the scores were told from, `(count,)` each.
        scales: at which scale a style covers the photograph most, fine to coarse, `(count,)`.
    """

    scores: np.ndarray
    parts: Mapping[str, np.ndarray]
    scales: np.ndarray

    def reasons(self, place: int) -> tuple[str, ...]:
        """What speaks for the style at this place, or against it, what weighs most first."""
        effects = {name: float(part.effect(self.parts[name][place]))
                   for name, part in PARTS.items()}
        names = sorted(effects, key=lambda name: -abs(effects[name]))
        kept = [name for name in names[:_REASONS] if abs(effects[name]) >= _WORTH] or names[:1]
        return tuple(
            (PARTS[name].less if self.parts[name][place] < PARTS[name].usual else PARTS[name].more)
            .format(marks=_MARKS[self.scales[place]]) for name in kept
        )


def suitability(photograph: Looks, styles: Looks) -> Suitability:
    """How well styles suit a photograph.

    Args:
        photograph: one.
        styles: any number.
    """
    # Of a scale at which the photograph is empty, nothing can be covered; noise is not nothing.
    inner, outer = np.maximum(photograph.textures, _NOISE), np.maximum(styles.textures, _NOTHING)
    ratios = np.log(outer[:, :-1] / inner[:, :-1])
    parts = {
        "cover": ratios.max(axis=1),
        "shapes": np.where(np.isnan(styles.shapes), PARTS["shapes"].usual, styles.shapes),
        "contrast": np.log(outer[:, -1]),
        "colors": np.linalg.norm(styles.colors - photograph.colors, axis=1),
    }
    scores = _QUALITY + sum(PARTS[name].effect(values) for name, values in parts.items())
    return Suitability(np.clip(scores, 0, 1), parts, ratios.argmax(axis=1))


def _shapes(descriptors: np.ndarray, made_by: Mapping[str, Any]) -> np.ndarray:
    """The strengths of the deep layer's features, from where descriptors hold them."""
    layers = dict(made_by.get("style_layers") or {})
    if _DEEP not in layers:
        return np.full(len(descriptors), np.nan)
    place = list(layers).index(_DEEP) - len(layers)
    share = layers[_DEEP] / sum(layers.values())
    return descriptors[:, place] / np.sqrt(1.5 * share)
