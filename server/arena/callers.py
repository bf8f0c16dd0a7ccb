"""Who asks, and what they may do: tokens and their scopes."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena.validation import new_id
from server.db.models import Player, Token
from server.db.session import insert, now
from server.db.states import PlayerKind, Scope
from server.errors import forbidden, unauthorized

PREFIX = 8  # letters of a token by which its row is found; the rest is compared by digest


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is. A host has no player; a player has one competition."""

    token: str
    scope: Scope
    player: str | None = None
    competition: str | None = None
    kind: PlayerKind = PlayerKind.PERSON

    @property
    def is_host(self) -> bool:
        return self.scope is Scope.HOST

    def hosts(self, competition: str) -> bool:
        """Whether the caller is a host of this competition: any host is."""
        return self.is_host


def authenticate(session: Session, token: str | None) -> Caller:
    """The caller behind a bearer token. Raises `RequestError` (401) for none, an unknown or a revoked one."""
    if not token:
        raise unauthorized("This needs a token: send 'Authorization: Bearer …' with the token that joining gave you.")
    query = (
        select(Token.id, Token.digest, Token.scope, Token.revoked_at, Token.player_id, Player)
        .outerjoin(Player, Player.id == Token.player_id)
        .where(Token.prefix == token[:PREFIX])
    )
    row = session.execute(query).one_or_none()
    if row is None or not secrets.compare_digest(row.digest, digest(token)):
        raise unauthorized("This token is not known here. Copy it whole, or join again.")
    if row.revoked_at is not None:
        raise unauthorized("This token was revoked. Ask the host, or join again.")
    player: Player | None = row.Player
    if player is None:
        return Caller(row.id, row.scope)
    if player.removed:
        raise forbidden("The host has removed this player from the competition.")
    return Caller(row.id, row.scope, player.id, player.competition_id, player.kind)


def require_host(caller: Caller) -> None:
    if not caller.is_host:
        raise forbidden("Only a host can do this: it needs a token of scope 'host'.")


def require_host_of(caller: Caller, competition: str) -> None:
    """The caller is a host of this competition."""
    if not caller.hosts(competition):
        raise forbidden("Only a host of this competition can do this: it needs a token of scope 'host'.")


def require_member(caller: Caller, competition: str) -> None:
    """The caller is a host, or belongs to the competition."""
    if not caller.is_host and caller.competition != competition:
        raise forbidden("This token belongs to another competition. Join this one with its code first.")


def player_of(caller: Caller) -> str:
    if caller.player is None or caller.scope not in (Scope.PLAY, Scope.BOT):
        raise forbidden("Only players can submit: join the competition with its code, and use the token that gives.")
    return caller.player


def issue(session: Session, scope: Scope, player: str | None, at: datetime, *, token: str | None = None) -> str:
    """A new token; only its digest is kept."""
    token = token or secrets.token_urlsafe(32)
    session.add(
        Token(
            id=new_id("tok"), prefix=token[:PREFIX], digest=digest(token), scope=scope, player_id=player, created_at=at
        )
    )
    session.flush()
    return token


def ensure_host(session: Session, token: str) -> None:
    """Make the token of the settings a host's: it is always accepted, whatever was done to it before."""
    values = {
        "id": new_id("tok"),
        "prefix": token[:PREFIX],
        "digest": digest(token),
        "scope": Scope.HOST,
        "created_at": now(session),
    }
    statement = insert(session, Token).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["prefix"],
            set_={"digest": statement.excluded.digest, "revoked_at": None},
            where=Token.scope == Scope.HOST,  # never a player's, should the letters be the same by chance
        )
    )


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
