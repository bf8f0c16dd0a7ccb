"""For games of several moves: a search over all moves of a play at once, and players that say what is written down."""

import itertools
from collections.abc import Callable, Sequence

from bots.strategies.vocabulary import FEW, MANY, Vocabulary
from bots.strategy import View
from xentarena.events import EnsureFailed

EVERY = 8  # plays, after which one repeats the best: against others it may be worth less by now


class Steps:
    """Keeps the best moves of a play, step by step, and changes the words of one step in each further play. Where the
    game asks again, or the rules speak against it, it tries other words at that step."""

    def __init__(self, passages: Sequence[str], seed: str) -> None:
        self.words = Vocabulary.of(passages, seed)
        self.best: list[list[str]] = []
        self.bits: float | None = None
        self.plays = 0
        self._said: list[list[str]] = []
        self._changed: int | None = None
        self._most = MANY
        self._again = False

    def look(self, view: View) -> None:
        """What is asked for; asked again, it is the same step once more."""
        self._again = bool(view.events) and isinstance(view.events[-1], EnsureFailed) and bool(self._said)
        if self._again:
            self._said.pop()
        self._most = max(1, min(MANY, view.limit // 2))

    def propose(self) -> str:
        step = len(self._said)
        known = self.best[step] if step < len(self.best) else None
        if known is None or self._again:
            move = self._some()
        elif step == self._changed:
            move = self._other(known)
        else:
            move = list(known)
        self._said.append(move[: self._most])
        return " ".join(self._said[-1])

    def refuse(self, move: str, why: str) -> None:
        """Other words, and fewer of them."""
        self._said.pop()
        self._again, self._most = True, max(1, self._most - 1)

    def learn(self, move: str, bits: float | None) -> None:
        repeated = self._changed is None and bool(self.best)
        if bits is not None and (self.bits is None or bits >= self.bits or repeated):
            self.best, self.bits = self._said, bits
        self.plays += 1
        repeat = self.plays % EVERY == 0
        self._changed = None if repeat or not self.best else self.words.random.randrange(len(self.best))
        self._said, self._again = [], False

    def summary(self) -> str:
        return "" if self.bits is None else f"{len(self.best)} steps, {self.plays} plays"

    def _some(self) -> list[str]:
        return self.words.others((), self.words.random.randint(min(FEW, self._most), self._most))

    def _other(self, known: Sequence[str]) -> list[str]:
        """The words with one of them exchanged, or one more."""
        changed, place = list(known), self.words.random.randrange(len(known))
        cut = place + self.words.random.randint(0, 1)
        changed[place:cut] = self.words.others(known, 1)
        return changed


class Recited:
    """Says these texts in turn, again and again: an opponent that is always the same."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = itertools.cycle(texts)

    def propose(self) -> str:
        return next(self._texts)

    def learn(self, move: str, bits: float | None) -> None:
        """Nothing."""


def recited(*texts: str) -> Callable[[Sequence[str], str], Recited]:
    """The strategy, as `xentarena bot FILE.py:NAME` takes it."""
    return lambda passages, seed: Recited(texts)
