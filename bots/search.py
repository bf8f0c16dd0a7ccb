"""A search, written as it is told at a blackboard: a generator that yields the words it tries and is sent their bits.

    @strategy
    def guesses(vocabulary, notes):
        while True:
            bits = yield vocabulary.some(vocabulary.near)

What was tried before it is sent again by `Searching`, so that no attempt is spent twice.
"""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from bots.strategies.vocabulary import Vocabulary

NOTHING = float("-inf")  # what a move earned that was not scored
AGAIN = 1_000  # moves in a row that were all tried before, after which one of them is played once more

#: Words in order; bits that they earned.
Search = Generator[Sequence[str], float, None]


class Searching:
    """A strategy that asks a search, and keeps what every move earned."""

    def __init__(self, search: Search, notes: Counter[str]) -> None:
        self._search, self._notes = search, notes
        self._earned: dict[str, float] = {}
        self._tries = next(self._search)

    def propose(self) -> str:
        for _ in range(AGAIN):
            move = " ".join(self._tries)
            if move not in self._earned:
                break
            self._tries = self._search.send(self._earned[move])
        return move

    def learn(self, move: str, bits: float | None) -> None:
        self._earned[move] = NOTHING if bits is None else bits
        if move == " ".join(self._tries):
            self._tries = self._search.send(self._earned[move])

    def summary(self) -> str:
        """What the search counted, such as the changes that it took."""
        return ", ".join(f"{count} {name}" for name, count in self._notes.items())


@dataclass(frozen=True, slots=True)
class strategy:
    """A decorator: the strategy that follows a search. It never ends, for a search begins anew."""

    search: Callable[[Vocabulary, Counter[str]], Search]

    def __call__(self, passages: Sequence[str], seed: str) -> Searching:
        """Over the packaged words."""
        return self.over(Vocabulary.of(passages, seed))

    def over(self, vocabulary: Vocabulary) -> Searching:
        notes: Counter[str] = Counter()
        return Searching(self.search(vocabulary, notes), notes)
