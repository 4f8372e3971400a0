"""The pictures of a run: read, checked, and as each size of the run sees them. No TensorFlow."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from tf_style.image import cleanup, color, files
from tf_style.run.inputs import Inputs, Picture, Read
from tf_style.run.schedule import Scale
from tf_style.settings import AUTO, InputError, Settings

INITS = ("content", "style", "noise", "gray")


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a run works from.

    Attributes:
        content: `(height, width, 3)` in `[0, 1]`; `None` for none.
        styles: likewise, one or more.
        names: what to call these: the files as they were named, or their numbers.
        content_masks: where each style goes, `(height, width)` in `[0, 1]`; none for everywhere.
        style_masks: what counts of each style; none for all.
        shares: of the style loss, one for each style.
        largest: the largest long side at which each style is to be seen; none for any.
        mended_again: of each style, what `objective.Style` calls so, or `None`; none for no style.
        inputs: what the pictures were read from.
    """

    content: np.ndarray | None
    styles: tuple[np.ndarray, ...]
    names: tuple[str, ...]
    content_masks: tuple[np.ndarray, ...] = ()
    style_masks: tuple[np.ndarray, ...] = ()
    shares: tuple[float, ...] = (1.0,)
    largest: tuple[int, ...] = ()
    mended_again: tuple[np.ndarray | None, ...] = ()
    inputs: Inputs = dataclasses.field(default_factory=Inputs)

    @classmethod
    def of(
        cls,
        settings: Settings,
        content: Picture | None,
        style: Picture | Read | Sequence[Picture | Read],
        content_masks: Sequence[Picture] = (),
        style_masks: Sequence[Picture] = (),
    ) -> Scene:
        """Read and check what a run is given.

        Raises:
            InputError: for pictures or masks that cannot be used, or do not belong together.
        """
        given = style if isinstance(style, (list, tuple)) else [style]
        named = content
        if content is not None:
            content = _pixels(content, "content")
        if not given:
            raise InputError("style: expected at least one picture. Received none")
        numbers = [f"style {i}" for i in range(1, len(given) + 1)] if len(given) > 1 else ["style"]
        names = tuple(map(_name, given, numbers))
        styles = tuple(map(_pixels, given, names))
        if content is None:
            for flag, needs in (
                ("content_mask", bool(content_masks)),
                ("init=content", settings.init == "content"),
                (f"preserve_color={settings.preserve_color}", settings.preserve_color != "none"),
            ):
                if needs:
                    raise InputError(f"--{flag}: there is no content")
        regions, counts = (
            _masks(flag, masks, pictures, names)
            for flag, masks, pictures in (
                ("content_mask", content_masks, [content] * len(styles)),
                ("style_mask", style_masks, styles),
            )
        )
        blend = settings.style_blend
        if blend == AUTO:
            blend = (1.0,) * len(styles)
        if len(blend) != len(styles):
            raise InputError(
                f"--style_blend: expected a share for each of the {len(styles)} styles. Received: "
                f"{len(blend)}"
            )
        # A style counts as much in each pixel of a small region as in one of a large region.
        areas = [region.mean() for region in regions] or [1 / len(styles)] * len(styles)
        shares = tuple(
            float(share * area * len(styles) / sum(blend))
            for share, area in zip(blend, areas, strict=True)
        )
        start = [] if settings.init in (AUTO, *INITS) else [settings.init]
        for each in start:
            files.read_picture(each)
        inputs = Inputs.of(named, given, content_masks, style_masks, start)
        return cls(content, styles, names, regions, counts, shares, inputs=inputs)

    def mending(self, side: int) -> Mending:
        """What is wrong with the styles, and what to take in their place.

        Args:
            side: long side, in pixels, at which the styles are seen at last.
        """
        return Mending(
            self.sight(side), tuple(cleanup.Cleaned.of(style, side) for style in self.styles)
        )

    def sight(self, side: int) -> tuple[str | int, ...]:
        """What a mending depends on: the styles, by their digests, and the side."""
        return (*(self.inputs.digests[name] for name in self.inputs.style), side)

    def prepared(self, settings: Settings, mending: Mending | None = None) -> Scene:
        """With the styles as the run is to see them: mended, and in the content's colours."""
        scene = self
        if mending and any(mending.defects):
            scene = dataclasses.replace(
                scene,
                styles=tuple(style.image for style in mending.styles),
                mended_again=tuple(style.again for style in mending.styles),
                largest=tuple(style.largest for style in mending.styles),
            )
        change = {
            "statistics": color.match_statistics, "histogram": color.match_histogram
        }.get(settings.preserve_color)
        if change:
            styles, again = (
                tuple(None if style is None else change(style, scene.content) for style in each)
                for each in (scene.styles, scene.mended_again)
            )
            scene = dataclasses.replace(scene, styles=styles, mended_again=again)
        return scene

    def content_at(self, scale: Scale) -> np.ndarray | None:
        """The content at a size."""
        return None if self.content is None else resized(self.content, scale)

    def finished(self, image: np.ndarray, settings: Settings, scale: Scale) -> np.ndarray:
        """The image as it is to be seen: in the content's colours, if its luminance is all."""
        if settings.preserve_color != "luminance":
            return image
        return color.with_luminance(self.content_at(scale), color.luminance(image))

    def styles_at(self, scale: Scale) -> list[dict[str, Any]]:
        """The styles, and where they go, at a size: what `objective.Style` is made of."""
        styles: list[dict[str, Any]] = [
            {"image": files.fit(style, min(scale.style_side, largest)), "share": share}
            for style, share, largest in zip(
                self.styles, self.shares, self.largest or (scale.style_side,) * len(self.styles),
                strict=True,
            )
        ]
        for style, again in zip(styles, self.mended_again, strict=False):
            if again is not None:
                style["mended_again"] = files.fit(again, max(style["image"].shape[:2]))
        for style, mask in zip(styles, self.style_masks, strict=False):
            style["mask"] = _weights(mask, *style["image"].shape[:2])
        for style, mask in zip(styles, self.content_masks, strict=False):
            style["region"] = _weights(mask, scale.height, scale.width)
        return styles

    def start(self, settings: Settings, scale: Scale) -> np.ndarray:
        """Where the image starts."""
        shape = (scale.height, scale.width, 3)
        noise = np.random.default_rng(settings.seed).random(shape, np.float32)
        init = settings.init
        if init == AUTO:
            init = "noise" if self.content is None else "content"
        if init == "noise":
            return noise
        if init == "gray":
            first = np.full(shape, 0.5, np.float32)
        elif init == "content":
            first = resized(self.content, scale)
        else:
            picture = self.styles[0] if init == "style" else files.read_picture(init)
            first = _covering(picture, scale)
        return first + settings.init_noise * (noise - first)


@dataclasses.dataclass(frozen=True)
class Mending:
    """What is wrong with the styles of a scene, and the styles without it.

    Attributes:
        sight: of which scene, seen at which side, as `Scene.sight` says.
        styles: each, cleaned.
    """

    sight: tuple[str | int, ...]
    styles: tuple[cleanup.Cleaned, ...]

    @property
    def defects(self) -> tuple[tuple[str, ...], ...]:
        """Of each style, as `cleanup.defects` names them."""
        return tuple(style.defects for style in self.styles)


def resized(image: np.ndarray, scale: Scale) -> np.ndarray:
    """A picture at the size of `scale`."""
    return np.clip(files.resize(image, scale.height, scale.width), 0, 1)


def _covering(picture: np.ndarray, scale: Scale) -> np.ndarray:
    """The largest part from the middle of a picture with the proportions of `scale`, resized."""
    height, width = picture.shape[:2]
    ratio = min(height / scale.height, width / scale.width)
    rows, columns = max(1, round(scale.height * ratio)), max(1, round(scale.width * ratio))
    top, left = (height - rows) // 2, (width - columns) // 2
    return resized(picture[top : top + rows, left : left + columns], scale)


def _name(picture: Picture | Read, number: str) -> str:
    """What to call a picture: its file, or for an array its number."""
    if isinstance(picture, Read):
        return picture.name
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else number


def _pixels(picture: Picture | Read, name: str) -> np.ndarray:
    return picture.pixels if isinstance(picture, Read) else files.as_picture(picture, name)


def _masks(
    flag: str,
    masks: Sequence[Picture],
    pictures: Sequence[np.ndarray | None],
    names: Sequence[str],
) -> tuple[np.ndarray, ...]:
    """Masks as `(height, width)` in [0, 1], each for one of `pictures`."""
    if not masks:
        return ()
    if len(masks) != len(pictures):
        raise InputError(
            f"--{flag}: expected a mask for each of the {len(pictures)} styles. Received: "
            f"{len(masks)}"
        )
    found = []
    for mask, picture, name in zip(masks, pictures, names, strict=True):
        gray = color.luminance(files.as_picture(mask, flag)).astype(np.float32)
        if gray.max() < 1 / 255:
            raise InputError(f"--{flag}: the region of {name} is empty: the mask is black")
        height, width = picture.shape[:2]
        if abs(gray.shape[1] * height / (gray.shape[0] * width) - 1) > 0.03:
            raise InputError(
                f"--{flag}: expected a mask with the proportions of its picture, {width}x{height}. "
                f"Received: {gray.shape[1]}x{gray.shape[0]}"
            )
        found.append(gray)
    return tuple(found)


def _weights(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.clip(files.resize(mask[..., None], height, width, smooth=True), 0, 1)
