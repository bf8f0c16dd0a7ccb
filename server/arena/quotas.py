"""How much one participant may have kept. Each move is small; whoever repeats one for hours would fill the disk."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from games.sentences import say
from server.db.models import Measurement, Submission
from server.errors import RequestError

MEASUREMENTS = 50_000  # rows that were made for one participant; beyond, none are made for free measuring


def submissions_each(session: Session, players: Collection[str]) -> dict[str, int]:
    """How many submissions each has, whatever became of them; who has none is left out."""
    query = select(Submission.player_id, func.count()).where(Submission.player_id.in_(players))
    return {row[0]: row[1] for row in session.execute(query.group_by(Submission.player_id))}


def refuse_submission(kept: int, limit: int) -> None:
    """Raises `RequestError` (409) where a participant with so many may have no more. No waiting helps."""
    if kept >= limit:
        told = say(
            "You have {number} submissions in this competition, as many as one participant may have. Whoever runs the"
            " server can raise that limit (submission_limit).",
            number=f"{limit:,}",
        )
        raise RequestError("quota-used", 409, "Quota used", told, limit="submissions")


def measured(session: Session, player: str) -> int:
    """How many texts were measured for a participant; no more than `MEASUREMENTS` are counted."""
    some = select(Measurement.key).where(Measurement.player_id == player).limit(MEASUREMENTS).subquery()
    return session.scalars(select(func.count()).select_from(some)).one()


def refuse_measuring(session: Session, player: str) -> None:
    """Raises `RequestError` (409) where so much was measured for a participant that none of it is free any more."""
    if measured(session, player) >= MEASUREMENTS:
        told = say(
            "{number} texts were measured for you in this competition. No more are measured but those of your moves.",
            number=f"{MEASUREMENTS:,}",
        )
        raise RequestError("quota-used", 409, "Quota used", told, limit="measurements")
