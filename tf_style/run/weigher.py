"""Weighs the places of styles by how often their like is found in them."""

from __future__ import annotations

import dataclasses

from tf_style.loss.recurrence import recurrence
from tf_style.network.networks import Network
from tf_style.run.last_styles import LastStyles
from tf_style.run.scene import Scene
from tf_style.settings import Settings


class Weigher:
    """Weighs the styles of scenes, if it is to, and keeps the last for the next scene.

    Args:
        settings: with every `auto` resolved that does not depend on the pictures.
        network: looks at the styles.
    """

    def __init__(self, settings: Settings, network: Network):
        self._weighs = settings.style_places == "recurring" and settings.style_weight > 0
        layers = network.coarse(settings.style_layers)
        self._last = LastStyles(lambda styles: [
            recurrence(network, layers, each) for each in styles
        ])

    def weigh(self, scene: Scene) -> Scene:
        """The same scene, with one kind for each style."""
        if not self._weighs:
            return scene
        weights = self._last.of(scene.styles)
        return dataclasses.replace(scene, styles=tuple(
            dataclasses.replace(style, kinds=each[None])
            for style, each in zip(scene.styles, weights, strict=True)
        ))
