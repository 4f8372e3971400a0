"""A forced choice between two ways of making pictures, by viewers who cannot know which is which.

    python -m benchmarks.vote A/ B/ --output=page --contents=contents --styles=styles
    python -m benchmarks.vote --count votes.json form.csv --key=page.key.json

The first makes a page of questions about all pictures that both folders have by the same name. Open
`page/index.html` in a browser, answer, and save the votes. `page.key.json` says whose result is on
which side: keep it away from voters. With `--sheets` the same questions are also pictures in
`page/sheets`, and `page/votes.csv` is a form to fill with `left` and `right`.

The second counts votes. A is better only where the 95 % interval of its share lies above one half.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

from benchmarks import set as benchmark_set
from benchmarks.vote import count as counting
from benchmarks.vote import entries
from benchmarks.vote.ballot import Ballot
from benchmarks.vote.form import read_forms, read_json, read_text
from benchmarks.vote.page import write_page, write_sheets
from tf_style.commands.command import Command, CommandLine, require
from tf_style.commands.display import answer, mention, say
from tf_style.commands.exits import DONE, guarded
from tf_style.image.paths import write_bytes
from tf_style.settings.option import File, InputError, Options, Switch, option, whole


@dataclasses.dataclass(frozen=True, kw_only=True)
class VoteOptions(Options):
    """The options of `python -m benchmarks.vote`."""

    output: str | None = option(File(), None, "new folder for the page; its key is put beside it")
    contents: str | None = option(
        File(), None, "folder of content pictures, for results called CONTENT__STYLE.png; without "
        "it, the results' own notes say what they were made from")
    styles: str | None = option(File(), None, "folder of style pictures, likewise")
    set: str | None = option(
        File(), None, "instead of these: where the benchmark set's pictures lie, such as ../shared"
    )
    size: int | None = option(
        whole(16, 8192), None, "longest side to show, in pixels; none is enlarged")
    seed: int = option(whole(0, 2**31 - 1), 0, "of order, sides and catch questions")
    sheets: bool = option(Switch(), False, "write the questions as PNG files and a form, too")
    count: bool = option(Switch(), False, "count the votes in files instead")
    key: str | None = option(File(), None, "the page's key, to count with")
    json: bool = option(Switch(), False, "print the count as JSON")
    help: bool = option(Switch(), False, "print this and exit")

    def check_conflicts(self) -> None:
        if (self.key or self.json) and not self.count:
            raise InputError("--key and --json: expected --count, too")
        if bool(self.contents) != bool(self.styles):
            raise InputError("--contents and --styles: expected both or neither")
        if self.set and self.contents:
            raise InputError("--set: expected no --contents and --styles beside it")


def vote(line: CommandLine) -> int:
    """Make a page, or count votes."""
    options = line.options(VoteOptions)
    (_count if options.count else _make)(options, list(line.places))
    return DONE


def _make(options: VoteOptions, folders: list[str]) -> None:
    if len(folders) != 2:
        raise InputError(f"expected two folders of results. Received: {len(folders)}")
    require(options, output="page")
    output = _new(Path(options.output))
    key = _new(output.with_name(f"{output.name}.key.json"))
    pairs, others = entries.results(*folders)
    if others:
        say(f"left out, in one folder only: {', '.join(others)}")
    compared = _entries(pairs, options)
    secret = f"{options.seed}:{entries.digest(compared)}"
    ballot = Ballot.drawn(list(compared), secret, *folders)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot be made ({error.strerror})") from None
    write_bytes(key, (json.dumps(ballot.as_dict(), indent=1) + "\n").encode())
    write_page(output, ballot, compared, secret)
    if options.sheets:
        write_sheets(output, ballot, compared)
    mention(f"{output / 'index.html'}: pairs: {len(compared)}; questions: "
            f"{len(ballot.questions)}; key: {key}")


def _new(path: Path) -> Path:
    """A path where there is nothing yet: an older key may belong to votes that still arrive."""
    path = path.resolve()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path}: there is something already. Choose another --output")
    return path


def _entries(
    pairs: dict[str, tuple[str, str]], options: VoteOptions
) -> dict[str, entries.Entry]:
    if options.set:
        return entries.gather(
            pairs, benchmark_set.found(benchmark_set.CONTENTS, options.set),
            benchmark_set.found(benchmark_set.STYLES, options.set), options.size,
        )
    if not options.contents:
        return entries.gather_noted(pairs, options.size)
    contents, styles = zip(*map(entries.made_from, pairs), strict=True)
    return entries.gather(pairs, entries.pictures(options.contents, set(contents)),
                          entries.pictures(options.styles, set(styles)), options.size)


def _count(options: VoteOptions, files: list[str]) -> None:
    require(options, key="page.key.json")
    if not files:
        raise InputError("--count: expected files of votes, such as votes.json. Received: none")
    ballot = Ballot.from_dict(read_json(options.key, read_text(options.key)), options.key)
    result = counting.count(ballot, read_forms(files, ballot))
    if options.json:
        answer(json.dumps(result.as_dict(), indent=2), whole=True)
    else:
        answer(counting.table(result))


COMMAND = Command("python -m benchmarks.vote", __doc__, (VoteOptions,), vote)

if __name__ == "__main__":
    sys.exit(guarded(COMMAND, None))
