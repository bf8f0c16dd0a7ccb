"""Greedy coordinate gradient (GCG; Zou et al. 2023, arXiv 2307.15043): the gradient says which words are worth trying
in which place, and the judge says what they are worth.
"""

from __future__ import annotations

from collections.abc import Set
from random import Random

import torch

from judge.relaxed import Relaxed, State


def promising(relaxed: Relaxed, state: State, banned: Set[int], top: int) -> list[list[int]]:
    """For each place the `top` words that the gradient promises most of, the best first: none that is banned, nor the
    one that stands there."""
    gradient = relaxed.gradient(state)
    gradient[0, ~relaxed.lead_mask] = -torch.inf
    gradient[:, sorted(banned)] = -torch.inf
    gradient[torch.arange(len(state)), torch.tensor(state)] = -torch.inf
    values, found = gradient.topk(min(top, gradient.shape[1]), dim=1)
    rows = zip(values.isfinite().tolist(), found.tolist(), strict=True)
    return [[word for may, word in zip(mays, words, strict=True) if may] for mays, words in rows]


def exchanges(state: State, words: list[list[int]], count: int, random: Random) -> list[State]:
    """`count` different moves, or as many as there are, each with one word exchanged for one of its place's."""
    every = [(place, word) for place, some in enumerate(words) for word in some]
    chosen = random.sample(every, min(count, len(every)))
    return [(*state[:place], word, *state[place + 1 :]) for place, word in chosen]


def step(
    relaxed: Relaxed, state: State, banned: Set[int], random: Random, *, top: int, count: int
) -> list[tuple[float, State]]:
    """One step: the exchanges that were tried and what each is paid, in bits, the best first."""
    tried = exchanges(state, promising(relaxed, state, banned, top), count, random)
    return sorted(zip(relaxed.values(tried), tried, strict=True), reverse=True)
