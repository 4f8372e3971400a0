"""Running again what made a picture: `--settings_from`."""

from __future__ import annotations

import dataclasses
import json
import re
import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tf_style.commands.command import CommandLine
from tf_style.image.samples import ALL, PREFIX, STYLE_SAMPLES, names_network
from tf_style.network.weights import environment_file
from tf_style.settings import AUTO, NETWORKS, WEIGHTS, InputError, Settings
from tf_style.settings.auto import BEFORE_OPTIONS, FOLLOWS
from tf_style.settings.settings import WITH_MODEL

if TYPE_CHECKING:
    from tf_style.run.inputs import Inputs
    from tf_style.run.painter import Painter

_PNG = b"\x89PNG\r\n\x1a\n"
_PICTURES = ("content", "style", "content_mask", "style_mask", "protect")
_MOST_PICTURES = 100
# Bytes. A report has a few thousand.
_LONGEST = 10_000_000
# Settings that can name a file or a folder, and the values that do not.
_WORDS = {
    **dict.fromkeys(("network", "content_network", "style_network"), (AUTO, *NETWORKS)),
    **dict.fromkeys(("weights", "content_network_weights", "style_network_weights"),
                    (AUTO, *WEIGHTS)),
    "cache_dir": (AUTO,),
    "model": (None, *(PREFIX + name for name in (*STYLE_SAMPLES, ALL))),
}
# What the machine allows is not up to the one that made the record.
_THIS_MACHINES = ("offline", "max_pixels")
# What a flag replaces besides its own recorded value: what belongs to that value, or contradicts
# the new one.
_REPLACES = {
    "content": ("content_mask", "protect"),
    "content_mask": ("style_regions",),
    "style": ("content_mask", "style_mask", "style_blend", "model"),
    "model": ("style", "content_mask", "style_mask", "style_blend"),
    "strength": ("style_weight",),
    "style_weight": ("strength",),
    "large_forms": ("style_layers",),
    "style_layers": ("large_forms",),
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
        paths: `given` and `settings` → setting → the file or folder that it named, which are
            left out there, because a stranger may have named them.
        unlike: why another run does not give the same pixels; empty if it does.
    """

    source: str
    given: Settings
    settings: Settings
    pictures: Mapping[str, Any]
    bits: int
    digests: Mapping[str, str]
    weights: Mapping[str, str]
    versions: Mapping[str, str]
    paths: Mapping[str, Mapping[str, str]]
    unlike: str = ""

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
        # With a network that paints, they have no effect.
        settings = {**({} if settings.get("model") else BEFORE_OPTIONS), **settings}
        known = {field.name for field in dataclasses.fields(Settings)}
        unknown = sorted({*settings, *given} - known)
        if unknown:
            maker = _texts(data.get("versions")).get("tf_style", "another version")
            raise InputError(f"{flag}: made by tf_style {_short(maker)}, whose settings "
                             f"{_short(', '.join(unknown))} are not known here")
        paths = {"given": _paths(given), "settings": _paths(settings)}
        try:
            checked = [
                Settings(**{name: value for name, value in each.items() if name not in out})
                for each, out in zip((given, settings), paths.values(), strict=True)
            ]
        # A number of many digits is an OverflowError.
        except (TypeError, ValueError, ArithmeticError) as error:
            raise InputError(f"{flag}: its settings cannot be used "
                             f"({_short(getattr(error, 'flags', error))})") from None
        return cls(
            source, *checked, _pictures(data, flag), 16 if data.get("bits") == 16 else 8,
            *(_texts(data.get(name)) for name in ("digests", "weights", "versions")),
            paths, _unlike(data),
        )

    def beneath(self, line: CommandLine) -> tuple[CommandLine, Settings]:
        """The command line, completed with the record's values.

        Returns:
            The command line; and the settings as a command line that names them all would have
            given them, for the next record.

        Raises:
            InputError: for a picture that is no longer there.
        """
        from tf_style.run.scene import INITS

        given = {*line.given, *_PICTURES[: len(line.places) if len(line.places) > 1 else 0]}
        replaced = {name for flag in given for name in (flag, *_REPLACES.get(flag, ()))}
        if "scales" in given and self.given.steps != AUTO and len(self.given.steps) > 1:
            replaced.add("steps")
        if line.given.get("model"):
            # What an optimiser heeds, and no network that paints.
            names = {field.name for field in dataclasses.fields(Settings)}
            replaced |= {"protect", *(names - {*WITH_MODEL})}
        if "style" in given and isinstance(self.settings.style_scale, tuple):
            # One for each of the styles that were.
            replaced.add("style_scale")
        recorded = self._without_paths(replaced)
        recorded |= {"bits": str(self.bits), **self.pictures}
        kept = {name: value for name, value in recorded.items() if name not in replaced}
        init = kept.get("init", AUTO)
        if init not in (AUTO, *INITS) and not names_network(init):
            self._check_there("init", init)
        for name in _PICTURES:
            found = kept.get(name, ())
            for file in [found] if isinstance(found, str) else found:
                self._check_there(name, file)
        names = {field.name for field in dataclasses.fields(Settings)}
        before = {name: value for name, value in self.given.as_dict().items()
                  if name not in replaced and name in recorded}
        now = {name: value for name, value in line.given.items() if name in names}
        return (
            dataclasses.replace(line, given={**kept, **line.given}), Settings(**{**before, **now})
        )

    def _without_paths(self, replaced: set[str]) -> dict[str, Any]:
        """What is recorded, without the files and folders besides pictures: a warning names them.

        Args:
            replaced: what flags replace; what is left out is added to it.
        """
        told: dict[str, str] = {}
        while paths := self._paths(replaced):
            replaced |= {*paths}
            # The layers of another network are not this one's.
            replaced |= {f"{part}_layers" for part in ("content", "style")
                         if self._network_of(part)[0] in paths.values()}
            for name, path in paths.items():
                # What both parts have from the whole is told once.
                told.setdefault(path, name)
        if told:
            flags = [f"--{name}={_short(path)}{' and its layers' * name.endswith('network')}"
                     for path, name in told.items()]
            warnings.warn(
                f"{self.source} names files or folders besides its pictures, which count only if "
                f"you give them yourself: {', '.join(flags)}", stacklevel=3,
            )
        return self._recorded(replaced)

    def _paths(self, replaced: set[str]) -> dict[str, str]:
        """Setting → the file or folder that it would have from the record."""
        again = _found_anew(replaced)
        named = {name: self.paths["given" if name in again else "settings"].get(name)
                 for name in (*_WORDS, "init") if name not in replaced}
        return {name: path for name, path in named.items() if path}

    def _recorded(self, replaced: set[str]) -> dict[str, Any]:
        """Each setting's value; as it was given, if it must be found anew.

        Args:
            replaced: the settings that have other values now.
        """
        as_given, settings = self.given.as_dict(), self.settings.as_dict()
        again = _found_anew(replaced)
        return {name: (as_given if name in again else settings)[name] for name in settings
                if name not in _THIS_MACHINES}

    def _network_of(self, part: str) -> tuple[str, str]:
        """The network of a part and its weights, as they were."""
        then = SimpleNamespace(**{**vars(self.settings), **self.paths["settings"]})
        return Settings.network_of(then, part)[1:]

    def _check_there(self, flag: str, file: str) -> None:
        from tf_style.image.paths import locate, no_plain_file
        from tf_style.run.inputs import ARRAY

        if file.startswith(ARRAY):
            raise InputError(f"--settings_from={self.source}: the {flag} was an array, not a file. "
                             f"Give --{flag}=FILE")
        if file == "none":
            return
        reason = "on another machine" if _is_remote(file) else no_plain_file(locate(file))
        if reason:
            reason = reason.replace("no such file", "no such file here")
            raise InputError(f"--settings_from={self.source}: {_short(file)}: {reason}. Give "
                             f"--{flag}=FILE, or run it in the folder where it was made")

    def compare_inputs(self, inputs: Inputs) -> None:
        """Warn about pictures that have changed."""
        for name, digest in inputs.digests.items():
            # A dry run has none.
            if digest and self.digests.get(name, digest) != digest:
                warnings.warn(f"{name} has changed since {self.source} was made from it",
                              stacklevel=2)

    def compare_painter(self, painter: Painter) -> None:
        """Warn of what makes other pixels: an early end, and versions or weights that changed."""
        from tf_style.run.machine import versions

        if self.unlike:
            warnings.warn(f"{self.source} {self.unlike}: pixels differ", stacklevel=2)
        here = versions()
        changed = [f"{name} {_short(before)} (here {here[name]})"
                   for name, before in self.versions.items() if here.get(name, before) != before]
        if changed:
            warnings.warn(f"{self.source} was made with {', '.join(changed)}: pixels may differ",
                          stacklevel=2)
        same = painter.settings.seed == self.settings.seed and all(
            painter.settings.network_of(part)[1:] == self._network_of(part)
            for part in ("content", "style")
        )
        changed = [name for name, digest in painter.weights.items()
                   if self.weights.get(name, digest) != digest]
        if same and changed:
            warnings.warn(f"the weights of {', '.join(changed)} have changed since {self.source} "
                          "was made with them", stacklevel=2)


def _unlike(data: Mapping[str, Any]) -> str:
    """Why a plain run does not give the same pixels as the one that is recorded."""
    if data.get("extended") is True:
        return "went on with more steps than it began with"
    # A picture of a network, and an older record, say nothing.
    if data.get("stopped", "steps") != "steps":
        return "was stopped before its end, and all steps are taken now"
    return ""


def _given_to_an_older_version(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that may have been given, if only the resolved ones are recorded."""
    automatic = {option.name for option in Settings.options() if option.default == AUTO}
    # It was VGG16 where nobody named another.
    automatic.remove("network")
    if settings.get("network", "vgg16") not in NETWORKS:
        # The layers of a saved model have to be named.
        automatic -= {"content_layers", "style_layers"}
    return {name: AUTO if name in automatic else value for name, value in settings.items()}


def _found_anew(replaced: set[str]) -> set[str]:
    """What was left to `auto` and depends on something that has changed."""
    again = {name for name, others in FOLLOWS.items() if replaced & {*others}}
    if "content" in replaced:
        # It may be the content's own.
        again.add("size")
    if "style_weight" in again:
        # The style weight may come from the strength.
        again.add("strength")
    if "style_layers" in again:
        again.add("large_forms")
    return again


def _paths(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings that name a file or folder, but no picture nor what the environment names."""
    paths = {name: str(settings[name]) for name, words in _WORDS.items()
             if name in settings and settings[name] not in (*words, environment_file())}
    init = str(settings.get("init"))
    # A start that is a picture is shown; a network may come from anybody.
    if _is_remote(init) or (names_network(init) and not init.startswith(PREFIX)):
        paths["init"] = init
    return paths


def _is_remote(path: str) -> bool:
    """Whether Windows would tell another machine who the user is."""
    return re.match(r"[/\\]{2}", path) is not None


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


_EXPECTED = "Expected a PNG that tf_style saved, or its report"


def _read(source: str, flag: str) -> Mapping[str, Any]:
    from tf_style.image.paths import no_plain_file
    from tf_style.image.picture import read_note

    try:
        if reason := no_plain_file(source):
            raise InputError(f"{flag}: {reason}")
        with open(source, "rb") as file:
            head = file.read(_LONGEST)
        if head.startswith(_PNG):
            text = read_note(source)
        elif len(head) < _LONGEST:
            text = head.decode("utf-8-sig")
        else:
            raise InputError(f"{flag}: this is larger than a report. {_EXPECTED}")
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
        texts = [value] if name in ("content", "protect") else value
        if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
            raise InputError(
                f"{flag}: expected file names in {name!r}. Received: {_short(repr(value))}"
            )
        if len(texts) > _MOST_PICTURES:
            raise InputError(
                f"{flag}: expected at most {_MOST_PICTURES} files in {name!r}. Received: "
                f"{len(texts)}"
            )
    return pictures


def _texts(value: Any) -> dict[str, str]:
    """The entries that are text; comparisons do not need the others."""
    if not isinstance(value, dict):
        return {}
    return {name: text for name, text in value.items() if isinstance(text, str)}
