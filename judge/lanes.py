"""Lanes: threads that each run one sequence at a time on one core.

One row and one thread per lane is what makes bits repeatable on a CPU: the sums of a matrix product then
depend on the sequence's own length alone, not on its batch mates nor on how many cores share a product.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import torch

T = TypeVar("T")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lanes:
    """A fixed number of threads that work through a list. Safe to share."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, "judge-lane", initializer=_pin)

    def each(self, work: Callable[[int], T], order: Sequence[int]) -> Iterator[tuple[int, T]]:
        """Run `work(index)` for the indices in order; yield (index, result) as each is done.

        Raises what `work` raised, after the rest is done; leaving early drops what has not begun.
        """
        futures = {self._pool.submit(work, index): index for index in order}
        failures = []
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is not None:
                    failures.append(error)
                else:
                    yield futures.pop(future), future.result()
        finally:
            for future in futures:
                future.cancel()
        if failures:
            raise failures[0]


def _pin() -> None:
    torch.set_num_threads(1)
