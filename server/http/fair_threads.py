"""Threads for what only looks: few, and each participant has a line of their own before them.

Next is whoever was given the least processor time (start-time fair queueing: Goyal, Vin and Cheng, 1996). So who asks
for a hundred long lists at once waits for themselves, who looks at a score goes before them, and nobody who writes
waits for them at all.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

LINES = 1_000  # participants, of whom it is known what they were given


@dataclass(slots=True)
class _Asked:
    """seconds: of processor time that it has taken."""

    work: Callable[[], Any]
    answer: asyncio.Future[Any]
    seconds: float = 0.0

    def __call__(self) -> Any:
        begun = time.thread_time()
        try:
            return self.work()
        finally:
            self.seconds = time.thread_time() - begun


@dataclass(slots=True)
class _Line:
    """What a participant waits for. given: seconds of processor time so far, those of before they came included, as if
    they had been given as much as others. latest: what their latest work took; the next is taken to be as long."""

    given: float
    latest: float = 0.0
    waiting: deque[_Asked] = field(default_factory=deque)
    at_work: int = 0


class FairThreads:
    """Runs work in so many threads, of all participants alike. All calls come from one event loop."""

    def __init__(self, count: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._most, self._at_work, self._writers = count, 0, 0
        self._lines: dict[str | None, _Line] = {}
        self._given = 0.0  # to whoever was served last

    async def run(self, who: str | None, work: Callable[[], T]) -> T:
        """What the work returns or raises, in the context of the caller."""
        here = copy_context()
        asked = _Asked(lambda: here.run(work), asyncio.get_running_loop().create_future())
        line = self._lines.setdefault(who, _Line(self._given))
        if not line.waiting and not line.at_work:  # who was away has saved nothing up
            line.given = max(line.given, self._given)
        line.waiting.append(asked)
        self._begin()
        result: T = await asked.answer
        return result

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Somebody plays: one thread begins something new, and no other, for all threads of a process take turns."""
        self._writers += 1
        try:
            yield
        finally:
            self._writers -= 1
            self._begin()

    def close(self) -> None:
        self._lines.clear()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        while self._at_work < (1 if self._writers else self._most):
            ready = [line for line in self._lines.values() if line.waiting]
            if not ready:
                break
            line = min(ready, key=lambda line: line.given)
            asked = line.waiting.popleft()
            if asked.answer.done():  # who asked has gone
                continue
            expected, self._given = line.latest, line.given
            line.given += expected
            line.at_work += 1
            self._at_work += 1
            running = asyncio.get_running_loop().run_in_executor(self._threads, asked)
            running.add_done_callback(partial(self._done, line, asked, expected))

    def _done(self, line: _Line, asked: _Asked, expected: float, done: asyncio.Future[Any]) -> None:
        self._at_work -= 1
        line.at_work -= 1
        line.latest = asked.seconds
        line.given += asked.seconds - expected
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if not asked.answer.done():
            if error is None:
                asked.answer.set_result(done.result())
            else:
                asked.answer.set_exception(error)
        if len(self._lines) > LINES:
            self._forget()
        self._begin()

    def _forget(self) -> None:
        """Those who would come back with as much as anybody new."""
        self._lines = {
            who: each for who, each in self._lines.items() if each.waiting or each.at_work or each.given > self._given
        }
