"""The seats of a play, and holding plays so that nobody else changes them."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.db.models import Play, Player, Submission


def taken(session: Session, play: Play) -> Sequence[Submission]:
    """The submissions of a play, those taken so far."""
    return taken_each(session, [play.id])[play.id]


def taken_each(session: Session, play_ids: Collection[str]) -> dict[str, list[Submission]]:
    """The same of several plays."""
    found: dict[str, list[Submission]] = {play_id: [] for play_id in play_ids}
    query = select(Submission).where(Submission.play_id.in_(found)).order_by(Submission.seat)
    for submission in session.scalars(query):
        found[submission.play_id].append(submission)
    return found


def players(session: Session, play_ids: Collection[str]) -> dict[str, dict[str, Player]]:
    """Play → seat → who has taken it."""
    query = select(Submission.play_id, Submission.seat, Player).join(Player, Player.id == Submission.player_id)
    found: dict[str, dict[str, Player]] = {play_id: {} for play_id in play_ids}
    for play_id, seat, player in session.execute(query.where(Submission.play_id.in_(play_ids))):
        found[play_id][seat] = player
    return found


def lock_round(session: Session, round_id: str) -> None:
    """All plays of a round, in id order, with nobody else at them. They are not read."""
    session.execute(select(Play.id).where(Play.round_id == round_id).order_by(Play.id).with_for_update()).all()


def lock_plays(session: Session, play_ids: Sequence[str]) -> Sequence[Play]:
    """The plays, in id order, with nobody else at them."""
    query = select(Play).where(Play.id.in_(play_ids)).order_by(Play.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()
