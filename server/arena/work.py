"""What measurements and generations share: rows that workers fill in, settled and put back in the same way."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.db.models import Generation, Measurement
from server.db.session import now
from server.db.states import WorkState
from server.queue.messages import Result

R = TypeVar("R", Measurement, Generation)


def settle(
    session: Session, model: type[R], results: Sequence[Result], note: Callable[[Session, R, Result], str | None]
) -> list[R]:
    """The rows that awaited these results, with what came of them. A late result changes nothing.

    `note` puts the value of a result into its row, or says what is wrong with it.
    """
    query = select(model).where(model.key.in_([result.key for result in results])).order_by(model.key)
    rows = {row.key: row for row in session.scalars(query.with_for_update())}
    settled = []
    for result in results:
        row = rows.get(result.key)
        if row is not None and row.state is WorkState.PENDING:
            row.settle(result.build, result.failure or note(session, row, result), now(session))
            settled.append(row)
    session.flush()
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
