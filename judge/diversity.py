"""How much texts repeat themselves and each other, by runs of n tokens. Standard library only."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from statistics import fmean

Run = tuple[Hashable, ...]


def runs(tokens: Sequence[Hashable], n: int) -> Iterator[Run]:
    """All runs of n tokens, from the first on."""
    return (tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


def repeats(before: Sequence[Hashable], tokens: Sequence[Hashable], n: int) -> list[bool]:
    """Of each token: does it end a run of n that was there before, in what stood `before` the tokens or in them?"""
    seen, found = set[Run](), list[bool]()
    all_ = [*before, *tokens]
    for end in range(1, len(all_) + 1):
        run = tuple(all_[end - n : end]) if end >= n else None
        found.append(run in seen)
        if run is not None:
            seen.add(run)
    return found[len(before) :]


def distinct(texts: Sequence[Sequence[Hashable]], n: int) -> float | None:
    """How many different runs of n there are in all texts, as a share of all their runs (Li et al. 2016): 1 where none
    comes twice. None where no text has n tokens."""
    found = [run for text in texts for run in runs(text, n)]
    return len(set(found)) / len(found) if found else None


def self_overlap(texts: Sequence[Sequence[Hashable]], n: int) -> float | None:
    """What share of a text's runs of n another text has, too; the mean over the texts: 0 where they have nothing in
    common, 1 where each is made of the others. None of fewer than two texts of n tokens."""
    sets = [set(runs(text, n)) for text in texts]
    shares = []
    for index, text in enumerate(texts):
        others = set[Run]().union(*(each for i, each in enumerate(sets) if i != index))
        mine = list(runs(text, n))
        if mine:
            shares.append(sum(run in others for run in mine) / len(mine))
    return fmean(shares) if len(shares) > 1 else None
