"""Lanes: threads that each run one sequence after another on one core.

One row and one thread per lane is what makes bits repeatable on a CPU: the sums of a matrix product then
depend on the sequence's own length alone, not on its batch mates nor on how many cores share a product. A lane
takes a few sequences at a time and goes through the model with them step by step, each in calls of its own. The
output layer comes in parts, and lanes that have nothing to do take some of another's.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from judge.engine.batching import longest_first, pack
from judge.engine.memory import is_out_of_memory
from judge.engine.network import Job, Share
from judge.errors import JudgeError, OutOfMemory

A = TypeVar("A")
B = TypeVar("B")
P = ParamSpec("P")

# Of one lane, together: more would not fetch weights less often by much. This bounds the memory: a lane holds
# the activations of so many tokens, or of one longer sequence.
AT_ONCE, TOKENS_AT_ONCE = 8, 1024


# What a lane does with a few jobs; it may have part of that done by `share`.
Work = Callable[[Sequence[Job], Share[Any, Any]], list[Tensor]]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Lanes:
    """A fixed number of threads that work through jobs. Safe to share.

    `name` says how they compute. What takes too much memory is done in halves, and nothing larger from then on:
    that changes no bits, since each sequence is computed in calls of its own.
    """

    def __init__(self, count: int, work: Work, name: str = "lanes") -> None:
        if count < 1:
            raise JudgeError(f"a judge has at least one thread, not {count}")
        self.count = count
        self.at_once = AT_ONCE
        self.name = name
        self._work = work
        self._pool = ThreadPoolExecutor(count, "judge-lane")

    def each(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Tensor]]:
        """Yield (index, bits) as jobs are done. Raises what the work raised, after the rest is done.

        Leaving early drops what has not begun.
        """
        groups = _groups([len(ids) for ids, _ in jobs], self.count, self.at_once)
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

    def map(self, work: Callable[[list[int]], A], rows: Sequence[list[int]]) -> list[A]:
        """`work` on each row, each on one thread."""
        return list(self._pool.map(lambda row: _pinned(work, row), rows))

    def _run(self, jobs: Sequence[Job]) -> list[Tensor]:
        try:
            return _pinned(self._work, jobs, self._shared)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if len(jobs) == 1:
                tokens = len(jobs[0][0])
                raise OutOfMemory(f"this machine has too little memory for a sequence of {tokens} tokens") from error
        # Out here the error, and with it all that the failed attempt still held, is gone.
        half = len(jobs) // 2
        self.at_once = min(self.at_once, half)
        return self._run(jobs[:half]) + self._run(jobs[half:])

    def _shared(self, work: Callable[[A], B], items: Sequence[A]) -> list[B]:
        """`work` on each item, in this lane and in those that come free before it is done."""
        left, found = deque(enumerate(items)), dict[int, B]()

        def take() -> None:
            while True:
                try:
                    nth, item = left.popleft()
                except IndexError:
                    return
                found[nth] = work(item)

        helpers = [self._pool.submit(_pinned, take) for _ in range(min(self.count, len(items)) - 1)]
        try:
            take()
        finally:
            left.clear()
            started = [helper for helper in helpers if not helper.cancel()]
            wait(started)
        for helper in started:
            helper.result()
        return [found[nth] for nth in range(len(items))]


def _pinned(work: Callable[P, B], *args: P.args, **kwargs: P.kwargs) -> B:
    """One thread for this; said every time, since MKL keeps one number for the process and others may set it."""
    torch.set_num_threads(1)
    return work(*args, **kwargs)


def _groups(lengths: Sequence[int], lanes: int, at_once: int) -> list[list[int]]:
    """Indices, the longest first, in groups small enough that every lane gets its share."""
    order = longest_first(lengths)
    most = max(1, min(at_once, -(-len(order) // lanes)))
    packs = pack([lengths[index] for index in order], TOKENS_AT_ONCE, most=most)
    return [[order[i] for i in members] for members in packs]
