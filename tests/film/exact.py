"""Films of exactly known flow: a camera that moves over a picture, and parts that stand still."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from tf_style.film.flow import Motion
from tf_style.image.samples import sample_path


@dataclasses.dataclass(frozen=True)
class ExactFilm:
    """Frames that are made when they are asked for, so that a long film takes no memory.

    Attributes:
        picture: what the camera moves over, `(height, width, 3)` in `[0, 1]`.
        places: of each frame: where its left upper corner is in the picture, across and down, and
            how many pixels of the picture one of its own is.
        size: height and width of a frame.
        still: `(height, width)` bool: which part of the frames stands still; the camera moves
            behind it. By default none does.
        cover: what that part shows, `(height, width, 3)` in `[0, 1]`.
    """

    picture: np.ndarray
    places: list[tuple[float, float, float]]
    size: tuple[int, int]
    still: np.ndarray | None = None
    cover: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.places)

    def frame(self, number: int) -> np.ndarray:
        """A frame, float32 `(height, width, 3)` in `[0, 1]`."""
        moved = seen(self.picture, *self.places[number], self.size)
        if self.still is not None:
            moved[self.still] = self.cover[self.still]
        return moved

    def __iter__(self):
        return map(self.frame, range(len(self)))

    def motion(self, before: int, after: int) -> Motion:
        """The exact motion from one frame to another; trusted where things were to be seen."""
        height, width = self.size
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float64)
        *here, scale = self.places[after]
        *there, other = self.places[before]
        was = (grid * scale + here - there) / other
        if self.still is not None:
            was[self.still] = grid[self.still]
        inside = ((was >= 0) & (was <= (width - 1, height - 1))).all(axis=2)
        if self.still is not None:
            # All four pixels that it lay between have to have been uncovered.
            corner = np.clip(np.floor(was).astype(int), 0, (width - 1, height - 1))
            for right in (0, 1):
                for below in (0, 1):
                    covered = self.still[np.minimum(corner[..., 1] + below, height - 1),
                                         np.minimum(corner[..., 0] + right, width - 1)]
                    inside &= ~covered | self.still
        return Motion((was - grid).astype(np.float32), inside.astype(np.float32))


def seen(
    picture: np.ndarray, left: float, top: float, scale: float = 1,
    size: tuple[int, int] = (96, 160),
) -> np.ndarray:
    """What a camera sees of a picture, `(height, width, 3)` in `[0, 1]`.

    By Pillow's reduction, whose shifts are exact: those of its transforms go up to a tenth of a
    pixel astray.

    Args:
        left, top: the place of the left upper corner in the picture.
        scale: how many pixels of the picture one of the frame is.
        size: height and width of the frame.
    """
    box = left, top, left + size[1] * scale, top + size[0] * scale
    return np.clip(np.stack([
        np.asarray(Image.fromarray(channel).resize(size[::-1], Image.Resampling.LANCZOS, box))
        for channel in np.ascontiguousarray(np.moveaxis(picture, 2, 0), np.float32)
    ], 2), 0, 1)


def sample(name: str = "harbor", long_side: int = 512) -> np.ndarray:
    """A picture that comes with the package."""
    opened = Image.open(sample_path(name)).convert("RGB")
    opened.thumbnail((long_side, long_side), Image.Resampling.LANCZOS)
    return np.asarray(opened, np.float32) / 255


def sky() -> np.ndarray:
    """A picture so plain that a camera's motion changes it by no more than noise does."""
    opened = Image.fromarray((255 * sample()).astype(np.uint8))
    coarse = opened.resize((26, 20), Image.Resampling.BOX)
    smooth = coarse.resize((512, 384), Image.Resampling.BICUBIC)
    return 0.4 + 0.15 * np.asarray(smooth, np.float32) / 255


def pan(
    picture: np.ndarray, size: tuple[int, int], step: tuple[float, float], frames: int
) -> ExactFilm:
    """A camera that moves by a step, across and down in pixels, from each frame to the next.

    At the picture's ends it turns back.
    """
    ends = picture.shape[1] - size[1], picture.shape[0] - size[0]
    return ExactFilm(picture, [
        (*(_to_and_fro(number * abs(each), end) for each, end in zip(step, ends, strict=True)), 1)
        for number in range(frames)
    ], size)


def _to_and_fro(way: float, end: float) -> float:
    if end <= 0:
        return 0
    return end - abs(way % (2 * end) - end)


def zoom(
    picture: np.ndarray, size: tuple[int, int], factor: float, frames: int
) -> ExactFilm:
    """A camera that comes nearer to the picture's middle, by a factor above 1 at each frame.

    The first frame is cut out of the picture.
    """
    places = []
    for number in range(frames):
        scale = 1 / factor**number
        left, top = ((picture.shape[axis] - 1 - scale * (size[axis] - 1)) / 2 for axis in (1, 0))
        places.append((left, top, scale))
    return ExactFilm(picture, places, size)


def half_still(film: ExactFilm, cover: np.ndarray | float = 0.5) -> ExactFilm:
    """A film whose left half stands still.

    Args:
        cover: what that half shows: a picture of a frame's size, or one value, constant.
    """
    still = np.zeros(film.size, bool)
    still[:, : film.size[1] // 2] = True
    cover = np.broadcast_to(np.float32(cover), (*film.size, 3))
    return dataclasses.replace(film, still=still, cover=cover)


def written(frames, path: Path, rate: Fraction | int = 25) -> str:
    """Write frames as a film without loss but for rounding, as H.264 in MP4; returns its name."""
    import av

    with av.open(str(path), "w") as file:
        stream = None
        for frame in frames:
            if stream is None:
                stream = file.add_stream("libx264rgb", rate=rate)
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt, stream.options = "rgb24", {"qp": "0", "preset": "ultrafast"}
            pixels = np.ascontiguousarray((frame * 255).round().astype(np.uint8))
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())
    return str(path)
