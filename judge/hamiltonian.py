"""Hamiltonian Monte Carlo (Neal 2011, arXiv 1206.1901): draws from a density by following its gradient. With one step
of the leapfrog it is Langevin sampling with a Metropolis test (MALA).

A density is given as the log of what it is proportional to, and its gradient. States are tensors of any shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from judge.relaxed import Relaxed, State

Density = Callable[[Tensor], tuple[float, Tensor]]

WARM = 40  # moves in which the step size is adapted; after them it stays, so that the chain keeps its density
TARGET = {1: 0.574}  # acceptance that is best in many dimensions (Roberts and Rosenthal 1998), by steps
OF_MANY = 0.65  # and for several steps (Beskos et al. 2013)


@dataclass(slots=True)
class Point:
    """A state with the log of its density, and the gradient of that."""

    at: Tensor
    log: float
    gradient: Tensor


class Chain:
    """A chain that follows the gradient `steps` times a move. error: of the energy, of each move that was made."""

    def __init__(self, density: Density, start: Tensor, *, steps: int, size: float, seed: int) -> None:
        self._density, self._steps = density, steps
        self._draw = torch.Generator().manual_seed(seed)
        self.size, self.moves, self.accepted, self.kept_moves = size, 0, 0, 0
        self.errors: list[float] = []
        self.point = self._looked(start)

    @property
    def acceptance(self) -> float:
        """The share of the moves after the warm-up that were taken; of all where there are none after it yet."""
        return self.accepted / max(1, self.kept_moves or self.moves)

    def move(self) -> Tensor:
        """One move; where the chain is after it."""
        momentum = torch.randn(self.point.at.shape, generator=self._draw).to(self.point.at.device)
        found, after = leapfrog(self._looked, self.point, momentum, self.size, self._steps)
        error = _energy(found, after) - _energy(self.point, momentum)
        chance = math.exp(min(0.0, -error)) if math.isfinite(error) else 0.0
        taken = float(torch.rand((), generator=self._draw)) < chance
        self._note(chance, taken, error)
        if taken:
            self.point = found
        return self.point.at

    def _note(self, chance: float, taken: bool, error: float) -> None:
        self.moves += 1
        self.errors.append(error)
        if self.moves <= WARM:
            self.accepted += taken
            rate = 1 / self.moves**0.6  # Robbins and Monro
            self.size *= math.exp(rate * (chance - TARGET.get(self._steps, OF_MANY)))
            if self.moves == WARM:
                self.accepted = 0
        else:
            self.kept_moves += 1
            self.accepted += taken

    def _looked(self, at: Tensor) -> Point:
        return Point(at, *self._density(at))


def leapfrog(
    look: Callable[[Tensor], Point], start: Point, momentum: Tensor, size: float, steps: int
) -> tuple[Point, Tensor]:
    """Where a body of unit mass comes to, and its momentum there: `steps` steps of length `size`. Keeps volume, and
    comes back where the momentum is turned round."""
    point = start
    for _ in range(steps):
        momentum = momentum + size / 2 * point.gradient
        point = look(point.at + size * momentum)
        momentum = momentum + size / 2 * point.gradient
    return point, momentum


def _energy(point: Point, momentum: Tensor) -> float:
    return -point.log + float((momentum.double() ** 2).sum()) / 2


class Mixtures:
    """A density of logits (m, K) for some words of each place: 2^(bits / temperature), times a normal one of the
    logits themselves, so that it ends somewhere. words: (m, K)."""

    def __init__(self, relaxed: Relaxed, words: list[list[int]], *, temperature: float, width: float) -> None:
        """temperature: bits. width: of the normal distribution."""
        self._relaxed, self._temperature, self._width = relaxed, temperature, width
        self.words = torch.tensor(words, device=relaxed.device)

    def start(self) -> Tensor:
        """Where the first word of each place is ahead of the others by the width."""
        found = torch.zeros(self.words.shape, device=self.words.device)
        found[:, 0] = self._width
        return found

    def density(self, logits: Tensor) -> tuple[float, Tensor]:
        """See `Density`."""
        logits = logits.detach().requires_grad_(True)
        found = self.value(logits) * math.log(2) / self._temperature - (logits**2).sum() / (2 * self._width**2)
        (gradient,) = torch.autograd.grad(found, logits)
        return float(found.detach()), gradient

    def value(self, logits: Tensor) -> Tensor:
        """What the mixture is paid, in bits."""
        empty = torch.zeros(len(logits), len(self._relaxed.lexicon.spelled), device=logits.device)
        return self._relaxed.value(empty.scatter(1, self.words, torch.softmax(logits, dim=1)))

    def state(self, logits: Tensor) -> State:
        """The likeliest word of each place."""
        return tuple(self.words.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0].tolist())
