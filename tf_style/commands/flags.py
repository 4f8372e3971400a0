"""Flags: made from the options, read from the command line and from files."""

from __future__ import annotations

import difflib
import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

import tf_style
from tf_style.settings import InputError, Option

# Characters of a flagfile.
_LONGEST = 1_000_000


def parse(program: str, options: Sequence[Option], argv: list[str]) -> tuple[dict, list[str]]:
    """The flags that were given, by name, and the arguments that are no flags.

    What the command line gives replaces what presets and flagfiles give, wherever it stands; the
    names of these are the value of `flagfile`.
    """
    defaults, given = split_off_files(argv)
    values: dict[str, Any] = {"flagfile": [name for name, _ in defaults]}
    for origin, arguments in (*defaults, ("", given)):
        found, positional = parse_some(program, options, arguments, origin)
        values.update(found)
    return values, positional


def parse_some(
    program: str, options: Sequence[Option], arguments: list[str], origin: str
) -> tuple[dict[str, Any], list[str]]:
    where = f"{origin}: " if origin else ""
    values = flags.FlagValues()
    values.set_gnu_getopt(True)
    for option in options:
        define = {"bool": flags.DEFINE_boolean, "list": flags.DEFINE_multi_string}.get(
            option.kind, flags.DEFINE_string
        )
        define(option.name, None, option.help, flag_values=values)
    try:
        positional = values([program, *arguments])[1:]
    except flags.UnrecognizedFlagError as error:
        known = [option.name for option in options]
        near = difflib.get_close_matches(error.flagname, known, n=1)
        hint = f" Did you mean --{near[0]}?" if near else ""
        raise InputError(
            f"{where}--{error.flagname}: there is no such flag.{hint} All flags: {program} --help"
        ) from None
    except flags.IllegalFlagValueError as error:
        # Of absl's own kinds of flags only switches refuse a value.
        given = str(error).removeprefix("flag --").partition(": (")[0]
        name, _, value = given.partition("=")
        raise InputError(
            f"{where}--{name}: expected true or false. Received: {value!r}"
        ) from None
    except flags.Error as error:
        raise InputError(f"{where}{error}") from None
    if origin and positional:
        raise InputError(f"{where}expected one --flag=value a line. Received: {positional[0]!r}")
    found = {option.name: values[option.name].value for option in options
             if values[option.name].present}
    for name, value in found.items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise InputError(f"{where}--{name}: expected a value. Received none")
    return found, positional


def split_off_files(argv: list[str]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """The (name, flags) of each preset and flagfile in `argv`, and what is left of it."""
    files, rest = [], []
    arguments = iter(argv)
    for argument in arguments:
        if argument == "--":
            rest += [argument, *arguments]
            break
        name, equals, value = argument.lstrip("-").partition("=")
        if argument.startswith("-") and name == "undefok":
            # absl's own way to let unknown flags pass.
            raise InputError("--undefok: there is no such flag")
        if not argument.startswith("-") or name not in ("preset", "flagfile"):
            rest.append(argument)
            continue
        if not equals:
            value = next(arguments, "")
        if not value:
            raise InputError(f"--{name}: expected a {'name' if name == 'preset' else 'file'}")
        path = _preset_path(value) if name == "preset" else Path(value)
        files += _read_flagfile(path, ())
    return files, rest


def _read_flagfile(path: Path, within: tuple[Path, ...]) -> list[tuple[str, list[str]]]:
    if path.resolve() in within:
        raise InputError(f"--flagfile={path}: names itself")
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(_LONGEST)
        # A device may never end.
        if len(text) == _LONGEST or "\0" in text:
            raise ValueError
        lines = [line.strip() for line in text.splitlines()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no file of flags"
        raise InputError(
            f"--flagfile={path}: cannot be read ({reason}). Presets: "
            f"{', '.join('--preset=' + name for name in presets())}"
        ) from None
    files, own = [], []
    for line in lines:
        name, _, value = line.lstrip("-").partition("=")
        if line.startswith("-") and name in ("preset", "flagfile"):
            nested = _preset_path(value) if name == "preset" else path.parent / value
            files += _read_flagfile(nested, (*within, path.resolve()))
        elif line and not line.startswith(("#", "//")):
            own.append(line)
    return [*files, (os.fspath(path), own)]


def _preset_folders() -> tuple[Path, ...]:
    package = Path(tf_style.__file__).parent
    return package / "flags", package.parent / "flags"


def presets() -> list[str]:
    return sorted({file.stem for folder in _preset_folders() for file in folder.glob("*.flags")})


def _preset_path(name: str) -> Path:
    for folder in _preset_folders():
        if (folder / f"{name}.flags").is_file():
            return folder / f"{name}.flags"
    raise InputError(f"--preset={name}: there is no such preset. All: {', '.join(presets())}")


def _help(usage: str, options: Sequence[Option]) -> str:
    lines = [usage]
    for option in options:
        form = option.form or {"int": "N", "float": "X", "bool": ""}.get(option.kind, "NAME")
        form = "|".join(option.choices) or form
        shown = option.default is not None and option.default is not False
        default = f" (default: {option.default})" if shown else ""
        lines.append(f"  --{option.name}{'=' if form else ''}{form}")
        lines += textwrap.wrap(option.help + default, 88, initial_indent=" " * 6,
                               subsequent_indent=" " * 6, break_on_hyphens=False)
    return "\n".join(lines)


def answered(values: Mapping[str, Any], usage: str, options: Sequence[Option]) -> bool:
    """Whether the flags ask no more than --help or --version; prints the answer."""
    if values.get("help"):
        print(_help(usage, options))
    elif values.get("version"):
        print(f"tf_style {tf_style.__version__}")
    else:
        return False
    return True


def refuse(positional: Sequence[str]) -> None:
    if positional:
        raise InputError(f"{positional[0]!r}: expected --flag=value. All flags: --help")
