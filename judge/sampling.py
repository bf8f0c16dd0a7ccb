"""Texts from a judge: greedy, temperature, top-k, top-p, min-p and beam search, the same every time.

Every step is one forward over all ids so far, at a shape of its own length, on one thread: no cache, so a text
takes the square of its length, but its probabilities are those that the measure has, and the same seed gives the
same text on the same build whatever else runs. Texts that games generate are short and made once per round.

Special tokens are never drawn: a text cannot spell them. A backward judge writes from right to left: what it
adds stands before the prompt.
"""

from __future__ import annotations

import hashlib
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from judge.errors import JudgeError, TooLong
from judge.judge import Judge


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. The cuts apply in this order, each to what the one before left.

    `temperature` divides the logits; 0 is greedy. `top_k`: only the k likeliest tokens (Fan et al. 2018).
    `top_p`: only the fewest likeliest tokens that together have at least p (Holtzman et al. 2020). `min_p`: only
    tokens at least p times as likely as the likeliest (Nguyen et al. 2024). Raises ValueError out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be 1 or more, not {self.top_k}")
        for name, share in (("top_p", self.top_p), ("min_p", self.min_p)):
            if share is not None and not 0 < share <= 1:
                raise ValueError(f"{name} must be above 0 and at most 1, not {share}")


GREEDY = Sampling(temperature=0)
# What games have a judge write: its own distribution, so that the text is what it finds plausible, less its tail of
# tokens that are hardly ever right, one of which leads a small model astray (Holtzman et al. 2020).
PLAUSIBLE = Sampling(temperature=1.0, top_p=0.95)


def write(judge: Judge, prompt: str, tokens: int, seed: str) -> str:
    """The text that a game's `generate…` is worth. The same judge, prompt, tokens and seed give the same text on the
    same build, in a worker as offline. Raises as `generate` does."""
    *_, text = "", *writing(judge, prompt, tokens, seed)
    return text


def writing(judge: Judge, prompt: str, tokens: int, seed: str) -> Iterator[str]:
    """The text of `write` as it grows, once after each token. Raises as `generate` does."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    return growing(judge, prompt, tokens, sampling=PLAUSIBLE, seed=number)


def generate(judge: Judge, prompt: str, tokens: int, *, sampling: Sampling = GREEDY, seed: int = 0) -> str:
    """`tokens` tokens after `prompt` (before it, for a backward judge), as text without the prompt.

    Raises TooLong where prompt and text do not fit the context, JudgeError for a judge without BOS.
    """
    *_, text = "", *growing(judge, prompt, tokens, sampling=sampling, seed=seed)
    return text


def growing(judge: Judge, prompt: str, tokens: int, *, sampling: Sampling = GREEDY, seed: int = 0) -> Iterator[str]:
    """The text of `generate` as it grows, once after each token. Raises as `generate` does."""
    ids, start = _begin(judge, prompt, tokens)
    draw = random.Random(seed)  # noqa: S311 (for texts, not for secrets)
    for _ in range(tokens):
        (logits,) = judge.next_logits([ids])
        ids = [*ids, choose(_speakable(judge, logits), sampling, draw.random())]
        yield text_of(judge, ids[start:])


def beam_search(judge: Judge, prompt: str, tokens: int, *, beams: int = 4) -> str:
    """The likeliest text of `tokens` tokens that keeping the `beams` likeliest beginnings finds.

    Equal likelihoods go to the smaller ids. Raises as `generate` does, and ValueError for no beams.
    """
    if beams < 1:
        raise ValueError(f"beam search needs at least 1 beam, not {beams}")
    ids, start = _begin(judge, prompt, tokens)
    kept: list[tuple[float, list[int]]] = [(0.0, ids)]
    for _ in range(tokens):
        grown: list[tuple[float, list[int]]] = []
        for (nats, so_far), logits in zip(kept, judge.next_logits([row for _, row in kept]), strict=True):
            log_p = torch.log_softmax(_speakable(judge, logits).double(), dim=0)
            best = torch.topk(log_p, min(beams, len(log_p)))
            pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
            grown.extend((nats - value, [*so_far, token]) for value, token in pairs)
        kept = sorted(grown)[:beams]
    return text_of(judge, kept[0][1][start:])


def choose(logits: Tensor, sampling: Sampling, draw: float) -> int:
    """The id that `draw`, from [0, 1), picks from float logits (V,): the likeliest ids take the lowest draws."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    ids, p = candidates(logits, sampling)
    reached = torch.cumsum(p, dim=0)
    place = int(torch.searchsorted(reached, draw * float(reached[-1]), right=True))
    return int(ids[min(place, len(ids) - 1)])


def candidates(logits: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """The ids that the cuts leave, the likeliest first, and their probabilities before the cuts, float64."""
    values, ids = torch.sort(logits.double() / sampling.temperature, descending=True, stable=True)
    p = torch.softmax(values, dim=0)
    keep = len(p) if sampling.top_k is None else min(sampling.top_k, len(p))
    if sampling.top_p is not None:
        share = torch.cumsum(p[:keep], dim=0) / p[:keep].sum()
        keep = min(keep, int((share < sampling.top_p).sum()) + 1)
    if sampling.min_p is not None:
        keep = min(keep, int((p >= sampling.min_p * p[0]).sum()))
    return ids[:keep], p[:keep]


def _begin(judge: Judge, prompt: str, tokens: int) -> tuple[list[int], int]:
    """The ids to go on from, in the order the model reads, and how many they are."""
    if judge.bos is None:
        raise JudgeError(f"{judge.name} has no token to begin with, so it cannot write")
    ids = judge.tokens.ids(prompt)
    if 1 + len(ids) + tokens > judge.context:
        raise TooLong(bos=1, prefix=len(ids), text=tokens, context=judge.context, before="prompt")
    row = [judge.bos, *(reversed(ids) if judge.direction == "backward" else ids)]
    return row, len(row)


def _speakable(judge: Judge, logits: Tensor) -> Tensor:
    """Logits with what no text can hold ruled out: special tokens, and rows that pad the vocabulary."""
    ruled_out = logits.clone()
    ruled_out[[index for index in judge.tokens.special if index < len(logits)]] = float("-inf")
    ruled_out[judge.tokens.size :] = float("-inf")
    return ruled_out


def text_of(judge: Judge, ids: list[int]) -> str:
    """The text of ids in reading order, less halves of characters and control characters."""
    text = judge.tokens.text(ids[::-1] if judge.direction == "backward" else ids)
    return "".join(c for c in text if c in "\n\t" or (c != "\ufffd" and unicodedata.category(c) != "Cc"))
