"""Seats that nobody takes: the house says fixed texts there, or what one of its bots finds without any judge.

What the house says is a move like any other and stands in the log of the play. So a play that is replayed says what it
said, whatever became of its bot since.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from games import library
from games.protocol import HouseSeat
from games.runtime import rng

#: The most fixed texts of a seat: as many as a play has moves.
TEXTS = 64
WORDS = 12  # the most in a bot's move
SHORTEST = 5  # letters of a key word
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Turn:
    """A seat that the house is asked to move in. seen: the texts it may see. limit: of the move, in tokens. number: how
    often the house has moved in this seat. again: was its last move refused? seed: of the round."""

    seat: str
    seen: Sequence[str]
    limit: int
    number: int
    again: bool
    seed: str


def said(house: HouseSeat, turn: Turn) -> str:
    """The next move of the seat: the same for the same turn."""
    if house.texts:
        return house.texts[turn.number % len(house.texts)]
    return " ".join(BOTS[house.bot](turn))


def _words(turn: Turn) -> int:
    """How many words fit; a word is taken for two tokens."""
    return max(1, min(WORDS, turn.limit // 2))


def random_words(turn: Turn) -> list[str]:
    """Words of the packaged passages' subjects, drawn by the seed."""
    return _drawn(_vocabulary(), turn)


def key_words(turn: Turn) -> list[str]:
    """Long words of what the seat sees, drawn by the seed; any words where there are none, or where they were
    refused."""
    found = {word.lower(): None for text in turn.seen for word in _WORD.findall(text) if len(word) >= SHORTEST}
    return random_words(turn) if turn.again or not found else _drawn(tuple(found), turn)


#: Bots that need no judge's answer: name → what it says.
BOTS: MappingProxyType[str, Callable[[Turn], list[str]]] = MappingProxyType(
    {"random_words": random_words, "key_words": key_words}
)


def _drawn(words: Sequence[str], turn: Turn) -> list[str]:
    """As many different words as fit, in the order drawn."""
    seed, left = f"{turn.seed}\nhouse\n{turn.seat}\n{turn.number}", list(words)
    return [left.pop(rng.draw(seed, i, len(left))) for i in range(min(_words(turn), len(left)))]


@lru_cache(maxsize=1)
def _vocabulary() -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for passage in library.load() for word in passage.field))
