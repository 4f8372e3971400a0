"""The command `tf_style_library`."""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_style.commands import status
from tf_style.commands.command import Command, CommandLine, CommonOptions, placed
from tf_style.commands.display import answer, mention, printable, say
from tf_style.commands.drawing import count
from tf_style.commands.exits import DONE, FAILED, INTERRUPTED
from tf_style.commands.library_names import PREFIX, opened
from tf_style.commands.outputs import check_apart
from tf_style.settings import AUTO, InputError, Settings
from tf_style.settings.option import File, Files, OrAuto, Switch, Text, Word, option, whole

if TYPE_CHECKING:
    from tf_style.commands.library_work import DescribingCrew
    from tf_style.library.adding import Added
    from tf_style.library.library import Library, Match, MatchGroup, Suggestion
    from tf_style.library.previews import Preview

USAGE = """\
Keep thousands of styles in a library, and find the right one.

  tf_style_library add PICTURES [PICTURES ...] [--library=FILE]
  tf_style_library like PICTURE       the styles nearest to this one
  tf_style_library for PHOTOGRAPH     the styles that suit it, the best first, and why
  tf_style_library browse             all, in groups: what differs most comes first
  tf_style_library surprise           a few that have little in common
  tf_style_library list               all, with what is known of them
  tf_style_library forget NAMES       leave pictures out; their files stay

Everywhere else, --style=library:NAME is the picture of that name, and
--style=library:like=PICTURE,2 are the two nearest to a picture, and
--style=library:for=PHOTOGRAPH is what suits a photograph best.
"""

VERBS = ("add", "like", "for", "browse", "surprise", "list", "forget")
# Options that only some verbs heed → these.
_HEEDED = {
    "count": ("like", "for", "surprise"), "seed": ("surprise",), "previews": ("for",),
    "sheet": ("like", "for", "browse", "surprise"),
    **dict.fromkeys(("folder", "palette", "name", "min_size"),
                    ("like", "for", "browse", "surprise", "list")),
    **dict.fromkeys(("network", "weights", "style_layers"), ("add", "like", "for")),
}
# Of a group of `browse`, and in a row of a sheet.
_SHOWN, _COLUMNS = 3, 6
# On a sheet of `for`.
_PREVIEWS = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class LibraryOptions(CommonOptions):
    """The options of `tf_style_library`."""

    verb: str | None = option(Word(VERBS), None, "what to do")
    pictures: tuple[str, ...] = option(
        Files("FILES"), (), "what to do it with: pictures, folders at any depth and patterns to "
        "add; a picture to find others like; a photograph to find styles for; names to forget",
    )
    count: int = option(whole(1, 10_000), 12, "how many pictures like, for and surprise find; on "
                        f"a sheet of for {_PREVIEWS}")
    folder: str | None = option(File("FOLDER"), None, "only pictures in this folder, at any depth")
    palette: str | None = option(
        Text("COLOR,COLOR,…"), None, "only pictures of which each of these colours covers a "
        "seventh: names such as navy, or #1e3c5a",
    )
    name: str | None = option(
        Text(), None, "only pictures with this in their name, or a pattern such as '*wave*'"
    )
    min_size: int = option(
        whole(0), 0, "only pictures with a long side of so many pixels or more"
    )
    previews: int | str = option(
        OrAuto(whole(0, 10_000)), AUTO, "of for, paint so many of those that promise most in "
        "small, one or two seconds each, and order them by what came out; auto: as many as there "
        "are on a sheet, and none without",
    )
    sheet: str | None = option(
        File(), None, "also write what is found as one picture; of for, the previews"
    )
    json: bool = option(Switch(), False, "print what is found as one JSON document")
    seed: int | str = option(
        whole(0, 2**31 - 1), AUTO, "of surprise: draws the same again; auto: always others"
    )
    network: str = option(
        Settings.option("network").type, AUTO, "what describes pictures, as in tf_style; auto: "
        "what described those that are there, else the network of a run",
    )
    weights: str = option(
        Settings.option("weights").type, AUTO, "its weights, as in tf_style"
    )
    style_layers: Any = option(
        Settings.option("style_layers").type, AUTO, "its layers, as in tf_style"
    )
    offline: bool = option(Switch(), False, Settings.option("offline").help)
    workers: int | str = option(
        OrAuto(whole(1, 1024)), 1, "of add, describe so many pictures at a time, and of for, "
        "paint so many previews, each in a process with its share of --threads and memory; auto: "
        "as many as there are cores, and as memory allows",
    )
    cluster: str | None = option(
        Text("ADDRESS|local"), None, "the same by the nodes of a Ray cluster, as many at a time as "
        "there is room for, each with --threads cores, by default one; local: one of this machine "
        "alone; pip install 'tf_style[cluster]'",
    )
    threads: int | str = option(
        Settings.option("threads").type, AUTO, "threads of the processor that compute, of each "
        "worker; auto: one for each core, or the cores are shared out"
    )

    def filters(self) -> dict[str, Any]:
        """The arguments of a `Filter`."""
        return {"folder": self.folder, "palette": self.palette, "name": self.name,
                "min_size": self.min_size}


def library(line: CommandLine) -> int:
    """Do with a library what the verb says."""
    if line.places and "verb" not in line.given and line.places[0] not in VERBS:
        near = difflib.get_close_matches(line.places[0], VERBS, n=1)
        hint = f". Did you mean {near[0]}?" if near else ""
        raise InputError(f"{line.places[0]!r}: expected what to do, one of "
                         f"{', '.join(VERBS)}{hint}")
    line = placed(COMMAND, line)
    options = line.options(LibraryOptions)
    if not options.verb:
        raise InputError(f"expected what to do, one of {', '.join(VERBS)}, such as "
                         "tf_style_library add paintings")
    _check_pictures(options)
    _check_heeded(options, line.typed)
    settings = _settings(options)
    with opened(
        line, settings, offline=options.offline, threads=options.threads
    ) as shelf:
        if options.sheet:
            _check_sheet(options, shelf)
        line.tell()
        return {"add": _add, "like": _like, "for": _for, "browse": _browse,
                "surprise": _surprise, "list": _list, "forget": _forget
                }[options.verb](line, options, shelf)


def _check_pictures(options: LibraryOptions) -> None:
    verb, given = options.verb, options.pictures
    if verb in ("add", "like", "for", "forget") and not given:
        example = {"add": "paintings", "for": "photo.jpg"}.get(verb, "painting.jpg")
        raise InputError(f"{verb}: expected a picture, such as tf_style_library {verb} {example}")
    takes_one = verb in ("like", "for")
    if (takes_one and len(given) > 1) or (given and verb in ("browse", "surprise", "list")):
        raise InputError(f"{given[-1]!r}: {verb} takes {'one' if takes_one else 'no'} picture. "
                         "Pictures are chosen by --folder, --palette, --name and --min_size")


def _check_heeded(options: LibraryOptions, typed: Container[str]) -> None:
    """Check that nothing is asked for that the verb has no use for; files are for all verbs."""
    verb = options.verb
    for flag, verbs in _HEEDED.items():
        if flag in typed and verb not in verbs:
            raise InputError(f"--{flag}: has no effect with {verb}. Leave it out")
    if options.previews == 0 and options.sheet:
        raise InputError("--previews=0: a --sheet of for is of previews. Leave one of them out")
    paints = verb == "for" and (options.sheet or options.previews not in (AUTO, 0))
    for flag, asked in (("workers", options.workers != 1), ("cluster", options.cluster)):
        if asked and verb != "add" and not paints:
            raise InputError(f"--{flag}: has no effect with {verb}"
                             + " without --sheet or --previews" * (verb == "for")
                             + ". Leave it out")
    if options.cluster:
        from tf_style.commands import engines

        engines.check(options)


def _check_sheet(options: LibraryOptions, shelf: Library) -> None:
    """Check that a sheet can be written, and replaces neither the library nor a picture of it."""
    from tf_style.image.picture import check_output

    sheet = check_output(Path(options.sheet))
    inputs = [*filter(os.path.isfile, options.pictures), os.fspath(shelf.path)]
    # A new file replaces nothing, and there may be a million pictures.
    if sheet.exists() and options.verb in _HEEDED["sheet"]:
        inputs += [path for record in shelf.records() for path in record.paths]
    check_apart({"sheet": sheet}, inputs)


def _settings(options: LibraryOptions) -> Settings | None:
    """What is to describe pictures; `None` if nothing was said."""
    given = {name: value for name in ("network", "weights", "style_layers")
             if (value := getattr(options, name)) != AUTO}
    if "style_layers" in given:
        # Those of a saved model have to be named, though nothing looks at them here.
        given["content_layers"] = given["style_layers"]
    return Settings(**given) if given else None


def _add(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    status.show("looking for pictures")

    def callback(added: Added, whole: int) -> bool:
        line.signals.keep()
        if crew:
            return crew.hear(added, whole)
        status.show("adding", added.done / whole, details=(f"{added.done}/{whole}",))
        return bool(line.signals)

    def encoding(done: int, whole: int) -> bool:
        line.signals.keep()
        status.show("preparing the search", done / whole, details=(f"{done}/{whole}",))
        return bool(line.signals)

    crew = _crew(line, options)
    added = shelf.add(options.pictures, callback, elsewhere=crew and crew.described,
                      encoding=encoding)
    status.hide()
    for why in added.bad.values():
        say(f"tf_style_library: {printable(why)}")
    if options.json:
        _answer_json({**dataclasses.asdict(added), "library": os.fspath(shelf.path)})
    elif not options.quiet:
        for new, what, other in (
            *((file, "is a near duplicate of", each) for file, each in added.twins.items()),
            *((file, "is the same as", each) for file, each in added.copies.items()),
            *((file, "was", each) for file, each in added.moved.items()),
        ):
            mention(printable(f"{new} {what} {other}"), whole=False)
        for path in added.gone:
            mention(printable(f"{path} is gone"), whole=False)
        answer(f"{count(len(added.new), 'picture')} added to {printable(shelf.path)}, "
               f"{added.known + len(added.copies) + len(added.moved)} known"
               + (f", {len(added.bad)} bad" if added.bad else ""))
    if line.signals:
        say("tf_style_library: stopped; the same command goes on")
        return INTERRUPTED
    return FAILED if added.bad else DONE


def _crew(line: CommandLine, options: LibraryOptions) -> DescribingCrew | None:
    """Who describes pictures; `None` if this process does."""
    if options.workers == 1 and not options.cluster:
        return None
    from tf_style.commands.engines import share_of
    from tf_style.commands.library_work import NEEDED, DescribingCrew

    # How many pictures are new is not known yet.
    each = share_of(options, options.threads, sys.maxsize, lambda: NEEDED)
    return each and DescribingCrew(options, each, line.signals, quiet=options.quiet)


def _like(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    found = shelf.like(options.pictures[0], options.count, **options.filters())
    return _show(options, shelf, found)


def _for(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    painted = 0 if options.previews == AUTO else options.previews
    shown = options.count
    if options.sheet and "count" not in line.given:
        shown = painted or _PREVIEWS
    if options.sheet:
        painted = max(painted, shown)
    found = shelf.suits(
        options.pictures[0], max(shown, painted), **options.filters(),
        callback=lambda done, whole: status.show("looking at thumbnails", done / whole))
    _check_found(options, shelf, found)
    previews: list[Preview | None] = []
    if painted:
        from tf_style.commands.library_sheet import painted_previews
        from tf_style.library.library import by_previews

        previews = painted_previews(options, found[:painted], shelf.made_by, line.signals)
        found, order = by_previews(found, [each and each.quality for each in previews])
        previews = [*previews, *[None] * (len(found) - len(previews))]
        previews = [previews[place] for place in order]
    _show(dataclasses.replace(options, sheet=None), shelf, found[:shown])
    return _tell_previews(line, options, found, previews, shown, painted) if painted else DONE


def _tell_previews(
    line: CommandLine, options: LibraryOptions, found: Sequence[Suggestion],
    previews: Sequence[Preview | None], shown: int, painted: int,
) -> int:
    """Write the sheet, and say what is missing; returns the exit code."""
    made, whole = sum(each is not None for each in previews), min(painted, len(found))
    if options.sheet:
        from tf_style.commands.library_sheet import write_previews

        write_previews(options, found[:shown], previews[:shown])
    if made < whole:
        where = "are on the sheet" if options.sheet and shown >= painted else "were painted"
        nothing = "no preview was painted" + "; no sheet was written" * bool(options.sheet)
        say(f"tf_style_library: {'stopped; ' * bool(line.signals)}{made} of {whole} previews "
            f"{where}" if made else f"tf_style_library: {nothing}")
    return INTERRUPTED if line.signals else FAILED if made < whole else DONE


def _surprise(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    seed = None if options.seed == AUTO else options.seed
    return _show(options, shelf, shelf.surprise(options.count, seed, **options.filters()))


def _list(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    from tf_style.library.library import Match

    found = [Match(record, record.path) for record in shelf.records(**options.filters())]
    return _show(options, shelf, found)


def _show(options: LibraryOptions, shelf: Library, found: Sequence[Match]) -> int:
    _check_found(options, shelf, found)
    if options.json:
        _answer_json({"library": os.fspath(shelf.path),
                      "pictures": [_plain(options, shelf, match) for match in found]})
    elif not options.quiet:
        for match in found:
            _answer_match(options, shelf, match)
    if options.sheet:
        from tf_style.commands.library_sheet import write_thumbnails

        write_thumbnails(options, shelf, [found[start : start + _COLUMNS]
                                          for start in range(0, len(found), _COLUMNS)])
    return DONE


def _browse(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    found = shelf.browse(**options.filters())
    _check_found(options, shelf, found)
    if options.json:
        _answer_json({"library": os.fspath(shelf.path),
                      "groups": [_plain_group(options, shelf, group) for group in found]})
    elif not options.quiet:
        for number, group in enumerate(found, 1):
            answer(f"group {number}: {count(len(group.pictures), 'picture')}")
            for match in _chosen(group):
                _answer_match(options, shelf, match, indent="  ")
    if options.sheet:
        from tf_style.commands.library_sheet import write_thumbnails

        write_thumbnails(options, shelf, [_chosen(group, _COLUMNS) for group in found])
    return DONE


def _chosen(group: MatchGroup, most: int = _SHOWN) -> list[Match]:
    """A few pictures that show what is in a group: of each group within, the most typical."""
    parts = [each.pictures for each in group.within] or [group.pictures]
    inner = [part[place] for place in range(max(map(len, parts))) for part in parts
             if place < len(part)]
    return inner[:max(most, len(group.within))][:_COLUMNS]


def _forget(line: CommandLine, options: LibraryOptions, shelf: Library) -> int:
    found = shelf.forget(options.pictures)
    if options.json:
        _answer_json({"library": os.fspath(shelf.path),
                      "forgotten": [record.path for record in found]})
    elif not options.quiet:
        for record in found:
            answer(printable(record.path), whole=True)
    return DONE


def _check_found(options: LibraryOptions, shelf: Library, found: Sequence[Any]) -> None:
    if not found:
        asked = " that is asked for" if any(options.filters().values()) else ""
        raise InputError(f"{shelf.path}: there is no picture{asked}")


def _answer_match(
    options: LibraryOptions, shelf: Library, match: Match, indent: str = ""
) -> None:
    """Print what a picture is, why it is shown, and the command that paints like it: a line each.

    Args:
        indent: in front of each.
    """
    from tf_style.library.library import Suggestion

    record = match.record
    parts = [os.path.basename(match.path), f"{record.width} x {record.height}"]
    if isinstance(match, Suggestion):
        parts.append(f"score {match.score:.3f}")
        if match.preview is not None:
            parts.append(f"preview {match.preview:.3f}")
    elif match.distance is not None:
        parts.append(f"distance {match.distance:.3f}")
    parts += record.defects
    if record.twin is not None:
        parts.append("near duplicate")
    if not record.is_there:
        parts.append("gone")
    answer(indent + printable(", ".join(parts)), column=len(indent) + 4)
    if isinstance(match, Suggestion):
        answer(f"{indent}  {'; '.join(match.reasons)}", column=len(indent) + 4)
    answer(f"{indent}  {_command(options, shelf, match)}", whole=True)


def _command(options: LibraryOptions, shelf: Library, match: Match) -> str:
    """The command that paints a photograph like this, for a shell."""
    photo = options.pictures[0] if options.verb == "for" else "PHOTO"
    if printable(match.path) == match.path:
        words = ["tf_style", photo, match.path]
    else:
        # Nobody can type or copy such a name.
        words = ["tf_style", photo, PREFIX + match.record.digest[:12],
                 f"--library={os.path.abspath(shelf.path)}"]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def _plain(options: LibraryOptions, shelf: Library, match: Match) -> dict[str, Any]:
    from tf_style.library.library import Suggestion

    record = match.record
    found: dict[str, Any] = {}
    if match.distance is not None:
        found["distance"] = match.distance
    if isinstance(match, Suggestion):
        found |= {"score": match.score, "reasons": list(match.reasons)}
        if match.preview is not None:
            found["preview"] = match.preview
    return {
        "name": os.path.basename(match.path), "path": match.path, **found,
        "width": record.width, "height": record.height, "defects": list(record.defects),
        "palette": [dataclasses.asdict(each) for each in record.palette],
        "digest": record.digest, "near_duplicate": record.twin is not None,
        "is_there": record.is_there, "command": _command(options, shelf, match),
    }


def _plain_group(options: LibraryOptions, shelf: Library, group: MatchGroup) -> dict[str, Any]:
    return {"pictures": [_plain(options, shelf, match) for match in group.pictures],
            "groups": [_plain_group(options, shelf, each) for each in group.within]}


def _answer_json(data: Mapping[str, Any]) -> None:
    answer(json.dumps(data, indent=2), whole=True)


COMMAND = Command(
    "tf_style_library", USAGE, (LibraryOptions,), library, places=("verb", "pictures"),
    needed=("library", "count", "folder", "palette", "name", "min_size", "previews", "sheet",
            "json"),
    examples=("tf_style_library add sample:ink sample:waves sample:stained_glass "
              "--library=styles.db",
              "tf_style_library like painting.jpg --library=styles.db --sheet=like.png"),
)
