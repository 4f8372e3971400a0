"""Votes counted: how many preferred A and B, and how sure that is."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import Any

from benchmarks.vote.ballot import ASPECTS, IDENTICAL, PAIR, RUINED, Ballot
from benchmarks.vote.form import Form

# Fewer votes decide nothing but the clearest comparisons.
ENOUGH = 60
# The share of ruined pictures that a voter may prefer.
_FORGIVEN = 0.25


def wilson(chosen: int, votes: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share.

    With the observed share p = chosen / n and the normal quantile z (1.96 for 95 %):
    (p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n). Votes are taken to be independent.

    Args:
        chosen: how many of the votes, 0 to `votes`.
        votes: n; with 0 nothing is known, which is the interval from 0 to 1.

    Returns:
        The lower and the upper end, in `[0, 1]`.

    Source: Wilson, Journal of the American Statistical Association 22, 1927, pages 209 to 212;
        without his correction for continuity, as method 3 of Newcombe, Statistics in Medicine 17,
        1998.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if not votes:
        return 0.0, 1.0
    middle = (chosen + z * z / 2) / (votes + z * z)
    half = z / (votes + z * z) * math.sqrt(chosen * (votes - chosen) / votes + z * z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclasses.dataclass(frozen=True)
class Count:
    """The votes on one aspect, of all voters that count.

    Attributes:
        a, b: how many preferred each.
        left: how many preferred what was on the left, whoever's it was.
        both_orders: pairs that a voter answered in both orders.
        opposite: those of them where the two answers preferred different results.
        identical, identical_left: answers about identical pictures, and those for the left one.
    """

    a: int
    b: int
    left: int
    both_orders: int
    opposite: int
    identical: int
    identical_left: int

    @property
    def votes(self) -> int:
        return self.a + self.b

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval for the share that preferred A."""
        return wilson(self.a, self.votes)

    @property
    def verdict(self) -> str:
        """`A is better`, `B is better` or `undecided`: better is an interval above one half."""
        low, high = self.interval
        if low > 0.5:
            return "A is better"
        return "B is better" if high < 0.5 else "undecided"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data; shares of nothing are `None`."""
        return {
            "votes": self.votes, "a": self.a, "b": self.b, "share_a": _share(self.a, self.votes),
            "interval": list(self.interval), "verdict": self.verdict,
            "enough": self.votes >= ENOUGH, "share_left": _share(self.left, self.votes),
            "both_orders": self.both_orders, "opposite": self.opposite,
            "identical": self.identical,
            "identical_share_left": _share(self.identical_left, self.identical),
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclasses.dataclass(frozen=True)
class Result:
    """A ballot counted.

    Attributes:
        a, b: what was compared.
        counts: aspect → its votes.
        voters: those that count.
        left_out: voter → why not.
        ruined, ruined_wrong: questions with a ruined picture that the voters who count answered,
            and how often they preferred it.
    """

    a: str
    b: str
    counts: dict[str, Count]
    voters: Sequence[str]
    left_out: dict[str, str]
    ruined: int
    ruined_wrong: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
                "counts": {aspect: each.as_dict() for aspect, each in self.counts.items()}}


def count(ballot: Ballot, forms: Sequence[Form]) -> Result:
    """Count the votes of all who saw which pictures were ruined.

    Left out are voters who preferred more than a quarter of the ruined pictures, overall, or were
    never asked: whoever does not look, or fills in another ballot's form, fails here.
    """
    catches = {form.voter: _ruined(ballot, form) for form in forms}
    left_out = {voter: reason for voter, caught in catches.items() if (reason := _reason(*caught))}
    counted = [form for form in forms if form.voter not in left_out]
    return Result(
        ballot.a, ballot.b,
        {aspect: _count(ballot, aspect, counted) for aspect in ASPECTS},
        [form.voter for form in counted], left_out,
        *(sum(catches[form.voter][part] for form in counted) for part in (0, 1)),
    )


def _ruined(ballot: Ballot, form: Form) -> tuple[int, int]:
    """How many ruined pictures were judged overall, and how many of them were preferred."""
    judged = [side == question.ruined for each, question in ballot.questions.items()
              if question.kind == RUINED and (side := form.answers.get(each, {}).get("overall"))]
    return len(judged), sum(judged)


def _reason(judged: int, wrong: int) -> str:
    """Why a voter is left out; empty for one who is not."""
    if not judged:
        return "answered no question with a ruined picture"
    return f"preferred {wrong} of {judged} ruined pictures" if wrong > _FORGIVEN * judged else ""


def _count(ballot: Ballot, aspect: str, forms: Iterable[Form]) -> Count:
    makers, sides, same = Counter(), Counter(), Counter()
    by_pair: dict[tuple[str, str], list[str]] = {}
    for form in forms:
        for each, answer in form.answers.items():
            question, side = ballot.questions[each], answer.get(aspect)
            if side and question.kind == PAIR:
                maker, _ = question.shown(side)
                makers[maker] += 1
                sides[side] += 1
                by_pair.setdefault((form.voter, question.name), []).append(maker)
            elif side and question.kind == IDENTICAL:
                same[side] += 1
    twice = [chosen for chosen in by_pair.values() if len(chosen) == 2]
    return Count(makers["A"], makers["B"], sides["left"], len(twice),
                 sum(first != second for first, second in twice), same.total(), same["left"])


def table(result: Result) -> str:
    """A result in words."""
    rows = [("", "A", "B", "share of A", "95 % interval", "verdict", "left", "opposite",
             "left of identical")]
    rows += [_row(aspect, each) for aspect, each in result.counts.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([f"A = {result.a}", f"B = {result.b}", "", *lines, "", *_remarks(result)])


def _row(aspect: str, count: Count) -> tuple[str, ...]:
    low, high = count.interval
    return (aspect, str(count.a), str(count.b), _percent(count.a, count.votes),
            f"{low:.1%} to {high:.1%}", count.verdict, _percent(count.left, count.votes),
            f"{count.opposite} of {count.both_orders}",
            _percent(count.identical_left, count.identical))


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _remarks(result: Result) -> list[str]:
    lines = [f"voters counted: {len(result.voters)}; they preferred {result.ruined_wrong} of "
             f"{result.ruined} ruined pictures"]
    lines += [f"left out: {voter} {reason}" for voter, reason in result.left_out.items()]
    few = [f"{each.votes} on {aspect}" for aspect, each in result.counts.items()
           if each.votes < ENOUGH]
    if few:
        lines.append(f"too few votes: {', '.join(few)}; expected at least {ENOUGH} on each")
    return lines
