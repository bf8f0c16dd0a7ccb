"""Order and pack, and nothing else: which jobs go together, and which first."""

from __future__ import annotations

from collections.abc import Sequence


def longest_first(costs: Sequence[int]) -> list[int]:
    """Indices by falling cost, equal costs in their own order.

    Longest first keeps several lanes busy to the end: what is left for the last minute is short.
    """
    return sorted(range(len(costs)), key=lambda index: (-costs[index], index))


def pack(costs: Sequence[int], budget: int) -> list[list[int]]:
    """Cut a queue into batches whose costs sum to at most `budget`, in order.

    A job that alone costs more than the budget makes a batch of its own: it must run some time, and alone it
    needs the least memory. Raises ValueError for a budget that is not positive.
    """
    if budget <= 0:
        raise ValueError(f"a token budget must be positive, not {budget}")
    batches: list[list[int]] = []
    room = 0
    for index, cost in enumerate(costs):
        if not batches or cost > room:
            batches.append([])
            room = budget
        batches[-1].append(index)
        room -= cost
    return batches
