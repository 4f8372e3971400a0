"""What makes a job's picture without the studio: as a command, and as Python. No TensorFlow."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_style.run.jobs import Job
from tf_style.settings import Settings
from tf_style.settings.option import Switch


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
    """A program that makes the same picture."""
    options = changed(settings)
    if settings.model:
        return _by_network(job, settings, name)
    styles = list(job.styles)
    given = [repr(job.content), repr(styles if len(styles) > 1 else styles[0])]
    given += [f"content_masks={list(job.content_masks)!r}"] if job.content_masks else []
    given += [f"protect={job.protect!r}"] if job.protect else []
    given += [f"{option}={value!r}" for option, value in options.items()]
    lines = "".join(f"    {each},\n" for each in given)
    return f"import tf_style\n\nresult = tf_style.stylize(\n{lines})\nresult.save({name!r})\n"


def _by_network(job: Job, settings: Settings, name: str) -> str:
    blend = "" if settings.style_blend == "auto" else f", style_blend={settings.style_blend!r}"
    size = settings.size.long_side
    read = f"tf_style.read_picture({job.content!r})"
    lines = [
        "import numpy as np", "import tf_style", "",
        f"content = {f'tf_style.fit({read}, {size})' if size else read}",
        f"network = tf_style.transform_model({settings.model!r}{blend})",
        "image = np.asarray(network(content[None]))[0]",
    ]
    if settings.strength != "auto":
        lines.append(f"image = content + {settings.strength!r} * (image - content)")
    return "\n".join([*lines, f"tf_style.write_picture({name!r}, image)", ""])


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
