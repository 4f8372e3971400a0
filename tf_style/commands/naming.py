"""Which pictures a command makes: what its flags name, and the names of what it writes."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Collection, Hashable, Sequence
from pathlib import Path

from tf_style.commands.outputs import identity
from tf_style.image import samples
from tf_style.image.paths import expand, locate
from tf_style.image.png import has_note
from tf_style.run.jobs import Job
from tf_style.settings import InputError

# File systems limit names to 255 bytes. This leaves room for what is put between the names and
# after them, such as `_unfinished` or the number of a snapshot, and for the ending.
_LONGEST = 200


def jobs(
    content: str | None, styles: Sequence[str], output: str | None, *, keep: bool = False,
    note: Callable[[str], None] = lambda text: None,
) -> list[Job]:
    """Each content with each style, and where it goes.

    Args:
        content: a picture, a folder or a pattern such as `photos/*.jpg`; `None` for none. Of a
            folder or a pattern, PNGs that hold how tf_style made them are left out, and the styles.
        styles: likewise; one of each is blended into one style.
        output: a file; a folder; a name with `{content}` and `{style}` in it; or `None` for a new
            name beside the content.
        keep: whether to keep existing pictures. Then their names are not avoided, and they are not
            contents themselves if a folder holds both. A kept picture has to be complete, so a run
            that is stopped leaves its picture under another name; so does one of several.
        note: called with what is left out.

    Raises:
        InputError: if nothing matches, or two pictures would get the same name.
    """
    contents = [None] if content is None else _pictures("content", content, note)
    blends = list(itertools.product(*(_pictures("style", each, note) for each in styles)))
    pairs = _pairs(contents, blends, note)
    found: dict[Hashable, Job] = {}
    last: dict[Path, int] = {}
    for pair in pairs:
        if output is None:
            path = beside(*pair, found if not keep else None, last)
        else:
            path = _named(output, *pair, several=len(pairs) > 1)
        left = path.with_name(f"{path.stem}_unfinished{path.suffix}")
        job = Job(*pair, path, unfinished=left if keep or len(pairs) > 1 else None)
        other = found.setdefault(identity(path), job)
        if other is not job:
            raise InputError(
                f"{path}: {title(other)} and {title(job)} would both get this name. Rename one, or "
                f"tell them apart in --output with {{content}} and {{style}}"
            )
    left = {identity(job.unfinished): job for job in found.values() if job.unfinished}
    if keep:
        found = {name: job for name, job in found.items() if not job.content or all(
            made.get(identity(locate(job.content)), job) is job for made in (found, left)
        )}
    for name, job in found.items():
        if name in left:
            raise InputError(f"{job.output}: {title(left[name])}, stopped before its end, would "
                             "get this name. Rename one")
    return list(found.values())


def title(job: Job) -> str:
    """What is made of what, in a few words."""
    names = [Path(name).name for name in (job.content, *job.styles) if name]
    return " ".join([" x ".join(names), *([job.label] if job.label else [])])


def _pictures(flag: str, source: str, note: Callable[[str], None]) -> list[str]:
    try:
        found = expand(source)
    except InputError as error:
        raise InputError(f"--{flag}={error.flags}") from None
    if found == [source]:
        return found
    made = [name for name in found if has_note(name)]
    if len(made) == len(found):
        # If tf_style made all of them, they are meant.
        return found
    if made:
        note(f"--{flag}={source}: made by tf_style and left out: {_few(made)}")
    return [name for name in found if name not in made]


def _pairs(
    contents: Sequence[str | None], blends: Sequence[tuple[str, ...]],
    note: Callable[[str], None],
) -> list[tuple[str | None, tuple[str, ...]]]:
    """Each content with each style; of several contents, none that is a style itself."""
    if len(contents) < 2:
        return list(itertools.product(contents, blends))
    styles = {identity(locate(style)) for blend in blends for style in blend}
    shown = [name for name in contents if identity(locate(name)) in styles]
    if len(shown) == len(contents):
        # One folder of both: each with each other.
        pairs = [(name, blend) for name, blend in itertools.product(contents, blends)
                 if identity(locate(name)) not in {identity(locate(each)) for each in blend}]
        return pairs or list(itertools.product(contents, blends))
    if shown:
        note(f"styles are no contents, and left out: {_few(shown)}")
    return list(itertools.product([name for name in contents if name not in shown], blends))


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(Path(name).name for name in names[:3]) + more


def _named(output: str, content: str | None, styles: Sequence[str], *, several: bool) -> Path:
    # What cannot be a picture's name is a folder's, if there are several.
    is_folder = several and not re.search(r"[.{}]", Path(output).name)
    ends = tuple(filter(None, (os.sep, os.altsep)))
    if is_folder or os.path.isdir(output) or output.endswith(ends):
        return Path(output, f"{_stem(content, styles)}.png")
    values = {"{content}": name_of(content) if content else "none",
              "{style}": "_".join(map(name_of, styles))}

    def value(match: re.Match) -> str:
        if match[0] not in values:
            raise InputError(
                f"--output={output}: expected no braces but {{content}} and {{style}}. Received: "
                f"{match[0]!r}"
            )
        return values[match[0]]

    name = re.sub(r"\{[^{}]*\}|[{}]", value, output)
    if several and not any(field in output for field in values):
        pattern = Path(output).with_name("{content}_{style}" + (Path(output).suffix or ".png"))
        raise InputError(
            f"--output={output}: several pictures cannot have one name. Expected a folder, or "
            f"--output='{pattern}'"
        )
    return Path(name)


def beside(
    content: str | None, styles: Sequence[str], taken: Collection[Hashable] | None = (),
    last: dict[Path, int] | None = None, ending: str = ".png",
) -> Path:
    """A name beside the first picture; for samples, in the working folder.

    Args:
        taken: names to avoid, besides those of existing files; `None` to avoid none.
        last: name without a number → the last number that it was given; kept up here.
        ending: of the name.
    """
    last = {} if last is None else last
    first = content or styles[0]
    folder = Path() if first.startswith(samples.PREFIX) else Path(first).parent
    stem = _stem(content, styles)
    path = first_path = folder / f"{stem}{ending}"
    number = last.get(first_path, 1)
    if number > 1:
        path = folder / f"{stem}_{number}{ending}"
    while taken is not None and (os.path.exists(path) or identity(path) in taken):
        number += 1
        path = folder / f"{stem}_{number}{ending}"
    last[first_path] = number
    return path


def _stem(content: str | None, styles: Sequence[str]) -> str:
    names = [*([content] if content else []), *styles][:4]
    stem = "_".join(_cut(name_of(name)[:50], _LONGEST // len(names)) for name in names)
    return stem if content else f"{stem}_texture"


def _cut(name: str, most: int) -> str:
    """As many of its first letters as take at most so many bytes."""
    while len(os.fsencode(name)) > most:
        name = name[:-1]
    return name


def name_of(picture: str) -> str:
    """A picture's name without folder and ending."""
    if picture.startswith(samples.PREFIX):
        return picture[len(samples.PREFIX):]
    return Path(picture).stem
