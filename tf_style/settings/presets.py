"""Presets: settings under a name, in files of flags that come with the package. No TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path

from tf_style.settings.option import InputError, Switch
from tf_style.settings.settings import Settings

# The most characters in a file of flags.
_LONGEST = 1_000_000


def presets() -> dict[str, str]:
    """Name → what it is for, the first line of its file, for all presets."""
    files = {file.stem: file for folder in reversed(_folders()) for file in folder.glob("*.flags")}
    return {name: next(iter(flag_lines(files[name])), "").lstrip("# ") for name in sorted(files)}


def preset_path(name: str) -> Path:
    """The file of a preset.

    Raises:
        InputError: if there is no such preset; the message names all.
    """
    for folder in _folders():
        path = folder / f"{name}.flags"
        # Unlike Path.is_file, this takes any text.
        if os.path.isfile(path):
            return path
    raise InputError(f"--preset={name}: there is no such preset. All: {', '.join(presets())}")


def preset_values(name: str) -> dict[str, str | bool]:
    """The settings of a preset, as text; without the pictures that it may name.

    Raises:
        InputError: if there is no such preset.
    """
    types = {each.name: each.type for each in Settings.options()}
    lines = [line.lstrip("-").partition("=") for line in flag_lines(preset_path(name))
             if line.startswith("-")]
    return {flag: value != "false" if isinstance(types[flag], Switch) else value
            for flag, _, value in lines if flag in types}


def flag_lines(path: Path) -> list[str]:
    """The lines of a file of flags.

    Raises:
        InputError: if it cannot be read.
    """
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


def _folders() -> tuple[Path, ...]:
    package = Path(__file__).parents[1]
    return package / "flags", package.parent / "flags"
