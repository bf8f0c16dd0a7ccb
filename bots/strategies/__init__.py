"""Ways to play, one file each. A strategy proposes moves for one round and is told what they earned."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bots.errors import UnknownStrategy
from bots.strategies.random_words import RandomWords


class Strategy(Protocol):
    """One player's mind in one round."""

    def propose(self) -> str:
        """The next move: a text of at most 8,192 bytes, not empty."""

    def learn(self, move: str, bits: float | None) -> None:
        """What a proposed move earned, in bits; None where it was not scored."""


#: (passages of the round, seed) → a strategy. The same two give the same proposals, if they earn the same.
Make = Callable[[Sequence[str], str], Strategy]

STRATEGIES: Mapping[str, Make] = {"random": RandomWords}


def find(name: str) -> Make:
    """The strategy of this name. Raises `UnknownStrategy`, which lists those there are."""
    try:
        return STRATEGIES[name]
    except KeyError:
        raise UnknownStrategy(name, STRATEGIES) from None
