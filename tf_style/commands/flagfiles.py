"""Files of flags: presets, and those of the user."""

from __future__ import annotations

import os
from pathlib import Path

from tf_style.commands.command import CommonOptions
from tf_style.settings import InputError
from tf_style.settings.presets import flag_lines, preset_path

# The most files that one command line names.
_MOST = 100


def split_off(argv: list[str]) -> tuple[list[tuple[str, list[str]]], list[str]]:
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
        _read(preset_path(value) if name == "preset" else _path(value), (), files)
    return files, rest


def _read(
    path: Path, within: tuple[Path, ...], files: list[tuple[str, list[str]]]
) -> None:
    """Add a file, after those that it names, to `files`."""
    lines, whole = flag_lines(path), path.resolve()
    if whole in within:
        raise InputError(f"--flagfile={path}: names itself")
    # Files that name each other twice or more would never end.
    if len(files) + len(within) >= _MOST:
        raise InputError(f"--flagfile={path}: expected at most {_MOST} flagfiles")
    own = []
    for line in lines:
        name, _, value = line.lstrip("-").partition("=")
        if line.startswith("-") and name in ("preset", "flagfile"):
            nested = preset_path(value) if name == "preset" else path.parent / _path(value)
            _read(nested, (*within, whole), files)
        elif line and not line.startswith(("#", "//")):
            own.append(line)
    files.append((os.fspath(path), own))


def _path(value: str) -> Path:
    return Path(CommonOptions.option("flagfile").parse(value))
