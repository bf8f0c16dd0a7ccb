"""What hosts did, kept for hosts."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena.unit import Unit
from server.db.models import Audit, Player, Round, Submission


def record(unit: Unit, action: str, target: str, **detail: str | int | bool | None) -> None:
    """Note what the caller did to the row of this id. detail: `before` and `after`, and whatever else there is."""
    competition = _competition_of(unit.session, target)
    row = Audit(
        at=unit.now,
        token_id=unit.caller.token,
        competition_id=competition,
        action=action,
        target=target,
        detail=detail,
    )
    unit.session.add(row)


def _competition_of(session: Session, target: str) -> str | None:
    """An id begins with what it is of. None: something of the whole server, such as a game."""
    match target.partition("_")[0]:
        case "cmp":
            return target
        case "rnd":
            query = select(Round.competition_id).where(Round.id == target)
        case "ply":
            query = select(Player.competition_id).where(Player.id == target)
        case "sub":
            query = select(Round.competition_id).join(Submission).where(Submission.id == target)
        case _:
            return None
    return session.scalars(query).one_or_none()
