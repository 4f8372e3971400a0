"""What a command is: its name, its usage, its options, and what it does."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import tf_style
from tf_style.commands.display import answer
from tf_style.commands.signals import Signals
from tf_style.settings.option import (
    File,
    InputError,
    Option,
    Options,
    Switch,
    Text,
    option,
)

T = TypeVar("T", bound=Options)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommonOptions(Options):
    """The options that every command has."""

    preset: str | None = option(Text(), None, "a named set of defaults: flags/NAME.flags")
    flagfile: str | None = option(
        File(), None, "a file of flags, one a line, taken as defaults"
    )
    quiet: bool = option(Switch(), False, "print nothing but errors")
    verbose: bool = option(Switch(), False, "let TensorFlow print its own messages")
    version: bool = option(Switch(), False, "print the version and exit")
    help: bool = option(Switch(), False, "print this and exit")


@dataclasses.dataclass(frozen=True)
class CommandLine:
    """What a command was called with.

    Attributes:
        argv: as it was typed.
        given: option → text, or texts for one that was given several times, for all flags that
            were given on the command line or in a file.
        places: the arguments that are not flags.
        flagfiles: the files that flags were read from.
        signals: those that ask the command to stop.
    """

    argv: Sequence[str]
    given: Mapping[str, Any]
    places: Sequence[str]
    flagfiles: tuple[str, ...] = ()
    signals: Signals = dataclasses.field(default_factory=Signals)

    def options(self, kind: type[T], **defaults: Any) -> T:
        """The options of one kind, parsed.

        Args:
            defaults: this command's own, if they differ from those of the options.

        Raises:
            InputError: for a value that an option does not take.
        """
        names = {each.name for each in kind.options()}
        given = {name: value for name, value in self.given.items() if name in names}
        return kind(**{**defaults, **given})


@dataclasses.dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        program: its name.
        usage: what it is for and how to call it, for `--help`.
        kinds: classes of its options, in the order of `--help`; of two with the same name, the
            first counts.
        run: runs it; returns the exit code.
    """

    program: str
    usage: str
    kinds: tuple[type[Options], ...]
    run: Callable[[CommandLine], int]

    @property
    def options(self) -> tuple[Option, ...]:
        """All its options."""
        found: dict[str, Option] = {}
        for kind in self.kinds:
            for each in kind.options():
                found.setdefault(each.name, each)
        return tuple(found.values())

    def help(self) -> str:
        """What `--help` prints."""
        lines = [self.usage]
        for each in self.options:
            shown = each.default not in (None, ()) and each.default is not False
            default = f" (default: {each.default})" if shown else ""
            form = each.type.form
            lines.append(f"  --{each.name}{'=' if form else ''}{form}")
            lines += textwrap.wrap(each.help + default, 88, initial_indent=" " * 6,
                                   subsequent_indent=" " * 6, break_on_hyphens=False)
        return "\n".join(lines)

    def answers(self, line: CommandLine) -> bool:
        """Whether only `--help` or `--version` is asked for; prints the answer."""
        common = line.options(CommonOptions)
        if common.help:
            answer(self.help())
        elif common.version:
            answer(f"tf_style {tf_style.__version__}")
        return common.help or common.version


def refuse_places(line: CommandLine) -> None:
    """Check that all arguments are flags.

    Raises:
        InputError: if one is not; the message names it.
    """
    if line.places:
        raise InputError(f"{line.places[0]!r}: expected --flag=value. All flags: --help")


def require(options: Options, **examples: str) -> None:
    """Check that the options are given that a command needs.

    Args:
        examples: option → what a value looks like.

    Raises:
        InputError: if one is not; the message names it.
    """
    for name, example in examples.items():
        if not getattr(options, name):
            raise InputError(f"--{name}: expected a value, such as --{name}={example}")
