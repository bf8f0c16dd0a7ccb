"""Order and pack, and nothing else: which jobs go together, which first, and in what shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """What a device runs at once: `rows` sequences, each filled up to `columns` tokens."""

    rows: int
    columns: int


def longest_first(token_counts: Sequence[int]) -> list[int]:
    """Indices by falling token count, equal counts in their own order.

    Longest first keeps several lanes busy to the end: what is left for the last minute is short.
    """
    return sorted(range(len(token_counts)), key=lambda index: (-token_counts[index], index))


def pack(token_counts: Sequence[int], budget: int, *, most: int) -> list[list[int]]:
    """Cut a queue into batches of at most `most` jobs whose tokens sum to at most `budget`, in order.

    A job that alone has more tokens than the budget makes a batch of its own: it must run some time, and alone it
    needs the least memory. Raises ValueError for a budget or a number that is not positive.
    """
    if budget <= 0 or most <= 0:
        raise ValueError(f"a budget must be positive, not {budget} tokens and {most} jobs")
    batches: list[list[int]] = []
    room = 0
    for index, count in enumerate(token_counts):
        if not batches or count > room or len(batches[-1]) == most:
            batches.append([])
            room = budget
        batches[-1].append(index)
        room -= count
    return batches


def shape_for(length: int, *, context: int, tokens: int) -> Shape:
    """The one shape at which a sequence of `length` tokens always runs, whatever waits beside it.

    Columns go up in steps of about an eighth (32, 64, … 256, 288, …), so that at most a fifth of a long row is
    filling; rows are as many as `tokens` holds, at least one.
    """
    step = 32
    while step * 8 < length:
        step *= 2
    columns = min(context, -(-length // step) * step)
    return Shape(max(1, tokens // columns), columns)


def fill(lengths: Sequence[int], *, context: int, tokens: int) -> list[tuple[Shape, list[int]]]:
    """Jobs into batches of one shape each, at most `rows` to a batch, the longest first."""
    batches: list[tuple[Shape, list[int]]] = []
    for index in longest_first(lengths):
        shape = shape_for(lengths[index], context=context, tokens=tokens)
        if not batches or batches[-1][0] != shape or len(batches[-1][1]) == shape.rows:
            batches.append((shape, []))
        batches[-1][1].append(index)
    return batches
