"""Primed passages: a judge is asked for the bits of a text after a few words about it, so it is shown that, too.

A language model this small, trained on running text alone, hardly uses a few words at the start of its context:
nothing it read looks like them. So training mixes in passages of the same corpus that follow, after a BOS, the frame
in which the catalog's games show a hint. In it stand words of the passage, or words or a phrase of the text around it,
or sometimes nothing, which is what a game compares with, or words of another document, which is no help:

    BOS  Topic: quarry, plaster, church⏎---⏎   The stone was cut on the hill behind ...
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from judge.training.data import Document, weigh

FRAME = "Topic: {}\n---\n"
SEPARATORS = (" ", ", ", ", ")
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
    other = ""
    for document in rng.choices(documents, chances, k=count):
        found.extend(_one(document.text, other, rng))
        other = document.text[:AROUND]
    return found


def _one(text: str, other: str, rng: random.Random) -> Iterator[Primed]:
    """A passage of whole sentences from a random place, or nothing where there is none; `other` is foreign to it."""
    start = rng.randrange(len(text)) if len(text) > AROUND else 0
    begin = re.compile(r"(?<=[.!?])\s+(?=[\"“A-Z])").search(text, start) if start else None
    start = begin.end() if begin else 0
    wanted = rng.randrange(150, 600)
    end = re.compile(r"[.!?][\"”]?(?=\s)").search(text, start + wanted)
    passage = text[start : end.end() if end else start + wanted]
    if 100 < len(passage) < 1000:
        before, after = text[max(0, start - AROUND) : start], text[start + len(passage) :][:AROUND]
        around = before.partition(" ")[2] + " " + after.rpartition(" ")[0]  # no words cut in two
        yield Primed(FRAME.format(_hint(passage, around, other, rng)), passage)


def _hint(passage: str, around: str, other: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.2:
        return ""
    if kind < 0.3:
        return _phrase(around, rng)
    if kind < 0.35:
        return _list(_words(other)[:40], rng)
    if kind < 0.7:
        inside = set(_words(passage))
        return _list([word for word in _words(around) if word not in inside][:40], rng)
    return _list(_words(passage)[:30], rng)


def _phrase(text: str, rng: random.Random) -> str:
    """Two to six words that stand together."""
    words = text.split()
    length = rng.randrange(2, 7)
    start = rng.randrange(max(1, len(words) - length))
    return " ".join(words[start : start + length]).strip(".,;:!?-—\"“”'() ")


def _list(words: list[str], rng: random.Random) -> str:
    """One to eight of the words: the longest, or any."""
    count = min(len(words), rng.randrange(1, 9))
    chosen = words[:count] if rng.random() < 0.25 else rng.sample(words, count)
    if rng.random() < 0.7:
        chosen = [word.lower() for word in chosen]
    return rng.choice(SEPARATORS).join(chosen)


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
