"""Rounds of a judge that an earlier version brought and this one does not: they end, and say why.

Whoever kept the weights may serve them from a folder; then the rounds go on.
"""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from judge.loading.retired import RETIRED
from server.arena import plays, rounds, work
from server.arena.outbox import Outbox
from server.db.lab import Experiment
from server.db.models import Generation, Measurement, Round, RoundJudge
from server.db.states import RoundState, WorkState
from server.db.work import QueuedWork

LOST = "Its judge is not part of this version any more."


def rounds_left(served: Collection[str]) -> Select[Round]:
    """Those not closed yet whose judge is retired and not among those `served`."""
    of_retired = select(RoundJudge.round_id).where(RoundJudge.identity.in_(RETIRED.keys() - set(served)))
    return select(Round).where(Round.state != RoundState.CLOSED, Round.id.in_(of_retired))


def work_left(served: Collection[str]) -> list[Select[str]]:
    """What such judges still have to do, of each kind."""
    retired = RETIRED.keys() - set(served)
    kinds: tuple[type[QueuedWork], ...] = (Generation, Experiment, Measurement)
    return [select(kind.key).where(kind.judge.in_(retired), kind.state == WorkState.PENDING) for kind in kinds]


def end_rounds(session: Session, outbox: Outbox, *, served: Collection[str]) -> None:
    """Close the rounds that are left."""
    query = rounds_left(served).order_by(Round.id)
    for round_ in session.scalars(query.with_for_update(skip_locked=True)).all():
        rounds.close(session, round_)
        outbox.competitions.add(round_.competition_id)


def end_work(session: Session, outbox: Outbox, *, served: Collection[str]) -> None:
    """Give up what is left for such judges to do: submissions that wait for it fail, and say why."""
    retired = RETIRED.keys() - set(served)
    work.give_up(session, Generation, Generation.judge.in_(retired), LOST)  # the next sweep sees to their rounds
    work.give_up(session, Experiment, Experiment.judge.in_(retired), LOST)
    lost = work.give_up(session, Measurement, Measurement.judge.in_(retired), LOST)
    plays.resume(session, outbox, lost)
