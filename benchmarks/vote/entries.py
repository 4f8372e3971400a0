"""What is compared: two results of the same name, and what both were made from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tf_style.image.numbers import eight_bit
from tf_style.image.paths import expand
from tf_style.image.picture import read_note, read_picture
from tf_style.image.resize import fitted_size, resize, shrink
from tf_style.settings import InputError

# Rounding a side to whole pixels changes the proportions of a small picture by this much at most.
_SAME_PROPORTIONS = 0.02


@dataclasses.dataclass(frozen=True)
class Entry:
    """Two results and what they were made from, all uint8 `(height, width, 3)`.

    Attributes:
        a, b: the results, of the same size.
        content, style: with a long side no longer than theirs.
    """

    a: np.ndarray
    b: np.ndarray
    content: np.ndarray
    style: np.ndarray

    @classmethod
    def of(
        cls, name: str, a: np.ndarray, b: np.ndarray, content: np.ndarray, style: np.ndarray,
        side: int | None = None,
    ) -> Entry:
        """Pictures as they are shown.

        Args:
            name: of the results, for errors.
            a, b, content, style: float `(height, width, 3)` in `[0, 1]`.
            side: the longest side to show, in pixels. No picture is enlarged: of two sizes,
                both results get the smaller.

        Raises:
            InputError: if the results have different proportions.
        """
        (height, width), (other_height, other_width) = a.shape[:2], b.shape[:2]
        if abs(height * other_width / (width * other_height) - 1) > _SAME_PROPORTIONS:
            raise InputError(f"{name}: expected two results of the same proportions. Received: "
                             f"{width}x{height} and {other_width}x{other_height}")
        long = min(max(height, width), max(other_height, other_width), side or height + width)
        shape = fitted_size(height, width, long)
        return cls(*(eight_bit(resize(each, *shape)) for each in (a, b)),
                   *(eight_bit(shrink(each, long)) for each in (content, style)))

    def result(self, maker: str) -> np.ndarray:
        """The result of `A` or `B`."""
        return {"A": self.a, "B": self.b}[maker]


def digest(entries: Mapping[str, Entry]) -> str:
    """SHA-256 of all names and results, in hexadecimal."""
    found = hashlib.sha256()
    for name, entry in entries.items():
        found.update(f"{name} {entry.a.shape}".encode())
        found.update(entry.a.tobytes() + entry.b.tobytes())
    return found.hexdigest()


def results(a: str, b: str) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """The picture files that two folders have in common, and the names that only one has.

    Returns:
        name → the file in `a` and the one in `b`; and the other names, sorted.

    Raises:
        InputError: for a folder that is missing or has no pictures, or if none is common.
    """
    first, second = ({Path(file).name: file for file in _files(folder)} for folder in (a, b))
    common = {name: (first[name], second[name]) for name in first if name in second}
    if not common:
        raise InputError(f"{a}, {b}: expected pictures of the same names in both. Received: "
                         f"{min(first)}, … and {min(second)}, …")
    return common, sorted(first.keys() ^ second.keys())


def gather(
    pairs: Mapping[str, tuple[str, str]], contents: Mapping[str, np.ndarray],
    styles: Mapping[str, np.ndarray], side: int | None = None,
) -> dict[str, Entry]:
    """Entries whose names say what they were made from: `CONTENT__STYLE.png`.

    Args:
        pairs: as `results` returns them.
        contents, styles: name → `(height, width, 3)` in `[0, 1]`.
        side: as for `Entry.of`.

    Raises:
        InputError: for a name of another form, or a picture that is not there or unreadable.
    """
    entries = {}
    for name, files in pairs.items():
        content, style = made_from(name)
        for kind, stem, known in (("content", content, contents), ("style", style, styles)):
            if stem not in known:
                raise InputError(f"{name}: there is no {kind} picture {stem!r}. Received: "
                                 f"{', '.join(sorted(known)) or 'none'}")
        entries[name] = Entry.of(name, *map(read_picture, files), contents[content],
                                 styles[style], side)
    return entries


def made_from(name: str) -> tuple[str, str]:
    """The content and the style that the name of a result names.

    Raises:
        InputError: if it names none.
    """
    parts = Path(name).stem.split("__")
    if len(parts) != 2 or not all(parts):
        raise InputError(f"{name}: expected a name such as CONTENT__STYLE.png")
    return parts[0], parts[1]


def gather_noted(
    pairs: Mapping[str, tuple[str, str]], side: int | None = None
) -> dict[str, Entry]:
    """Entries whose files say what they were made from, as the PNGs of `tf_style` do.

    Raises:
        InputError: if neither file of a pair does, or a picture is not there or unreadable.
    """
    entries = {}
    for name, files in pairs.items():
        sources = noted(files[0]) or noted(files[1])
        if sources is None:
            raise InputError(f"{name}: the file does not say which content and style it was made "
                             "from. Name it CONTENT__STYLE.png and give --contents and --styles")
        try:
            made = [read_picture(source) for source in sources]
        except InputError as error:
            raise InputError(f"{name} was made from {error.flags}. Run this where it was made, "
                             "or give --contents and --styles") from None
        entries[name] = Entry.of(name, *map(read_picture, files), *made, side)
    return entries


def noted(file: str) -> tuple[str, str] | None:
    """The content and the style that a result's file says it was made from.

    Returns:
        Two names of files; `None` if it names none, or several styles.

    Raises:
        InputError: if the file cannot be read.
    """
    text = read_note(file)
    try:
        note = json.loads(text or "{}")
        content, (style,) = note["content"], note["style"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (content, style) if isinstance(content, str) and isinstance(style, str) else None


def pictures(folder: str, stems: set[str]) -> dict[str, np.ndarray]:
    """Those pictures of a folder whose names, without their endings, are among `stems`.

    Raises:
        InputError: for a folder that is missing or has no pictures, or one that is unreadable.
    """
    return {Path(file).stem: read_picture(file) for file in _files(folder)
            if Path(file).stem in stems}


def _files(folder: str) -> list[str]:
    if not Path(folder).is_dir():
        raise InputError(f"{folder}: expected a folder of pictures, there is none")
    return expand(folder)
