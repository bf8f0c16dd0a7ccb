"""Competitions: rounds, players and a board."""

import secrets
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import audit, callers, feed, lab_doors
from server.arena.unit import Unit
from server.arena.validation import clean_name, new_id
from server.db.models import Competition, Hosting
from server.db.states import BotPolicy, Joining, LabExperiment, Total
from server.errors import not_found

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another


def create(
    unit: Unit, name: str, bots: BotPolicy, free_measurements: bool, total: Total, draft: bool = False
) -> Competition:
    """A competition without rounds or players; nobody joins a draft. Hosts only."""
    callers.require_host(unit.caller)
    competition = Competition(
        id=new_id("cmp"),
        name=clean_name(name),
        code=_new_code(),
        bots=bots,
        free_measurements=free_measurements,
        total=total,
        draft=draft,
        last_event=0,
        created_at=unit.now,
    )
    unit.session.add(competition)
    unit.session.flush()
    if not unit.caller.owner:
        unit.session.add(Hosting(competition_id=competition.id, token_id=unit.caller.token))
        unit.caller.own.add(competition.id)
    audit.record(unit, "competition.create", competition.id, before=None, after=competition.name)
    return competition


def publish(unit: Unit, competition_id: str) -> Competition:
    """Let players join a draft, and those in who have joined. Hosts only."""
    competition = lock(unit, competition_id)
    if competition.draft:
        competition.draft = False
        audit.record(unit, "competition.publish", competition.id, before="draft", after="published")
        _tell(unit, competition, {})
    return competition


def change(
    unit: Unit,
    competition_id: str,
    *,
    total: Total | None = None,
    joining: Joining | None = None,
    lab_open: bool | None = None,
    closed: Collection[LabExperiment] | None = None,
) -> Competition:
    """Let the board add up something else, let others join than before, open or close the lab, or say which of its
    experiments are closed; None: as it is. Hosts only."""
    competition = lock(unit, competition_id)
    changed: dict[str, str] = {}
    if total is not None and competition.total != total:
        audit.record(unit, "competition.total", competition.id, before=competition.total, after=total)
        competition.total = total
        changed["total"] = total
    if joining is not None and competition.joining != joining:
        audit.record(unit, "competition.joining", competition.id, before=competition.joining, after=joining)
        competition.joining = joining
        changed["joining"] = joining
    if lab_open is not None and lab_doors.is_open(unit.session, competition.id) != lab_open:
        lab_doors.set_open(unit, competition.id, open_=lab_open)
        changed["lab"] = "open" if lab_open else "closed"
        audit.record(unit, "competition.lab", competition.id, before=not lab_open, after=lab_open)
    if closed is not None:
        changed |= _close(unit, competition.id, closed)
    if changed:
        _tell(unit, competition, changed)
    return competition


def _close(unit: Unit, competition_id: str, closed: Collection[LabExperiment]) -> dict[str, str]:
    """Leave the other experiments of the lab open; what changes, as the feed tells it."""
    before = ", ".join(lab_doors.closed_experiments(unit.session, competition_id))
    lab_doors.set_closed(unit, competition_id, closed)
    after = ", ".join(lab_doors.closed_experiments(unit.session, competition_id))
    if before == after:
        return {}
    audit.record(unit, "competition.experiments", competition_id, before=before, after=after)
    return {"closed_experiments": after}


def renew_code(unit: Unit, competition_id: str) -> Competition:
    """Another join code; nobody joins by the one of before any more. Hosts only."""
    competition = lock(unit, competition_id)
    before, competition.code = competition.code, _new_code()
    audit.record(unit, "competition.code", competition.id, before=before, after=competition.code)
    _tell(unit, competition, {})  # and not by which code: only hosts know it
    return competition


def _tell(unit: Unit, competition: Competition, changed: dict[str, str]) -> None:
    unit.session.flush()
    feed.append(unit.session, competition.id, [("competition.changed", changed)])
    unit.session.refresh(competition)  # its newest event
    unit.outbox.competitions.add(competition.id)


def lock(unit: Unit, competition_id: str) -> Competition:
    """The competition, with nobody else changing it. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    find(unit.session, competition_id)
    query = select(Competition).where(Competition.id == competition_id).with_for_update()
    return unit.session.scalars(query.execution_options(populate_existing=True)).one()


def _new_code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(6))


def find(session: Session, competition_id: str) -> Competition:
    competition = session.get(Competition, competition_id)
    if competition is None:
        raise not_found("There is no competition {name}.", competition_id)
    return competition


def see(unit: Unit, competition_id: str) -> Competition:
    """A competition that the caller belongs to, or is a host or an observer of."""
    competition = find(unit.session, competition_id)
    callers.require_member(unit.caller, competition.id)
    return competition


def visible(unit: Unit) -> Sequence[Competition]:
    """A host's competitions, newest first, the owner's are all; the one that another's token is good for."""
    query = select(Competition).order_by(Competition.created_at.desc())
    if not unit.caller.owner:
        query = query.where(Competition.id.in_(unit.caller.own | {unit.caller.competition}))
    return unit.session.scalars(query).all()
