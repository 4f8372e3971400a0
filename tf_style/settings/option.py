"""Options: each has a name, a default, a help text, and a way to write its value."""

from __future__ import annotations

import dataclasses
import errno
import inspect
import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

AUTO = "auto"
# Letters of a value in an error.
_SHOWN = 200
# In seconds.
_LONGEST_TIME = 3.6e6
_MOST_BYTES = 1e15


# Flags whose arguments have other names in Python.
_ARGUMENTS = {
    "content_mask": "content_masks", "style_mask": "style_masks", "checkpoint": "folder",
    "checkpoint_every": "every",
}
_FLAG = re.compile(r"(tf_style\w*(?: --[^\s,;)]+)+)|(?<![\w./'\"-])--(content=none\b|\w+)")


class _Said:
    """What the package says to its user, in the words of the one who is there."""

    @property
    def flags(self) -> str:
        """The same message with the flags of the command line."""
        return super().__str__()

    def __str__(self) -> str:
        return _FLAG.sub(_argument, self.flags)


class InputError(_Said, ValueError):
    """Some input cannot be used. The message names it and says what to do next.

    `str(error)` names arguments, as they are called in Python.
    """


class Remark(_Said, UserWarning):
    """Something that the user should know. `str(remark)` names arguments, as an `InputError`."""


class Note(Remark):
    """Something that the user may like to know and need not act on."""


def with_flags(message: Warning | str) -> str:
    """The text of a warning, as the command line says it."""
    return message.flags if isinstance(message, Remark) else str(message)


def _argument(match: re.Match) -> str:
    """The argument for a flag; a whole command stays as it is."""
    command, flag = match.groups()
    if command:
        return command
    return "content=None" if flag == "content=none" else _ARGUMENTS.get(flag, flag)


def _shown(value: Any, written: Callable[[Any], str] = repr) -> str:
    """A value as errors show it, however long it is."""
    try:
        text = written(value)
    except (ValueError, RecursionError):
        # Python writes no number of thousands of digits.
        return f"a {type(value).__name__} of too many digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclasses.dataclass(frozen=True)
class Text:
    """Any text.

    Attributes:
        form: how the value is written, as help shows it.
    """

    form: str = "NAME"

    def parse(self, name: str, value: Any) -> str:
        try:
            return str(value)
        except ValueError:
            # Python writes no number of thousands of digits.
            raise InputError(f"--{name}: expected a text. Received: {_shown(value)}") from None


@dataclasses.dataclass(frozen=True)
class Texts:
    """Texts of a flag that may be given several times."""

    form: str = "NAME"

    def parse(self, name: str, value: Any) -> tuple[str, ...]:
        del name
        return (value,) if isinstance(value, str) else tuple(map(str, value))


@dataclasses.dataclass(frozen=True)
class File(Text):
    """The name of a file or folder, or of something built in. `~` is the home folder."""

    form: str = "FILE"

    def parse(self, name: str, value: Any) -> str:
        return _possible(name, super().parse(name, value))


@dataclasses.dataclass(frozen=True)
class Files(Texts):
    """Names of files, of a flag that may be given several times."""

    form: str = "FILE"

    def parse(self, name: str, value: Any) -> tuple[str, ...]:
        return tuple(_possible(name, each) for each in super().parse(name, value))


def _possible(name: str, file: str) -> str:
    """A file name with `~` replaced, if a file can have it, whether there is one or not."""
    file = os.path.expanduser(file)
    try:
        os.stat(file)
    except ValueError:
        raise InputError(f"--{name}={file!r}: no file can have such a name") from None
    except OSError as error:
        # Windows takes a pattern or `sample:NAME` for an invalid name, EINVAL.
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):
            raise InputError(f"--{name}={file}: cannot be used ({error.strerror})") from None
    return file


@dataclasses.dataclass(frozen=True)
class Word:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def form(self) -> str:
        return "|".join(self.words)

    def parse(self, name: str, value: Any) -> str:
        if (text := _shown(value, str)) not in self.words:
            raise InputError(
                f"--{name}: expected one of {', '.join(self.words)}. Received: {text!r}"
            )
        return text


@dataclasses.dataclass(frozen=True)
class Switch:
    """True or false."""

    form: ClassVar[str] = ""

    def parse(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InputError(f"--{name}: expected true or false. Received: {_shown(value)}")
        return value


@dataclasses.dataclass(frozen=True)
class Number:
    """A number.

    Attributes:
        minimum, maximum: the inclusive range, if there is one.
        above: an exclusive lower bound, if there is one.
        whole: whether it has no fraction.
    """

    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    whole: bool = False

    @property
    def form(self) -> str:
        return "N" if self.whole else "X"

    def parse(self, name: str, value: Any) -> float:
        expected = "a whole number" if self.whole else "a number"
        try:
            number = int(value) if self.whole else float(value)
            # int() silently cuts off a float's fraction.
            exact = not self.whole or isinstance(value, str) or number == value
            # A whole number may be more than a float can hold.
            exact = exact and (self.whole or math.isfinite(number))
        except (TypeError, ValueError, OverflowError):
            exact = False
        if isinstance(value, bool) or not exact:
            raise InputError(f"--{name}: expected {expected}. Received: {_shown(value)}")
        if bound := self._missed(number):
            raise InputError(
                f"--{name}: expected {expected}{bound}. Received: {_shown(value, str)}"
            )
        return number

    def _missed(self, number: float) -> str:
        """The bound that a number lies beyond, in words; empty if there is none."""
        if self.minimum is not None and number < self.minimum:
            return f", at least {self.minimum:g}"
        if self.above is not None and number <= self.above:
            return f" above {self.above:g}"
        if self.maximum is not None and number > self.maximum:
            return f", at most {self.maximum:g}"
        return ""


@dataclasses.dataclass(frozen=True)
class OrAuto:
    """`auto`, where that is not the default, or a value of another type."""

    each: Any

    @property
    def form(self) -> str:
        return f"{self.each.form}|{AUTO}"

    def parse(self, name: str, value: Any) -> Any:
        return value if value == AUTO else self.each.parse(name, value)


def whole(minimum: int | None = None, maximum: int = 10**9) -> Number:
    """A whole number within a range."""
    return Number(minimum, maximum, whole=True)


@dataclasses.dataclass(frozen=True)
class Numbers:
    """One number, or several between commas.

    Attributes:
        each: what each of them is.
        most: how many there may be.
        form: as help shows it.
        plain: whether one number alone is no tuple.
    """

    each: Number
    most: int | None = None
    form: str = "X,X,…"
    plain: bool = False

    def parse(self, name: str, value: Any) -> tuple[float, ...]:
        if isinstance(value, str):
            value = value.split(",")
        elif not isinstance(value, (tuple, list)):
            value = (value,)
        if self.most is not None and len(value) > self.most:
            raise InputError(
                f"--{name}: expected at most {self.most} numbers. Received: {len(value)}"
            )
        numbers = tuple(self.each.parse(name, part) for part in value)
        return numbers[0] if self.plain and len(numbers) == 1 else numbers


@dataclasses.dataclass(frozen=True)
class Weights:
    """Names with a weight each: `name:weight,…`, a sequence of names, or a mapping.

    Attributes:
        noun: what is named.
        known: all valid names; empty if they are not known here.
    """

    noun: str
    known: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        return f"{'loss' if self.known else 'name'}[:weight],…"

    def parse(self, name: str, value: Any) -> dict[str, float]:
        weights = {each: self._weight(name, each, weight)
                   for each, weight in self._pairs(name, value).items()}
        for each in weights if self.known else ():
            if each not in self.known:
                raise InputError(
                    f"--{name}: expected some of {', '.join(self.known)}. Received: {each!r}"
                )
        return weights

    def _pairs(self, name: str, value: Any) -> Mapping[str, Any]:
        if isinstance(value, str):
            value = [part for part in (part.strip() for part in value.split(",")) if part]
        if not isinstance(value, Mapping):
            pairs = [str(part).partition(":") for part in value]
            names = [each.strip() for each, _, _ in pairs]
            for each in names:
                if names.count(each) > 1:
                    raise InputError(f"--{name}: {each!r} is named twice")
            value = {each: weight if colon else 1.0
                     for each, (_, colon, weight) in zip(names, pairs, strict=True)}
        if not value:
            raise InputError(f"--{name}: expected at least one {self.noun}. Received none")
        return value

    @staticmethod
    def _weight(name: str, each: str, weight: Any) -> float:
        try:
            number = float(weight)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not 0 < number <= 1e6:
            raise InputError(
                f"--{name}: expected a weight above 0 after {each + ':'!r}, at most 1e+06. "
                f"Received: {_shown(weight)}"
            )
        return number


@dataclasses.dataclass(frozen=True)
class Duration:
    """A time in seconds, written as `30`, `30s`, `5m` or `1h`."""

    form: ClassVar[str] = "TIME"

    def parse(self, name: str, value: Any) -> float:
        text = _shown(value, str).strip()
        unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
        try:
            found = float(text[:-1] if unit else text) * (unit or 1)
        except ValueError:
            found = math.nan
        if not 0 < found <= _LONGEST_TIME:
            raise InputError(
                f"--{name}: expected a time above 0, such as 30s, 5m or 1h, and at most "
                f"1000h. Received: {_shown(value)}"
            )
        return found


@dataclasses.dataclass(frozen=True)
class Bytes:
    """An amount of memory or disk, written as `500MB` or `5GB`."""

    form: ClassVar[str] = "SIZE"

    def parse(self, name: str, value: Any) -> float:
        text = _shown(value, str).strip().upper().removesuffix("B")
        unit = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1:])
        try:
            found = float(text[:-1] if unit else text) * (unit or 1)
        except ValueError:
            found = math.nan
        if not 0 < found <= _MOST_BYTES:
            raise InputError(f"--{name}: expected an amount above 0, such as 500MB or 5GB. "
                             f"Received: {_shown(value)}")
        return found


@dataclasses.dataclass(frozen=True)
class Option:
    """One option as Python, the command line, the documents and the report see it.

    Attributes:
        name: the flag's name, without dashes.
        type: how its value is written and checked.
        default: the value if none is given; `None` for options that have none.
        help: one line.
    """

    name: str
    type: Any
    default: Any
    help: str

    def parse(self, value: Any) -> Any:
        """`value`, text or already of the option's type, as that type.

        Raises:
            InputError: if it has another type or lies outside the range.
        """
        if value is None and self.default is None:
            return None
        if isinstance(value, str) and value == AUTO == self.default:
            return value
        return self.type.parse(self.name, value)


def option(type: Any, default: Any, help: str) -> Any:
    """A field of `Options`: its type, its default, and one line of help."""
    return dataclasses.field(default=default, metadata={"type": type, "help": help})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Options that belong together; values are parsed and checked on construction.

    Raises:
        InputError: for a value outside its range, or two that contradict each other.
    """

    def __post_init__(self) -> None:
        for each in self.options():
            object.__setattr__(self, each.name, each.parse(getattr(self, each.name)))
        self.check_conflicts()

    def check_conflicts(self) -> None:
        """Check that no two values contradict each other."""

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """The options in the order in which help and docs show them: a class's own come first."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        own = [name for base in cls.__mro__ for name in inspect.get_annotations(base)]
        return tuple(
            Option(name=name, default=fields[name].default, **fields[name].metadata)
            for name in dict.fromkeys(own) if name in fields
        )

    @classmethod
    def option(cls, name: str) -> Option:
        """The option called `name`."""
        return next(each for each in cls.options() if each.name == name)
