"""From logits to what may be drawn next: the distribution before and after the cuts, and the draw, in float64.

Which distribution there is hangs on the logits and the method alone; only the draw takes a random number.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from judge.engine.outlook import likeliest
from judge.loading.tokenizer import Tokens
from judge.methods import Sampling
from judge.samples import Draw


def speakable(tokens: Tokens, logits: Tensor) -> Tensor:
    """Logits with what no text can hold ruled out: special tokens, and rows that pad the vocabulary."""
    ruled_out = logits.clone()
    ruled_out[[index for index in tokens.special if index < len(logits)]] = float("-inf")
    ruled_out[tokens.size :] = float("-inf")
    return ruled_out


def candidates(logits: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """The ids that the cuts leave, the likeliest first, and their probabilities at this temperature before the cuts,
    float64. The smaller of equally likely ids comes first."""
    if sampling.temperature == 0:
        return likeliest(logits, 1), torch.ones(1, dtype=torch.float64)
    values, ids = torch.sort(logits.double() / sampling.temperature, descending=True, stable=True)
    p = torch.softmax(values, dim=0)
    keep = len(p) if sampling.top_k is None else min(sampling.top_k, len(p))
    if sampling.top_p is not None:
        share = torch.cumsum(p[:keep], dim=0) / p[:keep].sum()
        keep = min(keep, int((share < sampling.top_p).sum()) + 1)
    if sampling.min_p is not None:
        keep = min(keep, int((p >= sampling.min_p * p[0]).sum()))
    ids, p = ids[:keep], p[:keep]
    if sampling.typical_p is not None:
        typical = _typical(p / p.sum(), sampling.typical_p)
        ids, p = ids[typical], p[typical]
    return ids, p


def _typical(p: Tensor, mass: float) -> Tensor:
    """Which of p are the fewest that together have this mass, the nearest to the entropy first: (V,) bool."""
    entropy = torch.special.entr(p).sum()
    order = torch.sort((-torch.log(p) - entropy).abs(), stable=True).indices
    count = int((torch.cumsum(p[order], dim=0) < mass).sum()) + 1
    found = torch.zeros(len(p), dtype=torch.bool)
    found[order[:count]] = True
    return found


def distributions(logits: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """What the judge finds likely, and what is drawn from once temperature and cuts did their work: each (V,) float64
    of sum 1."""
    return torch.softmax(logits.double(), dim=0), left(len(logits), *candidates(logits, sampling))


def left(count: int, ids: Tensor, p: Tensor) -> Tensor:
    """The distribution over `count` tokens of which only `ids` are left, with shares p: (count,) float64."""
    after = torch.zeros(count, dtype=torch.float64)
    after[ids] = p / p.sum()
    return after


def choose(logits: Tensor, sampling: Sampling, draw: float) -> int:
    """The id that `draw`, from [0, 1), picks from float logits (V,)."""
    return pick(*candidates(logits, sampling), draw)


def pick(ids: Tensor, p: Tensor, draw: float) -> int:
    """The id that `draw`, from [0, 1), picks from candidates: the first of them take the lowest draws."""
    reached = torch.cumsum(p, dim=0)
    place = int(torch.searchsorted(reached, draw * float(reached[-1]), right=True))
    return int(ids[min(place, len(ids) - 1)])


def told(logits: Tensor, after: Tensor, token: int, top: int) -> Draw:
    """What there is to say of a step at which `token` came, from logits (V,) and what was left of them (V,)."""
    before = torch.softmax(logits.double(), dim=0)
    some = after > 0
    ids = likeliest(logits, top)
    shares = zip(ids.tolist(), before[ids].float().tolist(), after[ids].float().tolist(), strict=True)
    return Draw(
        token,
        before=_float32(before[token]),
        after=_float32(after[token]),
        kept=int(some.sum()),
        mass=_float32(before[some].sum()),
        entropy=_entropy(before),
        entropy_after=_entropy(after),
        top=tuple(shares),
    )


def _entropy(p: Tensor) -> float:
    return _float32(torch.special.entr(p).sum() / math.log(2))


def _float32(value: Tensor) -> float:
    return float(value.float())
