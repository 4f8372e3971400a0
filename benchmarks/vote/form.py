"""Votes as voters hand them in: `votes.json` from the page, or the CSV form of the sheets."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.vote.ballot import ASPECTS, SIDES, Ballot
from tf_style.commands.display import printable
from tf_style.settings import InputError


@dataclasses.dataclass(frozen=True)
class Form:
    """The answers of one voter.

    Attributes:
        voter: a random name, or that of the file.
        answers: question → aspect → `left` or `right`; what was left open is not there.
    """

    voter: str
    answers: Mapping[str, Mapping[str, str]]


def read_forms(files: Iterable[str], ballot: Ballot) -> list[Form]:
    """The forms in files.

    Raises:
        InputError: for a file that is missing, or no such form, or belongs to another ballot, and
            for two of the same voter.
    """
    forms: dict[str, Form] = {}
    for file in files:
        form = read_form(file, ballot)
        if form.voter in forms:
            raise InputError(f"{file}: the votes of {form.voter} were already given. Expected one "
                             "file for each voter")
        forms[form.voter] = form
    return list(forms.values())


def read_form(file: str, ballot: Ballot) -> Form:
    """The form in a file that ends in .json or .csv.

    Raises:
        InputError: as `read_forms` does.
    """
    parsers = {".json": _from_json, ".csv": _from_csv}
    parse = parsers.get(Path(file).suffix.lower())
    if parse is None:
        raise InputError(f"{file}: expected votes in a .json file from the page or a .csv form")
    return parse(read_text(file), file, ballot)


def read_text(file: str) -> str:
    """The text in a file, without the mark that some programs begin it with.

    Raises:
        InputError: if it cannot be read or is not UTF-8.
    """
    try:
        return Path(file).read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError:
        raise InputError(f"{file}: expected text in UTF-8") from None


def read_json(file: str, text: str) -> Any:
    """What JSON text says.

    Raises:
        InputError: if it is not JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"{file}: expected JSON") from None


def _from_json(text: str, file: str, ballot: Ballot) -> Form:
    record = read_json(file, text)
    try:
        voter, ballot_id = record["voter"], record["ballot"]
        rows = [(vote["question"], {aspect: vote.get(aspect) for aspect in ASPECTS})
                for vote in record["votes"]]
    except (AttributeError, KeyError, TypeError):
        raise InputError(f"{file}: expected votes as the page saves them") from None
    if ballot_id != ballot.id:
        raise InputError(f"{file}: these are votes on ballot {ballot_id}, the key is that of "
                         f"{ballot.id}. Give the --key that was written with their page")
    return Form(printable(voter)[:64], _checked(rows, file, ballot))


def _from_csv(text: str, file: str, ballot: Ballot) -> Form:
    # Where the comma is the decimal sign, spreadsheets write semicolons.
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [{(name or "").strip(): value for name, value in row.items()} for row in reader
                if any(row.values())]
        names = [name.strip() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise InputError(f"{file}: expected CSV ({error})") from None
    if not {"question", *ASPECTS} <= set(names):
        raise InputError(f"{file}: expected the header {','.join(['question', *ASPECTS])}. "
                         f"Received: {','.join(names)[:200]}")
    return Form(file, _checked(((row["question"], row) for row in rows), file, ballot))


def _checked(
    rows: Iterable[tuple[Any, Mapping[str, Any]]], file: str, ballot: Ballot
) -> dict[str, dict[str, str]]:
    """The answers in rows of a question and what was chosen."""
    answers: dict[str, dict[str, str]] = {}
    for name, row in rows:
        question = name.strip() if isinstance(name, str) else name
        if not isinstance(question, str) or question not in ballot.questions:
            raise InputError(f"{file}: there is no question {question!r} in this ballot. Give the "
                             "--key that was written with it")
        if question in answers:
            raise InputError(f"{file}: {question} is answered twice")
        answers[question] = {aspect: side for aspect in ASPECTS
                             if (side := _side(row[aspect], f"{file}: {question}, {aspect}"))}
    return answers


def _side(value: Any, where: str) -> str:
    side = str(value or "").strip().lower()
    if side and side not in SIDES:
        raise InputError(f"{where}: expected left or right. Received: {str(value)[:200]!r}")
    return side
