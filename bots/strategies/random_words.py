"""`random`: a few words of the passage's field, and changes to the best of them so far."""

import json
import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

WORDS = (3, 6)  # how many words a fresh move has
CHANGE = 0.6  # how often the best move so far is changed, rather than a fresh one drawn
STRAY = 0.1  # how often a word comes from any field
FIELDS = 2  # fields that words are drawn from
REDRAWS = 20  # how often a move that was played already is drawn anew

_ENDINGS = re.compile(r"(ing|ers|ies|ed|er|es|ly|s|y|e)$")


class RandomWords:
    """Draws words from the packaged fields that share most words with the passages, but none that they have.

    A field is a subject (the sea, money, …) with some 40 words: judges expect a passage of that field after them.
    """

    def __init__(self, passages: Sequence[str], seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - play, not secrets
        used = {stem(word) for word in words(" ".join(passages))}
        self._near = sorted({word for field in nearest(used) for word in fields()[field] if stem(word) not in used})
        everything = {word for field in fields().values() for word in field}
        self._far = sorted(word for word in everything if stem(word) not in used) or sorted(everything)
        self._best: tuple[float, list[str]] | None = None
        self._tried: set[str] = set()

    def propose(self) -> str:
        for _ in range(REDRAWS):
            move = " ".join(dict.fromkeys(self._words()))
            if move not in self._tried:
                break
        return move

    def learn(self, move: str, bits: float | None) -> None:
        self._tried.add(move)
        if bits is not None and (self._best is None or bits > self._best[0]):
            self._best = bits, move.split()

    def _words(self) -> list[str]:
        if self._best is not None and self._random.random() < CHANGE:
            return self._changed(self._best[1])
        return [self._draw() for _ in range(self._random.randint(*WORDS))]

    def _changed(self, move: Sequence[str]) -> list[str]:
        """The move with one word replaced, added or left out, or two swapped."""
        changed, place = list(move), self._random.randrange(len(move))
        match self._random.choice(("replace", "replace", "add", "drop", "swap")):
            case "add" if len(changed) < WORDS[1]:
                changed.insert(place, self._draw())
            case "drop" if len(changed) > 1:
                del changed[place]
            case "swap" if len(changed) > 1:
                other = self._random.randrange(len(changed))
                changed[place], changed[other] = changed[other], changed[place]
            case _:
                changed[place] = self._draw()
        return changed

    def _draw(self) -> str:
        stray = not self._near or self._random.random() < STRAY
        return self._random.choice(self._far if stray else self._near)


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
