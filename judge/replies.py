"""Questions to which only some answers are allowed: the odds of each, and without a judge's prior for them.

An answer's share p is 2^−bits of all its tokens after the question, over the sum for all that are allowed. A judge
prefers some words whatever is asked; contextual calibration (Zhao et al. 2021) asks it with nothing in the question's
place, and divides by what it says then: q ∝ p / p₀, with p₀ the mean share over `NOTHING`.

What an answer costs is found out elsewhere: by a judge that is loaded (judge/answers.py), or by a server's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from judge.calibration import Answered
from judge.errors import JudgeError

NOTHING = ("N/A", "[MASK]", "")
TEMPLATE = "Question: {question}\nAnswer:"
PLACE = "{question}"
#: How it is asked outright about one sentence, and about two.
ALONE = "Is this true? {}"
BOTH = "Which is true?\nA: {}\nB: {}"
YES_NO, A_B = ("Yes", "No"), ("A", "B")
AT_ONCE = 32  # questions: between two of them it is told how far it is

Progress = Callable[[int, int], None]  # questions done, questions in all


class Asker(Protocol):
    """A judge that can be asked, wherever it is."""

    @property
    def name(self) -> str: ...

    def costs(self, questions: Sequence[Question]) -> Sequence[tuple[float, ...]]:
        """Bits of each question's answers, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """answers: all that are allowed, at least two. right: which of them is, from 0."""

    text: str
    answers: tuple[str, ...]
    right: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge says to a question. bits: what each answer costs it. prior: −log₂ of the share of each answer where
    nothing is asked."""

    question: Question
    bits: tuple[float, ...]
    prior: tuple[float, ...]

    @property
    def plain(self) -> Answered:
        """By its own shares."""
        return Answered(shares(self.bits), self.question.right)

    @property
    def calibrated(self) -> Answered:
        """By its shares over their prior."""
        return Answered(shares(self.without_prior), self.question.right)

    @property
    def without_prior(self) -> list[float]:
        """What each answer costs more than its prior, in bits."""
        return [bits - prior for bits, prior in zip(self.bits, self.prior, strict=True)]


def shares(bits: Sequence[float]) -> tuple[float, ...]:
    """2^−bits of each over their sum."""
    whole = together(bits)
    return tuple(2.0 ** (whole - each) for each in bits)


def log_odds(bits: Sequence[float]) -> list[float]:
    """Of each against all others together, in bits: above 0 for what is likelier than not."""
    return [together([*bits[:nth], *bits[nth + 1 :]]) - each for nth, each in enumerate(bits)]


def together(bits: Sequence[float]) -> float:
    """−log₂ Σ 2^−bits: what it costs that any of them comes."""
    least = min(bits)
    return least - math.log2(math.fsum(2.0 ** (least - each) for each in bits))


def replies(asker: Asker, questions: Sequence[Question], progress: Progress | None = None) -> list[Reply]:
    """A reply to each. Raises JudgeError for a question with fewer than two answers or an empty one, and what the asker
    raises."""
    for each in questions:
        if len(set(each.answers)) < max(2, len(each.answers)) or not all(map(str.strip, each.answers)):
            raise JudgeError(f"{each.text!r} needs at least two answers, each another and none empty")
        if not 0 <= each.right < len(each.answers):
            raise JudgeError(f"{each.text!r} has {len(each.answers)} answers, counted from 0: none is {each.right}")
    priors = _priors(asker, list(dict.fromkeys(each.answers for each in questions)))
    found = list[Reply]()
    for start in range(0, len(questions), AT_ONCE):
        part = questions[start : start + AT_ONCE]
        found += [Reply(q, bits, priors[q.answers]) for q, bits in zip(part, asker.costs(part), strict=True)]
        if progress:
            progress(len(found), len(questions))
    return found


def _priors(asker: Asker, sets: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[float, ...]]:
    """−log₂ of the mean share of each answer where nothing is asked, by the answers that are allowed."""
    measured = asker.costs([Question(nothing, answers, 0) for answers in sets for nothing in NOTHING])
    priors = {}
    for nth, answers in enumerate(sets):
        some = measured[nth * len(NOTHING) : (nth + 1) * len(NOTHING)]
        priors[answers] = prior(some)
    return priors


def prior(measured: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """−log₂ of each answer's mean share over several ways of asking nothing. measured: the answers' bits in each."""
    apart = [[each - together(bits) for each in bits] for bits in measured]
    return tuple(together(column) + math.log2(len(measured)) for column in zip(*apart, strict=True))


def filled(template: str, question: str) -> str:
    """The template with the question in its place."""
    return template.replace(PLACE, question)


def check_template(template: str) -> None:
    """Raises JudgeError for one without its place."""
    if template.count(PLACE) != 1:
        raise JudgeError(f"the template {template!r} needs {PLACE} once, where the question is to stand")
