"""Mended styles, and what is kept of them from one scene to the next. No TensorFlow."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

from tf_style.image.style import Style
from tf_style.run.scene import Scene


class Mender:
    """Mends styles, and keeps those of the last scene for the next, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[object, tuple[Style, ...]] = (None, ())

    def mend(self, scene: Scene, note: Callable[[str], None]) -> tuple[Style, ...]:
        """The styles of a scene, mended.

        Args:
            note: called with what was wrong, once for each picture.
        """
        sides = scene.scales[-1].sides(len(scene.styles))
        # The key is the pictures alone: masks and shares belong to the scene.
        key = (*(scene.inputs.digests[name] for name in scene.inputs.style), sides)
        with self._lock:
            if self._kept[0] != key:
                styles = tuple(style.mended(side) for style, side
                               in zip(scene.styles, sides, strict=True))
                self._kept = key, styles
                for style in styles:
                    if style.defects:
                        note(f"{style.name}: {' and '.join(style.defects)}; cleaned up before use. "
                             "--style_cleanup=off leaves it as it is")
            kept = self._kept[1]
        if not any(style.defects for style in kept):
            return scene.styles
        return tuple(
            dataclasses.replace(style, picture=other.picture, defects=other.defects,
                                mended_again=other.mended_again, largest=other.largest)
            for style, other in zip(scene.styles, kept, strict=True)
        )
