"""Who else runs competitions: hosts of their own ones, co-hosts of one, and observers, each with a key of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from server.arena import audit, callers, competitions
from server.arena.callers import issue
from server.arena.unit import Unit
from server.arena.validation import clean_name
from server.db.models import Hosting, Token
from server.db.states import Scope
from server.errors import conflict, not_found


@dataclass(frozen=True, slots=True)
class Issued:
    """A key, which is told this once, and what is kept of it."""

    token: str
    row: Token


def add(unit: Unit, name: str) -> Issued:
    """A host who makes competitions of their own and sees no others. The owner only."""
    callers.require_owner(unit.caller)
    token, row = issue(unit.session, Scope.HOST, unit.now, name=clean_name(name))
    audit.record(unit, "host.add", row.id, before=None, after=row.name)
    return Issued(token, row)


def invite(unit: Unit, competition_id: str, name: str, scope: Scope) -> Issued:
    """A co-host of one competition, or an observer, who sees what its hosts see and changes nothing."""
    competition = competitions.find(unit.session, competition_id)
    callers.require_host_of(unit.caller, competition.id)
    token, row = issue(unit.session, scope, unit.now, name=clean_name(name), competition_id=competition.id)
    audit.record(unit, "host.invite", row.id, before=None, after=row.name, scope=scope)
    return Issued(token, row)


def everyone(unit: Unit) -> Sequence[Token]:
    """The hosts of the server, in the order in which they came; not those of one competition. The owner only."""
    callers.require_owner(unit.caller)
    query = _good().where(Token.competition_id.is_(None), Token.scope == Scope.HOST, Token.owner.is_(False))
    return unit.session.scalars(query).all()


def of_competition(unit: Unit, competition_id: str) -> Sequence[Token]:
    """Who made it, then its co-hosts and observers in the order in which they came."""
    competition = competitions.find(unit.session, competition_id)
    callers.require_watcher(unit.caller, competition.id)
    made = exists().where(Hosting.token_id == Token.id, Hosting.competition_id == competition.id)
    invited = (Token.competition_id == competition.id) & Token.scope.in_((Scope.HOST, Scope.OBSERVER))
    return unit.session.scalars(_good().where(made | invited)).all()


def renew(unit: Unit, host_id: str) -> Issued:
    """Another key for whoever lost theirs, or showed it to somebody: the old one ends at once."""
    row = _changeable(unit, host_id)
    token = callers.renew(row)
    unit.session.flush()
    audit.record(unit, "host.renew", row.id, name=row.name)
    unit.outbox.tokens.add(row.id)
    return Issued(token, row)


def dismiss(unit: Unit, host_id: str) -> Token:
    """End a host's or an observer's key. Competitions that they made stay, with the owner and their co-hosts."""
    row = _changeable(unit, host_id)
    row.revoked_at = unit.now
    audit.record(unit, "host.dismiss", row.id, before=row.name, after=None)
    unit.outbox.tokens.add(row.id)
    return row


def _good() -> Select[Token]:
    return select(Token).where(Token.revoked_at.is_(None)).order_by(Token.created_at, Token.id)


def _changeable(unit: Unit, host_id: str) -> Token:
    """Hosts are the owner's to change; who was let into one competition is that of its hosts, but for oneself."""
    row = _lock(unit.session, host_id)
    if row.competition_id is None:
        callers.require_owner(unit.caller)
    else:
        callers.require_host_of(unit.caller, row.competition_id)
    if row.id == unit.caller.token:
        raise conflict("own-key", "Own key", "This is your own key: another host of the competition can change it.")
    return row


def _lock(session: Session, host_id: str) -> Token:
    query = select(Token).where(Token.id == host_id, Token.scope.in_((Scope.HOST, Scope.OBSERVER)))
    row = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if row is None or row.owner or row.revoked_at is not None:
        raise not_found("There is no host or observer {name}.", host_id)
    return row
