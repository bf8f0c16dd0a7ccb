"""What experiments of several readings say (judge/several.py), in numbers. Needs no PyTorch.

Each is made `of` a question and its readings, in the order of `judge.several.readings`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from judge.calibration import Answered
from judge.intervals import Interval, mean_interval
from judge.reading import Reading
from judge.replies import NOTHING, log_odds, prior, shares

Way = Literal["bits", "bits_a_token", "asked_alone", "asked_which"]
Preferred = Literal["first", "second", "neither"]


@dataclass(frozen=True, slots=True)
class Pooled:
    """Several readings as if they were one."""

    readings: Sequence[Reading]

    @property
    def bits(self) -> float:
        return sum(each.bits for each in self.readings)

    @property
    def entropy(self) -> float:
        return sum(each.entropy for each in self.readings)

    @property
    def tokens(self) -> int:
        return sum(len(each.tokens) for each in self.readings)

    @property
    def perplexity(self) -> float:
        """2 to the bits per token, at most 2 to the 1,000."""
        return float(2.0 ** min(self.bits / max(self.tokens, 1), 1000.0))


@dataclass(frozen=True, slots=True)
class Saved:
    """A text, its bits without the context, after it, and the difference."""

    text: str
    without: float
    after: float
    saved: float


@dataclass(frozen=True, slots=True)
class Passages:
    """Many texts after a context, and after another one or none. saved: bits by the context on a text, the mean."""

    texts: Sequence[str]
    after: Pooled
    before: Pooled
    other: str

    @classmethod
    def of(cls, question: Mapping[str, Any], found: Sequence[Reading]) -> Self:
        count = len(question["texts"])
        return cls(question["texts"], Pooled(found[:count]), Pooled(found[count:]), question["other"])

    @property
    def rows(self) -> list[Saved]:
        """Of each text."""
        pairs = zip(self.texts, self.before.readings, self.after.readings, strict=True)
        return [Saved(text, alone.bits, after.bits, alone.bits - after.bits) for text, alone, after in pairs]

    @property
    def saved(self) -> Interval:
        """Student's, over the texts, at 95 %."""
        return mean_interval([row.saved for row in self.rows])

    @property
    def excludes_zero(self) -> bool:
        return self.saved.low > 0 or self.saved.high < 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One that is allowed: its bits after the question, and of both ways of counting its share and log odds."""

    text: str
    bits: float
    share: float
    odds: float
    share_apart: float
    odds_apart: float


@dataclass(frozen=True, slots=True)
class Answers:
    """A question whose answers were given. unsure: the entropy over them, in bits, as the judge says and without its
    prior."""

    answers: Sequence[Answer]
    unsure: tuple[float, float]

    @classmethod
    def of(cls, question: Mapping[str, Any], found: Sequence[Reading]) -> Self:
        allowed, bits = question["answers"], [each.bits for each in found]
        count = len(allowed)
        said, *nothing = (bits[start : start + count] for start in range(0, count * (1 + len(NOTHING)), count))
        apart = [cost - usual for cost, usual in zip(said, prior(nothing), strict=True)]
        rows = zip(allowed, said, shares(said), log_odds(said), shares(apart), log_odds(apart), strict=True)
        unsure = tuple(Answered(shares(each), 0).entropy for each in (said, apart))
        return cls([Answer(*row) for row in rows], (unsure[0], unsure[1]))

    @property
    def chosen(self) -> Answer:
        return max(self.answers, key=lambda each: each.share)

    @property
    def chosen_apart(self) -> Answer:
        return max(self.answers, key=lambda each: each.share_apart)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One of two. yes: log odds that it calls it true. which: log odds that it chooses it, in both orders together."""

    text: str
    reading: Reading
    yes: float
    which: float

    @property
    def bits_a_token(self) -> float:
        return self.reading.bits / max(len(self.reading.tokens), 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One way of asking, what it says of either sentence, and which it prefers."""

    way: Way
    first: float
    second: float
    preferred: Preferred


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two sentences, and which of them the judge prefers in each way."""

    sentences: tuple[Sentence, Sentence]

    @classmethod
    def of(cls, question: Mapping[str, Any], found: Sequence[Reading]) -> Self:
        bits = [each.bits for each in found]
        odds = [log_odds(bits[start : start + 2])[0] for start in range(2, 10, 2)]  # of Yes, and of A
        which = odds[2] - odds[3]  # the first sentence is A in one order, and not A in the other
        first = Sentence(question["first"], found[0], odds[0], which)
        return cls((first, Sentence(question["second"], found[1], odds[1], -which)))

    @property
    def verdicts(self) -> list[Verdict]:
        """In bits, bits a token, and log odds. Of bits fewer are preferred, of log odds more."""
        one, two = self.sentences
        return [
            Verdict("bits", one.reading.bits, two.reading.bits, _first(two.reading.bits - one.reading.bits)),
            Verdict("bits_a_token", one.bits_a_token, two.bits_a_token, _first(two.bits_a_token - one.bits_a_token)),
            Verdict("asked_alone", one.yes, two.yes, _first(one.yes - two.yes)),
            Verdict("asked_which", one.which, two.which, _first(one.which - two.which)),
        ]


def _first(more: float) -> Preferred:
    return "first" if more > 0 else "second" if more < 0 else "neither"
