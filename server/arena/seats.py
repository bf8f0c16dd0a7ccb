"""The seats of a play, and holding plays so that nobody else changes them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.db.models import Play, Submission


def taken(session: Session, play: Play) -> Sequence[Submission]:
    """The submissions of a play, those taken so far."""
    return session.scalars(select(Submission).where(Submission.play_id == play.id).order_by(Submission.seat)).all()


def lock_plays(session: Session, play_ids: Sequence[str]) -> Sequence[Play]:
    """The plays, in id order, with nobody else at them."""
    query = select(Play).where(Play.id.in_(play_ids)).order_by(Play.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()
