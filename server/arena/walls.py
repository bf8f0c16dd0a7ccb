"""Walls: what a class sees on a projector. A wall looks with a token of its own, which reads one competition."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from server.arena import audit, callers, competitions, players, rounds
from server.arena.unit import Unit
from server.db.models import Competition, FeedEvent, Round, Token
from server.db.states import RoundState, Scope
from server.errors import RequestError

ENDINGS = ("round.closed", "round.revealed", "round.concealed")  # what a host does with a round that is over


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall that was just opened. token: what it looks with, told this once."""

    token: str
    competition: Competition


def open_wall(unit: Unit, competition_id: str) -> Wall:
    """One more wall of a competition, beside those that there are."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    token, row = callers.issue(unit.session, Scope.BOARD, unit.now, competition_id=competition_id)
    audit.record(unit, "wall.open", competition_id, token=row.id)
    return Wall(token, competition)


def end_walls(unit: Unit, competition_id: str) -> Competition:
    """End all walls of a competition: their tokens are good for nothing any more, and their streams end."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    going_on = (Token.scope == Scope.BOARD, Token.competition_id == competition_id, Token.revoked_at.is_(None))
    ended = unit.session.scalars(update(Token).where(*going_on).values(revoked_at=unit.now).returning(Token.id)).all()
    if ended:
        audit.record(unit, "wall.end", competition_id, before=len(ended), after=0)
        unit.outbox.tokens |= set(ended)
    return competition


def count(unit: Unit, competition_id: str) -> int:
    """How many walls of a competition are open. For those who see all of it."""
    callers.require_watcher(unit.caller, competition_id)
    query = select(func.count()).where(Token.scope == Scope.BOARD, Token.competition_id == competition_id)
    return unit.session.scalars(query.where(Token.revoked_at.is_(None))).one()


def see(unit: Unit, code: str) -> Competition:
    """The competition whose wall the caller is, if it has this join code.

    Everything else is refused in the same words, and no code is looked up: nobody learns by it which codes there are.
    """
    caller = unit.asked_by
    if caller is not None and caller.scope is Scope.BOARD and caller.competition is not None:
        competition = competitions.see(unit, caller.competition)
        if competition.code == code:
            return competition
    raise RequestError("not-found", 404, "No such page", "There is nothing at this address.")


def joined(unit: Unit, competition_id: str) -> int:
    """How many players a competition has."""
    return players.count(unit.session, competitions.see(unit, competition_id).id)


def on_show(unit: Unit, competition_id: str) -> Round | None:
    """The round that a wall shows, if there is one: the newest that goes on, else the one that ended, or was revealed
    or concealed, last."""
    at = unit.now
    begun = [row for row in rounds.visible(unit, competition_id) if rounds.has_opened(row, at)]
    going_on = [row for row in begun if rounds.state_of(row, at) is not RoundState.CLOSED]
    return going_on[-1] if going_on else _ended_last(unit, competition_id, begun)


def _ended_last(unit: Unit, competition_id: str, ended: Sequence[Round]) -> Round | None:
    by_id = {row.id: row for row in ended}
    of = FeedEvent.data["round"].as_string()
    query = (
        select(of)
        .where(FeedEvent.competition_id == competition_id, FeedEvent.type.in_(ENDINGS), of.in_(by_id))
        .order_by(FeedEvent.number.desc())
    )
    told = unit.session.scalars(query.limit(1)).one_or_none()
    return by_id[told] if told else next(reversed(ended), None)


def next_round(unit: Unit, competition_id: str) -> Round | None:
    """The round that opens next, by its time."""
    at = unit.now
    found = [row for row in rounds.visible(unit, competition_id) if rounds.state_of(row, at) is RoundState.SCHEDULED]
    return min(found, key=lambda row: row.opens_at, default=None)
