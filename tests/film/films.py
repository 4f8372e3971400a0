"""Small films for tests, written by PyAV alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def pattern(number: int, height: int = 32, width: int = 48) -> np.ndarray:
    """A frame whose red tells its number: `(height, width, 3)` uint8."""
    rows, columns = np.indices((height, width))
    picture = np.stack([np.full((height, width), 20 + 8 * (number % 28)), rows * 200 // height + 30,
                        columns * 200 // width + 30], axis=-1)
    return picture.astype(np.uint8)


def number_of(picture: np.ndarray) -> int:
    """The number of a frame that `pattern` made, whatever a codec did to it."""
    return round((float(picture[..., 0].mean()) - 20) / 8)


def write(
    path: Path, count: int = 10, *, size: tuple[int, int] = (32, 48), codec: str = "libx264",
    format: str = "yuv420p", times: list[Fraction] | None = None, rate: int = 10,
    sound: str | None = None, turned: int = 0, matrix: int = 0, full: bool = False,
    options: dict[str, str] | None = None, aspect: Fraction | None = None,
    picture=pattern, layout: str = "mono", samples: int = 48_000,
) -> Path:
    """A film of `count` frames; its sound, of so many `samples` a second, is a tone of 440 Hz."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, options=options or {"crf": "4"})
        stream.height, stream.width = size
        stream.pix_fmt = format
        context = stream.codec_context
        if times:
            context.time_base = Fraction(1, 1000)
        if turned:
            stream.set_display_rotation(turned)
        if matrix:
            context.colorspace = matrix
        context.color_range = 2 if full else 1
        if aspect:
            context.sample_aspect_ratio = aspect
        audio = file.add_stream(sound, rate=samples, layout=layout) if sound else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24").reformat(
                format=format, dst_colorspace=matrix or 5, dst_color_range=2 if full else 1)
            frame.pts = round(times[number] * 1000) if times else number
            frame.time_base = Fraction(1, 1000) if times else Fraction(1, rate)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if audio:
            count = round((float(times[-1]) if times else count / rate) * samples)
            tone = np.sin(np.arange(count) * 2 * np.pi * 440 / samples).astype(np.float32)
            tones = np.repeat(tone[None], av.AudioLayout(layout).nb_channels, axis=0)
            for start in range(0, count, 1024):
                frame = av.AudioFrame.from_ndarray(
                    tones[:, start : start + 1024].copy(), "fltp", layout)
                frame.sample_rate, frame.pts = samples, start
                file.mux(audio.encode(frame))
            file.mux(audio.encode())
    return path
