"""Results into rows: checked, noted, and the plays that waited for them carried on."""

import math
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy.orm import Session

from games.sentences import counted
from judge.codec import BYTES_PER_TOKEN, unpack_bits
from judge.profiles import scored_count
from server.arena import checks, generations, judges, lab, plays, rounds, trust, work
from server.arena.outbox import Outbox
from server.db.lab import Experiment
from server.db.models import Generation, Judge, Measurement
from server.db.trust import Check
from server.metrics import LATE, SETTLED
from server.queue.messages import Result

log = structlog.get_logger()


def settle(session: Session, outbox: Outbox, *, results: Sequence[Result], one_in: int) -> Sequence[str]:
    """Note what is known now, and carry on the plays and rounds that waited for it. A late result changes nothing.
    Returns the plays that are left for other transactions. one_in: of so many, one is measured again."""
    results = trust.believed(session, results)
    measured = work.settle(session, Measurement, "bits", (Measurement.profile, Measurement.text), results, _fault)
    late = {result.key for result in results} - {row.key for row in measured}
    written = generations.settle(session, [result for result in results if result.key in late]) if late else []
    late -= {row.key for row in written}
    tried = lab.settle(session, [result for result in results if result.key in late]) if late else []
    late -= {row.key for row in tried}
    again = checks.settle(session, outbox, [each for each in results if each.key in late], _fault) if late else []
    for kind, rows in ((Measurement, measured), (Generation, written), (Experiment, tried), (Check, again)):
        for row in rows:
            SETTLED.labels(row.state).inc()
            if row.failure:
                log.error("work.failed", kind=kind.__name__, key=row.key, judge=row.judge, failure=row.failure)
    LATE.inc(len(results) - len(measured) - len(written) - len(tried) - len(again))
    checks.draw(session, [row.key for row in measured if not row.failure], one_in)
    keys = [row.key for row in measured]
    outbox.measurements |= {*keys, *(row.key for row in tried)}
    left = plays.resume(session, outbox, keys)
    if written:
        rounds.prepare_rounds(session, outbox)
    return left


def _fault(session: Session, row: Any, result: Result) -> str | None:
    """What is wrong with the bits of a result, if anything: their number, or a value that no surprise can have."""
    raw = result.bits or b""
    expected = scored_count(judges.token_count(session.get_one(Judge, row.judge), row.text), row.profile)
    if len(raw) != BYTES_PER_TOKEN * expected:
        return f"The worker sent {counted(len(raw) // BYTES_PER_TOKEN, 'value')} for {counted(expected, 'token')}."
    values = unpack_bits(raw)
    if any(not math.isfinite(value) or value < 0 for value in values):
        return "The worker sent bits that are negative or not finite."
    return None
