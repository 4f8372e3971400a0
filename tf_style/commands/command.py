"""What a command is: its name, its usage, its options, and what it does."""

from __future__ import annotations

import dataclasses
import difflib
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import tf_style
from tf_style.commands import foreign
from tf_style.commands.display import answer, columns
from tf_style.commands.signals import Signals
from tf_style.settings.option import (
    File,
    InputError,
    Note,
    Option,
    Options,
    Switch,
    Text,
    Texts,
    Word,
    option,
)

T = TypeVar("T", bound=Options)

# One letter behind one dash → the flag that it stands for.
SHORT = {"h": "help", "o": "output", "q": "quiet", "v": "verbose", "V": "version"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommonOptions(Options):
    """The options that every command has."""

    preset: str | None = option(Text(), None, "a named set of defaults: flags/NAME.flags")
    flagfile: str | None = option(
        File(), None, "a file of flags, one per line, taken as defaults"
    )
    library: str | None = option(
        File(), None, "the library that library:NAME is looked up in; default: "
        "$TF_STYLE_LIBRARY, else tf_style/library.db in the user's data folder",
    )
    quiet: bool = option(Switch(), False, "print nothing but errors")
    verbose: bool = option(Switch(), False, "let TensorFlow print its own messages")
    version: bool = option(Switch(), False, "print the version and exit")
    help: bool = option(Switch(), False, "print the flags that people need and exit")
    helpfull: bool = option(Switch(), False, "print all flags and exit")
    completion: str | None = option(
        Word(("bash", "zsh", "fish")), None, "print a script that completes flags in this "
        'shell, for eval "$(tf_style --completion=bash)", and exit'
    )


@dataclasses.dataclass(frozen=True)
class CommandLine:
    """What a command was called with.

    Attributes:
        argv: as it was typed.
        given: option → text, or texts for one that was given several times, for all flags that
            were given on the command line or in a file.
        places: the arguments that are not flags.
        flagfiles: the files that flags were read from.
        typed: the options whose flags stood on the command line itself.
        notes: what was taken for what.
        signals: those that ask the command to stop.
    """

    argv: Sequence[str]
    given: Mapping[str, Any]
    places: Sequence[str]
    flagfiles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    typed: frozenset[str] = frozenset()
    signals: Signals = dataclasses.field(default_factory=Signals)

    def tell(self) -> None:
        """Say what was taken for what: not before an error, which is one line."""
        for note in self.notes:
            warnings.warn(note, Note, stacklevel=2)

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
        usage: what it is for and how to call it, for `--help`. Its first line stands alone.
        kinds: classes of its options, in the order of `--help`; of two with the same name, the
            first counts.
        run: runs it; returns the exit code.
        places: the options that arguments without a flag are for, in order.
        needed: the options that `--help` shows, besides its own; all if none are named.
        unused: the options that have no effect here, so that help leaves them out.
        examples: commands that run; the first with nothing but what comes with tf_style.
        alone: whether it runs without any arguments; others then say how they are called.
    """

    program: str
    usage: str
    kinds: tuple[type[Options], ...]
    run: Callable[[CommandLine], int]
    places: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    alone: bool = False

    @property
    def options(self) -> tuple[Option, ...]:
        """All its options."""
        found: dict[str, Option] = {}
        for kind in self.kinds:
            for each in kind.options():
                found.setdefault(each.name, each)
        return tuple(found.values())

    def use(self) -> list[str]:
        """Three lines for those who call it with nothing."""
        what, *forms = [line.strip() for line in self.usage.splitlines() if line.strip()]
        return [f"{what} {forms[0]}" if forms else what,
                *(f"A first try: {each}" for each in self.examples[:1]),
                f"The flags that people need: {self.program} --help"]

    def help(self, *, full: bool = True, width: int = 0) -> str:
        """What `--helpfull` prints; or `--help`, which has only the flags that people need.

        Args:
            width: of the terminal; 0 if there is none.
        """
        lines = [self.usage]
        letters = {name: letter for letter, name in SHORT.items()}
        options = {each.name: each for each in self.options}
        names = [name for name in options if name not in self.unused]
        if self.needed and not full:
            names = [*self.needed, "help", "helpfull"]
        for each in map(options.get, names):
            shown = each.default not in (None, ()) and each.default is not False
            default = f" (default: {each.default})" if shown else ""
            form = each.type.form
            short = f", -{letters[each.name]}" if each.name in letters else ""
            if short and form:
                short += f" {form}"
            lines.append(f"  --{each.name}{'=' if form else ''}{form}{short}")
            lines += textwrap.wrap(each.help + default, max(20, min(88, width or 88)),
                                   initial_indent=" " * 6, break_long_words=False,
                                   subsequent_indent=" " * 6, break_on_hyphens=False)
        lines += ["", "Examples:", *(f"  {each}" for each in self.examples)] * bool(self.examples)
        return "\n".join(lines)

    def nearest(self, name: str) -> str:
        """The flag whose name is most like this one; empty if none is."""
        if len(name) == 1:
            known = {each[0]: each for each in self.places} | {
                letter: each for letter, each in foreign.LETTERS.items()
                if each in {option.name for option in self.options}}
            return known.get(name, "")
        known = [each.name for each in self.options]
        return next(iter(difflib.get_close_matches(name, known, n=1)), "")

    def answers(self, line: CommandLine) -> bool:
        """Whether only help, the version or a completion is asked for; prints the answer."""
        common = line.options(CommonOptions)
        if common.helpfull or common.help:
            width = columns(sys.stdout)
            answer(self.help(full=common.helpfull, width=width))
        elif common.version:
            answer(f"tf_style {tf_style.__version__}")
        elif common.completion:
            from tf_style.commands.completion import completion

            answer(completion(self, common.completion), whole=True)
        return bool(common.help or common.helpfull or common.version or common.completion)


def placed(command: Command, line: CommandLine) -> CommandLine:
    """The command line with the arguments that are not flags as those that they stand for.

    They fill in order what has no flag; where the last may be given several times, it takes all
    that are left.

    Raises:
        InputError: if there are more; the message names the first.
    """
    options = {each.name: each for each in command.options}
    given, places = dict(line.given), list(line.places)
    for name in command.places:
        if name in given or not places:
            continue
        several = isinstance(options[name].type, Texts)
        taken = places if several and name == command.places[-1] else places[:1]
        given[name] = list(taken) if several else taken[0]
        places = places[len(taken):]
    if places:
        raise InputError(f"{places[0]!r}: expected --flag=value. All flags: "
                         f"{command.program} --helpfull")
    return dataclasses.replace(line, given=given, places=[])


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
