"""The boards of a competition as they were at a moment: until they thaw, only hosts and observers see how scores go on.

What stood is written down, and boards are read from that: nothing has to be filtered where it is shown. A player who is
removed meanwhile goes from frozen boards too, at once; a move that is hidden keeps its place until they thaw.
"""

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from server.arena import audit, callers, competitions, feed
from server.arena.unit import Unit
from server.db.boards import FrozenRating, FrozenStanding, RatingAfter, Standing
from server.db.models import Competition, Round

_STANDING = ("round_id", "player_id", "millibits", "number")
_RATING = ("number", "round_id", "player_id", "mu", "sigma", "plays", "points")


def freeze(unit: Unit, competition_id: str) -> Competition:
    """Show everybody but hosts and observers the boards as they are now. Hosts only."""
    competition = _lock(unit, competition_id)
    if competition.frozen_at is None:
        competition.frozen_at = unit.now
        unit.session.flush()
        _write_down(unit.session, competition_id)
        audit.record(unit, "competition.freeze", competition_id, before=None, after=f"frozen at {unit.now.isoformat()}")
        feed.append(unit.session, competition_id, [("board.frozen", {"at": unit.now.isoformat()})])
        _told(unit, competition)
    return competition


def thaw(unit: Unit, competition_id: str) -> Competition:
    """Show everybody the boards as they are, and tell what happened meanwhile. Hosts only."""
    competition = _lock(unit, competition_id)
    if competition.frozen_at is not None:
        before = f"frozen at {competition.frozen_at.isoformat()}"
        audit.record(unit, "competition.unfreeze", competition_id, before=before, after=None)
        competition.frozen_at = None
        unit.session.flush()
        feed.release(unit.session, competition_id)
        feed.append(unit.session, competition_id, [("board.thawed", {})])
        _told(unit, competition)
    return competition


def _lock(unit: Unit, competition_id: str) -> Competition:
    """The competition, with nobody else adding to its feed: what is told by now is on the boards, and nothing else."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    unit.session.refresh(competition, with_for_update={"key_share": True})
    return competition


def _write_down(session: Session, competition_id: str) -> None:
    """Standings of removed players too, who may come back. What was written down before goes only now: whoever was
    still reading it while the boards thawed has read all of it."""
    here = _rounds(competition_id)
    for table in (FrozenStanding, FrozenRating):
        session.execute(delete(table).where(table.round_id.in_(here)))
    standings = select(*(getattr(Standing, name) for name in _STANDING)).where(Standing.round_id.in_(here))
    session.execute(insert(FrozenStanding).from_select(_STANDING, standings))
    ratings = select(*(getattr(RatingAfter, name) for name in _RATING)).where(RatingAfter.round_id.in_(here))
    session.execute(insert(FrozenRating).from_select(_RATING, ratings.where(RatingAfter.points.is_not(None))))


def _rounds(competition_id: str) -> Select[str]:
    return select(Round.id).where(Round.competition_id == competition_id)


def _told(unit: Unit, competition: Competition) -> None:
    unit.session.refresh(competition)  # its newest event
    unit.outbox.competitions.add(competition.id)
