"""Bits: what measurements are made of, and how they add up.

Bits are a row of parts, a part is the tokens of one text with a number for each. A total is the float64 sum of all
numbers in token order, added from left to right (not ``sum``, which rounds otherwise in newer Pythons). Bits also
remember their terms: which calls of a measure they were made from, and how many times each.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial, reduce
from operator import add as _plus
from operator import sub as _minus
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Tokens:
    """The scored tokens of a text: ``ends`` as the judge gives them, without the first ``skip`` and last ``drop``."""

    text: str
    ends: tuple[int, ...]
    skip: int = 0
    drop: int = 0

    def count(self) -> int:
        return len(self.ends) - self.skip - self.drop

    def labels(self) -> Sequence[str]:
        """The text of each scored token: ``""`` for one inside a character, which the completing one carries."""
        return _labels(self)


@lru_cache(maxsize=8)
def _labels(tokens: Tokens) -> Sequence[str]:
    # A reward names the tokens of a text twice: as its own, and as those of its term.
    every = [tokens.text[start:end] for start, end in zip((0, *tokens.ends), tokens.ends, strict=False)]
    return tuple(every[tokens.skip : len(every) - tokens.drop])


class TokenBits(NamedTuple):
    """A scored token. text: ``""`` for one inside a character. bits: what it costs, or gives."""

    text: str
    bits: float


class TermToken(NamedTuple):
    """A token of a measure. before, after: what it costs behind either prefix, before being None where the measure asks
    once. bits: what the measure gives of it."""

    text: str
    before: float | None
    after: float
    bits: float


#: A number that came by ``min`` or ``max`` and belongs to no token: shown as one token without text.
_CONSTANT = Tokens("", (0,))

Part = tuple[Tokens, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits that are known. parts: tokens and, for each token, a float64. terms: the calls of measures that they come
    from, each with its factor."""

    parts: tuple[Part, ...] = ()
    terms: "tuple[tuple[Call, float], ...]" = ()

    def total(self) -> float:
        """The sum in token order, in bits."""
        total = 0.0
        for _, numbers in self.parts:
            total = reduce(_plus, numbers, total)
        return total

    def count(self) -> int:
        """How many tokens."""
        return sum(len(numbers) for _, numbers in self.parts)

    def work(self) -> int:
        """What it takes to go over them once, in units of work."""
        return 200 + 12 * self.count() + 10 * len(self.parts) + 5 * len(self.terms)

    def tokens(self) -> tuple[TokenBits, ...]:
        """As events show them; they add up to the total."""
        found: list[TokenBits] = []
        for tokens, numbers in self.parts:
            found += map(_token_bits, zip(tokens.labels(), numbers, strict=True))
        return tuple(found)


#: Named tuples from plain ones, at the speed of C: a play makes thousands.
_token_bits: Callable[[tuple[str, float]], TokenBits] = partial(tuple.__new__, TokenBits)
_term_token: Callable[[tuple[str, float | None, float, float]], TermToken] = partial(tuple.__new__, TermToken)


class Call(NamedTuple):
    """One call of a measure: ``xent`` and ``nex`` ask once, ``xed`` and ``dex`` before and after a prefix.

    function: its name. judge: a slot. prefix_before, before: None where it asks once. before, after: the measured bits
    of the text, one part each and on the same tokens. sign: -1 for a negated measure, else 1.
    """

    function: str
    judge: str
    text: str
    prefix_before: str | None
    prefix_after: str
    before: Bits | None
    after: Bits
    sign: int = 1

    def tokens(self) -> tuple[TermToken, ...]:
        """What each token costs and gives."""
        ((tokens, after),) = self.after.parts
        before: Sequence[float | None] = (None,) * len(after)
        given: Sequence[float] = after
        if self.before is not None:
            ((_, costs),) = self.before.parts
            before, given = costs, list(map(_minus, costs, after))
        if self.sign < 0:
            given = [-number + 0.0 for number in given]
        return tuple(map(_term_token, zip(tokens.labels(), before, after, given, strict=True)))


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
    return Bits(
        tuple([(tokens, [number * factor + 0.0 for number in numbers]) for tokens, numbers in bits.parts]),
        tuple([(call, times * factor + 0.0) for call, times in bits.terms]),
    )


def divided(bits: Bits, divisor: float) -> Bits:
    """Token by token."""
    return Bits(
        tuple([(tokens, [number / divisor + 0.0 for number in numbers]) for tokens, numbers in bits.parts]),
        tuple([(call, times / divisor + 0.0) for call, times in bits.terms]),
    )


def greatest(bits: Bits) -> Bits:
    """The costliest token, the first of equals; the others are 0. It is no sum of terms."""
    most = max((number for _, numbers in bits.parts for number in numbers), default=0.0)
    parts: list[Part] = []
    found = False
    for tokens, numbers in bits.parts:
        kept = [0.0] * len(numbers)
        if not found and most in numbers:
            kept[list(numbers).index(most)] = most
            found = True
        parts.append((tokens, kept))
    return Bits(tuple(parts))


def clipped(bits: Bits, most: float) -> Bits:
    """No token above `most`. It is no sum of terms."""
    return Bits(tuple([(tokens, [min(number, most) + 0.0 for number in numbers]) for tokens, numbers in bits.parts]))


def _combined(left: Bits, right: Bits, one: Callable[[float, float], float]) -> Bits:
    """Both sides, one being plus or minus."""
    others = right.terms if one is _plus else tuple([(call, -times) for call, times in right.terms])
    return Bits(_combined_parts(left, right, one), left.terms + others)


def _combined_parts(left: Bits, right: Bits, one: Callable[[float, float], float]) -> tuple[Part, ...]:
    if len(left.parts) == 1 == len(right.parts):
        # By far the most common: two measurements of one text.
        (tokens, numbers), (others, other_numbers) = left.parts[0], right.parts[0]
        if tokens is others:
            return ((tokens, list(map(one, numbers, other_numbers))),)
    if len(left.parts) == len(right.parts) and all(a[0] == b[0] for a, b in zip(left.parts, right.parts, strict=True)):
        return tuple(
            [
                (tokens, list(map(one, numbers, others)))
                for (tokens, numbers), (_, others) in zip(left.parts, right.parts, strict=True)
            ]
        )
    return left.parts + (right if one is _plus else scaled(right, -1)).parts


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
