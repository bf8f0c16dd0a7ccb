"""Draws that every play of a round sees alike: SHA-256 of the round's seed and the count of draws so far."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def draw(seed: str, count: int, below: int) -> int:
    """A whole number, 0 ≤ it < below: the draw number ``count`` of the seed.

    256 bits are drawn, so that taking the remainder favours no number by more than 2⁻²⁰⁰.
    """
    block = f"{seed}\n{count}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(block).digest(), "big") % below


def shuffled(items: Sequence[T], numbers: Iterator[int]) -> list[T]:
    """Fisher and Yates, from the end. ``numbers`` yields, for ``i`` from the last index down to 1, a j ≤ i."""
    result = list(items)
    for i in range(len(result) - 1, 0, -1):
        j = next(numbers)
        result[i], result[j] = result[j], result[i]
    return result
