"""Results into rows: checked, noted, and the plays that waited for them carried on."""

import math
from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from judge.codec import BYTES_PER_TOKEN, unpack_bits
from judge.profiles import scored_count
from server.arena import generations, judges, plays, rounds, work
from server.arena.outbox import Outbox
from server.db.models import Generation, Judge, Measurement, QueuedWork
from server.metrics import LATE, SETTLED
from server.queue.messages import Result

log = structlog.get_logger()


def settle(session: Session, outbox: Outbox, *, results: Sequence[Result]) -> Sequence[str]:
    """Note what is known now, and carry on the plays and rounds that waited for it. A late result changes nothing.
    Returns the plays that are left for other transactions."""
    measured = work.settle(session, Measurement, results, _note)
    written = work.settle(session, Generation, results, generations.note)
    done: list[QueuedWork] = [*measured, *written]
    for row in done:
        SETTLED.labels(row.state).inc()
        if row.failure:
            log.error("work.failed", kind=type(row).__name__, key=row.key, judge=row.judge, failure=row.failure)
    LATE.inc(len(results) - len(measured) - len(written))
    keys = [row.key for row in measured]
    outbox.measurements |= set(keys)
    left = plays.resume(session, outbox, keys)
    if written:
        rounds.prepare_rounds(session, outbox)
    return left


def _note(session: Session, row: Measurement, result: Result) -> str | None:
    """Keep the bits of a result, or say what is wrong with them."""
    fault = _fault(judges.find(session, row.judge), row, result.bits or b"")
    row.bits = None if fault else result.bits
    return fault


def _fault(judge: Judge, row: Measurement, raw: bytes) -> str | None:
    """What is wrong with the bits of a result, if anything: their number, or a value that no surprise can have."""
    expected = scored_count(judges.tokens(judge).count(row.text), row.profile)
    if len(raw) != BYTES_PER_TOKEN * expected:
        return f"The worker sent {len(raw) // BYTES_PER_TOKEN} values for {expected} tokens."
    values = unpack_bits(raw)
    if any(not math.isfinite(value) or value < 0 for value in values):
        return "The worker sent bits that are negative or not finite."
    return None
