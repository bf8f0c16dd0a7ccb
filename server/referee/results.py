"""Results into rows: checked, noted, and the plays that waited for them carried on."""

import math
from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from judge.codec import BYTES_PER_TOKEN, unpack_bits
from judge.profiles import scored_count
from server.arena import generations, judges, plays, rounds
from server.arena.outbox import Outbox
from server.db.models import Judge, Measurement, WorkState
from server.db.session import now
from server.metrics import LATE, SETTLED
from server.queue.messages import Result

log = structlog.get_logger()


def settle(session: Session, outbox: Outbox, *, results: Sequence[Result]) -> None:
    """Note what is known now, and carry on the plays and rounds that waited for it. A late result changes nothing."""
    query = select(Measurement).where(Measurement.key.in_([result.key for result in results]))
    rows = {row.key: row for row in session.scalars(query.order_by(Measurement.key).with_for_update())}
    written = generations.settle(session, [result for result in results if result.key not in rows])
    settled = []
    for result in results:
        if result.key in written:
            continue
        row = rows.get(result.key)
        if row is None or row.state != WorkState.PENDING:
            LATE.inc()
            continue
        _note(session, row, result)
        settled.append(row.key)
    session.flush()
    outbox.measurements |= set(settled)
    plays.resume(session, outbox, settled)
    if written:
        rounds.prepare_rounds(session, outbox)


def _note(session: Session, row: Measurement, result: Result) -> None:
    failure = result.failure or _fault(judges.find(session, row.judge), row, result.bits or b"")
    row.state = WorkState.FAILED if failure else WorkState.KNOWN
    row.bits = None if failure else result.bits
    row.failure, row.build, row.finished_at = failure, result.build, now(session)
    SETTLED.labels(row.state).inc()
    if failure:
        log.error("measurement.failed", key=row.key, judge=row.judge, failure=failure)


def _fault(judge: Judge, row: Measurement, raw: bytes) -> str | None:
    """What is wrong with the bits of a result, if anything: their number, or a value that no surprise can have."""
    expected = scored_count(judges.tokens(judge).count(row.text), row.profile)
    if len(raw) != BYTES_PER_TOKEN * expected:
        return f"The worker sent {len(raw) // BYTES_PER_TOKEN} values for {expected} tokens."
    values = unpack_bits(raw)
    if any(not math.isfinite(value) or value < 0 for value in values):
        return "The worker sent bits that are negative or not finite."
    return None
