"""Pairs of a true and a false sentence: does the true one cost a judge less, and what does it say when it is asked?

A judge that never answers right may still find the truth likelier. Which words a sentence has weighs more than whether
it is so, hence minimal pairs, of as many tokens where that can be, in which what is wrong here is right elsewhere. Then
it is asked outright: about each sentence (is it true: yes or no?), and about both in either order (which is: A or B?).
Only differences count, so that what it likes to say whatever is asked falls out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from judge.replies import A_B, ALONE, BOTH, YES_NO, Progress, Question, Reply, log_odds

if TYPE_CHECKING:
    from judge.judge import Judge

N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sentences that differ in little, and what they are about."""

    subject: str
    true: str
    false: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What a judge makes of a pair, the true sentence first.

    bits, tokens: of each. yes: the log odds of "Yes" against "No" for each, in bits. which: those of the true one
    against the false one, where it stands first and where second.
    """

    pair: Pair
    bits: tuple[float, float]
    tokens: tuple[int, int]
    yes: tuple[float, float]
    which: tuple[float, float]

    @property
    def equal_tokens(self) -> bool:
        return self.tokens[0] == self.tokens[1]

    @property
    def cheaper(self) -> bool:
        """Does the true one cost less? A tie is a no, here and below."""
        return self.bits[0] < self.bits[1]

    @property
    def cheaper_a_token(self) -> bool:
        """Does it cost less by the token?"""
        return self.bits[0] / self.tokens[0] < self.bits[1] / self.tokens[1]

    @property
    def said_yes(self) -> bool:
        """Is it more willing to call the true one true?"""
        return self.yes[0] > self.yes[1]

    @property
    def said_which(self) -> bool:
        """Does it choose the true one, both orders together?"""
        return sum(self.which) > 0


#: What is told of a judge: in words, and whether it found the true sentence of a pair.
WAYS: dict[str, Callable[[Compared], bool]] = {
    "costs fewer bits": lambda each: each.cheaper,
    "fewer bits a token": lambda each: each.cheaper_a_token,
    "asked: yes or no": lambda each: each.said_yes,
    "asked: which of both": lambda each: each.said_which,
}


def compare(
    judge: Judge, pairs: Sequence[Pair], *, chat: bool = False, progress: Progress | None = None
) -> list[Compared]:
    """What the judge makes of each. chat: it is asked in its chat template. Raises as `ask` and `Judge.measure` do."""
    from judge.answers import ask
    from judge.judge import Pair as Measured

    said = sentences(pairs)
    bits = [math.fsum(each) for each in judge.measure([Measured("", sentence) for sentence in said])]
    costs = [(each, judge.tokens.count(sentence)) for each, sentence in zip(bits, said, strict=True)]
    return compared(pairs, costs, ask(judge, outright(pairs), chat=chat, progress=progress))


def sentences(pairs: Sequence[Pair]) -> list[str]:
    """Of each pair the true one, and the false one."""
    return [sentence for pair in pairs for sentence in (pair.true, pair.false)]


def outright(pairs: Sequence[Pair]) -> list[Question]:
    """What is asked about pairs: about each of the `sentences` alone, then about each pair in either order."""
    questions = [Question(ALONE.format(sentence), YES_NO, 0) for sentence in sentences(pairs)]
    for pair in pairs:
        questions.append(Question(BOTH.format(pair.true, pair.false), A_B, 0))
        questions.append(Question(BOTH.format(pair.false, pair.true), A_B, 1))
    return questions


def compared(pairs: Sequence[Pair], costs: Sequence[tuple[float, int]], replies: Sequence[Reply]) -> list[Compared]:
    """costs: bits and tokens of each of the `sentences`. replies: to what is asked `outright`."""
    odds = [log_odds(reply.bits)[reply.question.right] for reply in replies]
    bits, tokens = _by_two([bits for bits, _ in costs]), _by_two([tokens for _, tokens in costs])
    yes, which = _by_two(odds[: len(costs)]), _by_two(odds[len(costs) :])
    return [Compared(*row) for row in zip(pairs, bits, tokens, yes, which, strict=True)]


def _by_two(values: Sequence[N]) -> list[tuple[N, N]]:
    return list(zip(values[::2], values[1::2], strict=True))
