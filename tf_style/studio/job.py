"""What the page asks for, checked, and what becomes of it: plain data. No TensorFlow."""

from __future__ import annotations

import dataclasses
import math
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any

from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import Number
from tf_style.settings.presets import preset_values
from tf_style.studio import form

WAITING, PAINTING, DONE = "waiting", "painting", "done"
STOPPED, FAILED, CANCELLED = "stopped", "failed", "cancelled"
FILM = "film:"
_MOST_STYLES = 16
# Points of a loss curve that the page gets while it grows, and that are kept afterwards.
_POINTS, _KEPT_POINTS = 200, 60
_PREVIEW = 256
# What decides by which networks a picture is painted.
_NETWORKS = ("network", "weights", "content_network", "content_network_weights", "style_network",
             "style_network_weights")
_REFERENCE = re.compile(r"(sample|picture|library|result|film):[\w.-]{1,100}")
_OPTION = re.compile(r"--(\w+)")


@dataclasses.dataclass(frozen=True)
class Request:
    """A picture or a film that the page asks for. It names pictures by references, never by paths.

    Attributes:
        content: a reference; `None` for a texture.
        styles: references; none where a network paints.
        content_masks, protect: references to masks, as for `tf_style.stylize`.
        options: option → value, as the page gave it.
        draft: whether it is a preview.
    """

    content: str | None
    styles: tuple[str, ...] = ()
    content_masks: tuple[str, ...] = ()
    protect: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    draft: bool = False

    @classmethod
    def of(cls, data: Any) -> Request:
        """Read what the page posted.

        Raises:
            InputError: if it is not such a request.
        """
        if not isinstance(data, dict):
            raise InputError("expected an object: content, styles, options")
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted({*map(str, data)} - known):
            raise InputError(f"expected some of {', '.join(sorted(known))}. Received: "
                             f"{unknown[0][:80]!r}")
        options, draft = data.get("options", {}), data.get("draft", False)
        if not isinstance(options, dict) or not isinstance(draft, bool):
            raise InputError("expected options as an object, and draft as true or false")
        content = data.get("content")
        protect = data.get("protect")
        found = cls(
            None if content is None else _reference("content", content),
            _references("style", data.get("styles", [])),
            _references("content_mask", data.get("content_masks", [])),
            None if protect is None else _reference("protect", protect), options, draft,
        )
        if found.is_film and not options.get("model"):
            raise InputError("--model: a film is painted by a network here. Choose one")
        return found

    @property
    def is_film(self) -> bool:
        return bool(self.content) and self.content.startswith(FILM)

    @property
    def references(self) -> tuple[str, ...]:
        """All pictures that it names, and the user's own network."""
        model = self.options.get("model")
        named = (self.content, *self.styles, *self.content_masks, self.protect,
                 model if form.is_network(model) else None)
        return tuple(each for each in named if each)

    @property
    def steadiness(self) -> float | str:
        """Of a film."""
        given = self.options.get("steadiness", AUTO)
        return given if given == AUTO else Number(0, 1).parse("steadiness", given)

    def settings(self, **fixed: Any) -> Settings:
        """The settings of its run.

        Args:
            fixed: what whoever started the studio has decided.

        Raises:
            InputError: for options that cannot be used.
        """
        options = {name: value for name, value in self.options.items()
                   if not (self.is_film and name == "steadiness")}
        settings = form.checked(options, **fixed)
        return _preview(settings) if self.draft else settings

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data from which `of` makes an equal request."""
        return {"content": self.content, "styles": list(self.styles),
                "content_masks": list(self.content_masks), "protect": self.protect,
                "options": dict(self.options), "draft": self.draft}


def _preview(settings: Settings) -> Settings:
    """These settings for a quick look: few steps at a small size, by the small network.

    If no other network is named, nor weights, which may be another's.
    """
    size = settings.size
    if size.long_side is None or size.long_side > _PREVIEW:
        small = [_PREVIEW * each // max(size.width, size.height)
                 for each in (size.width, size.height)] if size.width else _PREVIEW
        settings = settings.replace(size=small)
    if settings.model:
        return settings
    quick = preset_values("preview")
    del quick["size"]
    if any(getattr(settings, name) != AUTO for name in _NETWORKS):
        del quick["network"]
    return settings.replace(**quick)


def option_of(message: str) -> str | None:
    """The option that an error names, which begins with it; `None` if it names none."""
    found = _OPTION.match(message)
    if found:
        return found[1]
    first = re.match(r"(content|style)( \d+)?:", message)
    return first[1] if first else None


def told(message: str) -> dict[str, Any]:
    """An error as the page gets it."""
    return {"message": message, "option": option_of(message)}


@dataclasses.dataclass
class Job:
    """A request and what has become of it.

    Attributes:
        id: names it.
        place: its place in the queue; a smaller one is painted first.
        request: what was asked for.
        title: what to call it: the names of its pictures.
        state: one of `WAITING`, `PAINTING`, `DONE`, `STOPPED`, `FAILED`, `CANCELLED`.
        created: seconds since 1970.
        has_picture: whether there is a result to look at.
        progress: how much is done, 0 to 1.
        seconds_left, seconds: time left and taken.
        step, steps, scale, scales: of the last step.
        width, height: of the result.
        loss: pairs of a step, counted over all sizes, and its loss.
        why: why it ended early; `None` if it did not.
        notes: what its user should know.
        error: as `told` returns it.
    """

    id: str
    place: int
    request: Request
    title: str
    state: str = WAITING
    created: float = dataclasses.field(default_factory=time.time)
    has_picture: bool = False
    progress: float = 0.0
    seconds_left: float | None = None
    seconds: float = 0.0
    step: int = 0
    steps: int = 0
    scale: int = 0
    scales: int = 0
    width: int = 0
    height: int = 0
    loss: list[list[float]] = dataclasses.field(default_factory=list)
    why: str | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    error: dict[str, Any] | None = None

    @classmethod
    def new(cls, request: Request, title: str, place: int) -> Job:
        return cls(secrets.token_hex(8), place, request, title)

    def settle(self) -> None:
        """Keep no more of its loss than shows how it fell."""
        self.loss = _thinned(self.loss, _KEPT_POINTS)

    @property
    def ends(self) -> str:
        """The ending of its result's file."""
        return ".mp4" if self.request.is_film else ".png"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data, for the page and for the disk."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {**found, "request": self.request.as_dict(), "draft": self.request.draft,
                "kind": "film" if self.request.is_film else "picture",
                "loss": _thinned(self.loss, _POINTS)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """The job that `as_dict` returned."""
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{**{name: value for name, value in data.items() if name in names},
                      "request": Request.of(data["request"])})


def _thinned(points: list[list[float]], most: int) -> list[list[float]]:
    """Some of the points of a curve, with the last; JSON has no others than finite ones."""
    every = -(-len(points) // most) or 1
    return [[step, float(f"{loss:.4g}")] for step, loss in points[-1::-every][::-1]
            if math.isfinite(loss)]


def _reference(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise InputError(f"--{name}: expected a reference, such as sample:harbor. Received: "
                         f"{str(value)[:80]!r}")
    return value


def _references(name: str, values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > _MOST_STYLES:
        raise InputError(f"--{name}: expected a list of at most {_MOST_STYLES} references")
    return tuple(_reference(name, each) for each in values)
