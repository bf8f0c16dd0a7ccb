"""Gradient steps on mixtures of words that become words: Gumbel-softmax (Jang et al. 2017, arXiv 1611.01144), and
gradient ascent on vectors that are projected to words (PEZ; Wen et al. 2023, arXiv 2302.03668).

Shapes as in `judge.relaxed`. Draws come from a generator of the CPU, so that they are the same on every device.
"""

from __future__ import annotations

from collections.abc import Set

import torch
from torch import Tensor

from judge.relaxed import Relaxed, State

HOT, COLD = 1.0, 0.1  # temperatures of the softmax between which it cools
RATE = 0.3  # of Adam, for logits
HEAD_START = 9.0  # logits by which the words of the first move are ahead
NUDGE = 0.5  # of a step of ascent: the share of the words' usual distance from their mean


class Annealing:
    """Logits (m, A) that say how much of each word stands in each place, cooled in so many steps."""

    def __init__(self, relaxed: Relaxed, start: State, seed: int, steps: int) -> None:
        self._relaxed, self._steps, self._done = relaxed, steps, 0
        self._draw = torch.Generator().manual_seed(seed)
        self._logits = (HEAD_START * relaxed.mixture(start)).requires_grad_(True)
        self._adam = torch.optim.Adam([self._logits], lr=RATE)

    @property
    def is_over(self) -> bool:
        return self._done == self._steps

    @property
    def temperature(self) -> float:
        return float(HOT * (COLD / HOT) ** (self._done / max(1, self._steps - 1)))

    def step(self, banned: Set[int]) -> float:
        """One gradient step; what the mixture that was drawn for it is paid, in bits."""
        noise = gumbel(self._logits.shape, self._draw).to(self._logits.device)
        mixture = torch.softmax((self._open(banned) + noise) / self.temperature, dim=1)
        value = self._relaxed.value(mixture)
        self._adam.zero_grad()
        (-value).backward()  # type: ignore[no-untyped-call]
        self._adam.step()
        self._done += 1
        return float(value.detach())

    def state(self, banned: Set[int]) -> State:
        """The likeliest word in each place."""
        return tuple(self._open(banned).argmax(dim=1).tolist())

    def gap(self, banned: Set[int], draws: int = 4) -> float:
        """The relaxation gap, in bits: what the coldest mixtures are paid on average, less what their likeliest words
        are. What the relaxation promises and the words do not keep."""
        with torch.no_grad():
            logits, gaps = self._open(banned), list[float]()
            for _ in range(draws):
                noisy = logits + gumbel(logits.shape, self._draw).to(logits.device)
                words = tuple(noisy.argmax(dim=1).tolist())
                soft = float(self._relaxed.value(torch.softmax(noisy / COLD, dim=1)))
                gaps.append(soft - float(self._relaxed.value(self._relaxed.mixture(words))))
        return sum(gaps) / draws

    def _open(self, banned: Set[int]) -> Tensor:
        return closed(self._relaxed, self._logits, banned)


def closed(relaxed: Relaxed, logits: Tensor, banned: Set[int]) -> Tensor:
    """Logits with what may not stand there ruled out."""
    shut = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
    shut[0] = ~relaxed.lead_mask
    shut[:, sorted(banned)] = True
    return logits.masked_fill(shut, -torch.inf)


def gumbel(shape: torch.Size, draw: torch.Generator) -> Tensor:
    """Independent draws of the standard Gumbel distribution."""
    return -torch.empty(shape).exponential_(generator=draw).log()


class Ascent:
    """Vectors (m, w) that follow the gradient at the words that they are nearest to."""

    def __init__(self, relaxed: Relaxed, start: State) -> None:
        self._relaxed = relaxed
        self._vectors = relaxed.vectors(start)
        self._length = NUDGE * relaxed.spread

    def step(self, banned: Set[int]) -> State:
        """One step of all places, the one that the gradient moves most by the whole length; the words it comes to."""
        at = self._relaxed.vectors(self._relaxed.nearest(self._vectors, banned)).requires_grad_(True)
        (gradient,) = torch.autograd.grad(self._relaxed.value_of_vectors(at), at)
        most = gradient.norm(dim=1).max().clamp_min(1e-12)
        self._vectors = self._vectors + self._length * gradient / most
        return self._relaxed.nearest(self._vectors, banned)

    def begin(self, state: State) -> None:
        """Go on from this move."""
        self._vectors = self._relaxed.vectors(state)
