"""The pictures of a run: read, checked, and shown as each of its sizes sees them. No TensorFlow."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tf_style.image import color
from tf_style.image.files import near_file
from tf_style.image.masks import as_mask, check_proportions, resized, soft_union
from tf_style.image.paths import locate, no_plain_file
from tf_style.image.picture import as_picture, read_picture
from tf_style.image.previous import Previous
from tf_style.image.samples import names_network
from tf_style.image.style import Style, read_style
from tf_style.run.inputs import Inputs, Picture, PictureFile
from tf_style.run.schedule import Scale, needed_sides, plan
from tf_style.settings import AUTO, InputError, LiveModel, Settings

INITS = ("content", "style", "noise", "gray")


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a run works from.

    Attributes:
        content: `(height, width, 3)` in `[0, 1]`; `None` for none.
        styles: one or more.
        scales: the sizes that the run goes through, coarse to fine.
        least: the shortest side that each of them had to have.
        inputs: what the pictures were read from.
        first: the picture of a file, or of a network, where the image starts; `None` if it starts
            elsewhere, or the network has not painted yet.
        protect: where the content is held more strongly, `(height, width)` in `[0, 1]`, of any
            size; `None` for nowhere.
        painted: where a network paints that needs no style, likewise; `None` for everywhere.
        previous: what a film's frame starts from, and what it is to look like; `None` where none
            is before it.
        regions: how much each place of the content belongs to each of the kinds of places that the
            styles have, `(count, rows, columns)`; `None` where all are compared as wholes.
    """

    content: np.ndarray | None
    styles: tuple[Style, ...]
    scales: tuple[Scale, ...]
    least: int = 1
    inputs: Inputs = dataclasses.field(default_factory=Inputs)
    first: np.ndarray | None = None
    protect: np.ndarray | None = None
    painted: np.ndarray | None = None
    previous: Previous | None = None
    regions: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        content: Picture | PictureFile | None,
        style: Picture | PictureFile | Sequence[Picture | PictureFile],
        content_masks: Sequence[Picture] = (),
        style_masks: Sequence[Picture] = (),
        *,
        protect: Picture | None = None,
        least: int = 1,
    ) -> Scene:
        """Read and check what a run is given, and plan its sizes.

        Args:
            least: the shortest side that the networks can see, as far as it is known.

        Raises:
            InputError: for pictures or masks that cannot be used, or do not belong together.
        """
        given, content_masks, style_masks = (
            each if isinstance(each, (list, tuple)) else [each]
            for each in (style, content_masks, style_masks))
        if not given and not settings.model:
            raise InputError("style: expected at least one picture. Received none")
        check_together(
            settings, content is not None, len(given), len(content_masks), len(style_masks),
            protect is not None,
        )
        several = len(given) > 1
        numbers = [f"style {i}" if several else "style" for i in range(1, len(given) + 1)]
        names = [_name(*each) for each in zip(given, numbers, strict=True)]
        side, style_side = needed_sides(settings)
        most = settings.max_pixels
        picture = content.pixels if isinstance(content, PictureFile) else (
            None if content is None else as_picture(
                content, "content", max_pixels=most, side=side))
        shown = [_shown(*each, most, style_side) for each in zip(given, names, strict=True)]
        pictures = [pixels for pixels, _ in shown]
        regions = _masks("content_mask", content_masks, [picture] * max(1, len(given)),
                         names or ["the network"], most)
        masks = _masks("style_mask", style_masks, pictures, names, most)
        styles = _styles(settings, names, shown, regions, masks)
        start = [] if settings.init in (AUTO, *INITS) else [settings.init]
        check_start(settings)
        by_network = starts_by_network(settings)
        first = read_picture(settings.init, max_pixels=most) if start and not by_network else None
        if by_network and not os.path.exists(settings.init):
            start = []
        held = None if protect is None else _mask(
            "protect", protect, picture, "nothing is protected", most)
        inputs = Inputs.of(
            content, given, _named(content_masks, regions), _named(style_masks, masks),
            [*start, *([settings.model] if os.path.exists(settings.model or "") else [])],
            *_named([protect], [held]),
        )
        scales = _scales(settings, picture, styles, least)
        painted = regions[0] if regions and not given else None
        return cls(picture, styles, scales, least, inputs, first, held, painted)

    def seen_by(self, settings: Settings, least: int) -> Scene:
        """The same scene for networks that cannot see sides shorter than `least`."""
        if least <= self.least:
            return self
        scales = _scales(settings, self.content, self.styles, least)
        found = dataclasses.replace(self, scales=scales, least=least)
        if self.previous is None:
            return found
        return found.continued(self.previous, self.scales[-1].steps)

    def continued(self, previous: Previous, steps: int) -> Scene:
        """The same scene as the next frame of a film: at its last size alone.

        Args:
            previous: where the image starts, and what it is to look like.
            steps: the most that are taken.
        """
        full = dataclasses.replace(
            self.scales[-1], steps=steps, number=1, count=1, all_steps=(steps,)
        )
        return dataclasses.replace(self, scales=(full,), previous=previous)

    def prepared(self, settings: Settings, mend: Callable[[Scene], tuple[Style, ...]]) -> Scene:
        """The same scene with the styles as a run is to see them.

        They are mended, and have the content's colours where the settings ask for that.

        Args:
            mend: returns the styles of a scene, mended.
        """
        styles = self.styles if settings.style_cleanup == "off" else mend(self)
        change = {
            "statistics": color.match_statistics, "histogram": color.match_histogram
        }.get(settings.preserve_color)
        if change:
            styles = tuple(
                style.recolored(lambda picture, counted: change(picture, self.content, counted))
                for style in styles
            )
        return dataclasses.replace(self, styles=styles)

    def is_gray(self, settings: Settings) -> bool:
        """Whether the result is to have no colour, because no picture that gives it one has any."""
        pictures = [] if self.content is None else [self.content]
        if settings.preserve_color == "none":
            pictures += [style.picture for style in self.styles if style.share]
        return all(map(color.is_gray, pictures))

    def resolved(self, settings: Settings) -> Settings:
        """The settings with `auto` replaced by what it stands for with these pictures.

        Some keep `auto`: `style_cleanup` examines whatever style is given, `style_size` follows
        `style_scale`, `max_memory` is what was free, which shows in `block_size`, and `cache_dir`
        depends on the user's system. `strength` shows in `style_weight`, and `large_forms` in
        `style_layers`.
        """
        found = {
            "style_blend": (1.0,) * len(self.styles),
            "init": "noise" if self.content is None else "content",
            # Sizes that are too small for these pictures count, too: each has its number of steps.
            "scales": len(self.scales[-1].all_steps),
            "steps": self.scales[-1].all_steps,
        }
        found = {name: value for name, value in found.items() if getattr(settings, name) == AUTO}
        if self.content is not None:
            full = self.scales[-1]
            found["size"] = max(full.height, full.width)
        return settings.replace(**found)

    def at(self, scale: Scale) -> tuple[np.ndarray | None, list[Style]]:
        """Content and styles as one size of the run sees them."""
        content = None if self.content is None else scale.fit(self.content)
        return content, [
            style.at(side, scale.height, scale.width)
            for style, side in zip(self.styles, scale.sides(len(self.styles)), strict=True)
        ]

    def protected_at(self, scale: Scale) -> np.ndarray | None:
        """Where the content is held more strongly, `(height, width)`, at one size of the run."""
        if self.protect is None:
            return None
        return resized(self.protect, scale.height, scale.width)

    def previous_at(self, scale: Scale) -> Previous | None:
        """What a film's frame is to look like, at one size of the run."""
        return self.previous and self.previous.at(scale.height, scale.width)

    def finished(
        self, image: np.ndarray, settings: Settings, scale: Scale
    ) -> np.ndarray:
        """The image as it is to be seen.

        In the content's colours, if only its luminance counts; and where no style goes, the
        content itself.
        """
        if settings.preserve_color == "luminance":
            image = color.with_luminance(scale.fit(self.content), color.luminance(image))
        reached = self._reached(scale)
        if reached is None:
            return image
        content = scale.fit(self.content)
        return content + reached * (image - content)

    def _reached(self, scale: Scale) -> np.ndarray | None:
        """How much styles count at each pixel, `(height, width, 1)`; `None` if all over, fully."""
        if self.painted is not None:
            return soft_union([resized(self.painted, scale.height, scale.width)])
        if not self.styles or self.styles[0].region is None:
            return None
        return soft_union([style.at(1, scale.height, scale.width).region for style in self.styles])

    def start(self, settings: Settings) -> np.ndarray:
        """Where the image starts, at the coarsest size."""
        start = self._start(settings)
        return color.as_gray(start) if self.is_gray(settings) else start

    def starting_at(self, settings: Settings, paint: Callable[[np.ndarray], np.ndarray]) -> Scene:
        """The same scene, whose start a network paints if the settings say so.

        Args:
            paint: makes a picture of the content, `(height, width, 3)` both.
        """
        if not starts_by_network(settings):
            return self
        # At its own size: there its strokes are as wide as it has learned them.
        return dataclasses.replace(self, first=paint(self.scales[-1].fit(self.content)))

    def _start(self, settings: Settings) -> np.ndarray:
        scale = self.scales[0]
        shape = (scale.height, scale.width, 3)
        if self.previous is not None:
            return self.previous_at(scale).picture
        noise = np.random.default_rng(settings.seed).random(shape, np.float32)
        init = settings.init
        if init == AUTO:
            init = "noise" if self.content is None else "content"
        if init == "noise":
            return noise
        if init == "gray":
            first = np.full(shape, 0.5, np.float32)
        elif init == "content":
            first = scale.fit(self.content)
        else:
            picture = self.styles[0].picture if init == "style" else self.first
            first = scale.cover(
                read_picture(init, max_pixels=settings.max_pixels) if picture is None else picture
            )
        return first + settings.init_noise * (noise - first)


def starts_by_network(settings: Settings) -> bool:
    """Whether the image starts as what a network makes of the content."""
    return isinstance(settings.init, LiveModel) or names_network(settings.init)


def check_start(settings: Settings) -> None:
    """Check that a picture to start from is there, if one is named.

    Raises:
        InputError: if not; the message tells a word that is none from the name of a file.
    """
    init = settings.init
    if init in (AUTO, *INITS) or starts_by_network(settings):
        return
    if no_plain_file(locate(init)) != "there is no such file":
        return
    if os.path.splitext(init)[1] or os.path.dirname(init):
        raise InputError(f"--init={init}: there is no such file{near_file(Path(init))}")
    near = difflib.get_close_matches(init, INITS, n=1)
    hint = f". Did you mean '{near[0]}'?" if near else near_file(Path(init))
    raise InputError(f"--init={init}: expected {', '.join(INITS)}, a picture or a network; there "
                     f"is no such file{hint}")


def check_together(
    settings: Settings, has_content: bool, styles: int, content_masks: int, style_masks: int,
    protects: bool = False,
) -> None:
    """Check that settings and numbers of pictures fit together; needs no picture.

    Raises:
        InputError: if not.
    """
    for flag, needs in (
        ("content_mask", content_masks > 0),
        ("protect", protects),
        (f"init={settings.init}", settings.init == "content" or starts_by_network(settings)),
        (f"preserve_color={settings.preserve_color}", settings.preserve_color != "none"),
    ):
        if needs and not has_content:
            raise InputError(f"--{flag}: there is no content")
    if protects and not settings.content_weight:
        raise InputError("--protect: --content_weight is 0, so that no content is held. Expected "
                         "a larger one")
    if not has_content and 0 in (settings.style_weight, settings.strength):
        raise InputError("--style_weight=0: without a content there is nothing to do")
    if content_masks and settings.style_regions not in (AUTO, 1):
        raise InputError(f"--style_regions={settings.style_regions} and --content_mask: choose one "
                         "of them")
    for flag, masks in (("content_mask", content_masks), ("style_mask", style_masks)):
        if settings.model and flag == "content_mask" and masks > 1:
            raise InputError(f"--content_mask: expected one with --model. Received: {masks}")
        if not settings.model and masks not in (0, styles):
            raise InputError(
                f"--{flag}: expected a mask for each style ({styles}). Received: {masks}"
            )
    scales = settings.style_scale if isinstance(settings.style_scale, tuple) else (1.0,)
    if len(scales) not in (1, styles):
        raise InputError(
            f"--style_scale: expected one number, or one for each style ({styles}). "
            f"Received: {len(scales)}"
        )
    if (settings.style_blend != AUTO and len(settings.style_blend) != styles
            and not settings.model):
        raise InputError(
            f"--style_blend: expected a share for each style ({styles}). Received: "
            f"{len(settings.style_blend)}"
        )


def _styles(
    settings: Settings, names: Sequence[str],
    shown: Sequence[tuple[np.ndarray, np.ndarray | None]],
    regions: Sequence[np.ndarray | None], masks: Sequence[np.ndarray | None],
) -> tuple[Style, ...]:
    if not shown:
        return ()
    count = len(shown)
    blend = (1.0,) * count if settings.style_blend == AUTO else settings.style_blend
    # A style counts as much in each pixel of a small region as in one of a large region.
    areas = [1 / count if region is None else region.mean() for region in regions]
    return tuple(
        Style(
            picture, name, float(share * area * count / sum(blend)),
            _opaque_part(mask, alpha, name), region, alpha=alpha,
        )
        for (picture, alpha), name, share, area, mask, region in zip(
            shown, names, blend, areas, masks, regions, strict=True
        )
    )


def _opaque_part(
    mask: np.ndarray | None, alpha: np.ndarray | None, name: str
) -> np.ndarray | None:
    """How much each pixel of a style counts: what is transparent never does."""
    if mask is None or alpha is None:
        return alpha if mask is None else mask
    both = resized(mask, *alpha.shape) * alpha
    if both.max() < 1 / 255:
        raise InputError(f"--style_mask: nothing of {name} counts: it is transparent where the "
                         "mask is white")
    return both


def _scales(
    settings: Settings, content: np.ndarray | None, styles: Sequence[Style], least: int
) -> tuple[Scale, ...]:
    return plan(
        settings, None if content is None else content.shape[:2],
        [(style.name, style.picture.shape[:2]) for style in styles], least,
    )


def _name(picture: Picture | PictureFile, number: str) -> str:
    """What to call a picture: by its file, or an array by its number."""
    if isinstance(picture, PictureFile):
        return picture.name
    return os.fspath(picture) if isinstance(picture, (str, os.PathLike)) else number


def _shown(
    picture: Picture | PictureFile, name: str, max_pixels: int, side: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """A style picture, and how opaque it is."""
    if isinstance(picture, PictureFile):
        return picture.pixels, picture.alpha
    return read_style(picture, name, max_pixels=max_pixels, side=side)


def _named(
    masks: Sequence[Picture], read: Sequence[np.ndarray | None]
) -> list[Picture]:
    """Masks as they were given: by their files, or else as they were read."""
    return [mask if isinstance(mask, (str, os.PathLike)) else array
            for mask, array in zip(masks, read, strict=False)]


def _masks(
    flag: str, masks: Sequence[Picture], pictures: Sequence[np.ndarray | None],
    names: Sequence[str], max_pixels: int,
) -> list[np.ndarray | None]:
    """A mask `(height, width)` in [0, 1] for each of `pictures`, or `None` for each."""
    if not masks:
        return [None] * len(pictures)
    found: list[np.ndarray | None] = []
    for given, picture, name in zip(masks, pictures, names, strict=True):
        found.append(_mask(flag, given, picture, f"the region of {name} is empty", max_pixels))
    return found


def _mask(
    flag: str, given: Picture, picture: np.ndarray, if_black: str, max_pixels: int
) -> np.ndarray:
    """A mask of a picture, `(height, width)` in [0, 1]."""
    mask = as_mask(given, f"--{flag}", max_pixels=max_pixels)
    if mask.max() < 1 / 255:
        raise InputError(f"--{flag}: {if_black}: the mask is black")
    check_proportions(mask, *picture.shape[:2], f"--{flag}")
    return mask
