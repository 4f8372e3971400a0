"""The page on which people vote: one HTML file and its pictures, which tell nothing by their names.

No file in its folder, neither its name nor its content, says whose result is on which side.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.vote.ballot import SIDES, Ballot
from benchmarks.vote.damage import DAMAGES
from benchmarks.vote.entries import Entry
from benchmarks.vote.sheets import form, sheet
from tf_style.image.paths import write_bytes

_TEMPLATE = Path(__file__).with_name("page.html")
_PLACE = "/*BALLOT*/null"


def write_page(
    folder: Path, ballot: Ballot, entries: Mapping[str, Entry], secret: str
) -> None:
    """Write `index.html` and `pictures/`.

    Args:
        folder: one that exists.
        secret: decides the names of the pictures.

    Raises:
        InputError: if a file cannot be written.
    """
    files: dict[str, bytes] = {}

    def file(picture: np.ndarray) -> str:
        content = encoded(Image.fromarray(picture))
        name = hashlib.sha256(secret.encode() + content).hexdigest()[:16] + ".png"
        files[name] = content
        return f"pictures/{name}"

    asked = [{"id": each, **{role: file(picture) for role, picture in roles.items()}}
             for each, roles in shown(ballot, entries)]
    (folder / "pictures").mkdir()
    # In the order of their names, so that the time of a file tells nothing either.
    for name in sorted(files):
        write_bytes(folder / "pictures" / name, files[name])
    record = json.dumps({"ballot": ballot.id, "questions": asked})
    page = _TEMPLATE.read_text("utf-8").replace(_PLACE, record)
    write_bytes(folder / "index.html", page.encode())


def write_sheets(folder: Path, ballot: Ballot, entries: Mapping[str, Entry]) -> None:
    """Write `sheets/q001.png`, …, and the form `votes.csv`.

    Raises:
        InputError: if a file cannot be written.
    """
    (folder / "sheets").mkdir()
    for each, roles in shown(ballot, entries):
        write_bytes(folder / "sheets" / f"{each}.png", encoded(sheet(each, **roles)))
    write_bytes(folder / "votes.csv", form(ballot).encode())


def shown(
    ballot: Ballot, entries: Mapping[str, Entry]
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """For each question its id and its pictures: `content`, `style`, `left`, `right`."""
    for each, question in ballot.questions.items():
        entry = entries[question.name]
        roles = {"content": entry.content, "style": entry.style}
        for side in SIDES:
            maker, damage = question.shown(side)
            picture = entry.result(maker)
            roles[side] = DAMAGES[damage](picture) if damage else picture
        yield each, roles


def encoded(picture: Image.Image) -> bytes:
    """A PNG that holds nothing but pixels."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
