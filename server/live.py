"""Who waits for what, in this process: a bell wakes them, and nobody who waits holds a thread or a connection."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from server.jobs import Bell, Queue, RedisError

log = structlog.get_logger()
T = TypeVar("T")

KEPT = 4_096  # events of a competition held in memory for its streams
NETS = 5.0  # seconds after which whoever waits looks again, should a bell have been lost


class Live:
    """Topics are ids of submissions, measurements, competitions and tokens."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listening(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the topics is rung, from now on."""
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

    def ring(self, bell: Bell) -> None:
        for topic in (*bell.submissions, *bell.measurements, *bell.competitions, *bell.tokens):
            for event in self._waiting.get(topic, ()):
                event.set()

    def ring_all(self) -> None:
        for events in self._waiting.values():
            for event in events:
                event.set()

    async def hear(self, queue: Queue) -> None:
        """Pass on every bell, until cancelled. Where Redis is away, everyone looks once a second."""
        while True:
            try:
                async for bell in queue.bells():
                    if bell is None:
                        self.ring_all()  # what was rung before we listened
                    else:
                        self.ring(bell)
            except RedisError as error:
                log.warning("doorbell.away", error=str(error))
            self.ring_all()
            await asyncio.sleep(1)


async def until(
    live: Live,
    topic: str,
    read: Callable[[], Awaitable[T]],
    done: Callable[[T], bool],
    seconds: float,
    *,
    also: str | None = None,
) -> T:
    """Read until `done`, or until the time is up: reads at first, when a topic is rung, and every few seconds."""
    topics = (topic,) if also is None else (topic, also)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    with live.listening(*topics) as event:
        while True:
            event.clear()
            value = await read()
            left = deadline - loop.time()
            if done(value) or left <= 0:
                return value
            await _wait(event, min(left, NETS))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


@dataclass(slots=True)
class Tail:
    """The newest events of a competition, as (number, what is sent): read once for all of its streams."""

    news: asyncio.Event
    begin: int  # events up to this number are not held
    events: deque[tuple[int, bytes]] = field(default_factory=deque)
    read_at: float = float("-inf")
    readers: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def last(self) -> int:
        return self.events[-1][0] if self.events else self.begin

    def add(self, page: Sequence[tuple[int, bytes]]) -> None:
        self.events.extend(page)
        while len(self.events) > KEPT:
            self.begin = self.events.popleft()[0]


Read = Callable[[str, int], Awaitable[Sequence[tuple[int, bytes]]]]


class Feeds:
    """Streams of events. `read(competition, number)` gives the next events after a number, in order."""

    def __init__(self, live: Live, read: Read) -> None:
        self._live = live
        self._read = read
        self._tails: dict[str, Tail] = {}

    async def follow(
        self, competition: str, token: str, number: int, still_good: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Everything after `number`, then whatever comes; b"" when nothing came for a while.

        Ends when the token is rung and no longer good.
        """
        with (
            self._tail(competition, number) as tail,
            self._live.listening(competition, token) as news,
            self._live.listening(token) as check,
        ):
            while True:
                news.clear()
                idle = True
                async for event, data in self._after(competition, tail, number):
                    number, idle = event, False
                    yield data
                await _wait(news, NETS)
                if check.is_set():
                    check.clear()
                    if not await still_good():
                        return
                if idle and not news.is_set():
                    yield b""

    @contextmanager
    def _tail(self, competition: str, number: int) -> Iterator[Tail]:
        """The tail that all streams of a competition share; the first to come decides where it begins."""
        tail = self._tails.get(competition)
        if tail is None:
            tail = self._tails[competition] = Tail(self._live.subscribe(competition), number)
        tail.readers += 1
        try:
            yield tail
        finally:
            tail.readers -= 1
            if not tail.readers:
                self._live.unsubscribe(tail.news, competition)
                del self._tails[competition]

    async def _after(self, competition: str, tail: Tail, number: int) -> AsyncIterator[tuple[int, bytes]]:
        await self._extend(competition, tail)
        while number < tail.begin and (page := await self._read(competition, number)):
            for number, data in page:
                yield number, data
        for event in list(tail.events):
            if event[0] > number:
                yield event

    async def _extend(self, competition: str, tail: Tail) -> None:
        """Read on where there is news, once for everyone who asks."""
        async with tail.lock:
            clock = asyncio.get_running_loop().time()
            if not tail.news.is_set() and clock - tail.read_at < NETS:
                return
            tail.news.clear()
            tail.read_at = clock
            while page := await self._read(competition, tail.last):
                tail.add(page)
