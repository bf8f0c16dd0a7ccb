"""A judge that writes, token by token, in short steps: drawn by a seed, or the best that a beam search finds."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator, Sequence

import torch
from torch import Tensor

from judge.cuts import candidates, left, pick, told
from judge.engine.outlook import likeliest
from judge.methods import Beam, Method, Sampling
from judge.samples import Draw, Walk

#: From the ids so far to the logits of what may follow, (V,), less what no text can hold; a pause wherever one may be.
Next = Callable[[list[int]], Generator[None, None, Tensor]]
Walking = Generator[None, None, Walk]


def walk(after: Next, ids: Sequence[int], method: Method, *, tokens: int, seed: int, top: int) -> Walking:
    """Go on from `ids`. seed: of what is drawn; a beam search draws nothing."""
    if isinstance(method, Beam):
        return _beam(after, list(ids), method.beams, tokens, top)
    return _drawn(after, list(ids), method, tokens, random.Random(seed), top)  # noqa: S311 (for texts, not secrets)


def _drawn(after: Next, ids: list[int], sampling: Sampling, tokens: int, draw: random.Random, top: int) -> Walking:
    draws = []
    for _ in range(tokens):
        logits = yield from after(ids)
        some, p = candidates(logits, sampling)
        token = pick(some, p, draw.random())
        draws.append(told(logits, left(len(logits), some, p), token, top))
        ids = [*ids, token]
    return Walk(tuple(draws))


def _beam(after: Next, ids: list[int], beams: int, tokens: int, top: int) -> Walking:
    """The likeliest text that keeping the likeliest beginnings finds. Equal likelihoods go to the smaller ids."""
    kept: list[tuple[float, list[int], tuple[Draw, ...]]] = [(0.0, [], ())]
    for _ in range(tokens):
        grown: list[tuple[float, list[int], tuple[Draw, ...], Tensor]] = []
        for nats, so_far, draws in kept:
            logits = yield from after([*ids, *so_far])
            log_p = torch.log_softmax(logits.double(), dim=0)
            for token in likeliest(log_p, min(beams, int(log_p.isfinite().sum()))).tolist():
                grown.append((nats - float(log_p[token]), [*so_far, token], draws, logits))
        best = sorted(grown, key=lambda each: each[:2])[:beams]
        kept = [(nats, found, (*draws, _taken(logits, found[-1], top))) for nats, found, draws, logits in best]
    beginnings = tuple((_float32(nats / math.log(2)), tuple(found)) for nats, found, _ in kept)
    return Walk(kept[0][2], beginnings if tokens else ())


def _taken(logits: Tensor, token: int, top: int) -> Draw:
    """A step at which nothing but this token was left."""
    return told(logits, left(len(logits), torch.tensor([token]), torch.ones(1, dtype=torch.float64)), token, top)


def _float32(value: float) -> float:
    return float(torch.tensor(value, dtype=torch.float32))
