"""Lanes: threads that each run one sequence after another on one core.

One row and one thread per lane is what makes bits repeatable on a CPU: the sums of a matrix product then
depend on the sequence's own length alone, not on its batch mates nor on how many cores share a product. A lane
takes a few sequences at a time and goes through the model with them step by step, each in calls of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

import torch
from torch import Tensor

from judge.batching import longest_first
from judge.forward import Job

A = TypeVar("A")
B = TypeVar("B")

AT_ONCE = 8  # sequences of one lane: more would not fetch weights less often by much


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lanes:
    """A fixed number of threads that work through jobs. Safe to share."""

    def __init__(self, count: int, work: Callable[[Sequence[Job]], list[Tensor]]) -> None:
        self.count = count
        self._work = work
        self._pool = ThreadPoolExecutor(count, "judge-lane")

    def each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Tensor]]:
        """Yield (index, bits) as jobs are done. Raises what the work raised, after the rest is done.

        Leaving early drops what has not begun.
        """
        groups = _groups([len(ids) for ids, _ in jobs], self.count)
        futures = {self._pool.submit(self._run, [jobs[index] for index in group]): group for group in groups}
        failures = []
        try:
            for future in as_completed(futures):
                error = future.exception()
                if error is None:
                    yield from zip(futures.pop(future), future.result(), strict=True)
                else:
                    failures.append(error)
        finally:
            for future in futures:
                future.cancel()
        if failures:
            raise failures[0]

    def map(self, work: Callable[[list[int]], Tensor], rows: Sequence[list[int]]) -> list[Tensor]:
        """`work` on each row, each on one thread."""
        return list(self._pool.map(lambda row: _pinned(work, row), rows))

    def _run(self, jobs: Sequence[Job]) -> list[Tensor]:
        return _pinned(self._work, jobs)


def _pinned(work: Callable[[A], B], item: A) -> B:
    """One thread for this; said every time, since MKL keeps one number for the process and others may set it."""
    torch.set_num_threads(1)
    return work(item)


def _groups(lengths: Sequence[int], lanes: int) -> list[list[int]]:
    """Indices, the longest first, in groups small enough that every lane gets its share."""
    order = longest_first(lengths)
    size = max(1, min(AT_ONCE, -(-len(order) // lanes)))
    return [order[start : start + size] for start in range(0, len(order), size)]
