"""What a host tells everyone in a competition, a line at a time."""

from collections.abc import Sequence

from sqlalchemy import select

from server.arena import audit, callers, competitions, feed
from server.arena.unit import Unit
from server.arena.validation import clean_line, new_id
from server.db.models import Announcement
from server.errors import not_found

MOST = 280  # characters


def make(unit: Unit, competition_id: str, text: str) -> Announcement:
    """Tell a line to everyone in a competition. The feed says that there is one, and not what it says: so it can be
    withdrawn."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    row = Announcement(
        id=new_id("ann"), competition_id=competition.id, text=clean_line(text, "/text", MOST), made_at=unit.now
    )
    unit.session.add(row)
    audit.record(unit, "announcement.make", competition_id, before=None, after=row.text, announcement=row.id)
    _tell(unit, row, "announcement.made")
    return row


def withdraw(unit: Unit, announcement_id: str) -> Announcement:
    """Take an announcement back: nobody is shown it any more. Who has read it has read it."""
    row = unit.session.scalars(select(Announcement).where(Announcement.id == announcement_id)).one_or_none()
    if row is None:
        raise not_found("There is no announcement {name}.", announcement_id)
    callers.require_host_of(unit.caller, row.competition_id)
    unit.session.refresh(row, with_for_update=True)
    if row.withdrawn_at is None:
        row.withdrawn_at = unit.now
        audit.record(
            unit, "announcement.withdraw", row.competition_id, before=row.text, after=None, announcement=row.id
        )
        _tell(unit, row, "announcement.withdrawn")
    return row


def _tell(unit: Unit, row: Announcement, type_: str) -> None:
    unit.session.flush()
    unit.outbox.competitions.add(row.competition_id)
    feed.append(unit.session, row.competition_id, [(type_, {"announcement": row.id})])


def standing(unit: Unit, competition_id: str, most: int | None = None) -> Sequence[Announcement]:
    """Those of a competition that were not withdrawn, newest first, for whoever belongs to it."""
    competition = competitions.see(unit, competition_id)
    query = select(Announcement).where(
        Announcement.competition_id == competition.id, Announcement.withdrawn_at.is_(None)
    )
    return unit.session.scalars(query.order_by(Announcement.number.desc()).limit(most)).all()
