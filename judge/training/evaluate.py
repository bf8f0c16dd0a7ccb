"""Bits per byte on held-out text: the one figure that compares judges with different tokenizers.

Each document is cut into windows of 255 tokens (the last one shorter), each scored after a BOS of its own:

    input     BOS  t1   t2  ...  t254
    scored    t1   t2   t3  ...  t255

Bits of all scored tokens, divided by the bytes those tokens spell.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

WINDOW = 255


@dataclass(frozen=True, slots=True)
class Score:
    bits: float
    bytes: int

    @property
    def bits_per_byte(self) -> float:
        return self.bits / self.bytes


def bytes_per_token(tokenizer: Tokenizer) -> Tensor:
    """How many bytes each token id spells, (vocab,) int64. The byte-level alphabet writes one character a byte;
    BOS spells nothing."""
    lengths = [len(tokenizer.id_to_token(token) or "") for token in range(tokenizer.get_vocab_size())]
    lengths[0] = 0
    return torch.tensor(lengths)


@torch.no_grad()
def evaluate(
    logits_of: Callable[[Tensor], Tensor],
    documents: Mapping[str, Sequence[Tensor]],
    byte_counts: Tensor,
    every: int = 1,
    rows: int = 16,
    device: str = "cpu",
) -> dict[str, Score]:
    """Scores per source of `documents` (ids per source, already reversed for a backward judge).

    `logits_of` takes ids (rows, columns) and gives logits (rows, columns, vocab). `every` n takes one window in n.
    """
    bits: dict[str, float] = defaultdict(float)
    spelled: dict[str, int] = defaultdict(int)
    for source, texts in documents.items():
        pieces = [piece for ids in texts for piece in torch.split(ids.long(), WINDOW) if len(piece)][::every]
        pieces.sort(key=len, reverse=True)
        for start in range(0, len(pieces), rows):
            batch = pieces[start : start + rows]
            bits[source] += _bits(logits_of, batch, device)
            spelled[source] += sum(int(byte_counts[piece].sum()) for piece in batch)
    return {source: Score(bits[source], spelled[source]) for source in bits}


def _bits(logits_of: Callable[[Tensor], Tensor], pieces: Sequence[Tensor], device: str) -> float:
    longest = max(len(piece) for piece in pieces)
    targets = torch.full((len(pieces), longest), -100)
    for row, piece in enumerate(pieces):
        targets[row, : len(piece)] = piece
    inputs = torch.cat((torch.zeros(len(pieces), 1, dtype=torch.long), targets[:, :-1].clamp(min=0)), dim=1)
    logits = logits_of(inputs.to(device)).float()
    loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten().to(device), ignore_index=-100, reduction="none")
    return float(loss.double().sum()) / math.log(2)


def total(scores: Mapping[str, Score]) -> Score:
    """All sources together."""
    return Score(sum(score.bits for score in scores.values()), sum(score.bytes for score in scores.values()))
