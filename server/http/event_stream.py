"""A competition's events, read once for all who follow them, and sent in portions.

Whoever is further behind than what is held is told `reset` and goes on with what is new: no stream reads for itself.
"""

import asyncio
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, takewhile
from operator import itemgetter

from games.sentences import say
from server.errors import limited
from server.http.live import RECHECK_SECONDS, Notifier, wait_for

TOKEN_SECONDS = 30.0  # after which a stream's token is looked at again, should a notice of its end have been lost
CACHED_EVENTS = 4_096  # events of a competition held in memory for its streams: as far back as one can begin
PORTION = 256  # events that are sent at once
STREAMS = 12  # that one participant may have open: a browser opens six at most


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

    def portion(self, number: int) -> Sequence[tuple[int, bytes]]:
        """The next ones after a number."""
        first = bisect_right(self.events, number, key=itemgetter(0))
        return list(islice(self.events, first, first + PORTION))


Read = Callable[[str, int], Awaitable[Sequence[tuple[int, bytes]]]]


class Feeds:
    """Streams of events. `read(competition, number)` gives the next events after a number, in order; `reset(number)` is
    what is sent to who cannot have all of them, before what comes after that number."""

    def __init__(self, live: Notifier, read: Read, reset: Callable[[int], bytes]) -> None:
        self._live = live
        self._read = read
        self._reset = reset
        self._tails: dict[str, FeedCache] = {}
        self._open = Counter[str]()

    def __len__(self) -> int:
        """How many competitions are followed."""
        return len(self._tails)

    def require_place(self, participant: str) -> None:
        """Raises `RequestError` (429) where a participant has as many streams open as one may have."""
        if self._open[participant] >= STREAMS:
            told = say("You have {number} event streams open, as many as one participant may have.", number=STREAMS)
            raise limited("streams", told, 5)

    @contextmanager
    def place(self, participant: str) -> Iterator[bool]:
        """Count a stream as long as it is open. False: there is no place for it any more."""
        free = self._open[participant] < STREAMS
        self._open[participant] += 1
        try:
            yield free
        finally:
            self._open[participant] -= 1
            if not self._open[participant]:
                del self._open[participant]

    def forget(self, competition: str, number: int) -> None:
        """Hold nothing of up to this number any more: what was written there is not what is there now."""
        tail = self._tails.get(competition)
        if tail is not None and number >= tail.last:
            tail.events.clear()
            tail.begin = number

    async def follow(
        self, competition: str, token: str, number: int, newest: int, still_good: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """Everything after `number`, several events at once, then whatever comes; b"" when nothing came for a while.

        Ends when the token is no longer good.
        """
        if newest - number > CACHED_EVENTS:
            number = newest
            yield self._reset(number)
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
                while found := await self._next(competition, tail, number):
                    number, data = found
                    idle = False
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

    async def _next(self, competition: str, tail: FeedCache, number: int) -> tuple[int, bytes] | None:
        """The number of the newest event that a stream has with this, and what it is sent."""
        await self._extend(competition, tail)
        if number < tail.begin:
            await self._fill_back(competition, tail, number)
        if number < tail.begin:
            return tail.last, self._reset(tail.last)
        found = tail.portion(number)
        return (found[-1][0], b"".join(data for _, data in found)) if found else None

    async def _fill_back(self, competition: str, tail: FeedCache, number: int) -> None:
        """Read what comes after a number and is not held, once for all, where so much may be held."""
        async with tail.lock:
            end, found = tail.begin, list[tuple[int, bytes]]()
            if number >= end or tail.last - number > CACHED_EVENTS:
                return
            at = number
            while at < end and (page := await self._read(competition, at)):
                found += takewhile(lambda event: event[0] <= end, page)
                at = page[-1][0]
            tail.events.extendleft(reversed(found))
            tail.begin = number

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
