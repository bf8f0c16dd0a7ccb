"""Primed passages: a judge is asked for the bits of a text after a few words about it, so it is shown that, too.

A language model this small, trained on running text alone, hardly uses a list of words at the start of its context:
nothing it read looks like one. So the last part of training mixes in passages of the same corpus that follow, after a
BOS, some words of their own, some words of the text around them, or nothing:

    BOS  quarry, plaster, church.   The stone was cut on the hill behind ...
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from judge.training.data import Document, weigh

SEPARATORS = (" ", " ", ", ")
ENDS = (". ", ". ", ".\n", ": ", "\n", " ")
AROUND = 1500
"""How many characters before and after a passage count as the text around it."""


@dataclass(frozen=True, slots=True)
class Primed:
    """A passage and what stands before it; the two are tokenised apart, as the measure does."""

    prefix: str
    text: str


def primed(documents: Sequence[Document], weights: dict[str, int], count: int, seed: int) -> list[Primed]:
    """`count` primed passages, the sources in the proportion in which training reads them."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    chances = [len(document.text) * weigh(document.source, weights) for document in documents]
    found: list[Primed] = []
    for document in rng.choices(documents, chances, k=count):
        found.extend(_one(document.text, rng))
    return found


def _one(text: str, rng: random.Random) -> Iterator[Primed]:
    """A passage of whole sentences from a random place, or nothing where there is none."""
    start = rng.randrange(len(text)) if len(text) > AROUND else 0
    begin = re.compile(r"(?<=[.!?])\s+(?=[\"“A-Z])").search(text, start) if start else None
    start = begin.end() if begin else 0
    wanted = rng.randrange(150, 600)
    end = re.compile(r"[.!?][\"”]?(?=\s)").search(text, start + wanted)
    passage = text[start : end.end() if end else start + wanted]
    if 100 < len(passage) < 1000:
        before, after = text[max(0, start - AROUND) : start], text[start + len(passage) :][:AROUND]
        around = before.partition(" ")[2] + " " + after.rpartition(" ")[0]  # no words cut in two
        yield Primed(_prefix(passage, around, rng), passage)


def _prefix(passage: str, around: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.15:
        return ""
    count = rng.randrange(1, 9)
    words = _words(passage)
    if kind < 0.65:
        chosen = words[:count] if rng.random() < 0.4 else rng.sample(words[:30], min(count, len(words), 30))
    else:
        near = [word for word in _words(around) if word not in words][:40]
        chosen = rng.sample(near, min(count, len(near)))
    if rng.random() < 0.5:
        chosen = [word.lower() for word in chosen]
    return rng.choice(SEPARATORS).join(chosen) + rng.choice(ENDS) if chosen else ""


def _words(text: str) -> list[str]:
    """Distinct words, longest first; equals in the order they come."""
    return sorted(dict.fromkeys(re.findall(r"[^\W\d_]{4,}", text)), key=len, reverse=True)


def encode_primed(tokenizer: Tokenizer, passages: Sequence[Primed], backward: bool) -> list[Tensor]:
    """Token ids of each prefix and passage, int32. Backward: each reversed, the prefix still first, which is how
    a backward judge is asked."""
    step = -1 if backward else 1
    return [
        torch.tensor(
            [
                token
                for part in (passage.prefix, passage.text)
                for token in tokenizer.encode(part, add_special_tokens=False).ids[::step]
            ],
            dtype=torch.int32,
        )
        for passage in passages
    ]
