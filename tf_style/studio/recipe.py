"""What makes a job's picture without the studio: as a command, and as Python. No TensorFlow."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_style.image.picture import read_alpha
from tf_style.run.jobs import Job
from tf_style.settings import Settings
from tf_style.settings.option import Switch
from tf_style.transfer import lite


def changed(settings: Settings) -> dict[str, Any]:
    """The settings that are not left to their defaults."""
    usual = Settings().as_dict()
    return {name: value for name, value in settings.as_dict().items() if value != usual[name]}


def command(job: Job, settings: Settings, name: str, more: Mapping[str, Any]) -> str:
    """The command that makes the same picture, for a shell.

    Args:
        name: of the file that it is to write.
        more: further flags: option → value.
    """
    words = ["tf_style", f"--content={job.content or 'none'}"]
    words += [f"--style={each}" for each in job.styles]
    words += [f"--content_mask={each}" for each in job.content_masks]
    words += [f"--protect={job.protect}"] if job.protect else []
    for option, value in {**changed(settings), **more}.items():
        is_switch = option not in more and isinstance(Settings.option(option).type, Switch)
        words.append(f"--{'' if value else 'no'}{option}" if is_switch
                     else f"--{option}={_text(value)}")
    words.append(f"--output={name}")
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def python(job: Job, settings: Settings, name: str) -> str:
    """A program that makes the same picture.

    Raises:
        InputError: if its content cannot be read.
    """
    imports, made = (_by_network if settings.model else _by_steps)(job, settings)
    alpha = ""
    if job.content and read_alpha(job.content, max_pixels=settings.max_pixels) is not None:
        imports = ["from tf_style.image.picture import read_alpha", *imports]
        most = settings.max_pixels
        limit = "" if most == Settings().max_pixels else f", max_pixels={most}"
        alpha = f", alpha=read_alpha({job.content!r}{limit})"
    return "\n".join(["import tf_style", *imports, "", *made, f"result.save({name!r}{alpha})", ""])


def _by_steps(job: Job, settings: Settings) -> tuple[list[str], list[str]]:
    """What a program imports besides `tf_style`, and the lines that make the result."""
    styles = list(job.styles)
    given = [repr(job.content), repr(styles if len(styles) > 1 else styles[0])]
    given += [f"content_masks={list(job.content_masks)!r}"] if job.content_masks else []
    given += [f"protect={job.protect!r}"] if job.protect else []
    return [], ["result = tf_style.stylize(", *_arguments(*given, *_options(settings)), ")"]


def _by_network(job: Job, settings: Settings) -> tuple[list[str], list[str]]:
    """The same where a network paints: by what the command has it painted, for the same pixels."""
    module, brush = ("lite", "LiteBrush") if lite.serves(settings, 1) else ("brush", "Brush")
    masks = f", {list(job.content_masks)!r}" if job.content_masks else ""
    return [
        "from tf_style.run.scene import Scene",
        f"from tf_style.transfer.{module} import {brush}",
        "from tf_style.transfer.painter import ModelPainter",
    ], [
        "settings = tf_style.Settings(", *_arguments(*_options(settings)), ")",
        f"scene = Scene.of(settings, {job.content!r}, []{masks})",
        f"result = ModelPainter(settings, {brush}(settings)).paint(scene)",
    ]


def _options(settings: Settings) -> list[str]:
    return [f"{option}={value!r}" for option, value in changed(settings).items()]


def _arguments(*given: str) -> list[str]:
    return [f"    {each}," for each in given]


def file_name(title: str, ending: str) -> str:
    """What a download is called."""
    stem = "".join(each if each.isalnum() or each in "-_ " else "" for each in
                   title.replace(", ", "_").replace(":", "_"))
    return f"{stem.strip().replace(' ', '_')[:80] or 'picture'}{Path('x' + ending).suffix}"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{weight}" for name, weight in value.items())
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
