"""Competitions: rounds, players and a board."""

import secrets

from sqlalchemy.orm import Session

from server.arena.audit import audit
from server.arena.players import Caller
from server.arena.validation import clean_name, new_id
from server.db.models import BotPolicy, Competition
from server.db.session import now
from server.errors import not_found

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another


def create(session: Session, caller: Caller, name: str, bots: BotPolicy, free_measurements: bool) -> Competition:
    competition = Competition(
        id=new_id("cmp"),
        name=clean_name(name),
        code="".join(secrets.choice(CODE_LETTERS) for _ in range(6)),
        bots=bots,
        free_measurements=free_measurements,
        last_event=0,
        created_at=now(session),
    )
    session.add(competition)
    audit(session, caller, "competition.create", competition.id, name=name)
    return competition


def find(session: Session, competition_id: str) -> Competition:
    competition = session.get(Competition, competition_id)
    if competition is None:
        raise not_found("competition", competition_id)
    return competition
