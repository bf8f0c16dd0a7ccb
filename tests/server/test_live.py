"""Many streams share what was read of a feed; each still sees all of it, once and in order."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.errors import RequestError
from server.http import event_stream, live
from server.http.event_stream import Feeds
from server.http.live import Notifier, until
from server.queue.messages import ChangeNotice
from server.web import pages

PAGE = 3


class Table:
    """A feed of one competition: numbers from 1 on, each told as its own text."""

    def __init__(self) -> None:
        self.last = 0
        self.reads = 0

    async def read(self, competition: str, number: int) -> Sequence[tuple[int, bytes]]:
        self.reads += 1
        await asyncio.sleep(0)
        return [(n, b"%d " % n) for n in range(number + 1, min(self.last, number + PAGE) + 1)]


async def good() -> bool:
    return True


def reset(number: int) -> bytes:
    """What is sent instead of what is missed: the number itself, with a minus."""
    return b"-%d " % number


async def take(events: AsyncIterator[bytes], end: int) -> list[int]:
    """The next events until one has this number; silences are passed over."""
    found: list[int] = []
    while not found or abs(found[-1]) < end:
        found += map(int, (await anext(events)).split())
    return found


def whole(seen: Sequence[int], start: int, end: int) -> bool:
    """Is each event there once and in order, but for those that a reset says are left out?"""
    for number in seen:
        if number < 0 and -number > start:
            start = -number
        elif number == start + 1:
            start = number
        else:
            return False
    return start == end


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await work()

    asyncio.run(limited())


@pytest.fixture(autouse=True)
def _short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few events are kept, so that streams are told to begin anew."""
    monkeypatch.setattr(event_stream, "CACHED_EVENTS", 4)


STEPS = st.lists(
    st.one_of(st.tuples(st.just("happen"), st.integers(1, 9)), st.tuples(st.just("open"), st.integers(0, 30)))
)


@settings(max_examples=60)
@given(steps=STEPS)
def test_wherever_a_stream_begins_it_sees_all_that_follows_or_is_told_that_it_does_not(
    steps: list[tuple[str, int]],
) -> None:
    async def work() -> None:
        table, bells = Table(), Notifier()
        feeds = Feeds(bells, table.read, reset)
        readers: list[tuple[int, asyncio.Task[list[int]]]] = []
        end = 40 + sum(count for step, count in steps if step == "happen")
        for step, number in steps:
            if step == "happen":
                table.last += number
                bells.notify(ChangeNotice(competitions=("c",)))
            else:
                start = min(number, table.last)
                events = feeds.follow("c", "token", start, table.last, good)
                readers.append((start, asyncio.create_task(take(events, end))))
            await asyncio.sleep(0)
        while table.last < end:
            table.last += 1
            bells.notify(ChangeNotice(competitions=("c",)))
            await asyncio.sleep(0)
        for start, reader in readers:
            assert whole(await reader, start, end)

    run(work)


def test_a_stream_begins_as_far_back_as_is_held_and_beyond_with_what_is_new() -> None:
    async def work() -> None:
        table, bells = Table(), Notifier()
        feeds = Feeds(bells, table.read, reset)
        table.last = 20
        seen = {start: feeds.follow("c", "token", start, 20, good) for start in (0, 15, 16, 18)}
        assert await take(seen[0], 20) == await take(seen[15], 20) == [-20]
        assert await take(seen[16], 20) == [17, 18, 19, 20]
        table.reads = 0
        assert await take(seen[18], 20) == [19, 20]
        assert await take(feeds.follow("c", "token", 16, 20, good), 20) == [17, 18, 19, 20]
        assert table.reads == 0, "what one was read for, others have too"
        table.last = 21
        bells.notify(ChangeNotice(competitions=("c",)))
        assert await take(seen[0], 21) == [21]

    run(work)


def test_a_stream_that_is_slow_is_told_what_it_misses() -> None:
    async def work() -> None:
        table, bells = Table(), Notifier()
        feeds = Feeds(bells, table.read, reset)
        quick, slow = (feeds.follow("c", "token", 0, 0, good) for _ in range(2))
        table.last = 2
        assert await take(slow, 2) == [1, 2]
        for _ in range(10):
            table.last += 3
            bells.notify(ChangeNotice(competitions=("c",)))
            assert whole(await take(quick, table.last), 0 if table.last == 5 else table.last - 3, table.last)
        assert await take(slow, 32) == [-32]

    run(work)


def test_a_participant_has_so_many_streams_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "STREAMS", 2)
    feeds = Feeds(Notifier(), Table().read, reset)
    with feeds.place("Ada") as first:
        feeds.require_place("Ada")
        with feeds.place("Ada") as second:
            feeds.require_place("Bob")
            with pytest.raises(RequestError) as refused:
                feeds.require_place("Ada")
            with feeds.place("Ada") as third:
                assert (first, second, third) == (True, True, False), "whoever was let in at the same moment, too"
        feeds.require_place("Ada")
    assert (refused.value.status, refused.value.limit) == (429, "streams")


def test_news_is_read_once_however_many_listen() -> None:
    async def work() -> None:
        table, bells = Table(), Notifier()
        feeds = Feeds(bells, table.read, reset)
        readers = [asyncio.create_task(take(feeds.follow("c", "token", 0, 0, good), 1)) for _ in range(100)]
        await asyncio.sleep(0.05)
        table.last, table.reads = 1, 0
        bells.notify(ChangeNotice(competitions=("c",)))
        assert await asyncio.gather(*readers) == [[1]] * 100
        assert table.reads <= 3

    run(work)


def test_a_lost_bell_only_costs_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (live, event_stream):
        monkeypatch.setattr(module, "RECHECK_SECONDS", 0.05)

    async def work() -> None:
        table, bells = Table(), Notifier()
        events = Feeds(bells, table.read, reset).follow("c", "token", 0, 0, good)
        assert await anext(events) == b"", "a sign of life while nothing happens"
        table.last = 1
        assert await take(events, 1) == [1]

    run(work)


def test_a_stream_ends_at_once_when_its_token_is_no_longer_good() -> None:
    async def work() -> None:
        bells, still = Notifier(), True

        async def check() -> bool:
            return still

        events = Feeds(bells, Table().read, reset).follow("c", "token", 0, 0, check)
        reading = asyncio.create_task(anext(events, None))
        await asyncio.sleep(0.01)
        bells.notify(ChangeNotice(tokens=("token",)))
        await asyncio.sleep(0.01)
        assert not reading.done(), "asked about, and still good"
        still = False
        bells.notify(ChangeNotice(tokens=("token",)))
        async with asyncio.timeout(1):
            assert await reading is None

    run(work)


def test_nobody_is_remembered_who_has_gone() -> None:
    async def work() -> None:
        table, bells = Table(), Notifier()
        feeds = Feeds(bells, table.read, reset)
        table.last = 1
        events = feeds.follow("c", "token", 0, 0, good)
        assert await anext(events) == b"1 "
        await events.aclose()  # type: ignore[attr-defined]
        assert len(bells) == 0
        assert len(feeds) == 0

    run(work)


def test_waiting_reads_at_once_when_the_bell_rings_and_gives_up_in_time() -> None:
    async def work() -> None:
        bells, values = Notifier(), [1]

        async def read() -> int:
            return values[-1]

        waiting = asyncio.create_task(until(bells, "topic", read, lambda value: value > 1, 20))
        await asyncio.sleep(0.01)
        bells.notify(ChangeNotice(submissions=("topic",)))
        await asyncio.sleep(0.01)
        assert not waiting.done(), "ids for nothing"
        values.append(2)
        bells.notify(ChangeNotice(submissions=("topic",)))
        async with asyncio.timeout(1):
            assert await waiting == 2
        assert await until(bells, "topic", read, lambda value: value > 2, 0.01) == 2
        assert len(bells) == 0

    run(work)


def test_the_pages_listen_for_every_kind_of_event_that_one_of_their_parts_waits_for() -> None:
    web = Path(pages.__file__).parent
    waited = {
        kind
        for template in web.glob("templates/**/*.html")
        for kinds in re.findall(r'data-on="([^"]*)"', template.read_text())
        for kind in kinds.split()
    }
    heard = set(re.findall(r'"([a-z_]+\.?[a-z]*)"', (web / "static/live.js").read_text().split("];")[0]))
    assert waited - {"own"} <= heard
    assert "second_judge.changed" in waited
