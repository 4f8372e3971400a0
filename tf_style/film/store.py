"""Painted frames on the disk, from the first to the film's completion. No TensorFlow."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tf_style.image.paths import write_bytes
from tf_style.run.lock import HeldError, locked
from tf_style.settings import InputError

_RECORD = "film.json"
_FRAME = re.compile(r"(\d{8})\.webp")
# Without loss, and in a third of the time of a PNG.
_OPTIONS = {"format": "WEBP", "lossless": True, "quality": 0, "method": 0, "exact": True}


class Store:
    """The frames of a film that are painted so far, and what its painter carries on.

    A frame is there only if it is whole, and so is what its painter needs after it. Several
    processes may paint parts of one film into it.

    Args:
        folder: made when it is first written to.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def begin(self, record: Mapping[str, Any], *, resume: bool) -> None:
        """Begin the film that `record` describes, or go on with it.

        Args:
            record: plain JSON data: all that decides the frames.
            resume: whether to go on with frames that are there.

        Raises:
            InputError: if there are frames of another film, or frames and no wish to go on.
        """
        try:
            before = json.loads((self.folder / _RECORD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            before = None
        except (OSError, ValueError) as error:
            raise InputError(f"{self.folder}: what it says of its frames cannot be read ({error}). "
                             "Delete the folder to begin again") from None
        if before is None and self.numbers():
            raise InputError(f"{self.folder}: holds frames, and not what film they are of. Delete "
                             "the folder, or choose another --output")
        if before is None:
            write_bytes(self.folder / _RECORD, json.dumps(dict(record), indent=2).encode())
            return
        if before != json.loads(json.dumps(dict(record))):
            changed = sorted(name for name in {*before, *record}
                             if before.get(name) != json.loads(json.dumps(record.get(name))))
            raise InputError(f"{self.folder}: holds frames of another film or other settings "
                             f"({', '.join(changed)}). Delete the folder, or choose another "
                             "--output")
        painted = len(self.numbers())
        if painted and not resume:
            raise InputError(f"{self.folder}: holds {painted} frame{'s' * (painted > 1)} of this "
                             "film already. Go on with --resume, or delete the folder")

    def held(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Hold a part of the film, so that no other process paints it.

        Raises:
            InputError: if another one does.
        """
        @contextlib.contextmanager
        def holding():
            with contextlib.ExitStack() as stack:
                try:
                    stack.enter_context(locked(self.folder / name))
                except HeldError as error:
                    raise InputError(f"{self.folder}: {error} is painting this film") from None
                yield

        return holding()

    def numbers(self) -> set[int]:
        """The numbers of the frames that are there."""
        try:
            names = os.listdir(self.folder)
        except (FileNotFoundError, NotADirectoryError):
            return set()
        found = filter(None, map(_FRAME.fullmatch, names))
        return {int(each[1]) for each in found if _is_whole(self.folder / each[0])}

    def add(
        self, number: int, picture: np.ndarray, alpha: np.ndarray | None,
        state: Mapping[str, np.ndarray],
    ) -> None:
        """Keep a frame, and what its painter needs after it in place of what it needed before.

        Args:
            picture: `(height, width, 3)` uint8.
            alpha: `(height, width)` uint8, or `None`.

        Raises:
            InputError: if it cannot be written.
        """
        if state:
            # First: a frame without it would be of no use.
            arrays = io.BytesIO()
            np.savez(arrays, **state)
            write_bytes(self._state(number), arrays.getvalue(), lasting=False)
        layers = picture if alpha is None else np.dstack([picture, alpha])
        file = io.BytesIO()
        Image.fromarray(layers).save(file, **_OPTIONS)
        write_bytes(self._frame(number), file.getbuffer(), lasting=False)
        with contextlib.suppress(OSError):
            self._state(number - 1).unlink()

    def state(self, number: int) -> dict[str, np.ndarray] | None:
        """What the painter needs after a frame; `None` if that is no longer there."""
        try:
            with np.load(self._state(number), allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except (OSError, ValueError, KeyError):
            return None

    def layers(self, number: int) -> np.ndarray:
        """A frame, `(height, width, 3)`, or `(height, width, 4)` with alpha, uint8.

        Raises:
            InputError: if it cannot be read.
        """
        path = self._frame(number)
        try:
            with Image.open(path) as image:
                return np.asarray(image)
        except (OSError, ValueError, SyntaxError) as error:
            raise InputError(f"{path}: a painted frame cannot be read ({error}). Delete it, and go "
                             "on with --resume") from None

    def picture(self, number: int) -> np.ndarray:
        """A frame without its alpha, `(height, width, 3)` uint8; raises as `layers` does."""
        return self.layers(number)[..., :3]

    def remove(self) -> None:
        """Remove all frames: the film is complete, or there are none."""
        # All at once: of those that are left when this is interrupted, another film would be made.
        with contextlib.suppress(OSError):
            os.replace(self.folder, self._done)
        shutil.rmtree(self._done, ignore_errors=True)

    def was_removed(self) -> bool:
        """Whether `remove` was interrupted, so that the film is complete; goes on with it."""
        is_there = self._done.is_dir()
        shutil.rmtree(self._done, ignore_errors=True)
        return is_there and not self.folder.exists()

    @property
    def _done(self) -> Path:
        return self.folder.with_name(f".{self.folder.name}.done")

    def _frame(self, number: int) -> Path:
        return self.folder / f"{number:08d}.webp"

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:08d}.npz"


def _is_whole(path: Path) -> bool:
    """Whether a WebP file is as long as it says. Source: RFC 9649, 2.4."""
    try:
        with open(path, "rb") as file:
            head = file.read(8)
            return len(head) == 8 and os.fstat(file.fileno()).st_size == (
                int.from_bytes(head[4:], "little") + 8)
    except OSError:
        return False
