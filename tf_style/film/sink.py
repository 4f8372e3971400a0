"""Where a painted film goes: a container, an animated picture, or a folder of frames."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import statistics
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from tf_style.film.ahead import ahead
from tf_style.film.source import ANIMATIONS, Info
from tf_style.film.store import Store
from tf_style.image.paths import check_writable
from tf_style.image.picture import write_picture
from tf_style.settings import InputError

# Endings of the films that can be written; a folder has none.
ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", *ANIMATIONS)


def check_film(name: Path | str) -> Path:
    """The path of that name, if a film can be written there.

    Args:
        name: as it was given: with a / at its end it is a folder's.

    Raises:
        InputError: if not.
    """
    path = Path(name)
    if is_folder(name):
        if path.exists() and not path.is_dir():
            raise InputError(f"--output={name}: expected a folder for the frames, this is a file")
        if path.exists() and os.path.samefile(path, os.curdir):
            # Frames come into place as a whole folder, from under the feet of those who are in it.
            raise InputError(f"--output={name}: this is the working folder. Expected a new one for "
                             "the frames, such as frames/")
        if path.exists() and any(path.iterdir()):
            raise InputError(f"--output={path}: the folder holds files. Expected an empty or a new "
                             "one for the frames, or the name of a film")
        check_writable(path / "00000.png")
        return path
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"--output={path}: expected {', '.join(ENDINGS)}, or a folder for frames, "
                         "written with a / at its end")
    return check_writable(path)


def is_folder(name: Path | str) -> bool:
    """Whether frames are written into a folder of this name."""
    # A Path has no / at its end any more.
    ends = tuple(filter(None, (os.sep, os.altsep)))
    return str(name).endswith(ends) or os.path.isdir(name) or not Path(name).suffix


def write(
    path: Path, store: Store, times: Sequence[Fraction], info: Info,
    sound: tuple[str, Fraction, Fraction | None] | None, note: str | None,
    remark: Callable[[str], None], watch: Callable[[float], object] = lambda share: None,
    *, folder: bool | None = None,
) -> None:
    """Put the frames of a store together.

    Args:
        path: as `check_film` returned it.
        times: when each frame is shown, in seconds since the first.
        info: of the film that they were made from.
        sound: whose sound is taken, from when the first frame is shown there to when; `None` for
            none.
        note: a text to keep in the file.
        remark: called with a line about what could not be kept as it was.
        watch: called with how much is done.
        folder: whether frames are written into a folder of that name; `None` for what it says.

    Raises:
        InputError: if it cannot be written.
    """
    ends = [*times, times[-1] + _last(times, info)]

    def frames() -> Iterator[np.ndarray]:
        for number, layers in enumerate(ahead(map(store.layers, range(len(times)))), start=1):
            yield layers
            watch(number / len(times))

    try:
        if is_folder(path) if folder is None else folder:
            made = store.folder / "frames"
            shutil.rmtree(made, ignore_errors=True)
            for number, layers in enumerate(frames()):
                alpha = layers[..., 3] / 255 if layers.shape[2] == 4 else None
                picture = layers[..., :3].astype(np.float32) / 255
                write_picture(made / f"{number:05d}.png", picture, note, alpha=alpha)
            _move(made, path)
        else:
            made = store.folder / f"film{path.suffix.lower()}"
            _write_film(made, frames, ends, info, sound, note, remark)
            _move(made, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path}: the film cannot be written ({reason}); its frames are in "
                         f"{store.folder}. Go on with --resume") from None


def _last(times: Sequence[Fraction], info: Info) -> Fraction:
    """How long the last frame is shown, in seconds."""
    if info.held is not None and len(times) == info.frames:
        return info.held
    if len(times) == 1:
        return 1 / info.rate
    return statistics.median(after - before for before, after in itertools.pairwise(times))


def _write_film(
    path: Path, frames: Callable[[], Iterator[np.ndarray]], times: Sequence[Fraction], info: Info,
    sound: tuple[str, Fraction, Fraction | None] | None, note: str | None,
    remark: Callable[[str], None],
) -> None:
    """Write a film, with its sound if that can be.

    Args:
        frames: returns them from the first on.

    Raises:
        OSError: if it cannot be written.
    """
    import av

    from tf_style.film.encode import Part, write_film

    parts = [Part(*sound), Part(*sound, copied=False), None] if sound else [None]
    refused = ""
    for part in parts:
        remarks = [f"its sound is left out: {refused}"] if refused and part is None else []
        try:
            write_film(path, frames(), times, info, part, note, remarks.append)
        except Exception as error:
            # FFmpeg's plain -1 reads like a missing right.
            of_disk = isinstance(error, OSError) and not isinstance(error, av.error.PermissionError)
            if of_disk or isinstance(error, InputError):
                raise
            # For sound that does not fit, FFmpeg and PyAV raise almost any error. No film that took
            # hours is lost to it.
            if part is None and isinstance(error, av.FFmpegError):
                raise OSError(error.errno, error.strerror) from None
            if part is None:
                raise
            refused = f"it cannot be written ({getattr(error, 'strerror', None) or error})"
        else:
            for each in remarks:
                remark(each)
            return


def _move(made: Path, path: Path) -> None:
    """Give what was made beside the frames its name: a film is never half there."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        # An empty folder; Windows replaces none.
        target.rmdir()
    os.replace(made, target)
