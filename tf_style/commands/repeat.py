"""Running again what made a picture: `--settings_from`."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.settings import AUTO, InputError, Settings

if TYPE_CHECKING:
    from tf_style.run.inputs import Inputs
    from tf_style.run.stylizer import Stylizer

_PNG = b"\x89PNG\r\n\x1a\n"
_PICTURES = ("content", "style", "content_mask", "style_mask")
# What a flag replaces beside the recorded value of its own: what belongs to that value, or was
# found for it where `auto` was given.
_REPLACES = {
    "content": ("content_mask",),
    "style": ("content_mask", "style_mask", "style_blend"),
    "size": ("block_size",),
    "max_memory": ("block_size",),
    "device": ("precision", "block_size"),
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
    """What a saved PNG or a report tells of the run that made it.

    Attributes:
        source: the file.
        settings: of the run, checked.
        pictures: flag → file or files, as they were named; without those that were not given.
        bits: of each channel of the output.
        digests: picture → SHA-256.
        weights: layer → fingerprint.
        versions: package → version.
    """

    source: str
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
                with settings that this one lacks.
        """
        flag = f"--settings_from={source}"
        data = _read(source, flag)
        settings = data.get("settings")
        if not isinstance(settings, dict):
            raise InputError(f"{flag}: it holds no settings. {_EXPECTED}")
        unknown = sorted(set(settings) - {field.name for field in dataclasses.fields(Settings)})
        if unknown:
            maker = _texts(data.get("versions")).get("tf_style", "another version")
            raise InputError(f"{flag}: made by tf_style {maker}, whose settings "
                             f"{', '.join(unknown)} are not known here")
        try:
            checked = Settings(**settings)
        except (TypeError, ValueError) as error:
            raise InputError(f"{flag}: its settings cannot be used ({error})") from None
        return cls(
            source, checked, _pictures(data, flag), 16 if data.get("bits") == 16 else 8,
            *(_texts(data.get(name)) for name in ("digests", "weights", "versions")),
        )

    def beneath(self, values: Mapping[str, Any], positional: Sequence[str]) -> dict[str, Any]:
        """The flags' values, with the record's where there are none.

        Raises:
            InputError: for a picture that is not there any more.
        """
        given = {*values, *_PICTURES[: len(positional) if len(positional) > 1 else 0]}
        replaced = {name for flag in given for name in (flag, *_REPLACES.get(flag, ()))}
        recorded = {"bits": self.bits, **self.settings.as_dict(), **self.pictures}
        # What may be fetched is for this machine to say, not for that of then.
        del recorded["offline"]
        if "scales" in given and len(self.settings.steps) > 1:
            replaced.add("steps")
        # What follows is what `auto` stood for, or a value that it may as well stand for again.
        if given & {"size", "content", "style"} and self._has_automatic_steps():
            replaced.add("steps")
        if given & {"size", "content", "steps"} and self._has_automatic_scales() and (
            "steps" in replaced | given or len(self.settings.steps) == 1
        ):
            replaced.add("scales")
        start = "noise" if recorded.get("content") == "none" else "content"
        if "content" in given and recorded["init"] == start:
            replaced.add("init")
        for part in ("content", "style"):
            own = recorded[f"{part}_network"]
            if given & {"network", "weights"} and own in (AUTO, recorded["network"]):
                replaced |= {f"{part}_network", f"{part}_network_weights"}
        kept = {name: value for name, value in recorded.items() if name not in replaced}
        for name in _PICTURES:
            found = kept.get(name, ())
            for file in [found] if isinstance(found, str) else found:
                self._check_there(name, file)
        return {**kept, **values}

    def _has_automatic_scales(self) -> bool:
        """Whether there are as many sizes as `auto` gives."""
        size = self.settings.size
        if size == "original":
            return False
        side = max(int(each) for each in str(size).split("x"))
        return self.settings.scales == Settings().scales_at(side)

    def _has_automatic_steps(self) -> bool:
        """Whether the steps are what `auto` gives for as many sizes, or fewer."""
        scales = self.settings.scales
        if scales == AUTO:
            scales = len(self.settings.steps)
        every = Settings(scales=scales).steps_of(scales)
        return self.settings.steps in [
            every[: scales - count] + Settings().steps_of(count) for count in range(1, scales + 1)
        ]

    def _check_there(self, flag: str, file: str) -> None:
        from tf_style.image.files import locate
        from tf_style.run.inputs import ARRAY

        if file.startswith(ARRAY):
            raise InputError(f"--settings_from={self.source}: the {flag} was an array, no file. "
                             f"Give --{flag}=FILE")
        if file != "none" and not locate(file).exists():
            raise InputError(f"--settings_from={self.source}: {file}: there is no such file here. "
                             f"Give --{flag}=FILE, or run it in the folder where it was made")

    def compare_inputs(self, inputs: Inputs) -> None:
        """Warn of pictures that are not what they were."""
        for name, digest in inputs.digests.items():
            if self.digests.get(name, digest) != digest:
                warnings.warn(f"{name} has changed since {self.source} was made from it",
                              stacklevel=2)

    def compare_stylizer(self, stylizer: Stylizer) -> None:
        """Warn of versions and weights, called the same, that are not what they were."""
        from tf_style.run.runtime import versions

        here = versions()
        changed = [f"{name} {before} (here {here[name]})"
                   for name, before in self.versions.items() if here.get(name, before) != before]
        if changed:
            warnings.warn(f"{self.source} was made with {', '.join(changed)}: pixels may differ",
                          stacklevel=2)
        same = all(getattr(stylizer.settings, field.name) == getattr(self.settings, field.name)
                   for field in dataclasses.fields(Settings)
                   if field.name == "seed" or "network" in field.name or "weights" in field.name)
        changed = [name for name, digest in stylizer.weights.items()
                   if self.weights.get(name, digest) != digest]
        if same and changed:
            warnings.warn(f"the weights of {', '.join(changed)} have changed since {self.source} "
                          "was made with them", stacklevel=2)


_EXPECTED = "Expected a PNG that tf_style saved, or its report"


def _read(source: str, flag: str) -> Mapping[str, Any]:
    from tf_style.image.files import read_note

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
        raise InputError(f"{flag}: this is no complete JSON. {_EXPECTED}") from None
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
    """Those entries that are text; a comparison can do without the others."""
    if not isinstance(value, dict):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)}
