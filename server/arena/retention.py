"""How long participants' data are kept: so many days after a competition has ended its players are deleted for good.

Off, unless a host says so for a competition or the owner for the server. A competition has ended once no round of it
goes on or is to come; its end is when the last round ended, or the last player joined, if that was later. Its hosts are
told a day before at least, whenever it is found out.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, sql, update
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena import audit, callers, competitions, deletion
from server.arena.callers import Caller
from server.arena.outbox import Outbox
from server.arena.unit import Unit
from server.arena.workforce import Workforce
from server.db.models import Player, Round
from server.db.retention import SERVER, Retention
from server.db.session import insert, now
from server.db.states import RoundState, Scope
from server.errors import RequestError, invalid
from server.settings import Settings

MOST = 3_650  # days
NOTICE = timedelta(days=1)
FOR_GOOD, AS_SERVER = "for good", "as the server"


@dataclass(frozen=True, slots=True)
class Kept:
    """How long the players of a competition are kept. days: None: for good. as_server: is that what the server has?
    due_at: when they are deleted; None where that is not known yet, or never."""

    days: int | None
    as_server: bool
    due_at: datetime | None


def see(unit: Unit, competition_id: str) -> Kept:
    """Hosts and observers."""
    callers.require_watcher(unit.caller, competition_id)
    competitions.find(unit.session, competition_id)
    row = unit.session.get(Retention, competition_id)
    as_server = row is None or row.as_server
    days = _days_of_server(unit.session) if row is None or row.as_server else row.days
    return Kept(days, as_server, row.due_at if row else None)


def see_server(unit: Unit) -> int | None:
    """The days that competitions have of which no host says otherwise. The owner only."""
    callers.require_owner(unit.caller)
    return _days_of_server(unit.session)


def _days_of_server(session: Session) -> int | None:
    row = session.get(Retention, SERVER)
    return row.days if row else None


def choose(unit: Unit, competition_id: str, days: int | None, as_server: bool = False) -> Kept:
    """Keep the players of a competition so long after its end; None: for good. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    competitions.find(unit.session, competition_id)
    if as_server and days is not None:
        raise invalid("/as_server", say("Say how many days, or that it is as the server has it, not both."))
    _check(days)
    row = _locked(unit.session, competition_id, as_server=True)
    before, after = _in_words(row.days, row.as_server), _in_words(days, as_server)
    if before != after:
        row.days, row.as_server, row.due_at = days, as_server, None
        audit.record(unit, "competition.retention", competition_id, before=before, after=after)
        unit.session.flush()
        _plan(unit.session, competition_id)
    return see(unit, competition_id)


def choose_server(unit: Unit, days: int | None) -> int | None:
    """The same for all competitions of which no host says otherwise. The owner only."""
    callers.require_owner(unit.caller)
    _check(days)
    row = _locked(unit.session, SERVER, as_server=False)
    if row.days != days:
        audit.record(unit, "server.retention", SERVER, before=_in_words(row.days, False), after=_in_words(days, False))
        row.days = days
        unit.session.execute(update(Retention).where(Retention.as_server).values(due_at=None))
        unit.session.flush()
        plan(unit.session, unit.outbox)
    return row.days


def _check(days: int | None) -> None:
    if days is not None and not 1 <= days <= MOST:
        raise invalid("/days", say("Players are kept between 1 and {most} days, or for good.", most=MOST))


def _in_words(days: int | None, as_server: bool) -> str:
    """As the audit has it."""
    return AS_SERVER if as_server else FOR_GOOD if days is None else f"{days} days"


def _locked(session: Session, id_: str, *, as_server: bool) -> Retention:
    """The row of this id, with nobody else at it; made where there is none."""
    made = insert(session, Retention).values(id=id_, days=None, as_server=as_server, due_at=None)
    session.execute(made.on_conflict_do_nothing(index_elements=["id"]))
    return session.get_one(Retention, id_, with_for_update=True, populate_existing=True)


# --- The clock --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """When the players of a competition were to be deleted, and are to be by now."""

    competition: str
    known: datetime | None
    due: datetime | None


def plan(session: Session, _: Outbox) -> None:
    """Say when players are to be deleted, wherever that has changed; the hosts read it in the audit."""
    _plan(session)


def _plan(session: Session, only: str | None = None) -> None:
    for change in changes(session, only):
        row = _locked(session, change.competition, as_server=True)
        if row.due_at == change.known:  # else another process was faster
            row.due_at = change.due
            before, after = (each.isoformat() if each else None for each in (change.known, change.due))
            audit.by_server(session, "competition.retention-due", change.competition, before=before, after=after)


def is_due(session: Session) -> bool:
    """Has the time of any players come?"""
    return session.scalar(select(Retention.id).where(Retention.due_at <= now(session)).limit(1)) is not None


def changes(session: Session, only: str | None = None) -> list[Change]:
    """What `plan` would say. Changes nothing."""
    rows = {row.id: row for row in session.scalars(select(Retention))}
    server = rows.pop(SERVER, None)
    wanted = {row.id: row.days for row in rows.values() if not row.as_server}
    default = server.days if server else None
    if default is None and not any(wanted.values()) and not any(row.due_at for row in rows.values()):
        return []
    ends, at, found = _ends(session, only), now(session), list[Change]()
    for competition_id in [only] if only else sorted({*ends, *rows}):
        days, end = wanted.get(competition_id, default), ends.get(competition_id)
        known = rows[competition_id].due_at if competition_id in rows else None
        due = None if days is None or end is None else end + timedelta(days=days)
        if (due is None) != (known is None) or (due is not None and known is not None and due > known):
            found.append(Change(competition_id, known, None if due is None else max(due, at + NOTICE)))
    return found


def _ends(session: Session, only: str | None = None) -> Mapping[str, datetime]:
    """Competition → its end, of those that have ended and have players."""
    joined = select(Player.competition_id, func.max(Player.joined_at)).group_by(Player.competition_id)
    if only is not None:
        joined = joined.where(Player.competition_id == only)
    ends: dict[str, datetime] = {row[0]: row[1] for row in session.execute(joined)}
    over = func.coalesce(Round.closed_at, Round.closes_at, Round.created_at)
    there = (Round.archived_at.is_(None), ~Round.draft, Round.competition_id == only if only else sql.true())
    query = select(Round.competition_id, Round.state, Round.trouble.is_(None), func.max(over)).where(*there)
    for competition_id, state, fine, end in session.execute(
        query.group_by(Round.competition_id, Round.state, Round.trouble.is_(None))
    ):
        if state is RoundState.CLOSED and competition_id in ends:
            ends[competition_id] = max(ends[competition_id], end)
        elif state is not RoundState.CLOSED and (fine or state is not RoundState.PREPARING):
            ends.pop(competition_id, None)
    return ends


def delete_due(session: Session, outbox: Outbox, settings: Settings, workforce: Workforce) -> bool:
    """Delete one player of a competition whose time has come. Is there more to do at once?"""
    due = select(Retention).where(Retention.due_at <= now(session)).order_by(Retention.id).limit(1)
    row = session.scalars(due.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return False
    if not _ends(session, row.id) and _first_player(session, row.id):  # it goes on since that was planned
        _plan(session, row.id)
        return True
    player = _first_player(session, row.id)
    if player is None:
        assert row.due_at is not None
        audit.by_server(session, "competition.retention-done", row.id, before=row.due_at.isoformat(), after=None)
        row.due_at = None
        return True
    unit = Unit(session, outbox, Caller(audit.SERVER, Scope.HOST, owner=True), settings, workforce)
    with suppress(RequestError):  # a host was faster
        deletion.delete_by_clock(unit, player)
    return True


def _first_player(session: Session, competition_id: str) -> str | None:
    members = select(Player.id).where(Player.competition_id == competition_id)
    return session.scalars(members.order_by(Player.joined_at, Player.id).limit(1)).one_or_none()
