"""Running again what made a picture: `--settings_from`."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands.command import CommandLine
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.auto import FOLLOWS

if TYPE_CHECKING:
    from tf_style.run.inputs import Inputs
    from tf_style.run.painter import Painter

_PNG = b"\x89PNG\r\n\x1a\n"
_PICTURES = ("content", "style", "content_mask", "style_mask")
# What is up to this machine, not to the one that made the record.
_UP_TO_HERE = ("offline", "max_pixels")
# What a flag replaces besides its own recorded value: what belongs to that value, or contradicts
# the new one.
_REPLACES = {
    "content": ("content_mask",),
    "style": ("content_mask", "style_mask", "style_blend"),
    "strength": ("style_weight",),
    "style_weight": ("strength",),
    "style_size": ("style_scale",),
    "style_scale": ("style_size",),
    "network": ("weights",),
    "content_network": ("content_network_weights",),
    "style_network": ("style_network_weights",),
}


@dataclasses.dataclass(frozen=True)
class Record:
    """What a saved PNG or a report records of the run that made it.

    Attributes:
        source: the file.
        given: the settings as they were given.
        settings: the same with `auto` resolved.
        pictures: flag → file or files, as they were named; without those that were not given.
        bits: of each channel of the output.
        digests: picture → SHA-256.
        weights: layer → fingerprint.
        versions: package → version.
    """

    source: str
    given: Settings
    settings: Settings
    pictures: Mapping[str, Any]
    bits: int
    digests: Mapping[str, str]
    weights: Mapping[str, str]
    versions: Mapping[str, str]

    @classmethod
    def read(cls, source: str) -> Record:
        """Read a PNG that tf_style saved, or its report.

        Raises:
            InputError: for a file that cannot be read, has no settings, or was made by a version
                that has settings unknown to this one.
        """
        flag = f"--settings_from={source}"
        data = _read(source, flag)
        settings = data.get("settings")
        if not (isinstance(settings, dict) and isinstance(data.get("given", {}), dict)):
            raise InputError(f"{flag}: it holds no settings. {_EXPECTED}")
        given = data.get("given", _given_to_an_older_version(settings))
        known = {field.name for field in dataclasses.fields(Settings)}
        unknown = sorted({*settings, *given} - known)
        if unknown:
            maker = _texts(data.get("versions")).get("tf_style", "another version")
            raise InputError(f"{flag}: made by tf_style {maker}, whose settings "
                             f"{', '.join(unknown)} are not known here")
        try:
            checked = [Settings(**each) for each in (given, settings)]
        except (TypeError, ValueError) as error:
            raise InputError(f"{flag}: its settings cannot be used ({error})") from None
        return cls(
            source, *checked, _pictures(data, flag), 16 if data.get("bits") == 16 else 8,
            *(_texts(data.get(name)) for name in ("digests", "weights", "versions")),
        )

    def beneath(self, line: CommandLine) -> tuple[CommandLine, Settings]:
        """The command line, completed with the record's values.

        Returns:
            The command line; and the settings as a command line that names them all would have
            given them, for the next record.

        Raises:
            InputError: for a picture that is no longer there.
        """
        given = {*line.given, *_PICTURES[: len(line.places) if len(line.places) > 1 else 0]}
        replaced = {name for flag in given for name in (flag, *_REPLACES.get(flag, ()))}
        if "scales" in given and self.given.steps != AUTO and len(self.given.steps) > 1:
            replaced.add("steps")
        as_given, settings = self.given.as_dict(), self.settings.as_dict()
        # What was left to `auto` is found anew if something that it depends on has changed.
        again = {name for name, others in FOLLOWS.items() if replaced & {*others}}
        if "style_weight" in again:
            # The style weight may come from the strength.
            again.add("strength")
        recorded = {name: (as_given if name in again else settings)[name] for name in settings}
        for name in _UP_TO_HERE:
            del recorded[name]
        recorded |= {"bits": str(self.bits), **self.pictures}
        kept = {name: value for name, value in recorded.items() if name not in replaced}
        for name in _PICTURES:
            found = kept.get(name, ())
            for file in [found] if isinstance(found, str) else found:
                self._check_there(name, file)
        names = {field.name for field in dataclasses.fields(Settings)}
        before = {name: value for name, value in as_given.items()
                  if name not in replaced and name not in _UP_TO_HERE}
        now = {name: value for name, value in line.given.items() if name in names}
        return (
            dataclasses.replace(line, given={**kept, **line.given}), Settings(**{**before, **now})
        )

    def _check_there(self, flag: str, file: str) -> None:
        from tf_style.image.paths import locate
        from tf_style.run.inputs import ARRAY

        if file.startswith(ARRAY):
            raise InputError(f"--settings_from={self.source}: the {flag} was an array, not a file. "
                             f"Give --{flag}=FILE")
        if file != "none" and not locate(file).exists():
            raise InputError(f"--settings_from={self.source}: {file}: there is no such file here. "
                             f"Give --{flag}=FILE, or run it in the folder where it was made")

    def compare_inputs(self, inputs: Inputs) -> None:
        """Warn about pictures that have changed."""
        for name, digest in inputs.digests.items():
            if self.digests.get(name, digest) != digest:
                warnings.warn(f"{name} has changed since {self.source} was made from it",
                              stacklevel=2)

    def compare_painter(self, painter: Painter) -> None:
        """Warn about versions, and about weights of the same name, that have changed."""
        from tf_style.run.machine import versions

        here = versions()
        changed = [f"{name} {before} (here {here[name]})"
                   for name, before in self.versions.items() if here.get(name, before) != before]
        if changed:
            warnings.warn(f"{self.source} was made with {', '.join(changed)}: pixels may differ",
                          stacklevel=2)
        same = all(getattr(painter.settings, field.name) == getattr(self.settings, field.name)
                   for field in dataclasses.fields(Settings)
                   if field.name == "seed" or "network" in field.name or "weights" in field.name)
        changed = [name for name, digest in painter.weights.items()
                   if self.weights.get(name, digest) != digest]
        if same and changed:
            warnings.warn(f"the weights of {', '.join(changed)} have changed since {self.source} "
                          "was made with them", stacklevel=2)


def _given_to_an_older_version(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that may have been given, if only the resolved ones are recorded."""
    automatic = {option.name for option in Settings.options() if option.default == AUTO}
    if settings.get("network", "vgg16") not in ("vgg16", "vgg19"):
        # The layers of a saved model have to be named.
        automatic -= {"content_layers", "style_layers"}
    return {name: AUTO if name in automatic else value for name, value in settings.items()}


_EXPECTED = "Expected a PNG that tf_style saved, or its report"


def _read(source: str, flag: str) -> Mapping[str, Any]:
    from tf_style.image.picture import read_note

    path = Path(source)
    try:
        if not path.is_file():
            raise InputError(f"{flag}: there is no such file")
        with open(path, "rb") as file:
            picture = file.read(len(_PNG)) == _PNG
        text = read_note(path) if picture else path.read_text(encoding="utf-8-sig")
        data = json.loads(text or "{}")
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{flag}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise InputError(f"{flag}: this is not complete JSON. {_EXPECTED}") from None
    return data if isinstance(data, dict) else {}


def _pictures(data: Mapping[str, Any], flag: str) -> dict[str, Any]:
    content = data.get("content")
    pictures = {"content": "none" if content is None and data.get("style") else content,
                **{name: data.get(name) for name in _PICTURES[1:]}}
    pictures = {name: value for name, value in pictures.items() if value}
    for name, value in pictures.items():
        texts = [value] if name == "content" else value
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise InputError(f"{flag}: expected file names in {name!r}. Received: {value!r}")
    return pictures


def _texts(value: Any) -> dict[str, str]:
    """The entries that are text; comparisons do not need the others."""
    if not isinstance(value, dict):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)}
