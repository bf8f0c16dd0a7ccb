"""What the lab's experiments of several readings say, as their pages and files tell it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judge.calibration import Answered
from judge.intervals import Interval, mean_interval
from judge.reading import Reading
from judge.replies import NOTHING, log_odds, prior, shares
from server.web.cut_picture import LONGEST, WIDTH, Bar, bars
from server.web.i18n import _
from server.web.lab_charts import Column, Row, framed, saved_svg, tokens_svg
from server.web.score_breakdown import Piece
from server.web.surprise import STEPS

Cells = Sequence[str | float | int]


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
        return float(2.0 ** min(self.bits / max(self.tokens, 1), 1000.0))


@dataclass(frozen=True, slots=True)
class Passages:
    """Many texts after a context, and after another one or none. saved: bits by the context on a text, the mean."""

    texts: Sequence[str]
    after: Pooled
    before: Pooled
    other: str

    @classmethod
    def of(cls, question: Mapping[str, Any], found: Sequence[Reading]) -> "Passages":
        count = len(question["texts"])
        return cls(question["texts"], Pooled(found[:count]), Pooled(found[count:]), question["other"])

    @property
    def rows(self) -> list[tuple[str, float, float, float]]:
        """Each text, its bits without the context, after it, and the difference."""
        pairs = zip(self.texts, self.before.readings, self.after.readings, strict=True)
        return [(text, alone.bits, after.bits, alone.bits - after.bits) for text, alone, after in pairs]

    @property
    def saved(self) -> Interval:
        return mean_interval([row[3] for row in self.rows])

    @property
    def excludes_zero(self) -> bool:
        return self.saved.low > 0 or self.saved.high < 0

    def svg(self, *, alone: bool = False) -> str:
        names = (_("What the context saves on each text, in bits"), _("Mean, 95 %"))
        return saved_svg(
            [Row(text, saved) for text, _alone, _after, saved in self.rows], self.saved, names, alone=alone
        )

    def table(self) -> Iterator[Cells]:
        yield ("text", "tokens", "bits_without", "bits_with", "saved", "entropy_without", "entropy_with")
        for row, before, after in zip(self.rows, self.before.readings, self.after.readings, strict=True):
            yield (row[0], len(after.tokens), *row[1:], before.entropy, after.entropy)


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
    def of(cls, question: Mapping[str, Any], found: Sequence[Reading]) -> "Answers":
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

    def svg(self, *, alone: bool = False) -> str:
        body, height = bars([Bar(_short(each.text), each.share, each.share_apart) for each in self.answers])
        return framed(body, WIDTH, height, _("How likely each answer is"), alone=alone)

    def table(self) -> Iterator[Cells]:
        yield ("answer", "bits", "share", "log_odds", "share_without_prior", "log_odds_without_prior")
        for each in self.answers:
            yield (each.text, each.bits, each.share, each.odds, each.share_apart, each.odds_apart)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One of two. yes: log odds that it calls it true. which: log odds that it chooses it, in both orders together.
    marks: its tokens on the map."""

    text: str
    reading: Reading
    yes: float
    which: float

    @property
    def bits_a_token(self) -> float:
        return self.reading.bits / max(len(self.reading.tokens), 1)

    @property
    def marks(self) -> list[Piece]:
        found, bits = list[Piece](), 0.0
        for token in self.reading.tokens:
            bits += token.bits
            if token.text:  # what ends inside a character comes with no text
                found.append(Piece(token.text, bits))
                bits = 0.0
        return found


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two sentences, and which of them the judge prefers in each way."""

    sentences: tuple[Sentence, Sentence]
    steps: Sequence[float] = STEPS

    @classmethod
    def of(cls, question: Mapping[str, Any], found: Sequence[Reading]) -> "Pairs":
        bits = [each.bits for each in found]
        odds = [log_odds(bits[start : start + 2])[0] for start in range(2, 10, 2)]  # of Yes, and of A
        which = odds[2] - odds[3]  # the first sentence is A in one order, and not A in the other
        first = Sentence(question["first"], found[0], odds[0], which)
        return cls((first, Sentence(question["second"], found[1], odds[1], -which)))

    @property
    def verdicts(self) -> list[tuple[str, float, float, int]]:
        """Each way of asking, in words, what it says of either sentence, and which it prefers: 1, 2, or 0 for none."""
        one, two = self.sentences
        ways = (
            (_("Bits: fewer is likelier"), one.reading.bits, two.reading.bits, -1),
            (_("Bits a token"), one.bits_a_token, two.bits_a_token, -1),
            (_("Asked whether it is true: log odds of Yes"), one.yes, two.yes, 1),
            (_("Asked which of both is true: log odds"), one.which, two.which, 1),
        )
        return [(name, a, b, _first(sign * (a - b))) for name, a, b, sign in ways]

    def svg(self, *, alone: bool = False) -> str:
        texts = [(f"{number}", columns(each.reading)) for number, each in enumerate(self.sentences, 1)]
        return tokens_svg(texts, _("Bits of each token, and the entropy there as a line"), alone=alone)

    def table(self) -> Iterator[Cells]:
        yield ("sentence", "text", "bits", "tokens", "bits_a_token", "log_odds_of_yes", "log_odds_of_being_chosen")
        for number, each in enumerate(self.sentences, 1):
            count = len(each.reading.tokens)
            yield (number, each.text, each.reading.bits, count, each.bits_a_token, each.yes, each.which)


def columns(read: Reading, borders: Sequence[int] = ()) -> list[Column]:
    """A reading's tokens as they are drawn. borders: before these, from 0."""
    begins = set(borders)
    return [Column(token.text, token.bits, token.entropy, place in begins) for place, token in enumerate(read.tokens)]


def _short(text: str) -> str:
    """A text in one line of few letters."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _first(difference: float) -> int:
    return 1 if difference > 0 else 2 if difference < 0 else 0


def reading_svg(read: Reading, borders: Sequence[int], *, alone: bool = False) -> str:
    """The bits of each token of a text and the entropy there, with the borders at which that spikes."""
    return tokens_svg(
        [("", columns(read, borders))], _("Bits of each token, and the entropy there as a line"), alone=alone
    )
