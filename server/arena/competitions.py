"""Competitions: rounds, players and a board."""

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import audit, callers, feed
from server.arena.unit import Unit
from server.arena.validation import clean_name, new_id
from server.db.models import Competition, Hosting
from server.db.states import BotPolicy, Total
from server.errors import not_found

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another


def create(unit: Unit, name: str, bots: BotPolicy, free_measurements: bool, total: Total) -> Competition:
    """A competition without rounds or players. Hosts only."""
    callers.require_host(unit.caller)
    competition = Competition(
        id=new_id("cmp"),
        name=clean_name(name),
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(6)),
        bots=bots,
        free_measurements=free_measurements,
        total=total,
        last_event=0,
        created_at=unit.now,
    )
    unit.session.add(competition)
    unit.session.flush()
    if not unit.caller.owner:
        unit.session.add(Hosting(competition_id=competition.id, token_id=unit.caller.token))
        unit.caller.own.add(competition.id)
    audit.record(unit, "competition.create", competition.id, name=name)
    return competition


def set_total(unit: Unit, competition_id: str, total: Total) -> Competition:
    """Let the board add up something else. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    find(unit.session, competition_id)
    query = select(Competition).where(Competition.id == competition_id).with_for_update()
    competition = unit.session.scalars(query.execution_options(populate_existing=True)).one()
    if competition.total != total:
        audit.record(unit, "competition.total", competition.id, before=competition.total, after=total)
        competition.total = total
        unit.session.flush()
        feed.append(unit.session, competition.id, [("competition.changed", {"total": total})])
        unit.session.refresh(competition)  # its newest event
        unit.outbox.competitions.add(competition.id)
    return competition


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
