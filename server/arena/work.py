"""What measurements, generations and experiments share: rows that workers fill in, settled and put back alike."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.db.lab import Experiment
from server.db.models import Generation, Measurement
from server.db.session import now
from server.db.states import WorkState
from server.db.trust import Check
from server.db.work import QueuedWork
from server.queue.messages import Result

R = TypeVar("R", Measurement, Generation, Experiment, Check)


@dataclass(frozen=True, slots=True)
class Settled:
    """A row whose result came. failure: why there is none."""

    key: str
    judge: str
    failure: str | None

    @property
    def state(self) -> WorkState:
        return WorkState.FAILED if self.failure else WorkState.KNOWN


def settle(
    session: Session,
    model: type[R],
    value: str,
    looked_at: Sequence[InstrumentedAttribute[Any]],
    results: Sequence[Result],
    fault: Callable[[Session, Any, Result], str | None],
) -> list[Settled]:
    """Note what came of the rows that awaited these results. A late result changes nothing.

    value: what the row and the result call that which was asked for. `fault` says what is wrong with it, if anything,
    by the columns that are `looked_at`.
    """
    columns = (model.key, model.judge, model.state, *looked_at)
    query = select(*columns).where(model.key.in_([result.key for result in results])).order_by(model.key)
    awaited = {row.key: row for row in session.execute(query.with_for_update()) if row.state is WorkState.PENDING}
    settled, values, at = list[Settled](), list[dict[str, Any]](), now(session)
    for result in results:
        row = awaited.pop(result.key, None)
        if row is not None:
            done = Settled(row.key, row.judge, result.failure or fault(session, row, result))
            settled.append(done)
            values.append(
                {
                    "key": done.key,
                    "state": done.state,
                    "build": result.build,
                    "worker": result.worker,
                    "failure": done.failure,
                    "finished_at": at,
                    value: None if done.failure else getattr(result, value),
                }
            )
    if values:
        session.execute(update(model), values)
    return settled


def pending(session: Session, model: type[QueuedWork], keys: Collection[str]) -> Sequence[QueuedWork]:
    """Those of the rows that wait for a result, in the order in which they are to be in the queue."""
    query = select(model).where(model.key.in_(keys), model.state == WorkState.PENDING)
    return session.scalars(query.order_by(model.queued_at, model.key)).all()


def count_try(session: Session, model: type[QueuedWork], keys: Collection[str]) -> None:
    """These were put in the queue once more."""
    rows = select(model).where(model.key.in_(keys), model.state == WorkState.PENDING).order_by(model.key)
    for row in session.scalars(rows.with_for_update()):
        row.tries += 1
    session.flush()


def give_up(session: Session, model: type[QueuedWork], which: ColumnElement[bool], why: str) -> list[str]:
    """Those of the rows that wait for a result, failed. Returns their keys."""
    query = select(model).where(which, model.state == WorkState.PENDING).order_by(model.key)
    rows = list(session.scalars(query.with_for_update()))
    for row in rows:
        row.settle(None, why, now(session))
    session.flush()
    return [row.key for row in rows]
