"""Ink: a mountain valley drawn with a pen.

First the terrain is rendered in perspective to tones; then pen lines follow its slopes.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from tf_style.image.color import gradient_magnitude
from tools.paintings.canvas import finished, hatch, paint, stroke_frame
from tools.paintings.fields import blur, fractal_noise, mix, pixel_grid, rgb, smoothstep

# Height of the eye in units of the ground, and its distance from the picture in pixels.
EYE, FOCUS = 0.42, 620
# Ground below this height is water.
SHORE = 0.002


def render() -> np.ndarray:
    """Render mountains over a lake in hatched pen lines."""
    rng = np.random.default_rng(5)
    x, y = pixel_grid(576, 768)
    ground, light, depth = _look_over(rng, *x.shape)
    land = np.isfinite(depth)
    haze = smoothstep(2.0, 11.0, np.where(land, depth, 0))
    tone = np.where(land, mix(light - 0.1, 0.75, 0.5 * haze), _sky_tone(rng, x, y))
    _mirror_in_lake(rng, x, y, tone, land & (ground < SHORE))
    cover = _pen_lines(rng, np.clip(blur(tone, 0.8), 0, 1), ground, depth)
    for foot, height in (((52, 590), 330), ((128, 600), 240), ((8, 600), 250), ((190, 596), 150)):
        _draw_pine(rng, cover, np.array(foot, float), height)
    grain = fractal_noise(rng, x / 3, y / 3, octaves=2)
    tint = 1 + 0.02 * grain + 0.02 * fractal_noise(rng, x / 200, y / 200)
    paper = rgb("f3e9d3") * tint[..., None]
    paint(paper, rgb("1f1b24"), np.clip(cover * (0.93 + 0.1 * grain), 0, 1))
    return finished(paper)


def _terrain(rng: Generator, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Height of the ground at `x` (sideways) and `z` (depth), 0 where there is water."""
    bent = x + 0.3 * fractal_noise(rng, x / 1.5, z / 1.5, octaves=2)
    folds = 1 - np.abs(fractal_noise(rng, bent / 1.7, z / 1.7, octaves=6, gain=0.45))
    peaks = np.zeros_like(x)
    for px, pz, top, size in ((-1.3, 6.4, 1.5, 1.9), (2.4, 7.6, 2.2, 2.5), (-4.3, 8.8, 2.2, 2.6)):
        peaks = np.maximum(peaks, top * (1 - np.hypot(x - px, z - pz) / size))
    banks = smoothstep(0.5, 1.9, np.abs(x - 0.12 * z + 0.1)) * smoothstep(1.2, 3.0, z)
    height = folds**3 * (0.1 + 0.5 * banks) + peaks * (0.35 + 0.7 * folds**2) - 0.15
    return np.maximum(height, 0)


def _look_over(rng: Generator, height: int, width: int) -> np.ndarray:
    """Render the terrain, going from slice to slice away from the eye.

    Returns:
        Array `(3, height, width)`: height of the ground, light on it in about `[0, 1]`, and its
        depth, infinite where the sky is seen.
    """
    depths = 0.7 * 1.006 ** np.arange(460)
    columns = (np.arange(width) + 0.5 - width / 2) / FOCUS
    z = np.repeat(depths[:, None], width, axis=1)
    ground = _terrain(rng, columns * z, z)
    down, right = np.gradient(ground)
    slope_x = right / (z / FOCUS)
    slope_z = down / np.gradient(depths)[:, None] - slope_x * columns
    light = 0.55 - (0.75 * slope_x + 0.1 * slope_z) / np.sqrt(1 + slope_x**2 + slope_z**2)
    rows = 0.42 * height + FOCUS * (EYE - ground) / z
    skyline = np.minimum.accumulate(rows, axis=0)
    view = np.zeros((3, height, width))
    view[2] = np.inf
    slices = np.stack([ground, light, z], axis=1)
    row = np.arange(height)[:, None] + 0.5
    for i in range(len(depths) - 1):
        # Of each slice only what rises above all nearer ones is seen.
        first, last = skyline[i], rows[i + 1]
        seen = (row < first) & (row >= last)
        t = (row - first) / np.minimum(last - first, -1e-9)
        view[:, seen] = mix(slices[i, :, None], slices[i + 1, :, None], t)[:, seen]
    return view


def _sky_tone(rng: Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tone of a sky with sunlit cumulus clouds."""
    billow = fractal_noise(rng, x / 190, y / 95, octaves=5)
    cloud = smoothstep(-0.05, 0.5, billow + 0.25 * np.sin(x / 150 + 1))
    shade = smoothstep(0.0, 0.5, fractal_noise(rng, x / 80, y / 45, octaves=4) + 0.004 * (y - 130))
    return mix(0.62 + 0.25 * smoothstep(0, 250, y), 1.05 - 0.25 * shade, cloud)


def _mirror_in_lake(
    rng: Generator, x: np.ndarray, y: np.ndarray, tone: np.ndarray, lake: np.ndarray
) -> None:
    """Fill the tone of a lake with what stands above its far shore, in ripples, in place."""
    shore = np.where(lake.any(axis=0), lake.argmax(axis=0), len(lake))
    below = y - shore
    ripple = fractal_noise(rng, x / 60, y / 3.5, octaves=2) * (2 + 0.05 * below)
    row = np.clip(shore - 0.8 * below + 2 * ripple, 0, len(lake) - 1).astype(int)
    image = np.take_along_axis(tone, row, axis=0)
    glint = smoothstep(0.1, 0.7, fractal_noise(rng, x / 130, y / 9, octaves=3))
    tone[lake] = np.clip(0.1 + 0.75 * image + 0.5 * glint, 0, 1)[lake]


def _pen_lines(
    rng: Generator, tone: np.ndarray, ground: np.ndarray, depth: np.ndarray
) -> np.ndarray:
    """Cover of the hatching, in three layers for ever darker tones, and of the contours."""
    x, y = pixel_grid(*tone.shape)
    nearness = 1 / depth
    wobble = 1.6 * fractal_noise(rng, x / 70, y / 70, octaves=3)
    # Lines that follow the slopes: cuts through the relief, seen from half above.
    form = y + 0.8 * blur(FOCUS * ground * nearness, 2.0) + wobble
    level = y + wobble
    flat = ground < SHORE
    cover = np.zeros_like(x)
    pressure = 1 + 0.25 * fractal_noise(rng, x / 25, y / 25, octaves=3)
    for phase, spacing, bright, dark in (
        (np.where(flat, level, form + 0.25 * x), 3.6, 0.88, 0.2),
        (np.where(flat, level + 0.1 * x, 0.75 * x + 0.55 * form), 3.6, 0.55, 0.0),
        (np.where(flat, level - 0.12 * x, 0.8 * form - 0.5 * x), 3.4, 0.3, -0.1),
    ):
        darkness = 0.55 * np.clip((bright - tone) / (bright - dark), 0, 1) * pressure
        cover = np.maximum(cover, hatch(phase + wobble, spacing, darkness))
    # Contours where one slope hides another.
    step = gradient_magnitude(nearness) / (nearness + 0.05)
    contour = np.clip(1.5 * blur(smoothstep(0.03, 0.12, step), 0.6), 0, 1)
    return np.maximum(cover, contour)


def _draw_pine(rng: Generator, cover: np.ndarray, foot: np.ndarray, height: float) -> None:
    """Draw a pine with single pen strokes over the cover of the ink, in place."""
    for share in np.linspace(0, 1, int(height * 1.5)):
        at_trunk = foot - np.array([0, height * (1 - share)])
        # Branches lie in tiers; every one droops and turns up at its tip.
        reach = height * 0.24 * share**0.8 * (0.45 + 0.55 * (share * 11 % 1)) * rng.uniform(0.4, 1)
        side = rng.choice((-1, 1))
        center = at_trunk + np.array([side * reach / 2, reach * 0.22 + rng.uniform(-2, 2)])
        angle = side * (0.42 + rng.normal(0, 0.12))
        _pen_stroke(cover, center, angle, -0.6 / (reach + 6), reach + 3, 1.5)
    _pen_stroke(cover, foot - [0, height / 2], np.pi / 2, 0, height, 1.0 + height / 90)


def _pen_stroke(
    cover: np.ndarray, center: np.ndarray, angle: float, bend: float, length: float, width: float
) -> None:
    """Add one line, thick in the middle, to the cover of the ink in place."""
    at, along, across = stroke_frame(cover.shape, center, angle, bend, length, width + 1)
    half = width / 2 * np.clip(1.1 - (2 * along / length) ** 2, 0, 1)
    line = np.clip(half - np.abs(across) + 0.5, 0, 1) * (half > 0)
    cover[at] = np.maximum(cover[at], line)
