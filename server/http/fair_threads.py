"""Threads for what only looks: few, and each participant has a line of their own before them.

Whoever asks for a hundred pages at once waits for themselves, and nobody who writes waits for them at all.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    work: Callable[[], Any]
    answer: asyncio.Future[Any]


class FairThreads:
    """Runs work in so many threads, of each participant in turn. All calls come from one event loop."""

    def __init__(self, count: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._free = count
        self._lines: OrderedDict[str | None, deque[_Asked]] = OrderedDict()

    async def run(self, who: str | None, work: Callable[[], T]) -> T:
        """What the work returns or raises, in the context of the caller."""
        here = copy_context()
        asked = _Asked(lambda: here.run(work), asyncio.get_running_loop().create_future())
        self._lines.setdefault(who, deque()).append(asked)
        self._begin()
        result: T = await asked.answer
        return result

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        while self._free and self._lines:
            who, line = self._lines.popitem(last=False)
            asked = line.popleft()
            if line:
                self._lines[who] = line
            if asked.answer.done():  # who asked has gone
                continue
            self._free -= 1
            running = asyncio.get_running_loop().run_in_executor(self._threads, asked.work)
            running.add_done_callback(lambda done, asked=asked: self._done(done, asked.answer))  # type: ignore[misc]

    def _done(self, done: asyncio.Future[Any], answer: asyncio.Future[Any]) -> None:
        self._free += 1
        error = asyncio.CancelledError() if done.cancelled() else done.exception()
        if not answer.done():
            if error is None:
                answer.set_result(done.result())
            else:
                answer.set_exception(error)
        self._begin()
