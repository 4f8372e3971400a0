"""The questions of a forced choice, in the order in which they are asked, and their key.

Each pair of results is asked about twice, the second time with the sides exchanged, so that a
preference for a side cancels out. Catch questions are mixed in: `identical` ones show one result
twice and measure the preference for a side; `ruined` ones show a result beside a ruined copy of
itself and tell voters who look from voters who do not.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from benchmarks.vote.damage import DAMAGES
from tf_style.settings import InputError

ASPECTS = ("style", "content", "overall")
SIDES = ("left", "right")

PAIR, IDENTICAL, RUINED = "pair", "identical", "ruined"

# With six, a voter who guesses passes one time in nine; more for long sessions.
_LEAST_RUINED, _PAIRS_FOR_ONE_RUINED = 6, 5
_LEAST_IDENTICAL, _PAIRS_FOR_ONE_IDENTICAL = 4, 8
# In turn, so that sides and makers are balanced for any number of them.
_RUINED = (("left", "A"), ("right", "B"), ("left", "B"), ("right", "A"))


@dataclasses.dataclass(frozen=True)
class Question:
    """Two results side by side.

    Attributes:
        name: of the file that both folders have.
        left, right: whose result is on that side, `A` or `B`.
        ruined: the side that shows a ruined copy, `left` or `right`; empty for none.
        damage: what ruined it, a name in `DAMAGES`; empty for nothing.
    """

    name: str
    left: str
    right: str
    ruined: str = ""
    damage: str = ""

    @property
    def kind(self) -> str:
        """`pair`, `identical` or `ruined`."""
        if self.ruined:
            return RUINED
        return IDENTICAL if self.left == self.right else PAIR

    def exchanged(self) -> Question:
        """The same pair with its sides exchanged."""
        return dataclasses.replace(self, left=self.right, right=self.left)

    def shown(self, side: str) -> tuple[str, str]:
        """Whose result is on a side, and what has ruined it; the latter is empty for nothing."""
        return getattr(self, side), self.damage if side == self.ruined else ""


@dataclasses.dataclass(frozen=True)
class Ballot:
    """All questions of a session; who knows it knows whose result is on which side.

    Attributes:
        id: 8 hexadecimal digits, kept with the votes, so that no other ballot's key counts them.
        a, b: what is compared, such as two folders.
        questions: id, such as `q001`, → question, in order.
    """

    id: str
    a: str
    b: str
    questions: Mapping[str, Question]

    @classmethod
    def drawn(cls, names: Sequence[str], seed: str, a: str = "A", b: str = "B") -> Ballot:
        """The questions about all pairs, with order, sides and catches at random.

        Args:
            names: of the pairs, at least one.
            seed: the same names with the same seed give the same ballot.
            a, b: what is compared.
        """
        random = Random(seed)
        asked = _spread(_both_orders(names, random), _catches(names, random), random)
        numbered = {f"q{number:03}": question for number, question in enumerate(asked, 1)}
        return cls(f"{random.getrandbits(32):08x}", a, b, numbered)

    def as_dict(self) -> dict[str, Any]:
        """The key, as plain JSON data."""
        return {"ballot": self.id, "a": self.a, "b": self.b,
                "questions": {each: dataclasses.asdict(question)
                              for each, question in self.questions.items()}}

    @classmethod
    def from_dict(cls, key: Any, source: str) -> Ballot:
        """The ballot that a key describes.

        Args:
            key: as `as_dict` returns it.
            source: where it was found, for errors.

        Raises:
            InputError: if it is not a key.
        """
        try:
            questions = {each: Question(**fields) for each, fields in key["questions"].items()}
            texts = [key["ballot"], key["a"], key["b"]]
            known = all(map(_is_known, questions.values()))
        except (AttributeError, KeyError, TypeError):
            known = False
        if not (known and questions and all(isinstance(text, str) for text in texts)):
            raise InputError(f"{source}: expected a key, the file PAGE.key.json that was written "
                             "beside the page")
        return cls(*texts, questions)


def _is_known(question: Question) -> bool:
    known = {question.left, question.right} <= {"A", "B"} and isinstance(question.name, str)
    return known and question.ruined in ("", *SIDES) and question.damage in ("", *DAMAGES)


def _both_orders(names: Sequence[str], random: Random) -> list[Question]:
    """Each pair twice; in between come at least half as many questions as there are pairs."""
    sides = [("A", "B"), ("B", "A")] * (len(names) // 2 + 1)
    first = [Question(name, *pair) for name, pair in
             zip(_shuffled(names, random), _shuffled(sides, random), strict=False)]
    second = [question.exchanged() for question in first]
    middle = len(names) // 2
    return first + _shuffled(second[:middle], random) + _shuffled(second[middle:], random)


def _catches(names: Sequence[str], random: Random) -> list[Question]:
    """Questions of both kinds of catches, in random order."""
    ruined = max(_LEAST_RUINED, len(names) // _PAIRS_FOR_ONE_RUINED)
    identical = max(_LEAST_IDENTICAL, len(names) // _PAIRS_FOR_ONE_IDENTICAL)
    drawn = itertools.cycle(_shuffled(names, random))
    cases = zip(itertools.cycle(_RUINED), itertools.cycle(DAMAGES), range(ruined))
    catches = [Question(next(drawn), maker, maker, side, damage)
               for (side, maker), damage, _ in cases]
    catches += [Question(next(drawn), maker, maker)
                for maker, _ in zip(itertools.cycle("AB"), range(identical))]
    return _shuffled(catches, random)


def _spread(
    questions: Sequence[Question], catches: Sequence[Question], random: Random
) -> list[Question]:
    """Catches among questions: one at a random place of each of as many equal stretches."""
    mixed = []
    for number, catch in enumerate(catches):
        ends = (len(questions) * place // len(catches) for place in (number, number + 1))
        stretch = list(questions[slice(*ends)])
        stretch.insert(random.randint(0, len(stretch)), catch)
        mixed += stretch
    return mixed


def _shuffled(values: Sequence, random: Random) -> list:
    return random.sample(values, len(values))
