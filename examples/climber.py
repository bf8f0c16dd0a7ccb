"""A strategy of one's own: climb from the best words so far, one change at a time.

xentarena bot examples/climber.py:Climber --server http://127.0.0.1:8000 --code K7QWPX --budget 50
"""

import random
from collections.abc import Sequence

WORDS = (
    "sea ship sail harbour captain storm wave tide island river road train station city street house door window"
    " garden tree forest mountain snow winter summer morning night dream letter book story school teacher music song"
    " money market work war king mother father child friend love heart hand eye water fire bread horse dog bird"
)


class Climber:
    """Changes one word of the best move so far; what earns more is climbed from next."""

    def __init__(self, passages: Sequence[str], seed: str) -> None:
        self._random = random.Random(seed)
        used = " ".join(passages).lower()
        self._words = [word for word in WORDS.split() if word not in used]
        self._best = self._random.sample(self._words, 4)
        self._bits: float | None = None

    def propose(self) -> str:
        if self._bits is None:
            return " ".join(self._best)
        changed = list(self._best)
        changed[self._random.randrange(len(changed))] = self._random.choice(self._words)
        return " ".join(changed)

    def learn(self, move: str, bits: float | None) -> None:
        if bits is not None and (self._bits is None or bits > self._bits):
            self._best, self._bits = move.split(), bits
