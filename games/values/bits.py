"""Bits: what measurements are made of, and how they add up.

Bits are a row of parts, a part is the tokens of one text with a number for each. A total is the float64 sum of all
numbers in token order, added from left to right (not ``sum``, which rounds otherwise in newer Pythons).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from operator import add as _plus
from operator import sub as _minus
from typing import Any


@dataclass(frozen=True, slots=True)
class Tokens:
    """The scored tokens of a text: ``ends`` as the judge gives them, without the first ``skip`` and last ``drop``."""

    text: str
    ends: tuple[int, ...]
    skip: int = 0
    drop: int = 0

    def count(self) -> int:
        return len(self.ends) - self.skip - self.drop

    def labels(self) -> list[str]:
        """The text of each scored token: ``""`` for one inside a character, which the completing one carries."""
        every = [self.text[start:end] for start, end in zip((0, *self.ends), self.ends, strict=False)]
        return every[self.skip : len(every) - self.drop]


#: A number that came by ``min`` or ``max`` and belongs to no token: shown as one token without text.
_CONSTANT = Tokens("", (0,))

Part = tuple[Tokens, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits that are known. parts: tokens and, for each token, a float64."""

    parts: tuple[Part, ...] = ()

    def total(self) -> float:
        """The sum in token order, in bits."""
        total = 0.0
        for _, numbers in self.parts:
            total = reduce(_plus, numbers, total)
        return total

    def count(self) -> int:
        """How many tokens."""
        return sum(len(numbers) for _, numbers in self.parts)

    def tokens(self) -> list[dict[str, Any]]:
        """As events show them: [{"text", "bits"}], which add up to the total."""
        return [
            {"text": text, "bits": number}
            for tokens, numbers in self.parts
            for text, number in zip(tokens.labels(), numbers, strict=True)
        ]


#: Bits that still have to be measured. Whatever is computed from them is unknown too.
Unknown = None
Measured = Bits | None

NOTHING = Bits()


def constant(number: float) -> Bits:
    return Bits(((_CONSTANT, (float(number),)),)) if number else NOTHING


def zeros(tokens: Tokens) -> Bits:
    return Bits(((tokens, (0.0,) * tokens.count()),)) if tokens.count() else NOTHING


def scaled(bits: Bits, factor: float) -> Bits:
    """Token by token. A factor that is an exact whole number stays exact; 0.0 is added so that no -0.0 appears."""
    return Bits(tuple((tokens, [number * factor + 0.0 for number in numbers]) for tokens, numbers in bits.parts))


def _combined(left: Bits, right: Bits, one: Callable[[float, float], float]) -> Bits:
    if len(left.parts) == 1 == len(right.parts):
        # By far the most common: two measurements of one text.
        (tokens, numbers), (others, other_numbers) = left.parts[0], right.parts[0]
        if tokens is others:
            return Bits(((tokens, list(map(one, numbers, other_numbers))),))
    if len(left.parts) == len(right.parts) and all(a[0] == b[0] for a, b in zip(left.parts, right.parts, strict=True)):
        return Bits(
            tuple(
                (tokens, list(map(one, numbers, others)))
                for (tokens, numbers), (_, others) in zip(left.parts, right.parts, strict=True)
            )
        )
    return Bits(left.parts + (right if one is _plus else scaled(right, -1)).parts)


def added(left: Bits, right: Bits) -> Bits:
    """Token by token where the tokens are the same; else one after the other, so that the totals add."""
    return _combined(left, right, _plus)


def subtracted(left: Bits, right: Bits) -> Bits:
    """Token by token where the tokens are the same; else one after the other, the right side negated."""
    return _combined(left, right, _minus)


def millibits(bits: float) -> int:
    """Bits as what ranks: 1,000ths of a bit, rounded once, half to even, from the exact value of the float.

    Raises ValueError where ``bits`` is not finite.
    """
    if not math.isfinite(bits):
        raise ValueError(f"{bits} bits are no score")
    return round(Fraction(bits) * 1000)
