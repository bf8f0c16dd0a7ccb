"""The queue, asked from code that is not async."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.queue.messages import AnyJob
from server.queue.server import Queue

T = TypeVar("T")


LEASE = 0.3


def ask(url: str, work: Callable[[Queue], Awaitable[T]]) -> T:
    """Run some async work on a queue of its own."""

    async def run() -> T:
        queue = Queue(url, lease=LEASE)
        try:
            return await work(queue)
        finally:
            await queue.close()

    return asyncio.run(run())


def enqueue(url: str, *jobs: AnyJob) -> int:
    """Put jobs in; how many were not in already."""
    return len(ask(url, lambda queue: queue.enqueue(jobs)))
