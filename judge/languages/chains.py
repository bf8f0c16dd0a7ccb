"""Sequences of letters by local rules: two that are reversible by construction, and one that is not.

* `dna`: a sequence of A, C, G, T has a probability in proportion to the product of the weights of all its windows of
  four letters, and a window weighs what its mirror image weighs. So does a whole sequence. (Real DNA is nearly
  symmetric in another way: under reversal with A and T, C and G exchanged.)
* `series-reversible`: levels a to z of Metropolis's walk: a step up to three levels either way, taken with
  min(1, π(to)/π(from)). It begins where it is in the long run, by π, and so is in detailed balance.
* `series-dissipative`: a level falls to three quarters of it at each step, and now and then is kicked up. One can see
  which way the time goes: slow falls, sudden rises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import exp
from random import Random

LENGTH = 240
LETTERS = "ACGT"
WINDOW = 4
LEVELS = "abcdefghijklmnopqrstuvwxyz"
REACH = 3  # levels of one step of the walk
KICK = 0.15


class Windows:
    """Sequences of `length` letters in proportion to the product of their windows' weights, drawn without a bias."""

    def __init__(self, weights: dict[str, float], length: int) -> None:
        size = len(next(iter(weights)))
        self.states = sorted({window[1:] for window in weights})
        self.weights, self.length = weights, length
        rest = dict.fromkeys(self.states, 1.0)
        #: how much all ways to go on weigh, by how many letters are still to come and what the last ones are
        self.rests = [rest]
        for _ in range(length - size + 1):
            rest = {state: sum(self._steps(state, rest)) for state in self.states}
            most = max(rest.values())
            rest = {state: value / most for state, value in rest.items()}
            self.rests.append(rest)

    def _steps(self, state: str, rest: dict[str, float]) -> list[float]:
        return [self.weights[state + letter] * rest[state[1:] + letter] for letter in LETTERS]

    def write(self, random: Random) -> str:
        first = self.rests[-1]
        (text,) = random.choices(self.states, [first[state] for state in self.states])
        for rest in self.rests[-2::-1]:
            state = text[1 - WINDOW :]
            text += random.choices(LETTERS, self._steps(state, rest))[0]
        return text


def dna_weights(seed: int) -> dict[str, float]:
    random = Random(f"dna {seed}")  # noqa: S311 - reproducible, not secret
    weights: dict[str, float] = {}
    for letters in product(LETTERS, repeat=WINDOW):
        window = "".join(letters)
        weights[window] = weights.get(window[::-1]) or exp(random.gauss(0, 0.8))
    return weights


def dna(seed: int) -> Callable[[Random], str]:
    return Windows(dna_weights(seed), LENGTH).write


def balance(seed: int) -> tuple[list[float], list[list[float]]]:
    """Of the walk in detailed balance: how often it is at each level, and the chances of its steps."""
    random = Random(f"series-reversible {seed}")  # noqa: S311 - reproducible, not secret
    weights = [exp(random.gauss(0, 1)) for _ in LEVELS]
    count = len(LEVELS)
    chances = [[0.0] * count for _ in LEVELS]
    for here, row in enumerate(chances):
        for there in range(max(0, here - REACH), min(count, here + REACH + 1)):
            if there != here:
                row[there] = min(1.0, weights[there] / weights[here]) / (2 * REACH)
        row[here] = 1 - sum(row)
    return [weight / sum(weights) for weight in weights], chances


def balanced(seed: int) -> Callable[[Random], str]:
    shares, chances = balance(seed)

    def write(random: Random) -> str:
        (here,) = random.choices(range(len(LEVELS)), shares)
        levels = [here]
        while len(levels) < LENGTH:
            (here,) = random.choices(range(len(LEVELS)), chances[here])
            levels.append(here)
        return _spelled(levels)

    return write


def dissipative(seed: int) -> Callable[[Random], str]:
    """The rule is the same for all seeds."""
    del seed

    def write(random: Random) -> str:
        level, levels = 0, list[int]()
        while len(levels) < 2 * LENGTH:  # by then it has forgotten where it began
            level = random.randrange(level, len(LEVELS)) if random.random() < KICK else level * 3 // 4
            levels.append(level)
        return _spelled(levels[LENGTH:])

    return write


def _spelled(levels: Sequence[int]) -> str:
    return "".join(LEVELS[level] for level in levels)
