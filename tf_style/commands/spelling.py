"""A command line as people write it, brought to one form: `--flag=value`, switches, and places."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from tf_style.commands import foreign
from tf_style.commands.command import SHORT, Command
from tf_style.image.png import has_note
from tf_style.settings import InputError
from tf_style.settings.option import Files, Option, Switch


def spelled(
    command: Command, arguments: Sequence[str], note: Callable[[str], None]
) -> list[str]:
    """Arguments in one form: short flags by their names, dashes and foreign words by ours.

    Unknown flags stay as they are.

    Args:
        note: called with what is taken for what.

    Raises:
        InputError: for a flag without its value, or a foreign one that no single flag stands for.
    """
    options = {each.name: each for each in command.options}
    if list(arguments) in (["help"], ["version"]) and not os.path.lexists(arguments[0]):
        return [f"--{arguments[0]}"]
    found: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*found, word, *rest]
        if not word.startswith("-") or word == "-":
            found.append(word)
            continue
        long = _long(word, options)
        if len(long) > 1:
            rest[:0] = long
            continue
        given, equals, value = long[0].lstrip("-").partition("=")
        target = _flag(given, options)
        name, optional, default = target.partition("=")
        fixed, name = name.endswith(":"), name.removesuffix(":")
        option = options.get(name.removeprefix("no") if name not in options else name)
        if option is None:
            found.append(word)
            continue
        if foreign.squeezed(given) != foreign.squeezed(name):
            note(f"--{given}: taken as --{name}{f'={default}' if fixed else ''}")
        if fixed:
            if equals and foreign.switch(value) != "true":
                raise InputError(f"--{given}: takes no value; write --{name}={default}. "
                                 f"Received: {value!r}")
            found.append(f"--{name}={default}")
        elif equals:
            found.append(f"--{name}={_plain(option, value)}")
        elif isinstance(option.type, Switch):
            # Other programs write `--verbose 1`.
            takes = name in options and rest and foreign.takes(option, rest[0])
            found.append(f"--{name}={rest.pop(0)}" if takes else f"--{name}")
        elif optional:
            takes = rest and foreign.takes(option, rest[0])
            found.append(f"--{name}={rest.pop(0) if takes else default}")
        else:
            found.append(f"--{name}={_plain(option, _value(given, option, rest, options))}")
            # One mask belongs to each style: the next word may be the output.
            if isinstance(option.type, Files) and option.name in command.places:
                places = sum(not each.startswith("-") for each in found)
                found += _more(command, option, rest, arguments, options, places, note)
    return found


def _flag(given: str, options: dict[str, Option]) -> str:
    """The flag that a word means; a switch with `no` in front switches off."""
    if given in options and f"{given}=" not in foreign.FLAGS.get(foreign.squeezed(given), ""):
        return given
    plain = given.lower().replace("-", "_")
    if plain.startswith("no"):
        for name, option in options.items():
            switch = isinstance(option.type, Switch)
            if switch and foreign.squeezed(plain[2:]) == foreign.squeezed(name):
                return f"no{name}"
    return foreign.flag(given, options)


def _long(word: str, options: dict[str, Option]) -> list[str]:
    """A word of short flags as long ones: `-qo a.png` is `--quiet --output a.png`."""
    if word == "-?":
        return ["--help"]
    letters = word[1:]
    if word.startswith("--") or not letters or letters[0] not in SHORT:
        return [word]
    name = letters.partition("=")[0]
    if len(name) > 1 and (name in options or _is_flag(f"--{letters}", options)):
        return [word]
    found = []
    while letters and (option := options.get(SHORT.get(letters[0], ""))):
        value, letters = letters[1:].removeprefix("="), letters[1:]
        if isinstance(option.type, Switch):
            found.append(f"--{option.name}")
            continue
        found.append(f"--{option.name}={value}" if value else f"--{option.name}")
        letters = ""
    return [word] if letters or not found else found


def _is_flag(word: str, options: dict[str, Option]) -> bool:
    """Whether a word is a flag, and so no value of the flag before it."""
    if word == "--":
        return True
    if not word.startswith("-"):
        return False
    name = word.lstrip("-").partition("=")[0]
    if not word.startswith("--") and len(name) == 1:
        return SHORT.get(name) in options
    try:
        return bool(_flag(name, options)) if name else False
    except InputError:
        return True


def _value(given: str, option: Option, rest: list[str], options: dict[str, Option]) -> str:
    """The word behind a flag, taken from the rest.

    Args:
        given: the flag as it was written, without dashes.

    Raises:
        InputError: if there is none.
    """
    if rest and not _is_flag(rest[0], options):
        return rest.pop(0)
    received = f"the next flag, {rest[0]}" if rest else "none"
    same = foreign.squeezed(given) == foreign.squeezed(option.name)
    typed = "" if same else f"--{given}, here "
    raise InputError(f"{typed}--{option.name}: expected a value, such as --{option.name}="
                     f"{option.type.form}. Received: {received}")


def _plain(option: Option, value: str) -> str:
    """What is read before other values are looked at: switches, for absl, and presets."""
    if isinstance(option.type, Switch):
        return foreign.switch(value)
    return foreign.value(option, value) if option.name == "preset" else value


def _more(
    command: Command, option: Option, rest: list[str], arguments: Sequence[str],
    options: dict[str, Option], places: int, note: Callable[[str], None],
) -> list[str]:
    """The words behind `--style a` that are styles, too, as flags; taken from the rest.

    They are if they name pictures that tf_style did not make, and every other picture is named.

    Args:
        places: how many pictures without a flag stand before them.
    """
    named = {_flag(word.lstrip("-").partition("=")[0], options).partition("=")[0]
             for word in arguments if _is_flag(word, options) and word.lstrip("-")}
    left = [name for name in command.places if name not in {*named, option.name}]
    if {*left[places:]} - {"output"}:
        return []
    found = []
    while rest and not rest[0].startswith("-") and foreign.is_there(rest[0]):
        if "output" in command.places and has_note(rest[0]):
            # An older result, which is to be replaced.
            break
        if "output" in left:
            if os.path.isdir(rest[0]):
                break
            note(f"{rest[0]}: taken as --{option.name}={rest[0]}; name the result with --output")
        found.append(f"--{option.name}={rest.pop(0)}")
    return found
