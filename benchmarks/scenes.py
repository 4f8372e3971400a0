"""Pictures that the benchmark set draws, because no photograph of such a thing was free to use.

Text on paper, and a crowd on a square, drawn at twice their size and then shrunk. The same versions
of NumPy and Pillow draw the same pixels.
"""

from __future__ import annotations

import textwrap

import matplotlib
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from tools.paintings.canvas import finished
from tools.paintings.fields import blur, fractal_noise, mix, pixel_grid, ramp, rgb

# Of the finished pictures, and how much larger they are drawn.
WIDTH, HEIGHT, SCALE = 768, 576, 2

# (size of the letters in pixels, characters in a line, text)
_LINES = (
    (72, 20, "On Looking"),
    (30, 40, "Every picture is a letter that somebody wrote without a single word."),
    (19, 62, "A good page is read before it is admired. The eye runs along the lines, stops at a "
             "comma, leaps to the next margin and hardly sees the letters that carry it. Paint "
             "them in the manner of an old master and all of that may be lost: an e closes, an r "
             "leans on its neighbour, and the reader begins to spell."),
    (13, 90, "How far can a painter go before the words fall silent? 0123456789 & other small "
             "signs: (a), [b], {c}; 50 %, 3/4, x = y."),
)

_HORIZON = 170
_SKIN = ("f2cfae", "e0ac82", "c68a5e", "9a6340", "6b4029", "f6d9c4")
_HAIR = ("17120f", "2c1b12", "4d321e", "7a5630", "b48a4e", "8d8a86", "d8d4cc", "6a2a18")
_CLOTH = ("1f2a44", "39424e", "7c1f2b", "b23a2e", "d8a23a", "3d6b4c", "2f6f8f", "8a8f98",
          "e6dfd2", "5a3d66", "c9752f", "101216", "9fb7c9", "6f5a41")


def page() -> np.ndarray:
    """A printed sheet that lies askew on a wooden table, lit from the upper left.

    Its text has four sizes: 72, 30, 19 and 13 pixels.

    Returns:
        float32 `(576, 768, 3)` in `[0, 1]`.
    """
    rng = np.random.default_rng(1)
    x, y = pixel_grid(HEIGHT, WIDTH)
    table = ramp(0.5 + 0.5 * fractal_noise(rng, x / 450, y / 20, 4), "2b1a12", "7a4f33")
    sheet = np.asarray(_printed_sheet().reduce(SCALE), np.float64) / 255
    cover = sheet[..., 3:]
    shadow = blur(np.roll(cover[..., 0], (8, 7), (0, 1)), 5)[..., None]
    picture = mix(table * (1 - 0.7 * shadow), sheet[..., :3], cover)
    light = 1.05 - 0.35 * np.hypot(x / WIDTH, y / HEIGHT) / np.sqrt(2)
    return finished(picture * light[..., None])


def _printed_sheet() -> Image.Image:
    """The sheet with its text, turned a little; transparent around it."""
    sheet = Image.new("RGBA", (WIDTH * SCALE, HEIGHT * SCALE), "#f3ecdc00")
    draw = ImageDraw.Draw(sheet)
    draw.rectangle([80, 60, WIDTH * SCALE - 80, HEIGHT * SCALE - 60], "#f3ecdc")
    top = 120
    for size, characters, text in _LINES:
        font = ImageFont.truetype(
            f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSerif.ttf", size * SCALE)
        for line in textwrap.wrap(text, characters):
            draw.text((150, top), line, "#241f1c", font)
            top += round(1.3 * size * SCALE)
        top += size * SCALE // 2
    return sheet.rotate(3, Image.Resampling.BICUBIC)


def crowd() -> np.ndarray:
    """Some hundred people on a square before a row of houses, the nearest with faces.

    Returns:
        float32 `(576, 768, 3)` in `[0, 1]`.
    """
    rng = np.random.default_rng(2)
    image = _square(rng)
    for foot in _HORIZON + np.geomspace(45, 760, 15):
        height = 0.62 * (foot - _HORIZON)
        for place in np.arange(-0.2, WIDTH / height + 0.2, 0.42):
            if rng.random() < 0.72:
                left = (place + rng.uniform(-0.12, 0.12)) * height
                down = foot + rng.uniform(-0.06, 0.06) * height
                _put(image, _person(rng, round(height * SCALE)), left * SCALE, down * SCALE)
    return finished(np.asarray(image.reduce(SCALE)) / 255)


def _square(rng: Generator) -> Image.Image:
    """The sky, a row of houses and the pavement."""
    x, y = pixel_grid(HEIGHT, WIDTH)
    depth = 400 / np.maximum(y - _HORIZON, 4)
    stones = fractal_noise(rng, (x - WIDTH / 2) * depth / 60, depth * 12, 4)
    ground = ramp(0.5 + 0.5 * stones, "8b8175", "b9ad9b")
    sky = ramp(y / _HORIZON + 0.3 * fractal_noise(rng, x / 200, y / 60), "7fa6cf", "e6e4dc")
    picture = finished(np.where((y < _HORIZON + 24)[..., None], sky, ground))
    image = Image.fromarray(np.round(picture * 255).astype(np.uint8))
    image = image.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.BILINEAR)
    draw, left = ImageDraw.Draw(image), -10
    while left < WIDTH:
        width = int(rng.integers(70, 130))
        _draw_house(rng, draw, left, width, int(rng.integers(20, 70)))
        left += width
    return image


def _draw_house(
    rng: Generator, draw: ImageDraw.ImageDraw, left: int, width: int, top: int
) -> None:
    """A front with a roof and three rows of windows, down to where the pavement begins."""
    wall = _tinted(rng.choice(["d9b98c", "c98d6b", "e2d6bd", "a9a08f", "c2a29b"]), 1)
    bottom = _HORIZON + 26
    _box(draw, (left, top, left + width, bottom), wall)
    _box(draw, (left - 2, top - 14, left + width + 2, top), _tinted("6e3b2c", 1))
    for across in range(left + 10, left + width - 16, 24):
        for down in range(top + 12, bottom - 30, 36):
            _box(draw, (across, down, across + 12, down + 21), _tinted("f0ead9", 1))
            _box(draw, (across + 1, down + 1, across + 11, down + 20),
                 _tinted("3b4a57", rng.uniform(0.7, 1.5)))


def _box(draw: ImageDraw.ImageDraw, box: tuple[float, ...], color: tuple[int, ...]) -> None:
    draw.rectangle([round(each * SCALE) for each in box], color)


def _tinted(code: str, factor: float) -> tuple[int, ...]:
    """The colour `"rrggbb"`, lighter or darker by a factor, for Pillow."""
    return tuple(int(each) for each in np.clip(rgb(code) * factor * 255, 0, 255))


def _put(image: Image.Image, person: Image.Image, left: float, foot: float) -> None:
    """Stand a person on the square, with a shadow to the right."""
    width, height = person.size
    shadow = Image.new("L", (width, max(height // 10, 2)))
    ImageDraw.Draw(shadow).ellipse([0, 0, shadow.width - 1, shadow.height - 1], 110)
    image.paste("#2a2522", (round(left + 0.12 * width), round(foot) - shadow.height // 2), shadow)
    image.paste(person, (round(left), round(foot) - height), person)


def _person(rng: Generator, height: int) -> Image.Image:
    """Somebody of that height in pixels, half as wide; transparent around."""
    layer = Image.new("RGBA", (max(height // 2, 2), height), "#5a554f00")
    draw = ImageDraw.Draw(layer)
    _draw_body(rng, draw, height)
    _draw_head(rng, draw, height)
    pixels = np.asarray(layer, np.float64)
    pixels = np.concatenate([pixels[..., :3] * _light(height)[..., None], pixels[..., 3:]], axis=2)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _light(height: int) -> np.ndarray:
    """How bright each place of a figure is: a ball on a cylinder, lit from the upper left."""
    x, y = (each / height for each in pixel_grid(height, max(height // 2, 2)))
    is_head = y < 0.147
    right = np.clip((x - 0.25) / np.where(is_head, 0.062, 0.2), -1, 1)
    down = np.clip(np.where(is_head, (y - 0.083) / 0.08, 0), -1, 1)
    front = np.sqrt(np.clip(1 - right**2 - down**2, 0, 1))
    folds = np.where(is_head, 0, 0.05 * np.sin(40 * y + 12 * np.sin(21 * x)))
    return 0.62 + 0.45 * np.clip(0.75 * front - 0.5 * right - 0.4 * down, 0, 1) + folds


def _draw_body(rng: Generator, draw: ImageDraw.ImageDraw, height: int) -> None:
    """Legs, a coat that ends anywhere from hip to calf, arms; all in shares of the height."""
    coat, legs = (_tinted(rng.choice(_CLOTH), rng.uniform(0.8, 1.1)) for _ in range(2))
    hem, wide = rng.uniform(0.5, 0.78), rng.uniform(0.1, 0.13)
    for side in (-1, 1):
        foot = 0.25 + side * rng.uniform(0.03, 0.07)
        _line(draw, height, [(0.25 + side * 0.04, 0.5), (foot, 0.96)], legs, 0.065)
        _ellipse(draw, height, (foot, 0.975), (0.035, 0.02), (30, 26, 24))
    torso = [(0.25 - wide, 0.17), (0.25 - 0.05, 0.145), (0.25 + 0.05, 0.145), (0.25 + wide, 0.17),
             (0.25 + 0.09, 0.36), (0.25 + wide, hem), (0.25 - wide, hem), (0.25 - 0.09, 0.36)]
    draw.polygon([(height * x, height * y) for x, y in torso], coat)
    _line(draw, height, [(0.25, 0.15), (0.25, hem)], tuple(each * 2 // 3 for each in coat), 0.006)
    sleeve = tuple(each * 5 // 6 for each in coat)
    for side in (-1, 1):
        hand = (0.25 + side * rng.uniform(0.0, 0.15), rng.uniform(0.32, 0.5))
        elbow = (0.25 + side * (wide + 0.03), 0.33)
        _ellipse(draw, height, hand, (0.02, 0.024), _tinted("c68a5e", 1))
        _line(draw, height, [(0.25 + side * (wide - 0.015), 0.185), elbow, hand], sleeve, 0.05)


def _draw_head(rng: Generator, draw: ImageDraw.ImageDraw, height: int) -> None:
    """A face that looks at us or, for one in four, the back of a head; one in five wears a hat."""
    skin, hair = (_tinted(rng.choice(each), rng.uniform(0.85, 1)) for each in (_SKIN, _HAIR))
    turn, away = rng.uniform(-0.012, 0.012), rng.random() < 0.25
    dark = tuple(each * 3 // 5 for each in skin)
    long = rng.choice([0, 0.03])
    _ellipse(draw, height, (0.25, 0.078 + long), (0.052, 0.064 + long), hair)
    _line(draw, height, [(0.25, 0.11), (0.25, 0.16)], dark, 0.045)
    if not away:
        _ellipse(draw, height, (0.25 + turn / 2, 0.087), (0.042, 0.055), skin)
        for side in (-1, 1):
            eye = 0.25 + turn + side * 0.018
            _line(draw, height, [(eye - 0.008, 0.068), (eye + 0.008, 0.068)], dark, 0.003)
            _ellipse(draw, height, (eye, 0.08), (0.008, 0.005), (236, 230, 222))
            _ellipse(draw, height, (eye, 0.08), (0.0045, 0.005), (40, 28, 22))
        _line(draw, height, [(0.25 + turn * 1.5, 0.08), (0.252 + turn * 1.8, 0.1)], dark, 0.005)
        _ellipse(draw, height, (0.25 + turn, 0.117), (0.016, rng.uniform(0.003, 0.007)),
                 (150, 62, 58))
    if rng.random() < 0.2:
        hat = _tinted(rng.choice(_CLOTH), 1)
        _ellipse(draw, height, (0.25, 0.03), (0.05, 0.03), hat)
        _ellipse(draw, height, (0.25, 0.048), (0.082, 0.013), tuple(each * 4 // 5 for each in hat))


def _line(
    draw: ImageDraw.ImageDraw, height: int, points: list[tuple[float, float]],
    color: tuple[int, ...], width: float,
) -> None:
    """A line with round ends; points and width in shares of the height."""
    wide = max(round(width * height), 1)
    draw.line([(height * x, height * y) for x, y in points], color, wide, "curve")
    for point in points:
        _ellipse(draw, height, point, (width / 2, width / 2), color)


def _ellipse(
    draw: ImageDraw.ImageDraw, height: int, center: tuple[float, float],
    radii: tuple[float, float], color: tuple[int, ...],
) -> None:
    """An ellipse; centre and radii in shares of the height."""
    (x, y), (across, down) = center, radii
    draw.ellipse([height * each for each in (x - across, y - down, x + across, y + down)], color)
