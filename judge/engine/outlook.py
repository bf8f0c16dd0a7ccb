"""From logits to what a reading says of a place beside its bits: rank, entropy and the likeliest tokens, in float64.

Entropy and probabilities are rounded to float32, as bits are, so that they are the same before and after they travel.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

ROWS_AT_ONCE = 16  # places looked at between two pauses: in float64 each takes the vocabulary four times


class Outlook(NamedTuple):
    """What a judge expected at a place, and where among it what came stood."""

    rank: int
    entropy: float
    top: tuple[tuple[int, float], ...]


def outlooks(logits: Tensor, targets: Tensor, top: int, _row: object = None) -> list[Outlook]:
    """Of each row of logits (k, V), with the id that came (k,). `_row` is what lanes hand to their work."""
    p = torch.softmax(logits.double(), dim=1)
    entropy = (torch.special.entr(p).sum(dim=1) / math.log(2)).float().tolist()
    ranks = (1 + (logits > logits.gather(1, targets[:, None])).sum(dim=1)).tolist()
    return [
        Outlook(rank, h, _top(row, shares, top)) for rank, h, row, shares in zip(ranks, entropy, logits, p, strict=True)
    ]


def likeliest(logits: Tensor, count: int) -> Tensor:
    """The ids of the greatest logits (V,), the smaller id first among equals: which of those `topk` gives is not said
    anywhere."""
    count = min(count, len(logits))
    if count == 0:
        return torch.empty(0, dtype=torch.long)
    least = torch.topk(logits, count).values[-1]
    ids = (logits >= least).nonzero()[:, 0]
    return ids[torch.sort(logits[ids], descending=True, stable=True).indices][:count]


def _top(logits: Tensor, p: Tensor, count: int) -> tuple[tuple[int, float], ...]:
    ids = likeliest(logits, count)
    return tuple(zip(ids.tolist(), p[ids].float().tolist(), strict=True))
