"""The referee turns results into rows and resumes plays; the sweeper puts back what the queue has lost.

Both run in every API process. Commit, then acknowledge, then ring: a referee that dies in between is repeated, and
repeating it changes nothing.
"""

import asyncio
import math
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from server.arena import (
    checks,
    endings,
    generations,
    lab,
    leaderboards,
    measurements,
    mending,
    plays,
    rated_plays,
    rescoring_work,
    retention,
    retirement,
    rounds,
    second_judges,
    work,
)
from server.arena.outbox import Outbox
from server.db.lab import Experiment
from server.db.models import Generation, Measurement
from server.db.session import now
from server.db.states import WorkState
from server.db.work import QueuedWork
from server.errors import Unavailable
from server.http.context import AppContext
from server.metrics import LOOP_ERRORS, REQUEUED
from server.queue.messages import AnyJob, NotTaken, RedisError, Result
from server.referee.results import settle

log = structlog.get_logger()

BATCH = 128  # results per transaction
PAGE = 500  # rows per look of the sweeper
BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "")  # before the first row
STUCK_AT_ONCE = 64  # plays that one sweep resumes
PLAN_EVERY = 30  # sweeps: players are kept for days
TELL_EVERY = 60.0  # seconds between two words in the log about what is away
LAST_TRY = 20  # a row queued again this often is given up


class Referee:
    """The two loops over one process' context."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._grace = timedelta(seconds=context.settings.grace)
        self._sweeps = 0
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"

    async def run(self) -> None:
        """Settle results until cancelled."""
        try:
            await _forever(self.settle_some, pause=0)
        finally:
            try:
                await self._context.queue.leave(self._name)
            except RedisError:
                log.info("referee.left_without_goodbye")

    async def sweep(self) -> None:
        """Sweep until cancelled."""
        await _forever(self.sweep_once, pause=self._context.settings.sweep)

    async def settle_some(self) -> None:
        """Settle a batch of results, waiting a second for the first."""
        taken = await self._context.queue.results(self._name, BATCH, block=1)
        if not taken:
            return
        try:
            await self._settle(taken)
        except (RedisError, Unavailable):
            raise
        except Exception:  # one result that cannot be settled must not hold up the others
            LOOP_ERRORS.inc()
            log.exception("referee.batch_broken", size=len(taken))
            for one in taken:
                await self._settle_alone(one)

    async def _settle(self, taken: Sequence[tuple[str, Result]]) -> None:
        context = self._context
        results = [result for _, result in taken]
        left = await context.write(partial(settle, results=results, one_in=context.settings.remeasure))
        while left:
            left = await context.write(partial(plays.resume_plays, play_ids=left))
        await context.queue.settled([entry for entry, _ in taken])

    async def _settle_alone(self, one: tuple[str, Result]) -> None:
        """Settle one result, or drop it: the sweeper has it measured again, a limited number of times."""
        entry, result = one
        try:
            await self._settle([one])
        except (RedisError, Unavailable):
            raise
        except Exception:
            log.exception("referee.result_broken", key=result.key)
            await self._context.queue.settled([entry])

    async def sweep_once(self) -> None:
        context = self._context
        # Each alone, since each ends by locking competitions, which comes last in a transaction.
        if await context.read_at_once(partial(_anything, of=_to_settle)):
            for task in (_rounds_due, rounds.prepare_rounds, endings.end_late_plays, _stuck_plays):
                await context.write(task)
        await context.learn_of_workers()
        await context.keep_out()
        served = context.workforce.judges()
        if await context.read_at_once(partial(_anything, of=partial(_to_end, served=served))):
            for ending in (retirement.end_rounds, retirement.end_work):
                await context.write(partial(ending, served=served))
        await context.gauge()
        await self._requeue_lost()
        await self._measure_again()
        if await context.read_at_once(partial(_anything, of=_to_go_on_with)):
            for rest in (leaderboards.rate_on, second_judges.begin_due, mending.go_on, rescoring_work.go_on):
                while await context.write(rest):
                    pass
        await self._delete_due()

    async def _delete_due(self) -> None:
        """The players whose time has come; what is left of them in files goes once all are deleted."""
        context = self._context
        self._sweeps += 1
        # Looks at all players, without keeping anybody from writing.
        changes = await context.read(retention.changes) if self._sweeps % PLAN_EVERY == 1 else []
        if changes:
            await context.write(retention.plan)
        if await context.read(retention.is_due):
            expire = partial(retention.delete_due, settings=context.settings, workforce=context.workforce)
            while await context.write(expire):
                pass
            await context.scrub()

    async def _measure_again(self) -> None:
        context = self._context
        workers = context.workforce.workers
        if asked := await context.read(checks.addressees):
            await context.queue.forget_checks(asked - {"", *(worker.id for worker in workers)})
            one_in = context.settings.remeasure
            await context.write(partial(checks.go_on, workers=workers, one_in=one_in, grace=self._grace))

    async def _requeue_lost(self) -> None:
        for model, judge in await self._context.read(_waited_for):
            overdue, after = partial(_overdue, model=model, judge=judge, grace=self._grace), BEGINNING
            while page := await self._context.read(partial(overdue, after=after)):
                after = page[-1]
                lost = await self._context.queue.missing(judge, [key for _, key in page])
                if lost:
                    await self._put_back(model, judge, lost)

    async def _put_back(self, model: type[QueuedWork], judge: str, keys: Sequence[str]) -> None:
        """Put those in the queue again that are still pending. Only what Redis takes counts as a try."""
        jobs, spent = await self._context.read(partial(_lost, model=model, keys=keys))
        refusal: NotTaken | None = None
        taken: Sequence[str] = ()
        try:
            taken = await self._context.queue.enqueue(jobs, waited=True)
        except NotTaken as error:
            refusal, taken = error, error.added
        if taken or spent:
            await self._context.write(partial(_note_tries, model=model, taken=taken, spent=spent))
            REQUEUED.inc(len(taken))
            log.warning("sweeper.requeued", judge=judge, count=len(taken), given_up=len(spent))
        if refusal:
            raise refusal


def _anything(session: Session, *, of: Callable[[datetime], Sequence[Select[Any]]]) -> bool:
    """Does any of these find a row by now? All are asked at once, and most sweeps find nothing."""
    return any(session.execute(select(*(each.exists() for each in of(now(session))))).one())


def _to_settle(at: datetime) -> Sequence[Select[Any]]:
    return (rounds.due(at), rounds.in_preparation(), endings.late(at), plays.stalled())


def _to_end(at: datetime, *, served: Collection[str]) -> Sequence[Select[Any]]:
    return (retirement.rounds_left(served), *retirement.work_left(served))


def _to_go_on_with(at: datetime) -> Sequence[Select[Any]]:
    return (
        rated_plays.competitions_to_rate(),
        second_judges.with_scores(),
        mending.left(),
        rescoring_work.running(),
    )


def _rounds_due(session: Session, outbox: Outbox) -> None:
    outbox.competitions |= set(rounds.due_rounds(session))


def _stuck_plays(session: Session, outbox: Outbox) -> None:
    """A net under everything else."""
    if stuck := session.scalars(plays.stalled().limit(STUCK_AT_ONCE)).all():
        log.warning("sweeper.resumed", plays=stuck)
        plays.resume_plays(session, outbox, stuck)


def _waited_for(session: Session) -> list[tuple[type[QueuedWork], str]]:
    """The judges that have something to do, with what kind of it."""
    kinds: tuple[type[QueuedWork], ...] = (Measurement, Generation, Experiment)
    pending = [(kind, select(kind.judge).where(kind.state == WorkState.PENDING).distinct()) for kind in kinds]
    return [(kind, judge) for kind, query in pending for judge in session.scalars(query)]


def _overdue(
    session: Session, *, model: type[QueuedWork], judge: str, grace: timedelta, after: tuple[datetime, str]
) -> list[tuple[datetime, str]]:
    """When they were asked for, and the keys, of a judge's pending rows that should be in the queue by now: a page of
    them, in the order in which they are to be in it."""
    at = now(session)
    # What was asked for in the future was so before the clock was put back.
    overdue = (model.queued_at <= at - grace) | (model.queued_at > at)
    waits = (model.state == WorkState.PENDING, model.judge == judge, overdue)
    place = tuple_(model.queued_at, model.key)
    query = select(model.queued_at, model.key).where(*waits, place > after).order_by(model.queued_at, model.key)
    return [(queued_at, key) for queued_at, key in session.execute(query.limit(PAGE))]


def _lost(session: Session, *, model: type[QueuedWork], keys: Sequence[str]) -> tuple[list[AnyJob], list[str]]:
    """Of those that are still pending: the jobs to be put in the queue again, and the keys that were it too often."""
    jobs, spent = list[AnyJob](), list[str]()
    for row in work.pending(session, model, keys):
        if row.tries >= LAST_TRY:
            spent.append(row.key)
        else:
            jobs.append(_job(row))
    return jobs, spent


def _job(row: QueuedWork) -> AnyJob:
    if isinstance(row, Measurement):
        return measurements.job(row)
    if isinstance(row, Experiment):
        return lab.job(row)
    assert isinstance(row, Generation)
    return generations.job(row)


def _note_tries(
    session: Session, outbox: Outbox, *, model: type[QueuedWork], taken: Sequence[str], spent: Sequence[str]
) -> None:
    work.count_try(session, model, taken)
    given_up = work.give_up(session, model, model.key.in_(spent), f"It was lost by the queue {LAST_TRY} times.")
    if model is Measurement:  # the rounds of texts are seen to by the next sweep
        plays.resume(session, outbox, given_up)


async def _forever(task: Callable[[], Awaitable[None]], *, pause: float) -> None:
    """Repeat `task`. Whatever goes wrong, go on; slower while it keeps going wrong. What is away is told of once a
    minute."""
    failures, told = 0, -math.inf
    while True:
        try:
            await task()
            failures = 0
        except (RedisError, Unavailable) as error:
            failures += 1
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                log.warning("loop.away", task=task.__name__, error=str(error))
        except Exception:
            failures += 1
            LOOP_ERRORS.inc()
            log.exception("loop.error", task=task.__name__)
        await asyncio.sleep(min(2.0, 0.05 * 2**failures) if failures else pause)
