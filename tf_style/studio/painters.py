"""What paints, kept warm from one job to the next. TensorFlow is imported when it is needed."""

from __future__ import annotations

import collections
import dataclasses
import json
import logging
import os
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from tf_style.image.decoding import native_messages_off
from tf_style.run.loading import load_tensorflow
from tf_style.settings import Settings
from tf_style.transfer import lite
from tf_style.transfer.painter import ModelPainter

if TYPE_CHECKING:
    from tf_style.film.by_network import NetworkFrames
    from tf_style.run.painter import Painter

# Painters that are kept, most of which share their networks: TensorFlow does not give all of the
# memory of steps back, so that it costs little to keep them. And networks: up to 100 MB each.
_KEPT, _KEPT_NETWORKS = 12, 4
# What a network that paints depends on; the rest counts afterwards.
_OF_A_BRUSH = ("model", "style_blend", "device", "threads", "precision")


@dataclasses.dataclass(frozen=True)
class _Kept:
    settings: Settings
    exact: bool
    painter: Any


class Painters:
    """Painters by their settings: networks and compiled steps are made once. For one thread."""

    def __init__(self):
        self._kept: collections.OrderedDict[str, _Kept] = collections.OrderedDict()
        self._frames: collections.OrderedDict[str, NetworkFrames] = collections.OrderedDict()
        self._brushes: collections.OrderedDict[str, Any] = collections.OrderedDict()

    def load(self) -> None:
        """Import TensorFlow, which takes seconds."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with native_messages_off():
            load_tensorflow()
            import tf_style.run.painter  # noqa: F401
        # It warns where steps are traced for several objectives, as they are here.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)

    def of(self, settings: Settings, *, exact: bool = True) -> Painter | ModelPainter:
        """What paints with these settings.

        Args:
            exact: whether the picture is to be that of the command, bit by bit. If not, compiled
                steps serve another weight of the style, too, and values are rounded otherwise.

        Raises:
            InputError: for settings or weights that cannot be used.
        """
        key = _key(settings, exact=exact)
        if key not in self._kept:
            painter = self._model(settings) if settings.model else self._run(settings, exact)
            self._kept[key] = _Kept(settings, exact, painter)
        self._kept.move_to_end(key)
        _shorten(self._kept, _KEPT)
        return self._kept[key].painter

    def frames(self, settings: Settings, steadiness: float | str) -> NetworkFrames:
        """What paints frames of films and cameras with a network.

        Raises:
            InputError: for one that cannot be used.
        """
        from tf_style.film.by_network import NetworkFrames
        from tf_style.transfer.brush import Brush

        key = json.dumps([_key(settings, exact=True), steadiness])
        if key not in self._frames:
            painter = ModelPainter(settings, self._brush(settings, Brush))
            self._frames[key] = NetworkFrames(painter, steadiness)
        self._frames.move_to_end(key)
        _shorten(self._frames)
        return self._frames[key]

    def forget(self, painter: Any) -> None:
        """Keep a painter no longer, as what it has learned belongs to its pictures."""
        for key in [key for key, each in self._kept.items() if each.painter is painter]:
            del self._kept[key]

    def _run(self, settings: Settings, exact: bool) -> Painter:
        from tf_style.run.painter import Painter
        from tf_style.run.scene import starts_by_network

        start = None
        if starts_by_network(settings):
            from tf_style.transfer.brush import Brush

            start = Brush(settings, "init").paint
        return Painter(settings, like=self._like(settings, exact), start=start, exact=exact)

    def _like(self, settings: Settings, exact: bool) -> Painter | None:
        """The newest painter with the same compiled steps, or else with the same networks."""
        from tf_style.run.painter import OF_A_RUN

        weight = {"strength", "style_weight"}
        for without in ({*OF_A_RUN} - weight, {*OF_A_RUN} | weight):
            key = _key(settings, without, exact=exact)
            for each in reversed(self._kept.values()):
                if _key(each.settings, without, exact=each.exact) == key:
                    return each.painter
        return None

    def _model(self, settings: Settings) -> ModelPainter:
        # By what the command would have it done by.
        if lite.serves(settings, 1):
            return ModelPainter(settings, self._brush(settings, lite.LiteBrush))
        from tf_style.transfer.brush import Brush

        return ModelPainter(settings, self._brush(settings, Brush))

    def _brush(self, settings: Settings, kind: Callable[[Settings], Any]) -> Any:
        """The network that paints."""
        given = settings.as_dict()
        key = json.dumps([kind.__name__, *(given[name] for name in _OF_A_BRUSH)])
        if key not in self._brushes:
            self._brushes[key] = kind(settings)
        self._brushes.move_to_end(key)
        _shorten(self._brushes)
        return self._brushes[key]


def _key(settings: Settings, without: Collection[str] = (), *, exact: bool) -> str:
    given = {name: each for name, each in settings.as_dict().items() if name not in without}
    return json.dumps([exact, given], sort_keys=True)


def _shorten(kept: collections.OrderedDict[str, Any], most: int = _KEPT_NETWORKS) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
