"""Stylises pictures: the functions that people call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tf_style.image.picture import as_picture
from tf_style.run.checkpoints import Checkpoints
from tf_style.run.inputs import Picture
from tf_style.run.painter import Painter
from tf_style.run.result import Result
from tf_style.run.run import Callback
from tf_style.run.scene import Scene
from tf_style.settings import InputError, Settings
from tf_style.settings.presets import preset_values


def stylize(
    content: Picture | None,
    style: Picture | Sequence[Picture],
    settings: Settings | None = None,
    *,
    preset: str | None = None,
    content_masks: Sequence[Picture] = (),
    style_masks: Sequence[Picture] = (),
    protect: Picture | None = None,
    callback: Callback | None = None,
    checkpoints: Checkpoints | None = None,
    time_limit: float | str | None = None,
    **overrides: Any,
) -> Result:
    """Paint the content image in the style of the style image.

    Args:
        content: a path, `sample:NAME`, a Pillow image, or an array, float in `[0, 1]` or
            uint8: `(height, width, 3)`, `(height, width, 4)` with alpha, or `(height, width)`,
            gray; `None` for a texture of the style alone, of `settings.size`. What is transparent
            is white.
        style: likewise; several, in a list, are blended into one style. What is transparent does
            not count.
        settings: defaults to `Settings()`.
        preset: the name of a preset, such as `fast`, in place of `settings`; the pictures that some
            presets name do not count.
        content_masks: for each style, a picture with the content's proportions, white where the
            style goes, black where it does not; or an array `(height, width)`, float in `[0, 1]`,
            bool, or whole numbers; or a Pillow image.
        style_masks: likewise, for each style: which parts of it count.
        protect: such a mask of the content: it is held more strongly where this is white, for
            example faces.
        callback: called with a `Step` after each step; a true return value ends the run, whose
            result is then the picture so far.
        checkpoints: where the run keeps what it can go on from, and whether it goes on from there.
        time_limit: seconds, or a time such as `"5m"`, after which the run ends with the picture so
            far.
        **overrides: fields of `Settings`, such as `size=256`.

    Returns:
        A `Result`; `result.save("out.png")` writes the picture.

    Raises:
        InputError: (a `ValueError`) for pictures, settings or weights that cannot be used.

    Example:
        >>> result = stylize("sample:harbor", "sample:waves", size=64, weights="random", steps=2,
        ...                  style_layers="block1_conv1", content_layers="block2_conv1")
        >>> result.image.shape
        (48, 64, 3)
    """
    return Stylizer(settings, preset=preset, **overrides).stylize(
        content, style, content_masks=content_masks, style_masks=style_masks, protect=protect,
        callback=callback, checkpoints=checkpoints, time_limit=time_limit,
    )


class Stylizer:
    """Holds what is worth keeping between pictures: networks and compiled steps.

    It holds no state of a run: several threads may use it at once, and a callback may start
    another run with the `Stylizer` that called it.

    Args:
        settings: defaults to `Settings()`.
        preset: the name of a preset, such as `fast`, in place of `settings`.
        pictures: what `weights="unsupervised"` learns from, besides the pictures that come with
            tf_style; by default the content and style images of the first run. It learns once.
        **overrides: fields of `Settings`.

    Raises:
        InputError: for settings or weights that cannot be used.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        preset: str | None = None,
        pictures: Sequence[Picture] = (),
        **overrides: Any,
    ):
        settings = _settings(settings, preset, overrides)
        if settings.model:
            raise InputError("--model: a network that paints takes no steps. Call it by "
                             f"tf_style.transform_model({settings.model!r})")
        seen = [as_picture(each, max_pixels=settings.max_pixels) for each in pictures]
        self._painter = Painter(settings, lambda: seen)

    @property
    def settings(self) -> Settings:
        """The settings with every `auto` resolved that does not depend on the pictures."""
        return self._painter.settings

    @property
    def weights(self) -> Mapping[str, str]:
        """Layer → fingerprint of the kernels in use; empty before they are learned."""
        return self._painter.weights

    @property
    def traces(self) -> int:
        """How many times the step has been traced; see `Painter.traces`."""
        return self._painter.traces

    def stylize(
        self,
        content: Picture | None,
        style: Picture | Sequence[Picture],
        *,
        content_masks: Sequence[Picture] = (),
        style_masks: Sequence[Picture] = (),
        protect: Picture | None = None,
        callback: Callback | None = None,
        checkpoints: Checkpoints | None = None,
        time_limit: float | str | None = None,
    ) -> Result:
        """Like the function `stylize`, with the settings of this `Stylizer`."""
        scene = Scene.of(self.settings, content, style, content_masks, style_masks,
                         protect=protect, least=self._painter.least_size)
        return self._painter.paint(
            scene, callback=callback, checkpoints=checkpoints, time_limit=time_limit
        )


def _settings(
    settings: Settings | None, preset: str | None, overrides: Mapping[str, Any]
) -> Settings:
    if preset is None:
        return (settings or Settings()).replace(**overrides)
    if settings is not None:
        raise InputError("settings and preset: choose one of them")
    # Together, as a value given may be all that two of the preset's go with.
    return Settings().replace(**{**preset_values(preset), **overrides})
