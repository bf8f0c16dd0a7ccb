"""What hosts did, kept for hosts."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.arena import callers
from server.arena.unit import Unit
from server.db.models import Audit, Player, Round, Submission, Team, Token
from server.db.session import now

Detail = str | int | bool | None


SERVER = "server"  # who does what nobody asked for just now


def record(unit: Unit, action: str, target: str, **detail: Detail) -> None:
    """Note what the caller did to the row of this id. detail: `before` and `after`, and whatever else there is."""
    _add(unit.session, unit.caller.token, action, target, detail)


def by_server(session: Session, action: str, target: str, **detail: Detail) -> None:
    """Note what the server did by itself, as its hosts have set it."""
    _add(session, SERVER, action, target, detail)


def _add(session: Session, who: str, action: str, target: str, detail: Mapping[str, Detail]) -> None:
    competition = _competition_of(session, target)
    row = Audit(at=now(session), token_id=who, competition_id=competition, action=action, target=target, detail=detail)
    session.add(row)


def of_competition(unit: Unit, competition_id: str, before: int | None, limit: int) -> Sequence[Audit]:
    """What hosts did in a competition, newest first; before: only rows with a lower number. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    query = select(Audit).where(Audit.competition_id == competition_id)
    if before is not None:
        query = query.where(Audit.number < before)
    return unit.session.scalars(query.order_by(Audit.number.desc()).limit(limit)).all()


def _competition_of(session: Session, target: str) -> str | None:
    """An id begins with what it is of. None: something of the whole server, such as a game."""
    query: Select[Any]
    match target.partition("_")[0]:
        case "cmp":
            return target
        case "rnd":
            query = select(Round.competition_id).where(Round.id == target)
        case "tok":
            query = select(Token.competition_id).where(Token.id == target)
        case "tea":
            query = select(Team.competition_id).where(Team.id == target)
        case "ply":
            query = select(Player.competition_id).where(Player.id == target)
        case "sub":
            query = select(Round.competition_id).join(Submission).where(Submission.id == target)
        case _:
            return None
    found: str | None = session.scalars(query).one_or_none()
    return found
