"""The words that packaged strategies draw from: fields of some 40 words each, and which of them a passage is near to.

A field is a subject (the sea, money, …): judges expect a passage of that field after its words.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

FEW, MANY = 3, 6  # words of a move
FIELDS = 2  # fields that are near

_ENDINGS = re.compile(r"(ing|ers|ies|ed|er|es|ly|s|y|e)$")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """near: words of the passages' fields. everything: of all fields. None that the passages have: the rules of most
    games take those out. random: what is drawn by."""

    near: Sequence[str]
    everything: Sequence[str]
    random: random.Random

    @classmethod
    def of(cls, passages: Sequence[str], seed: str) -> "Vocabulary":
        used = {stem(word) for word in words(" ".join(passages))}
        known = sorted({word for field in fields().values() for word in field})
        everything = [word for word in known if stem(word) not in used] or known
        close = {word for field in nearest(used) for word in fields()[field]}
        near = [word for word in everything if word in close] or everything
        return cls(near, everything, random.Random(seed))  # noqa: S311 - play, not secrets

    def some(self, words_: Sequence[str]) -> list[str]:
        """A few different words of these."""
        return self.random.sample(words_, min(len(words_), self.random.randint(FEW, MANY)))

    def others(self, than: Sequence[str], count: int) -> list[str]:
        """So many near words, none of which is among `than`; fewer where there are no more."""
        left = [word for word in self.near if word not in than]
        return self.random.sample(left, min(len(left), count))


def nearest(used: set[str]) -> list[str]:
    """The fields that share most stems with a text, best first; all of them for a text that shares none.

    The second is taken where it shares at least half as many as the first.
    """
    shared = {name: len(used & {stem(word) for word in field}) for name, field in fields().items()}
    ranked = sorted(shared, key=lambda name: (-shared[name], name))
    enough = max(1, shared[ranked[0]] / 2)
    return [name for name in ranked[:FIELDS] if shared[name] >= enough] or ranked


def words(text: str) -> list[str]:
    """The words of a text, lower-case. Letters only: this is for guessing a subject, not for the rules."""
    return re.findall(r"[^\W\d_]+", text.lower())


def stem(word: str) -> str:
    """A word without its commonest English endings; roughly, as guessing a subject allows."""
    while len(shorter := _ENDINGS.sub("", word)) >= 3 and shorter != word:
        word = shorter
    return word


@cache
def fields() -> Mapping[str, tuple[str, ...]]:
    """Name of a field → its words."""
    text = files("bots.strategies").joinpath("fields.json").read_text(encoding="utf-8")
    return {name: tuple(listed.split()) for name, listed in json.loads(text).items()}
