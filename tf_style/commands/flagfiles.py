"""Files of flags: presets, and those of the user."""

from __future__ import annotations

import os
from pathlib import Path

import tf_style
from tf_style.commands.command import CommonOptions
from tf_style.settings import InputError

# The most characters in a flagfile, and the most files that one command line names.
_LONGEST = 1_000_000
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
        _read(_preset_path(value) if name == "preset" else _path(value), (), files)
    return files, rest


def presets() -> dict[str, str]:
    """Name → what it is for, the first line of its file, for all presets."""
    files = {file.stem: file for folder in reversed(_preset_folders())
             for file in folder.glob("*.flags")}
    return {name: next(iter(_lines(files[name])), "").lstrip("# ") for name in sorted(files)}


def _read(
    path: Path, within: tuple[Path, ...], files: list[tuple[str, list[str]]]
) -> None:
    """Add a file, after those that it names, to `files`."""
    lines, whole = _lines(path), path.resolve()
    if whole in within:
        raise InputError(f"--flagfile={path}: names itself")
    # Files that name each other twice or more would never end.
    if len(files) + len(within) >= _MOST:
        raise InputError(f"--flagfile={path}: expected at most {_MOST} flagfiles")
    own = []
    for line in lines:
        name, _, value = line.lstrip("-").partition("=")
        if line.startswith("-") and name in ("preset", "flagfile"):
            nested = _preset_path(value) if name == "preset" else path.parent / _path(value)
            _read(nested, (*within, whole), files)
        elif line and not line.startswith(("#", "//")):
            own.append(line)
    files.append((os.fspath(path), own))


def _path(value: str) -> Path:
    return Path(CommonOptions.option("flagfile").parse(value))


def _lines(path: Path) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(_LONGEST)
        # A device may never end.
        if len(text) == _LONGEST or "\0" in text:
            raise ValueError
        return [line.strip() for line in text.splitlines()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a file of flags"
        raise InputError(
            f"--flagfile={path}: cannot be read ({reason}). Presets: "
            f"{', '.join('--preset=' + name for name in presets())}"
        ) from None


def _preset_folders() -> tuple[Path, ...]:
    package = Path(tf_style.__file__).parent
    return package / "flags", package.parent / "flags"


def _preset_path(name: str) -> Path:
    for folder in _preset_folders():
        path = folder / f"{name}.flags"
        # Unlike Path.is_file, this takes any text.
        if os.path.isfile(path):
            return path
    raise InputError(f"--preset={name}: there is no such preset. All: {', '.join(presets())}")
