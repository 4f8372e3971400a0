"""The benchmark set: `python -m benchmarks.set [--folder=../shared] [--sheet=FILE.png] [--write]`.

Contents and styles that everybody may use, in two halves: whatever is tuned is tuned on the half
`tuning`; the half `release` is looked at before a release only. Pictures are found where they
are or left out, and never kept in the repository. SET.md tells more; `--write` renews its table.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import scenes
from tf_style.image.numbers import eight_bit
from tf_style.image.paths import PathLike, write_bytes
from tf_style.image.picture import check_output, read_picture, write_picture
from tf_style.image.resize import fit
from tf_style.settings import InputError

PAGE = Path(__file__).with_name("SET.md")
HALVES = ("tuning", "release")

# What to install for the pictures inside of a package.
_PACKAGES = {"skimage": "scikit-image", "sklearn": "scikit-learn"}
_DRAWN = {"page": scenes.page, "crowd": scenes.crowd}
_NAME = "[a-z0-9]+(?:_[a-z0-9]+)*"
_SIDE, _LABEL = 224, 16


@dataclasses.dataclass(frozen=True)
class Entry:
    """A picture of the set.

    Attributes:
        name: small letters, digits and single underscores; unique in the set.
        kind: of a content what it shows, such as `portrait`; of a style `style`.
        half: `tuning` or `release`.
        author: who made it.
        licence: why everybody may use it.
        source: `folder:PATH` below the folder of pictures, `skimage:PATH` or `sklearn:PATH` inside
            of that package, `sample:NAME` of tf_style, or `drawn:NAME` by `benchmarks.scenes`.
    """

    name: str
    kind: str
    half: str
    author: str
    licence: str
    source: str


CONTENTS = (
    Entry("grace_hopper", "portrait", "tuning", "US Navy", "public domain", "sample:grace_hopper"),
    Entry("tubingen", "town", "tuning", "Andreas Praefcke", "CC BY 3.0",
          "folder:images/tubingen.jpg"),
    Entry("golden_gate", "landscape", "tuning", "Rich Niewiroski Jr.", "CC BY 2.5",
          "folder:images/golden_gate.jpg"),
    Entry("wine", "interior", "tuning", "Jakub Mede", "CC BY 4.0", "folder:photos/wine.jpg"),
    Entry("page", "text", "tuning", "tf_style", "our own", "drawn:page"),
    Entry("astronaut", "portrait", "release", "NASA", "public domain",
          "skimage:data/astronaut.png"),
    Entry("china", "town", "release", "danielbuechele (Flickr)", "CC BY 2.0",
          "sklearn:datasets/images/china.jpg"),
    Entry("rocket", "night", "release", "SpaceX", "public domain", "skimage:data/rocket.jpg"),
    Entry("chelsea", "animal", "release", "Stéfan van der Walt", "CC0",
          "skimage:data/chelsea.png"),
    Entry("crowd", "crowd", "release", "tf_style", "our own", "drawn:crowd"),
)

_VAN_GOGH = "Vincent van Gogh (1853–1890)"
STYLES = (
    Entry("starry_night", "style", "tuning", _VAN_GOGH, "public domain",
          "folder:images/starry_night.jpg"),
    Entry("the_scream", "style", "tuning", "Edvard Munch (1863–1944)", "public domain",
          "folder:images/the_scream.jpg"),
    Entry("brushstrokes", "style", "tuning", "tf_style", "our own", "sample:brushstrokes"),
    Entry("ink", "style", "tuning", "tf_style", "our own", "sample:ink"),
    Entry("stained_glass", "style", "tuning", "tf_style", "our own", "sample:stained_glass"),
    Entry("van_gogh_cafe", "style", "release", _VAN_GOGH, "public domain",
          "folder:images/van_gogh_cafe.jpg"),
    Entry("van_gogh_houses", "style", "release", _VAN_GOGH, "public domain",
          "folder:images/van_gogh_houses.jpg"),
    Entry("van_gogh_wheat_field", "style", "release", _VAN_GOGH, "public domain",
          "folder:images/van_gogh_wheat_field.jpg"),
    Entry("hokusai_wave", "style", "release", "Katsushika Hokusai (1760–1849)", "public domain",
          "folder:images/hokusai_wave.jpg"),
    Entry("waves", "style", "release", "tf_style", "our own", "sample:waves"),
)


def picture(entry: Entry, folder: PathLike) -> np.ndarray:
    """The picture of an entry, float32 `(height, width, 3)` in `[0, 1]`.

    Args:
        folder: where sources that begin with `folder:` are looked for.

    Raises:
        InputError: if it is not there or cannot be read; says why.
    """
    place, _, path = entry.source.partition(":")
    if place == "drawn":
        try:
            return _DRAWN[path]()
        except (ImportError, OSError) as error:
            raise InputError(f"{entry.source}: cannot be drawn ({error})") from None
    if place == "sample":
        return read_picture(entry.source)
    return read_picture(Path(folder if place == "folder" else _inside(place), path))


def _inside(package: str) -> str:
    """The folder of an installed package, which is not imported: that would take seconds."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{package} is not installed: pip install {_PACKAGES[package]}")
    return spec.submodule_search_locations[0]


def found(entries: Iterable[Entry], folder: PathLike) -> dict[str, np.ndarray]:
    """Those of the pictures that can be read, by name; the others are left out.

    Args:
        entries: of `CONTENTS` and `STYLES`.
        folder: where sources that begin with `folder:` are looked for.

    Returns:
        float32 arrays `(height, width, 3)` in `[0, 1]`, each of its own size, in the given order.
    """
    each = ((entry.name, _attempt(entry, folder)) for entry in entries)
    return {name: image for name, image in each if not isinstance(image, InputError)}


def _attempt(entry: Entry, folder: PathLike) -> np.ndarray | InputError:
    try:
        return picture(entry, folder)
    except InputError as error:
        return error


def part(entries: Iterable[Entry], half: str) -> list[Entry]:
    """The entries of one half, or with `half="all"` of both.

    Raises:
        InputError: for any other half.
    """
    if half not in (*HALVES, "all"):
        raise InputError(f"half: expected {', '.join(HALVES)} or all. Received: {half!r}")
    return [entry for entry in entries if half in (entry.half, "all")]


def pairs(half: str, folder: PathLike) -> list[tuple[str, str]]:
    """The names of each content and style that are stylised together, of what `found` finds.

    Args:
        half: `tuning` or `release`: the contents of that half with the styles of that half.
            `all`: every content with every style, which mixes the halves.
        folder: where sources that begin with `folder:` are looked for.

    Raises:
        InputError: for any other half.
    """
    contents, styles = (found(part(each, half), folder) for each in (CONTENTS, STYLES))
    return [(content, style) for content in contents for style in styles]


def file_name(content: str, style: str) -> str:
    """What the result of a pair is called: `"CONTENT__STYLE.png"`.

    Raises:
        InputError: for a name from which the two could not be told again.
    """
    for name in (content, style):
        if not re.fullmatch(_NAME, name):
            raise InputError(
                f"{name!r}: expected small letters, digits and single underscores between them")
    return f"{content}__{style}.png"


def table() -> str:
    """The table of SET.md, with a line break at its end."""
    fields = [field.name for field in dataclasses.fields(Entry)]
    rows = [fields, ["---"] * len(fields)]
    for entry in (*CONTENTS, *STYLES):
        *values, source = dataclasses.astuple(entry)
        rows.append([*values, f"`{source}`"])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def renewed(text: str) -> str:
    """The text of SET.md with its table made anew."""
    return re.sub(r"(^\|.*\n)+", lambda _: table(), text, count=1, flags=re.MULTILINE)


def sheet(entries: Sequence[Entry], pictures: dict[str, np.ndarray]) -> np.ndarray:
    """Small pictures with their names, five in a row; an empty frame for one that is missing.

    Returns:
        float32 `(height, width, 3)` in `[0, 1]`.
    """
    columns, down = 5, _SIDE + _LABEL
    whole = Image.new("RGB", (columns * _SIDE, -(-len(entries) // columns) * down), "white")
    draw = ImageDraw.Draw(whole)
    for at, entry in enumerate(entries):
        left, top = at % columns * _SIDE, at // columns * down
        draw.text((left + 4, top + 2), f"{entry.name} ({entry.kind}, {entry.half})", "black")
        draw.rectangle([left + 2, top + _LABEL, left + _SIDE - 3, top + down - 3], "#dddddd")
        if entry.name in pictures:
            small = fit(pictures[entry.name], _SIDE - 4)
            whole.paste(Image.fromarray(eight_bit(small)),
                        (left + 2, top + _LABEL))
    return np.asarray(whole, np.float32) / 255


def report(attempts: dict[Entry, np.ndarray | InputError]) -> str:
    """A line for each entry: what it is, and its width and height or why it is missing."""
    lines = [f"{each.name:21} {each.kind:10} {each.half:8} {_state(image)}"
             for each, image in attempts.items()]
    count = sum(not isinstance(image, InputError) for image in attempts.values())
    return "\n".join([*lines, f"{count} of {len(attempts)} found"])


def _state(image: np.ndarray | InputError) -> str:
    if isinstance(image, InputError):
        return f"missing: {image}"
    height, width = image.shape[:2]
    return f"{width}x{height}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise InputError(message)


def main(argv: list[str]) -> int:
    parser = _Parser(prog="python -m benchmarks.set", description="List the benchmark set.")
    parser.add_argument("--folder", default="../shared", help="where images/ and photos/ lie")
    parser.add_argument("--sheet", help="write all pictures, small and labelled, to this file")
    parser.add_argument("--write", action="store_true", help="renew the table of SET.md")
    try:
        options = parser.parse_args(argv)
        if options.sheet:
            check_output(options.sheet)
        if options.write:
            write_bytes(PAGE, renewed(PAGE.read_text(encoding="utf-8")).encode())
        attempts = {entry: _attempt(entry, options.folder) for entry in (*CONTENTS, *STYLES)}
        print(report(attempts))
        if options.sheet:
            pictures = {entry.name: image for entry, image in attempts.items()
                        if not isinstance(image, InputError)}
            write_picture(options.sheet, sheet(list(attempts), pictures))
    except InputError as error:
        print(f"benchmarks.set: {error.flags}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
