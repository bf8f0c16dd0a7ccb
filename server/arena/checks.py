"""A share of measurements, and every new best of a round, measured again by another worker where there is one.

Scores do not wait for it: it is asked for after them, and comes out of what bots get. Who said something else than a
second worker is asked about once more, and whoever then stands alone is not believed any more.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from judge.codec import unpack_bits
from server.arena import audit, trust, work
from server.arena.outbox import Outbox
from server.db.boards import Standing
from server.db.models import Judge, Measurement, PendingMeasurement, Submission
from server.db.session import insert, now
from server.db.states import WorkState
from server.db.trust import Check, Difference
from server.queue.messages import Job, Result, Worker, asked_of, check_lane, is_lent, party

log = structlog.get_logger()

SECOND, THIRD = 2, 3
PATIENCE = timedelta(minutes=10)  # for which a worker is given to measure again
PAGE = 500
#: Bits by which two builds of a judge may differ, of one token and of all together (decision 0033).
TOLERANCE = {"float32": 0.01}
WIDE = 4.0  # the same of any narrower dtype


@dataclass(frozen=True, slots=True)
class Said:
    """What a worker says of a measurement."""

    worker: str
    build: str
    bits: bytes

    @property
    def lent(self) -> bool:
        return is_lent(self.worker)


def agree(one: Said, other: Said, dtype: str) -> bool:
    """Of one build every bit is the same; two builds may differ a little."""
    if one.build == other.build or len(one.bits) != len(other.bits):
        return one.bits == other.bits
    apart = [a - b for a, b in zip(unpack_bits(one.bits), unpack_bits(other.bits), strict=True)]
    return max(*map(abs, apart), abs(sum(apart)), 0.0) <= TOLERANCE.get(dtype, WIDE)


def to_stop(said: Sequence[Said], dtype: str) -> list[str]:
    """Who is not to be believed any more.

    Whoever stands alone against two, but no worker of our own against lent ones: two tokens may be one person's. Where
    none agree, the lent ones, if one of our own is among them. Otherwise nobody.
    """
    alone = [one for one in said if not any(agree(one, other, dtype) for other in said if other is not one)]
    own = [one for one in said if not one.lent]
    if len(alone) == 1:
        return [] if own == alone else [alone[0].worker]
    return [one.worker for one in alone if one.lent] if len(own) == 1 else []


def draw(session: Session, keys: Collection[str], one_in: int) -> None:
    """One in so many of these is to be measured again; 0: none. Nobody can tell which before it is."""
    if one_in:
        want(session, [key for key in keys if not secrets.randbelow(one_in)])


def of_bests(session: Session, scored: Collection[Submission], measured: Mapping[str, Collection[str]]) -> None:
    """What these were scored by is to be measured again where they are their round's best. measured: play → keys, as
    far as they are at hand."""
    for round_id in {each.round_id for each in scored}:
        order = (Standing.millibits.desc(), Standing.number)
        best = session.scalar(select(Standing.number).where(Standing.round_id == round_id).order_by(*order).limit(1))
        for each in scored:
            if each.number == best:
                want(session, measured.get(each.play_id) or _needs(session, each.play_id))


def _needs(session: Session, play_id: str) -> Collection[str]:
    return session.scalars(select(PendingMeasurement.key).where(PendingMeasurement.play_id == play_id)).all()


def want(session: Session, keys: Collection[str], number: int = SECOND) -> None:
    """These are to be measured again; each once."""
    known = (Measurement.state == WorkState.KNOWN, Measurement.worker.is_not(None))
    query = select(Measurement.key, Measurement.judge).where(Measurement.key.in_(keys), *known)
    at = now(session)
    values = [
        {
            "key": hashlib.sha256(f"check {number} of {key}".encode()).hexdigest(),
            "measurement": key,
            "number": number,
            "judge": judge,
            "state": WorkState.PENDING,
            "tries": 0,
            "lane": "",
            "queued_at": at,
        }
        for key, judge in (session.execute(query.order_by(Measurement.key)) if keys else ())
    ]
    if values:
        statement = insert(session, Check).on_conflict_do_nothing(index_elements=["key"])
        session.execute(statement.returning(Check.key), values)


def addressees(session: Session) -> set[str]:
    """The workers that are to measure something again; an empty name where nobody is asked yet."""
    return {asked_of(lane) for lane in session.scalars(select(Check.lane).where(Check.state == WorkState.PENDING))}


def go_on(session: Session, outbox: Outbox, *, workers: Sequence[Worker], one_in: int, grace: timedelta) -> None:
    """Ask another worker for what is to be measured again; where there is none, it is not."""
    query = (
        select(Check, Measurement)
        .join(Measurement, Measurement.key == Check.measurement)
        .where(Check.state == WorkState.PENDING)
        .order_by(Check.queued_at, Check.key)
        .limit(PAGE)
        .with_for_update(of=Check, skip_locked=True)
    )
    at, alive = now(session), {worker.id for worker in workers}
    for check, row in session.execute(query).all():
        if not one_in or row.state is not WorkState.KNOWN:
            session.delete(check)
            continue
        waited = abs(at - check.queued_at)
        if waited > PATIENCE or (asked_of(check.lane) not in alive and not _ask(session, check, row, workers)):
            _give_up(session, outbox, check, row)
        elif check in session.dirty or waited > grace:  # what is in the queue already is not put in twice
            outbox.jobs.append(Job(check.key, row.judge, row.profile, row.prefix, row.text, check.lane))
    session.flush()


def _ask(session: Session, check: Check, row: Measurement, workers: Sequence[Worker]) -> bool:
    """Another worker than those who have said something of it; one of our own rather than a lent one."""
    heard = {party(each.worker) for each in _said(session, row)}
    others = [each for each in workers if row.judge in each.judges and each.party not in heard and " " not in each.id]
    if not others:
        return False
    check.lane = check_lane(secrets.choice([each for each in others if not each.lent] or others).id)
    return True


def _give_up(session: Session, outbox: Outbox, check: Check, row: Measurement) -> None:
    """There is nobody who could measure it again. Where two differ, it is decided between them."""
    said = _said(session, row)
    session.delete(check)
    if check.number == THIRD:
        _decide(session, outbox, row, said)


def _said(session: Session, row: Measurement) -> list[Said]:
    """What is said of a measurement, in the order in which it came."""
    query = select(Check).where(Check.measurement == row.key, Check.state == WorkState.KNOWN)
    found = [row, *session.scalars(query.order_by(Check.number))]
    return [Said(each.worker or "", each.build or "", each.bits or b"") for each in found]


def settle(
    session: Session,
    outbox: Outbox,
    results: Sequence[Result],
    fault: Callable[[Session, Measurement, Result], str | None],
) -> list[work.Settled]:
    """Keep what was measured again, and compare it. `fault` says what is wrong with a result of a measurement."""

    def wrong(session: Session, check: Check, result: Result) -> str | None:
        return fault(session, session.get_one(Measurement, check.measurement), result)

    settled = work.settle(session, Check, "bits", (Check.measurement,), results, wrong)
    for each in settled:
        check = session.get_one(Check, each.key, populate_existing=True)
        row = session.get_one(Measurement, check.measurement, populate_existing=True)
        if row.state is WorkState.KNOWN:
            _compare(session, outbox, check, row)
    return settled


def _compare(session: Session, outbox: Outbox, check: Check, row: Measurement) -> None:
    said = _said(session, row)
    if check.number == THIRD:
        _decide(session, outbox, row, said)
    elif len(said) == SECOND and not agree(said[0], said[1], session.get_one(Judge, row.judge).dtype):
        want(session, [row.key], THIRD)


def _decide(session: Session, outbox: Outbox, row: Measurement, said: Sequence[Said]) -> None:
    stopped = to_stop(said, session.get_one(Judge, row.judge).dtype)
    told = [
        {"worker": each.worker, "build": each.build, "bits": round(sum(unpack_bits(each.bits)), 3)} for each in said
    ]
    session.add(Difference(at=now(session), judge=row.judge, said=told, stopped=stopped))
    log.error("worker.difference", measurement=row.key, judge=row.judge, said=told, stopped=stopped)
    names = ", ".join(each.worker for each in said)
    audit.by_server(session, "worker.difference", row.judge, after=names)
    for worker in stopped:
        trust.stop(session, outbox, worker)
