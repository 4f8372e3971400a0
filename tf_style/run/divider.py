"""Divides content and styles into the regions that they have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from tf_style.loss.regions import Regions
from tf_style.network.networks import Network
from tf_style.run.last_styles import LastStyles
from tf_style.run.scene import Scene
from tf_style.settings import AUTO, Settings


class Divider:
    """Divides scenes, and keeps the regions of the last styles for the next content, in any thread.

    Args:
        settings: with every `auto` resolved that does not depend on the pictures.
        network: looks at the styles.
    """

    def __init__(self, settings: Settings, network: Network):
        asked = settings.style_regions if settings.style_weight else 1
        self._count = 1 if asked == AUTO else asked
        layers = network.coarse(settings.style_layers)
        self._last = LastStyles(
            lambda styles: Regions.of(network, layers, styles, self._count))

    def divide(self, scene: Scene, note: Callable[[str], None]) -> Scene:
        """The same scene, with its regions, if it is to have any.

        Args:
            note: called if there are none.
        """
        if self._count == 1:
            return scene
        found = None if scene.content is None else self._last.of(scene.styles)
        regions = None if found is None else found.of_content(scene.content)
        if regions is None:
            why = "there is no content" if scene.content is None else (
                "content and styles are too small, too narrow or too uniform")
            note(f"--style_regions={self._count}: {why}, so that nothing is divided")
            return scene
        return dataclasses.replace(scene, regions=regions, styles=tuple(
            dataclasses.replace(style, kinds=kinds if style.kinds is None else kinds * style.kinds)
            for style, kinds in zip(scene.styles, found.of_styles, strict=True)
        ))
