"""The public feed of a competition: numbered in commit order, never a move in it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.db.models import Competition, FeedEvent
from server.db.session import now

Entry = tuple[str, dict[str, Any]]


def append(session: Session, competition: str, entries: Sequence[Entry]) -> None:
    """Add events. Locks the competition's row, so it comes last in a transaction: numbers are in commit order."""
    if not entries:
        return
    last = session.execute(
        update(Competition)
        .where(Competition.id == competition)
        .values(last_event=Competition.last_event + len(entries))
        .returning(Competition.last_event)
    ).scalar_one()
    at = now(session)
    session.add_all(
        FeedEvent(competition_id=competition, number=last - len(entries) + i, type=type_, data=data, at=at)
        for i, (type_, data) in enumerate(entries, start=1)
    )
    session.flush()


def after(session: Session, competition: str, number: int, limit: int = 1_000) -> Sequence[FeedEvent]:
    """The events after `number`, in order."""
    query = (
        select(FeedEvent)
        .where(FeedEvent.competition_id == competition, FeedEvent.number > number)
        .order_by(FeedEvent.number)
        .limit(limit)
    )
    return session.scalars(query).all()
