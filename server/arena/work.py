"""What measurements and generations share: rows that workers fill in, settled and put back in the same way."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from server.db.models import Generation, Measurement
from server.db.session import now
from server.db.states import WorkState
from server.queue.messages import Result

R = TypeVar("R", Measurement, Generation)


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
    looked_at: Sequence[InstrumentedAttribute[str]],
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
                    "failure": done.failure,
                    "finished_at": at,
                    value: None if done.failure else getattr(result, value),
                }
            )
    if values:
        session.execute(update(model), values)
    return settled


def requeue(session: Session, model: type[R], keys: Sequence[str], last_try: int) -> tuple[list[R], list[R]]:
    """Those of the rows that are still pending: to be put in the queue again, and given up after so many tries."""
    query = select(model).where(model.key.in_(keys), model.state == WorkState.PENDING).order_by(model.key)
    again, given_up = [], []
    for row in session.scalars(query.with_for_update()):
        row.tries += 1
        if row.tries > last_try:
            row.settle(None, f"It was lost by the queue {last_try} times.", now(session))
            given_up.append(row)
        else:
            again.append(row)
    session.flush()
    return again, given_up


def give_up(session: Session, model: type[R], judges: Collection[str], why: str) -> list[R]:
    """What those judges still had to do, failed."""
    query = select(model).where(model.judge.in_(judges), model.state == WorkState.PENDING).order_by(model.key)
    rows = list(session.scalars(query.with_for_update()))
    for row in rows:
        row.settle(None, why, now(session))
    session.flush()
    return rows
