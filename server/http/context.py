"""One server process: its database, its queue, and those who wait in it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, NoReturn, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from server import metrics
from server.arena import feed, judges, naming, trust
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.models import FeedEvent, Judge, Measurement
from server.db.session import Database, now
from server.db.states import WorkState
from server.http import condition
from server.http.event_stream import Feeds
from server.http.fair_threads import FairThreads
from server.http.join_limits import JoinLimits
from server.http.live import Notifier
from server.http.rate_limit import Buckets, Rates, SharedBuckets
from server.queue.announced import Ignored
from server.queue.messages import AWAY, ChangeNotice, RedisError
from server.queue.server import Queue
from server.settings import Settings

log = structlog.get_logger()

READERS = 4  # threads for what only looks: more of them would take turns from those that write, and be no quicker

T = TypeVar("T")
V = TypeVar("V")


class AppContext:
    """What every request of a process shares. Built once, when it starts."""

    def __init__(
        self, settings: Settings, database: Database, queue: Queue, show: Callable[[FeedEvent], bytes]
    ) -> None:
        self.settings = settings
        self.database = database
        self.queue = queue
        self.live = Notifier()
        self.feeds = Feeds(self.live, self._feed_page, self._reset)
        self._buckets = _buckets(settings, shared=not database.sqlite)
        self.rates = Rates(settings.rate_limit, self._buckets)
        self.join_limits = JoinLimits()
        self.workforce = Workforce()
        self.judges_known: frozenset[str] = frozenset()
        self._told_of: frozenset[Ignored] = frozenset()
        self._named: set[str] = set()
        self._show = show
        self._readers = FairThreads(min(READERS, settings.threads), "readers")
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="database")
        self._heavy_thread = ThreadPoolExecutor(1, thread_name_prefix="heavy")  # what computes for long, one at a time
        self._feed_thread = ThreadPoolExecutor(1, thread_name_prefix="feed")  # who writes does not wait for who reads

    async def read(self, work: Callable[[Session], T], who: str | None = None) -> T:
        """who: the token of whoever asks, who waits in a line of their own."""
        return await self._readers.run(who, partial(self.database.read, work))

    async def read_at_once(self, work: Callable[[Session], T]) -> T:
        """A look that is a part of playing: it waits for no other one."""
        return await self.in_thread(partial(self.database.read, work))

    async def stream(self, work: Callable[[Session], Iterator[T]]) -> Iterator[T]:
        """What `work` yields. Whatever it refuses, it refuses before this returns; the rest blocks."""
        return await self.in_thread(partial(self.database.stream, work))

    async def write(self, work: Callable[[Session, Outbox], T]) -> T:
        """Run `work` in a transaction; after its commit, put jobs in the queue and tell of the changes."""
        result, outbox = await self.in_thread(partial(self.database.write, partial(_with_outbox, work)))
        await self.follow_up(outbox)
        return result

    async def write_and_show(
        self, work: Callable[[Session, Outbox], tuple[Unit, T]], view: Callable[[Unit, T], V]
    ) -> V:
        """The same, and a view of what it returned, made after the commit with the rows that the session has."""
        shown = await self.in_thread(partial(self._commit_and_show, work, view))
        await self.follow_up(shown.outbox)
        return shown.value()

    def _commit_and_show(
        self, work: Callable[[Session, Outbox], tuple[Unit, T]], view: Callable[[Unit, T], V]
    ) -> "_Shown[V]":
        session, ((unit, result), outbox) = self.database.commit(partial(_with_outbox, work))
        try:
            value = self.database.look(session, partial(view, unit, result))
        except Exception as error:  # what is committed is to be queued and told all the same
            return _Shown(outbox, partial(_raise, error))
        return _Shown(outbox, lambda: value)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What writes, or is a part of playing. Those who only look give way."""
        with self._readers.giving_way():
            return await _run_in(self._threads, work)

    async def one_at_a_time(self, work: Callable[[], T]) -> T:
        """Work without the database, after all such work of before."""
        return await _run_in(self._heavy_thread, work)

    async def follow_up(self, outbox: Outbox) -> None:
        """What a commit leads to. Where Redis is away the sweeper will do it, and this process hears its own notice."""
        notice = ChangeNotice(
            tuple(outbox.submissions), tuple(outbox.measurements), tuple(outbox.competitions), tuple(outbox.tokens)
        )
        try:
            if outbox.trust:
                await self.keep_out()
            if outbox.jobs:
                await self.queue.enqueue(sorted(outbox.jobs, key=lambda job: job.key))
            if notice != ChangeNotice():
                await self.queue.notify(notice)
        except RedisError as error:
            log.warning("queue.away", error=str(error))
            self.live.notify(notice)

    async def learn_of_workers(self) -> None:
        """Who is there to measure, and with which judges; makes rows of judges not seen before.

        Raises `RedisError` where Redis is away.
        """
        try:
            troubles, heard = await self._troubles(), await self.queue.heard()
            introduced = await self.queue.judges(self.judges_known)
            refused = await self._remember(introduced.judges)
            ignored = await self.queue.tell_ignored([*heard.ignored, *introduced.ignored, *refused])
            # A judge whose introduction has not come yet has no row, and no round can be played with it.
            known = self.judges_known
            workers = [
                replace(each, judges=tuple(judge for judge in each.judges if judge in known)) for each in heard.workers
            ]
            at_work = Workforce(workers).judges()
            lanes, served = await self.queue.lanes(at_work), await self.queue.last_served(at_work)
            await self._name_own({judge for each in workers if not each.lent for judge in each.judges})
        except RedisError as error:
            self.workforce = replace(self.workforce, troubles=(condition.of_queue(error),))
            raise
        for wrong in frozenset(ignored) - self._told_of:
            log.warning("worker.announcement_ignored", who=wrong.who, reason=wrong.reason)
        self._told_of = frozenset(ignored)
        self.workforce = Workforce(workers, troubles, lanes, ignored, served, heard.kept_out)

    async def keep_out(self) -> None:
        """Let Redis know who gets no work. Raises `RedisError` where it is away."""
        heard = (*self.workforce.workers, *self.workforce.kept_out)
        await self.queue.keep_out(await self.read(partial(trust.kept_out, workers=heard)))

    async def _remember(self, new: Sequence[dict[str, Any]]) -> list[Ignored]:
        """Make rows of judges not seen before. Returns those with which nothing could be counted."""
        faults = [await self.in_thread(partial(judges.fault, info)) for info in new]
        usable = [info for info, fault in zip(new, faults, strict=True) if fault is None]
        if usable:
            await self.write(lambda session, outbox: judges.remember(session, usable))
        if usable or not self.judges_known:
            rows = await self.read(lambda session: session.scalars(select(Judge.identity)).all())
            self.judges_known = frozenset(rows)
        refused = [Ignored(info["identity"], fault) for info, fault in zip(new, faults, strict=True) if fault]
        await self.queue.drop_judges([each.who for each in refused])
        return refused

    async def _name_own(self, served: set[str]) -> None:
        """Judges of our own workers get their names."""
        if new := served - self._named:
            await self.write(partial(naming.name_own, served=new))
            self._named |= new

    async def _troubles(self) -> tuple[str, ...]:
        full = (condition.DISK_FULL,) if self.database.full else ()
        try:
            await self.queue.try_write()
        except AWAY:
            raise
        except RedisError as error:
            return (*full, condition.of_queue(error))
        return full

    async def look_for_workers(self) -> None:
        """The same before a request that works also with what is known already."""
        try:
            await self.learn_of_workers()
        except RedisError as error:
            log.warning("queue.away", error=str(error))

    async def gauge(self) -> None:
        """Tell the metrics how long the queues are."""
        for judge in self.judges_known:
            metrics.DEPTH.labels(judge).set(await self.queue.depth(judge))
            metrics.AGE.labels(judge).set(await self.read(partial(_longest_wait, judge)))
            metrics.WORKERS.labels(judge).set(len(self.workforce.serving(judge)))

    async def scrub(self) -> None:
        """Leave nothing in the files of database and queue of what was deleted."""
        if reason := await self.in_thread(self.database.scrub):
            log.warning("database.not-scrubbed", reason=reason)
        try:
            await self.queue.rewrite()
        except RedisError as error:
            log.warning("queue.not-rewritten", error=str(error))

    def close(self) -> None:
        for threads in (self._threads, self._feed_thread, self._heavy_thread):
            threads.shutdown(wait=True, cancel_futures=True)
        self._readers.close()
        self._buckets.close()
        self.database.dispose()

    async def _feed_page(self, competition: str, number: int) -> Sequence[tuple[int, bytes]]:
        def page(session: Session) -> tuple[bool, Sequence[tuple[int, bytes]]]:
            events = feed.after(session, competition, number)
            deleted = any(event.type == feed.DELETED for event in events)
            return deleted, [(event.number, self._show(event)) for event in events]

        read = partial(self.database.read, page)
        deleted, shown = await asyncio.get_running_loop().run_in_executor(self._feed_thread, read)
        if deleted:
            self.feeds.forget(competition, number)  # what is held of before may tell of whoever was deleted
        return shown

    def _reset(self, number: int) -> bytes:
        return self._show(FeedEvent(number=number, type=feed.RESET, at=datetime.now(UTC), data={}))


def _longest_wait(judge: str, session: Session) -> float:
    """Seconds since the oldest measurement that is not done was put in the queue."""
    waiting = select(Measurement.queued_at).where(Measurement.state == WorkState.PENDING, Measurement.judge == judge)
    oldest = session.scalars(waiting.order_by(Measurement.queued_at).limit(1)).one_or_none()
    return 0.0 if oldest is None else max(0.0, (now(session) - oldest).total_seconds())


def _buckets(settings: Settings, *, shared: bool) -> Buckets | SharedBuckets:
    """Of this process, or of all that may be there: a SQLite file has one, PostgreSQL as many as one likes."""
    limits = settings.rate_limit, settings.rate_burst
    if not shared or settings.redis_url is None:
        return Buckets(*limits)
    return SharedBuckets(settings.redis_url, *limits)


async def _run_in(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    here = copy_context()  # threads of an executor have none of their own: the language of a page is in it
    return await asyncio.get_running_loop().run_in_executor(threads, here.run, work)


def _with_outbox(work: Callable[[Session, Outbox], T], session: Session) -> tuple[T, Outbox]:
    outbox = Outbox()
    return work(session, outbox), outbox


@dataclass(frozen=True, slots=True)
class _Shown(Generic[V]):
    """What a commit leads to. value: the view, or raises what went wrong with it."""

    outbox: Outbox
    value: Callable[[], V]


def _raise(error: Exception) -> NoReturn:
    raise error
