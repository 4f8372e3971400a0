"""Pictures of a library as a command line names them: `library:NAME`, before anything else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands.command import Command, CommandLine, CommonOptions
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import File, Files

if TYPE_CHECKING:
    from tf_style.library.descriptor import Describer
    from tf_style.library.library import Library

PREFIX = "library:"
# The options that name pictures to read: what is written must not replace one of a library.
_READ = frozenset((
    "content", "style", "content_mask", "style_mask", "protect", "init", "generated", "mask",
    "pictures", "settings_from"))


def resolved(command: Command, line: CommandLine) -> CommandLine:
    """The command line with the files that `library:NAME` and the like stand for.

    What comes after it, and what it records, knows of files alone.

    Raises:
        InputError: if there is no such picture, or no such library.
    """
    kinds = {each.name: each.type for each in command.options if each.name in _READ}
    given = dict(line.given)
    found: dict[str, list[str]] = {}

    def files(text: str) -> list[str]:
        if not text.startswith(PREFIX):
            return [text]
        if text not in found:
            with opened(line) as library:
                found[text] = library.resolve(text.removeprefix(PREFIX))
        return found[text]

    def file(text: str, where: str) -> str:
        several = files(text)
        if len(several) > 1:
            raise InputError(f"{where}{text}: expected one picture, these are {len(several)}. "
                             f"Several styles are --style={text}")
        return several[0]

    for name, value in line.given.items():
        if isinstance(kinds.get(name), Files):
            given[name] = [each for text in _several(value) for each in files(text)]
        elif isinstance(kinds.get(name), File) and isinstance(value, str):
            given[name] = file(value, f"--{name}=")
    places = [each if command.places[number : number + 1] == ("output",) else file(each, "")
              for number, each in enumerate(line.places)]
    return dataclasses.replace(line, given=given, places=places) if found else line


def opened(
    line: CommandLine, settings: Settings | None = None, *, offline: bool = False,
    threads: int | str = AUTO,
) -> Library:
    """The library that a command line asks for; to be closed, or used as a context.

    Args:
        settings: say what describes pictures; by default what described those that are there.
        offline: download nothing to describe with.
        threads: of the processor that describe.
    """
    from tf_style.commands import status
    from tf_style.library.library import Library

    common = line.options(CommonOptions)

    def describer(chosen: Settings) -> Describer:
        from tf_style.commands.exits import tensorflow_quiet

        chosen = chosen.replace(offline=offline or chosen.offline, threads=threads)
        _check(chosen)
        with tensorflow_quiet(common.verbose):
            from tf_style.library.descriptor import Describer
        return Describer(chosen, status.show)

    return Library(common.library and Path(common.library), settings, describer=describer)


def _check(settings: Settings) -> None:
    """Check what can be known without TensorFlow of what is to describe pictures.

    Raises:
        InputError: for a network, weights or layers that cannot be used.
    """
    from tf_style.network import weights
    from tf_style.network.choice import check_weights, choose

    # A describer looks at layers of the style alone.
    *_, choice = choose(settings, weights.settle_known)[1]
    check_weights([dataclasses.replace(choice, content={})])


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
