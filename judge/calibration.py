"""How far a judge's confidence can be trusted: answers with their probabilities, against what was right.

Standard library only. The expected calibration error is that of bins of equal width (Naeini, Cooper, Hauskrecht 2015;
Guo et al. 2017): Σ n/N · |share that was right − mean confidence| over the bins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

BINS = 10


@dataclass(frozen=True, slots=True)
class Answered:
    """A question as it was answered. probabilities: of each answer that was allowed, together 1. right: which is."""

    probabilities: tuple[float, ...]
    right: int

    @property
    def chosen(self) -> int:
        """The likeliest answer; of equal ones the first."""
        return max(range(len(self.probabilities)), key=lambda each: self.probabilities[each])

    @property
    def confidence(self) -> float:
        """The probability of the chosen one."""
        return self.probabilities[self.chosen]

    @property
    def is_right(self) -> bool:
        return self.chosen == self.right

    @property
    def entropy(self) -> float:
        """How unsure it is, in bits: 0 to log₂ of how many answers were allowed."""
        return -sum(p * math.log2(p) for p in self.probabilities if p > 0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence is above `low` and at most `high`. confidence: their mean; right: the share that was
    right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Covered:
    """What comes of answering the surest only. share: of the questions; right: of those that were answered."""

    share: float
    right: float
    entropy: float  # of the least sure among them, bits


def accuracy(answered: Sequence[Answered]) -> float:
    """The share that was right. Raises ValueError without any."""
    return fmean(each.is_right for each in answered)


def bins(answered: Sequence[Answered], count: int = BINS) -> list[Bin]:
    """By confidence, those bins that are not empty."""
    members: dict[int, list[Answered]] = {}
    for each in answered:
        nth = min(count - 1, max(0, math.ceil(each.confidence * count) - 1))
        members.setdefault(nth, []).append(each)
    return [
        Bin(nth / count, (nth + 1) / count, len(some), fmean(each.confidence for each in some), accuracy(some))
        for nth, some in sorted(members.items())
    ]


def calibration_error(answered: Sequence[Answered], count: int = BINS) -> float:
    """The expected calibration error, 0 to 1. Raises ValueError without any answer."""
    if not answered:
        raise ValueError("no answers have no calibration")
    return sum(each.count * abs(each.right - each.confidence) for each in bins(answered, count)) / len(answered)


def coverage(answered: Sequence[Answered]) -> list[Covered]:
    """What saying "I do not know" is worth: answering only where the entropy is at most some bound, for every bound.
    Questions of one entropy are answered together."""
    ordered = sorted(answered, key=lambda each: each.entropy)
    found, right = list[Covered](), 0
    for done, each in enumerate(ordered, 1):
        right += each.is_right
        if done == len(ordered) or ordered[done].entropy > each.entropy:
            found.append(Covered(done / len(ordered), right / done, each.entropy))
    return found
