"""The public feed of a competition: numbered in commit order, never a move in it.

While its boards are frozen, what tells of scores is withheld: nobody's feed has it, so that numbers stay without gaps,
and it is added when the boards thaw.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.orm import Session

from server.db.models import Competition, FeedEvent, WithheldEvent
from server.db.session import now

Entry = tuple[str, dict[str, Any]]
OF_SCORES = frozenset({"standing.changed", "second_judge.changed"})  # what depends on how others score
#: What is left of whatever told of a player who was deleted.
DELETED = "player.deleted"
#: What a stream sends to who has missed more than it can tell; it is in no feed.
RESET = "reset"


def append(session: Session, competition: str, entries: Sequence[Entry]) -> None:
    """Add events. Locks the competition's row, so it comes last in a transaction: numbers are in commit order."""
    if not entries:
        return
    public = [entry for entry in entries if entry[0] not in OF_SCORES]
    count = case((Competition.frozen_at.is_(None), len(entries)), else_=len(public))
    last, frozen_at = _count_up(session, competition, count)
    here = {"competition_id": competition, "at": now(session)}
    if frozen_at is not None:
        withheld = [here | {"type": type_, "data": data} for type_, data in entries if type_ in OF_SCORES]
        if withheld:
            session.execute(insert(WithheldEvent), withheld)
        entries = public
    first = last - len(entries) + 1
    values = [here | {"number": i, "type": type_, "data": data} for i, (type_, data) in enumerate(entries, first)]
    if values:
        session.execute(insert(FeedEvent), values)
    session.flush()


def release(session: Session, competition: str) -> None:
    """Add what was withheld, with the times at which it happened."""
    here = WithheldEvent.competition_id == competition
    rows = session.execute(
        select(WithheldEvent.type, WithheldEvent.data, WithheldEvent.at).where(here).order_by(WithheldEvent.number)
    ).all()
    last, _ = _count_up(session, competition, len(rows))
    if rows:
        first = last - len(rows) + 1
        values = [{"competition_id": competition, "number": i, **row._mapping} for i, row in enumerate(rows, first)]
        session.execute(insert(FeedEvent), values)
    session.execute(delete(WithheldEvent).where(here))


def _count_up(session: Session, competition: str, count: Any) -> tuple[int, datetime | None]:
    """The number of the newest event when there are so many more, and since when the boards are frozen."""
    statement = (
        update(Competition)
        .where(Competition.id == competition)
        .values(last_event=Competition.last_event + count)
        .returning(Competition.last_event, Competition.frozen_at)
    )
    last, frozen_at = session.execute(statement).one()
    return last, frozen_at


def after(session: Session, competition: str, number: int, limit: int = 1_000) -> Sequence[FeedEvent]:
    """The events after `number`, in order."""
    query = (
        select(FeedEvent)
        .where(FeedEvent.competition_id == competition, FeedEvent.number > number)
        .order_by(FeedEvent.number)
        .limit(limit)
    )
    return session.scalars(query).all()
