"""Who waits for what, in this process: a notice wakes them, and nobody who waits holds a thread or a connection."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog

from server.queue.messages import ChangeNotice, RedisError
from server.queue.server import Queue

log = structlog.get_logger()

T = TypeVar("T")
RECHECK_SECONDS = 5.0  # seconds after which whoever waits looks again, should a notice have been lost


class Notifier:
    """Topics are ids of submissions, measurements, competitions and tokens."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.stopping = False

    def __len__(self) -> int:
        """How many topics somebody waits for."""
        return len(self._waiting)

    @contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the topics has changed, from now on."""
        event = self.subscribe(*topics)
        try:
            yield event
        finally:
            self.unsubscribe(event, *topics)

    def subscribe(self, *topics: str) -> asyncio.Event:
        event = asyncio.Event()
        for topic in topics:
            self._waiting[topic].add(event)
        return event

    def unsubscribe(self, event: asyncio.Event, *topics: str) -> None:
        for topic in topics:
            self._waiting[topic].discard(event)
            if not self._waiting[topic]:
                del self._waiting[topic]

    def notify(self, notice: ChangeNotice) -> None:
        for topic in (*notice.submissions, *notice.measurements, *notice.competitions, *notice.tokens):
            for event in self._waiting.get(topic, ()):
                event.set()

    def notify_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()

    def stop(self) -> None:
        """The server ends: nobody waits any more, and streams end."""
        self.stopping = True
        self.notify_all()

    async def listen(self, queue: Queue) -> None:
        """Pass on every notice, until cancelled. Where Redis is away, everyone looks once a second."""
        while True:
            try:
                async for notice in queue.notices():
                    if notice is None:
                        self.notify_all()  # what changed before we listened
                    else:
                        self.notify(notice)
            except RedisError as error:
                log.warning("notices.away", error=str(error))
            self.notify_all()
            await asyncio.sleep(1)


async def until(
    live: Notifier,
    topic: str,
    read: Callable[[], Awaitable[T]],
    done: Callable[[T], bool],
    seconds: float,
    *,
    also: str | None = None,
) -> T:
    """Read until `done`, or until the time is up: reads at first, when a topic has changed, and every few seconds."""
    topics = (topic,) if also is None else (topic, also)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with live.listening(*topics) as event:
        while True:
            event.clear()
            value = await read()
            left = deadline - loop.time()
            if done(value) or left <= 0 or live.stopping:
                return value
            await wait_for(event, min(left, RECHECK_SECONDS))


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
