"""Competitions: rounds, players and a board."""

import secrets
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena import audit, callers
from server.arena.unit import Unit
from server.arena.validation import clean_name, new_id
from server.db.models import BotPolicy, Competition
from server.errors import not_found

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another


def create(unit: Unit, name: str, bots: BotPolicy, free_measurements: bool) -> Competition:
    """A competition without rounds or players. Hosts only."""
    callers.require_host(unit.caller)
    competition = Competition(
        id=new_id("cmp"),
        name=clean_name(name),
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(6)),
        bots=bots,
        free_measurements=free_measurements,
        last_event=0,
        created_at=unit.now,
    )
    unit.session.add(competition)
    audit.record(unit, "competition.create", competition.id, name=name)
    return competition


def find(session: Session, competition_id: str) -> Competition:
    competition = session.get(Competition, competition_id)
    if competition is None:
        raise not_found("There is no competition {name}.", competition_id)
    return competition


def see(unit: Unit, competition_id: str) -> Competition:
    """A competition that the caller belongs to; any for a host."""
    competition = find(unit.session, competition_id)
    callers.require_member(unit.caller, competition.id)
    return competition


def visible(unit: Unit) -> Sequence[Competition]:
    """A host's competitions, newest first; a player's own one."""
    query = select(Competition).order_by(Competition.created_at.desc())
    if not unit.caller.is_host:
        query = query.where(Competition.id == unit.caller.competition)
    return unit.session.scalars(query).all()
