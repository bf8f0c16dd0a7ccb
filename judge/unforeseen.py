"""The parts of a text that a judge could not foresee, from readings of it. Standard library only.

*Borders* stand where the judge becomes unsure of what comes: before a token at which the entropy of its prediction
spikes. Two rules, as byte-latent models cut text into patches (Pagnoni et al. 2024), here over the judge's tokens:

    above    the entropy is more than so many bits
    rise     it is so many bits more than at the token read before

*Spans* are where tokens stand out together: the runs of tokens whose values exceed what is usual in the text by the
most in sum (maximal scoring subsequences, Ruzzo and Tompa 1999); usual is the mean and half a standard deviation. Of
bits they are the most surprising parts, of what a prefix saves those that it makes predictable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any, Literal

from judge.reading import Reading

Rule = Literal["above", "rise"]
PIECE = 4  # tokens between two borders on average, where nobody says how many bits a spike has
SPANS = 5  # how many spans are told


@dataclass(frozen=True, slots=True)
class Span:
    """The tokens from `start` up to but without `end`, and the sum of their values in bits."""

    start: int
    end: int
    text: str
    bits: float


@dataclass(frozen=True, slots=True)
class Parts:
    """rule, threshold: what a spike was. borders: the tokens, counted from 0, before which one stands. surprising: the
    spans that cost most; explained: those where the prefix saves most, None where there is none. The greatest first."""

    rule: Rule
    threshold: float
    borders: tuple[int, ...]
    surprising: tuple[Span, ...]
    explained: tuple[Span, ...] | None

    def as_json(self) -> dict[str, Any]:
        """All of it, as the command and the API give it."""
        return asdict(self)


def parts(
    reading: Reading,
    alone: Reading | None = None,
    *,
    direction: str = "forward",
    rule: Rule = "above",
    threshold: float | None = None,
) -> Parts:
    """Cut a text that was read, and find what stands out. alone: the same text without its prefix; direction: the
    judge's; threshold: bits, None: so that pieces have four tokens on average."""
    entropies = [token.entropy for token in reading.tokens]
    backward = direction == "backward"
    read = entropies[::-1] if backward else entropies
    bits = fitted(read, rule) if threshold is None else threshold
    found = borders(read, rule, bits)
    if backward:  # what begins a piece on the judge's way ends it in the text
        found = [len(read) - at for at in reversed(found)]
    texts, costs = [token.text for token in reading.tokens], [token.bits for token in reading.tokens]
    saved = None if alone is None else [a.bits - b.bits for a, b in zip(alone.tokens, reading.tokens, strict=True)]
    explained = None if saved is None else tuple(spans(texts, saved, SPANS))
    return Parts(rule, bits, tuple(found), tuple(spans(texts, costs, SPANS)), explained)


def borders(entropies: Sequence[float], rule: Rule, bits: float) -> list[int]:
    """The places of spikes of more than so many bits, in the order in which the text was read; never the first one."""
    return [place for place, spike in enumerate(_spikes(entropies, rule), 1) if spike > bits]


def fitted(entropies: Sequence[float], rule: Rule) -> float:
    """The threshold in bits by which pieces have about four tokens on average."""
    spikes = sorted(_spikes(entropies, rule), reverse=True)
    wanted = round(len(entropies) / PIECE) - 1
    return spikes[max(wanted, 0)] if spikes else 0.0


def spans(texts: Sequence[str], values: Sequence[float], most: int) -> list[Span]:
    """The spans, at most so many, whose values exceed what is usual (or 0, where that is less) the most in sum."""
    floor = max(fmean(values) + pstdev(values) / 2, 0.0) if values else 0.0
    over = [value - floor for value in values]
    found = sorted(maximal(over), key=lambda span: (-math.fsum(over[slice(*span)]), span))[:most]
    return [Span(a, b, "".join(texts[a:b]), math.fsum(values[a:b])) for a, b in found]


def maximal(scores: Sequence[float]) -> list[tuple[int, int]]:
    """All maximal scoring subsequences as (start, end), in order: the contiguous one of greatest positive sum, then
    those of what is left on either side of it, and so on."""
    sums = [0.0]
    for score in scores:
        sums.append(sums[-1] + score)
    kept: list[tuple[int, int]] = []
    for place, score in enumerate(scores):
        if score <= 0:
            continue
        start = place
        while True:
            before = next((i for i in reversed(range(len(kept))) if sums[kept[i][0]] < sums[start]), None)
            if before is None or sums[kept[before][1]] >= sums[place + 1]:
                break
            start = kept[before][0]
            del kept[before:]
        kept.append((start, place + 1))
    return kept


def _spikes(entropies: Sequence[float], rule: Rule) -> list[float]:
    """From the second place on, what is compared with the threshold."""
    return [*entropies[1:]] if rule == "above" else [after - before for before, after in pairwise(entropies)]
