"""Small languages to train twins on: each a rule that a seed makes, and texts that follow it without end.

A text costs as many bits read from left to right as from right to left, to a reader who knows the rule: that is the
chain rule. What may differ is how hard the rule is to learn in each direction. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random

from judge.errors import JudgeError
from judge.languages import chains, linear, primes, programs

MOST_BYTES = 255
"""Of a document: with the token to begin with it fills a context of 256, a token a byte."""

Writer = Callable[[Random], str]


@dataclass(frozen=True, slots=True)
class Language:
    """about: one line for people. reversible: each text is exactly as likely as its mirror image, so that both
    directions are the same task. rule: seed → what writes a document of at most MOST_BYTES."""

    about: str
    reversible: bool
    rule: Callable[[int], Writer]


LANGUAGES = {
    "primes": Language("p*q=n of two-digit primes p < q, most significant digits first", False, primes.rule),
    "linear-sparse": Language(
        f"x=y, y = Mx over F2, {linear.BITS} bits each; rows of M have 2 or 3 ones, its inverse many",
        False,
        linear.sparse,
    ),
    "linear-dense": Language(
        f"x=y, y = Mx over F2, {linear.BITS} bits each; M and its inverse have many ones: the control",
        False,
        linear.dense,
    ),
    "dna": Language("the letters ACGT, by a rule that weighs four in a row as it does their mirror", True, chains.dna),
    "series-reversible": Language("26 levels of a walk in detailed balance, a letter each", True, chains.balanced),
    "series-dissipative": Language("26 levels that decay, and are kicked up now and then", False, chains.dissipative),
    "code": Language("small functions in Python, and what they return when they are called", False, programs.rule),
}


def language(name: str) -> Language:
    """The language of this name. Raises JudgeError, which names one that was perhaps meant."""
    if name in LANGUAGES:
        return LANGUAGES[name]
    near = get_close_matches(name, LANGUAGES, 1)
    meant = f"did you mean {near[0]}?" if near else f"there is {', '.join(LANGUAGES)}"
    raise JudgeError(f"no small language {name!r}: {meant}")


def documents(name: str, seed: int, part: str, size: int) -> Iterator[str]:
    """Texts of a language, until they have `size` bytes in all.

    seed: makes the rule and draws the texts. part: texts of one part follow the same rule as those of another and are
    drawn apart, as in "train" and "held out"; they may be the same where a language is that small. Raises JudgeError.
    """
    write = language(name).rule(seed)
    random = Random(f"{name} {seed} {part}")  # noqa: S311 - reproducible, not secret
    while size > 0:
        text = write(random)
        size -= len(text)
        yield text
