"""Divides content and styles into the regions that they have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from tf_style.image.style import Style
from tf_style.loss.regions import Regions
from tf_style.network.networks import Network
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, Settings


class Divider:
    """Divides scenes, and keeps the regions of the last styles for the next content, in any thread.

    Args:
        settings: with every `auto` resolved that does not depend on the pictures.
        network: looks at the styles.
    """

    def __init__(self, settings: Settings, network: Network):
        self._network, self._asked = network, settings.style_regions
        self._layers = (
            network.architecture.coarse(settings.style_layers) if network.architecture else ()
        )
        self._count = self._asked
        if self._asked == AUTO:
            # The compact network's deep layers took a coat for a sky, and a face for a wave.
            told_apart = self._layers and network.architecture.name != "compact"
            self._count = 2 if told_apart and "moments" in settings.style_loss else 1
        if not settings.style_weight:
            self._count = 1
        self._kept: tuple[Sequence[object], Regions | None] = ((), None)

    def divide(self, scene: Scene, note: Callable[[str], None]) -> Scene:
        """The same scene, with its regions, if it is to have any.

        Args:
            note: called if regions were asked for and there are none.
        """
        if self._count == 1:
            return scene
        found = self._of(scene.styles) if scene.can_be_divided else None
        regions = None if found is None else found.of_content(scene.content)
        if regions is None:
            if self._asked != AUTO:
                why = "there is no content" if scene.content is None else (
                    "content and styles are too small, too narrow or too uniform")
                note(f"--style_regions={self._count}: {why}, so that nothing is divided")
            return scene
        return dataclasses.replace(scene, regions=regions, styles=tuple(
            dataclasses.replace(style, kinds=kinds)
            for style, kinds in zip(scene.styles, found.of_styles, strict=True)
        ))

    def _of(self, styles: Sequence[Style]) -> Regions | None:
        key = [each for style in styles
               for each in (style.picture, style.mask, bool(style.share))]
        # One reference, as another thread may put its own there.
        kept = self._kept
        if len(kept[0]) != len(key) or not all(
                one is other or np.array_equal(one, other)
                for one, other in zip(kept[0], key, strict=True)):
            kept = key, Regions.of(self._network, self._layers, styles, self._count)
            self._kept = kept
        return kept[1]
