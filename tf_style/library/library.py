"""A library of styles: what may be done with one. TensorFlow is imported when it is needed."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import io
import itertools
import os
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tf_style.image.paths import (
    PathLike,
    check_writable,
    data_folder,
    locate,
    no_plain_file,
)
from tf_style.image.picture import as_picture
from tf_style.image.resize import shrink
from tf_style.image.style import read_style
from tf_style.library.adding import Added, Elsewhere, add, picture_files
from tf_style.library.catalogue import Catalogue, Record
from tf_style.library.codes import Coded, coded, encode
from tf_style.library.entry import THUMBNAIL, digest_of
from tf_style.library.filter import Filter
from tf_style.library.palette import Swatch, palette
from tf_style.library.ranking import Looks, suitability, texture
from tf_style.library.search import Index, farthest_first, groups, nearest
from tf_style.settings import InputError, Settings
from tf_style.settings.option import Number

if TYPE_CHECKING:
    from tf_style.library.descriptor import Describer

VARIABLE = "TF_STYLE_LIBRARY"
_DIGEST = re.compile("[0-9a-f]{8,64}")


def default_path() -> Path:
    """Where a library is if nobody says where: `$TF_STYLE_LIBRARY`, else the user's data folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    return data_folder() / "library.db"


@dataclasses.dataclass(frozen=True)
class Match:
    """A picture that was found.

    Attributes:
        record: what the library knows of it.
        path: where it is.
        distance: from what was asked for, in units of the style loss: 0 is the same style, 1 has
            nothing in common with it; `None` where nothing was compared.
    """

    record: Record
    path: str
    distance: float | None = None


@dataclasses.dataclass(frozen=True)
class Suggestion(Match):
    """A picture that suits a photograph, more or less.

    Attributes:
        score: how good the result is expected to be: see `ranking.suitability`, and `by_previews`.
        reasons: what speaks for and against it, in words, what weighs most first.
        preview: how good its preview is; see `previews.Preview`. `None` if none was painted.
    """

    score: float = 0.0
    reasons: tuple[str, ...] = ()
    preview: float | None = None


@dataclasses.dataclass(frozen=True)
class MatchGroup:
    """Pictures of a library that are like each other, the most typical first.

    Attributes:
        pictures: the most typical, then each as different as possible from those before.
        within: the groups that it consists of; none for a small one.
    """

    pictures: tuple[Match, ...]
    within: tuple[MatchGroup, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Seen:
    """A picture that something is asked for.

    Attributes:
        descriptor: float32 `(512,)`.
        palette: its colours.
        number: by which the library knows it; `None` if it does not.
        origin, made_by: of the descriptor, as in a `Describer`.
    """

    descriptor: np.ndarray
    palette: tuple[Swatch, ...]
    number: int | None
    origin: str
    made_by: Mapping[str, Any]


def by_previews(
    found: Sequence[Suggestion], qualities: Sequence[float | None]
) -> tuple[list[Suggestion], list[int]]:
    """Suggestions in the order of their scores after previews were painted, the best first.

    A score is then the mean of what was expected and of what came out: either alone is further
    from the truth; see benchmarks/RESULTS.md.

    Args:
        qualities: of the previews of the first of them; `None` for one that there is not.

    Returns:
        the suggestions, of which those without a preview come last, in the order that they had;
        and the place that each had.
    """
    scored = [each if quality is None else dataclasses.replace(
        each, score=round((each.score + quality) / 2, 4), preview=round(quality, 4))
        for each, quality in itertools.zip_longest(found, qualities)]
    order = sorted(range(len(found)), key=lambda place: (
        (False, -scored[place].score) if scored[place].preview is not None else (True, place)))
    return [scored[place] for place in order], order


def _painted(
    photograph: PathLike | np.ndarray | Image.Image, found: Sequence[Suggestion], count: int,
    made_by: Mapping[str, Any],
) -> list[Suggestion]:
    from tf_style.library.previews import judge_of, previews

    made = previews(photograph, [each.path for each in found[:count]], judge=judge_of(made_by))
    return by_previews(found, [None if isinstance(each, InputError) else each.quality
                               for each in made])[0]


def _describer(settings: Settings) -> Describer:
    from tf_style.library.descriptor import Describer

    return Describer(settings)


class Library:
    """A collection of styles in one file, which finds the right one.

    To be closed, or used as a context. Each picture is described once, by the network that the
    style loss would use; the files themselves stay where they are.

    Args:
        path: of the library, `~` being the home folder; by default `$TF_STYLE_LIBRARY`, else
            `tf_style/library.db` in the user's data folder.
        settings: say what describes pictures: `network`, `weights`, `style_layers`; by default
            what described most of those that are there.
        describer: makes what describes pictures, from settings.

    Raises:
        InputError: (a `ValueError`) from all methods, for a file that is no library, or cannot be
            read or written.

    Example:
        >>> import tempfile
        >>> folder = tempfile.TemporaryDirectory()
        >>> with Library(folder.name + "/styles.db", Settings(network="compact")) as library:
        ...     added = library.add(["sample:ink", "sample:waves"])
        ...     [Path(match.path).name for match in library.like("sample:brushstrokes", 2)]
        ['waves.jpg', 'ink.jpg']
    """

    def __init__(
        self, path: PathLike | None = None, settings: Settings | None = None, *,
        describer: Callable[[Settings], Describer] = _describer,
    ):
        self.path = Path(os.path.expanduser(path)) if path is not None else default_path()
        self._settings = settings
        self._make = describer
        self._made: Describer | None = None
        self._opened: Catalogue | None = None
        self._writable = False
        self._others_changes = 0
        self._known: tuple[str, np.ndarray, Index] | None = None
        self._records: dict[int, Record] | None = None
        self._textures: dict[int, np.ndarray] | None = None
        self._coded: tuple[str, Coded | None] | None = None

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._opened:
            self._opened.close()
        self._opened, self._textures = None, None
        self._forget_what_is_known()

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: PathLike) -> bool:
        """Whether `library[name]` is a picture: there is one, and only one, that is there."""
        # That there is no library is an error all the same.
        self._catalogue()
        try:
            self[name]
        except InputError:
            return False
        return True

    def __getitem__(self, name: PathLike) -> str:
        """The file of the picture called `name`: its file's name, with or without ending.

        A part of it is enough, if it is part of no other. Where several have the same, with as much
        of the folders before it as makes it clear; or eight digits or more of the digest. One that
        is gone does not count where another is there.

        Raises:
            InputError: if there is none, or more than one.
        """
        found = self._named(name, there=True)
        if not found.is_there:
            raise InputError(f"library:{name}: {found.path} is no longer there. If it was moved: "
                             "tf_style_library add FOLDER")
        return found.path

    @property
    def names(self) -> list[str]:
        """The names of all pictures' files, sorted."""
        return sorted({os.path.basename(path) for record in self._all().values()
                       for path in record.paths})

    @property
    def made_by(self) -> dict[str, Any]:
        """The settings of what described most of its pictures; nothing of none."""
        usual = self._catalogue().usual_origin()
        return usual[1] if usual else {}

    def add(
        self, pictures: PathLike | Iterable[PathLike],
        callback: Callable[[Added, int], object] | None = None, *,
        elsewhere: Elsewhere | None = None,
        encoding: Callable[[int, int], object] = lambda done, whole: False,
    ) -> Added:
        """Add pictures, or whole folders of them at any depth, that are not there yet.

        Each is there as soon as it is described, so that whatever ends the process, what was done
        stays done. Files that moved are found again by their bytes. If there are more than 100 000
        then, and faiss is installed, their descriptors are given the codes by which `like` finds
        them sooner.

        Args:
            pictures: files, folders or patterns.
            callback: called after each file with what was done and the number of all; if it
                returns true, no more are added.
            elsewhere: describes pictures in place of this process, as
                `tf_style_library add --workers=N` has them described.
            encoding: called with how many descriptors have codes, and how many there are; if it
                returns true, no more are given: the next call goes on.
        """
        names = [pictures] if isinstance(pictures, (str, os.PathLike)) else list(pictures)
        names = [os.fspath(name) for name in names]
        files = list(dict.fromkeys(file for name in names for file in picture_files(name)))
        if not any(map(os.path.isfile, files)):
            # Found without TensorFlow, and before a library is made.
            raise InputError(f"{files[0]}: {no_plain_file(files[0])}" if files else
                             f"{names}: there is no such file")
        if not os.path.exists(self.path):
            # A library is not made if nothing is there to describe with.
            check_writable(self.path)
            self._describing()
        catalogue = self._catalogue(writable=True)
        describer = self._describing()
        added = add(catalogue, describer, names, files, callback, elsewhere)
        self._forget_what_is_known()
        if added.done == len(files):
            encode(catalogue, describer.origin, encoding)
        return added

    def like(
        self, picture: PathLike | np.ndarray | Image.Image, count: int = 12, **filters: Any
    ) -> list[Match]:
        """The pictures whose style is nearest to that of a picture, which itself is left out.

        Args:
            picture: a file, `sample:NAME`, or an array `(height, width, 3)` in `[0, 1]`. For one
                that is in the library, no network is needed.
            count: how many, 1 or more.
            filters: the arguments of `Filter`: `folder`, `palette`, `name`, `min_size`.
        """
        wanted, count = Filter(**filters), _counted(count)
        seen = self._described(picture)
        found: list[Match] = []
        for number, distance in self._by_distance(seen):
            record = self._record(number) if number != seen.number else None
            record = record and wanted.passed(record)
            if record and record.is_there:
                found.append(Match(record, record.path, round(distance, 4)))
                if len(found) >= count:
                    break
        return found

    def suits(
        self, photograph: PathLike | np.ndarray | Image.Image, count: int = 12, *,
        previews: int = 0,
        callback: Callable[[int, int], object] = lambda done, whole: None, **filters: Any,
    ) -> list[Suggestion]:
        """The pictures that suit a photograph as its style, the best first.

        They are ranked by what the results would be like, as far as that can be told without
        making them: how well they take on the style and keep the content. Near duplicates are left
        out, and the photograph itself is. The best can be made in small, and what came out then
        counts as much as what was expected.

        Args:
            photograph: as for `like`.
            count: how many, 1 or more.
            previews: how many of the best are painted, with a long side of 128 pixels, which takes
                one or two seconds each; those that cannot be come after those that are.
            callback: called with how many thumbnails were looked at, and how many there are: each
                is once, and kept in mind by a library that can be written.
            filters: as for `like`.
        """
        wanted, count = Filter(**filters), _counted(count)
        previews = _counted(previews, "--previews", 0)
        seen = self._described(photograph)
        records, index = self._chosen(wanted, seen.origin, without=seen.number)
        if not records:
            return []
        small = shrink(as_picture(photograph), THUMBNAIL)
        found = suitability(
            Looks.of([texture(small)], [seen.palette], seen.descriptor[None], seen.made_by),
            Looks.of(self._textures_of(records, callback),
                     [each.palette for each in records], index.descriptors, seen.made_by),
        )
        apart = index.distances(seen.descriptor)
        best = [
            Suggestion(records[place], records[place].path, round(float(apart[place]), 4),
                       round(float(found.scores[place]), 4), found.reasons(place))
            for place in np.argsort(-found.scores, kind="stable")[:max(count, previews)].tolist()
        ]
        if previews:
            best = _painted(photograph, best, previews, self.made_by)
        return best[:count]

    def browse(self, **filters: Any) -> list[MatchGroup]:
        """All pictures in groups of two levels: what differs most comes first.

        Near duplicates are left out.

        Args:
            filters: as for `like`.
        """
        records, index = self._chosen(Filter(**filters))

        def matches(places: np.ndarray) -> tuple[Match, ...]:
            return tuple(Match(records[place], records[place].path) for place in places)

        return [
            MatchGroup(matches(group.places),
                       tuple(MatchGroup(matches(each.places)) for each in group.within))
            for group in groups(index)
        ]

    def surprise(self, count: int = 12, seed: int | None = None, **filters: Any) -> list[Match]:
        """Pictures drawn at random that differ from each other as much as can be.

        Args:
            count: how many, 1 or more.
            seed: draws the same again; by default always others.
            filters: as for `like`.
        """
        count = _counted(count)
        records, index = self._chosen(Filter(**filters))
        if not records:
            return []
        draws = random.Random(seed)
        # Of all pictures, the same few would differ most every time.
        some = draws.sample(range(len(records)), min(len(records), 8 * count))
        places = farthest_first(Index(index.descriptors[some]), count, first=0)
        return [Match(records[some[place]], records[some[place]].path) for place in places]

    def records(self, **filters: Any) -> list[Record]:
        """What the library knows of its pictures, also of those whose files are gone.

        Of several files of a picture, those that are not asked for are left out.

        Args:
            filters: as for `like`.
        """
        wanted = Filter(**filters)
        return list(filter(None, map(wanted.passed, self._all().values())))

    def thumbnail(self, record: Record) -> bytes:
        """A JPEG of a picture, with a long side of at most 128 pixels."""
        return self._catalogue().thumbnail(record.number)

    def forget(self, names: PathLike | Iterable[PathLike]) -> list[Record]:
        """Forget pictures, by name; their files stay as they are. Returns what was known of them.

        Args:
            names: one, or several, as for `library[name]`.

        Raises:
            InputError: for a name that is not clear; then none is forgotten.
        """
        names = [names] if isinstance(names, (str, os.PathLike)) else names
        found = list({record.number: record for record in map(self._named, names)}.values())
        self._catalogue(writable=True).forget([record.number for record in found])
        self._forget_what_is_known()
        return found

    def resolve(self, text: str) -> list[str]:
        """The files that stand for a picture written as `library:TEXT`.

        Args:
            text: what stands behind the colon: a name; `like=PICTURE`, the nearest, or
                `like=PICTURE,N`, the N nearest; `for=PHOTOGRAPH` or `for=PHOTOGRAPH,N`, what suits
                it best, where `library:NAME` is a picture of this library; or nothing, for all
                that are there.
        """
        if not text:
            found = [record.path for record in self._all().values() if record.is_there]
        elif text.startswith(("like=", "for=")):
            verb, _, asked = text.partition("=")
            picture, comma, number = asked.rpartition(",")
            if not (comma and number.isdecimal()):
                picture, number = asked, "1"
            count = _counted(number, f"library:{verb}=PICTURE,N")
            if picture.startswith("library:"):
                picture = self[picture.removeprefix("library:")]
            ask = self.like if verb == "like" else self.suits
            found = [match.path for match in ask(picture, count)]
        else:
            return [self[text]]
        if not found:
            raise InputError(f"library:{text}: no picture of {self.path} is there")
        return found

    def _catalogue(self, *, writable: bool = False) -> Catalogue:
        if self._opened and writable and not self._writable:
            self.close()
        if not self._opened:
            self._opened, self._writable = Catalogue(self.path, writable=writable), writable
        if (changes := self._opened.others_changes) != self._others_changes:
            self._forget_what_is_known()
            self._others_changes = changes
        return self._opened

    def _all(self) -> dict[int, Record]:
        catalogue, records = self._catalogue(), self._records
        if records is None:
            records = {record.number: record for record in catalogue.records()}
            self._records = records
        return records

    def _record(self, number: int) -> Record | None:
        catalogue, records = self._catalogue(), self._records
        if records is not None:
            return records.get(number)
        return next(iter(catalogue.records(number)), None)

    def _forget_what_is_known(self) -> None:
        self._known, self._records, self._coded = None, None, None

    def _by_distance(self, seen: _Seen) -> Iterator[tuple[int, float]]:
        """The numbers of all pictures that may be compared, the nearest first, and how far."""
        told: set[int] = set()
        catalogue, codes = self._catalogue(), self._coded
        if self._known is None:
            if codes is None or codes[0] != seen.origin:
                codes = self._coded = seen.origin, coded(catalogue, seen.origin)
            if codes[1]:
                numbers, apart = codes[1].nearest(seen.descriptor)
                told.update(numbers.tolist())
                yield from zip(numbers.tolist(), apart.tolist(), strict=True)
        # From here on, most are looked at.
        numbers, index = self._index(seen.origin)
        self._all()
        places, apart = nearest(index, seen.descriptor, len(index))
        for place, distance in zip(places.tolist(), apart.tolist(), strict=True):
            if int(numbers[place]) not in told:
                yield int(numbers[place]), distance

    def _describing(self) -> Describer:
        if not self._made:
            settings = self._settings
            if settings is None:
                usual = self._opened and self._opened.usual_origin()
                settings = Settings(**usual[1]) if usual else Settings()
            self._made = self._make(settings)
        return self._made

    def _described(self, picture: PathLike | np.ndarray | Image.Image) -> _Seen:
        catalogue, number = self._catalogue(), None
        if isinstance(picture, (str, os.PathLike)):
            path = locate(picture)
            number = catalogue.numbered(digest_of(path)) if path.is_file() else None
            usual = catalogue.usual_origin()
            if number is not None and usual and self._settings is None:
                known, record = catalogue.descriptor(number, usual[0]), self._record(number)
                if known is not None and record:
                    return _Seen(known, record.palette, number, *usual)
            pixels, _ = read_style(picture)
        else:
            pixels = as_picture(picture)
        describer = self._describing()
        return _Seen(describer.describe(pixels).astype(np.float32), palette(pixels), number,
                     describer.origin, describer.made_by)

    def _index(self, origin: str) -> tuple[np.ndarray, Index]:
        """The pictures that this describer described.

        Raises:
            InputError: if there are none.
        """
        catalogue, known = self._catalogue(), self._known
        if known is None or known[0] != origin:
            numbers, descriptors = catalogue.descriptors(origin)
            if not len(numbers):
                raise InputError(
                    f"{self.path}: none of its pictures was described by {origin}, which this "
                    "was. Add them again with the same --network and --weights")
            known = self._known = origin, numbers, Index(descriptors)
        return known[1:]

    def _chosen(
        self, wanted: Filter, origin: str | None = None, *, without: int | None = None
    ) -> tuple[list[Record], Index]:
        """The pictures that are there, without near duplicates, and their descriptors.

        Of several files of a picture, those that are not asked for are left out.

        Args:
            origin: of the descriptors; by default that of most.
            without: the number of one that is left out, with its near duplicates.
        """
        usual = self._catalogue().usual_origin()
        if not usual:
            return [], Index(np.zeros((0, 0), np.float32))
        numbers, index = self._index(origin or usual[0])
        records = self._all()
        originals = _originals(records.values())
        # Of those that are near duplicates of each other, the first that is asked for and there.
        taken, found, places = {originals.get(without, without)}, [], []
        for place, number in enumerate(numbers.tolist()):
            original = originals.get(number, number)
            # Some may have been added since.
            if number not in records or original in taken:
                continue
            record = wanted.passed(records[number])
            if record and record.is_there:
                taken.add(original)
                found.append(record)
                places.append(place)
        return found, Index(index.descriptors[places])

    def _textures_of(
        self, records: Sequence[Record], callback: Callable[[int, int], object]
    ) -> list[np.ndarray]:
        """The textures of pictures: what is not known yet is found, and kept."""
        if self._textures is None:
            self._textures = self._catalogue().textures()
        unknown = [record for record in records if record.number not in self._textures]
        new = {}
        for done, record in enumerate(unknown):
            callback(done, len(unknown))
            with Image.open(io.BytesIO(self.thumbnail(record))) as thumbnail:
                pixels = np.asarray(thumbnail.convert("RGB"), np.float32) / 255
            new[record.number] = texture(pixels)
        self._textures |= new
        if new:
            # A file that cannot be written can be read all the same.
            with contextlib.suppress(InputError):
                self._catalogue().keep_textures(new)
        return [self._textures[record.number] for record in records]

    def _named(self, name: PathLike, *, there: bool = False) -> Record:
        """The picture called `name`, and of its files first those that are.

        Args:
            there: whether, of several, those that are gone are left out.
        """
        name, records = os.fspath(name), list(self._all().values())
        whole, wanted = os.path.abspath(name), os.path.normpath(name).casefold()
        is_digest = bool(_DIGEST.fullmatch(name))
        tests: Sequence[Callable[[Record, str], bool]] = (
            lambda record, path: path == whole,
            lambda record, path: is_digest and record.digest.startswith(name),
            lambda record, path: _ends(path.casefold(), wanted),
            lambda record, path: _ends(os.path.splitext(path)[0].casefold(), wanted),
            lambda record, path: wanted in os.path.basename(path).casefold(),
        )
        for test in tests:
            found = [
                dataclasses.replace(record, paths=tuple(dict.fromkeys((*called, *record.paths))))
                for record in records
                if (called := [path for path in record.paths if test(record, path)])
            ]
            if there and len(found) > 1:
                found = [record for record in found if record.is_there] or found
            if len(found) == 1:
                return found[0]
            if found:
                some = ", ".join(record.path for record in found[:3])
                more = f" and {len(found) - 3} more" if len(found) > 3 else ""
                raise InputError(f"library:{name}: several pictures are called so: {some}{more}. "
                                 "Write more of the path")
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(f"library:{name}: no picture of {self.path} is called so.{hint}")


def _counted(count: Any, called: str = "--count", least: int = 1) -> int:
    """How many pictures are asked for.

    Raises:
        InputError: if it is no whole number, or fewer than `least`; it names it as it is `called`.
    """
    try:
        return Number(least, whole=True).parse("", count)
    except InputError as error:
        raise InputError(called + error.flags.removeprefix("--")) from None


def _originals(records: Iterable[Record]) -> dict[int, int]:
    """Number of each near duplicate → that of the first picture of which it is one.

    Args:
        records: in the order of their numbers.
    """
    found: dict[int, int] = {}
    for record in records:
        if record.twin is not None:
            found[record.number] = found.get(record.twin, record.twin)
    return found


def _ends(path: str, name: str) -> bool:
    return path == name or path.endswith(os.sep + name)
