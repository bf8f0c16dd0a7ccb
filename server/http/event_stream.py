"""A competition's events, read once for all who follow them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from server.http.live import RECHECK_SECONDS, Notifier, wait_for

TOKEN_SECONDS = 30.0  # after which a stream's token is looked at again, should a notice of its end have been lost
CACHED_EVENTS = 4_096  # events of a competition held in memory for its streams


@dataclass(slots=True)
class FeedCache:
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
        while len(self.events) > CACHED_EVENTS:
            self.begin = self.events.popleft()[0]


Read = Callable[[str, int], Awaitable[Sequence[tuple[int, bytes]]]]


class Feeds:
    """Streams of events. `read(competition, number)` gives the next events after a number, in order."""

    def __init__(self, live: Notifier, read: Read) -> None:
        self._live = live
        self._read = read
        self._tails: dict[str, FeedCache] = {}

    def __len__(self) -> int:
        """How many competitions are followed."""
        return len(self._tails)

    def forget(self, competition: str, number: int) -> None:
        """Hold nothing of up to this number any more: what was written there is not what is there now."""
        tail = self._tails.get(competition)
        if tail is not None and number >= tail.last:
            tail.events.clear()
            tail.begin = number

    async def follow(
        self, competition: str, token: str, number: int, still_good: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Everything after `number`, then whatever comes; b"" when nothing came for a while.

        Ends when the token is no longer good.
        """
        with (
            self._tail(competition, number) as tail,
            self._live.listening(competition, token) as news,
            self._live.listening(token) as check,
        ):
            clock = asyncio.get_running_loop().time
            looked = clock()
            while True:
                news.clear()
                idle = True
                async for event, data in self._after(competition, tail, number):
                    number, idle = event, False
                    yield data
                if self._live.stopping:
                    return
                await wait_for(news, RECHECK_SECONDS)
                if check.is_set() or clock() - looked > TOKEN_SECONDS:
                    check.clear()
                    looked = clock()
                    if not await still_good():
                        return
                if idle and not news.is_set():
                    yield b""

    @contextmanager
    def _tail(self, competition: str, number: int) -> Iterator[FeedCache]:
        """The tail that all streams of a competition share; the first to come decides where it begins."""
        tail = self._tails.get(competition)
        if tail is None:
            tail = self._tails[competition] = FeedCache(self._live.subscribe(competition), number)
        tail.readers += 1
        try:
            yield tail
        finally:
            tail.readers -= 1
            if not tail.readers:
                self._live.unsubscribe(tail.news, competition)
                del self._tails[competition]

    async def _after(self, competition: str, tail: FeedCache, number: int) -> AsyncIterator[tuple[int, bytes]]:
        await self._extend(competition, tail)
        while number < tail.begin and (page := await self._read(competition, number)):
            for number, data in page:
                yield number, data
        for event in list(tail.events):
            if event[0] > number:
                yield event

    async def _extend(self, competition: str, tail: FeedCache) -> None:
        """Read on where there is news, once for everyone who asks."""
        async with tail.lock:
            clock = asyncio.get_running_loop().time()
            if not tail.news.is_set() and clock - tail.read_at < RECHECK_SECONDS:
                return
            tail.news.clear()
            tail.read_at = clock
            while page := await self._read(competition, tail.last):
                tail.add(page)
