"""Who may do what: tokens, joining, removing."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.arena import feed
from server.arena.validation import clean_name, new_id
from server.db.models import BotPolicy, Competition, Player, PlayerKind, Token
from server.db.session import insert, now
from server.errors import conflict, forbidden, invalid, not_found, unauthorized

PREFIX = 8  # letters of a token by which its row is found; the rest is compared by digest


class Scope(StrEnum):
    """What a token is good for."""

    PLAY = "play"
    BOT = "bot"
    HOST = "host"
    BOARD = "board:read"


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


@dataclass(frozen=True, slots=True)
class Joined:
    token: str
    player: Player


def authenticate(session: Session, token: str | None) -> Caller:
    """The caller behind a bearer token. Raises `Refused` (401) for none, an unknown or a revoked one."""
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
        return Caller(row.id, Scope(row.scope))
    if player.removed:
        raise forbidden("The host has removed this player from the competition.")
    return Caller(row.id, Scope(row.scope), player.id, player.competition_id, PlayerKind(player.kind))


def require_host(caller: Caller) -> None:
    if not caller.is_host:
        raise forbidden("Only a host can do this: it needs a token of scope 'host'.")


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


def join(session: Session, code: str, name: str, kind: PlayerKind) -> Joined:
    """A new player in the competition with this code. The code's case and dashes do not matter."""
    name = clean_name(name)
    competition = session.scalar(select(Competition).where(Competition.code == tidy_code(code)))
    if competition is None:
        raise not_found("competition with the code", code)
    if kind is PlayerKind.BOT and competition.bots == BotPolicy.NONE:
        raise forbidden("This competition takes no bots.")
    at = now(session)
    player_id = new_id("ply")
    made = session.execute(
        insert(session, Player)
        .values(
            id=player_id,
            competition_id=competition.id,
            name=name,
            name_key=name.casefold(),
            kind=kind,
            removed=False,
            joined_at=at,
        )
        .on_conflict_do_nothing(index_elements=["competition_id", "name_key"])
        .returning(Player.id)
    ).one_or_none()
    if made is None:
        raise conflict(
            "name-taken", "Name taken", f"There is already a player named {name!r} here; choose another name."
        )
    player = session.get_one(Player, player_id)
    token = issue(session, Scope.BOT if kind is PlayerKind.BOT else Scope.PLAY, player.id, at)
    feed.append(session, competition.id, [("player.joined", {"player": player.id, "name": name, "kind": kind})])
    return Joined(token, player)


def set_removed(session: Session, player_id: str, removed: bool) -> Player:
    """Remove a player from the competition and its boards, or take one back."""
    player = find(session, player_id)
    session.refresh(player, with_for_update={"key_share": True})  # one at a time; submissions need not wait
    if player.removed != removed:
        player.removed = removed
        session.flush()
        type_ = "player.removed" if removed else "player.joined"
        data = {"player": player.id, "name": player.name, "kind": player.kind}
        feed.append(session, player.competition_id, [(type_, data)])
    return player


def revoke(session: Session, caller: Caller) -> None:
    """End the caller's own token."""
    session.execute(update(Token).where(Token.id == caller.token).values(revoked_at=now(session)))


def find(session: Session, player_id: str) -> Player:
    player = session.get(Player, player_id)
    if player is None:
        raise not_found("player", player_id)
    return player


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def tidy_code(code: str) -> str:
    """A join code as it is stored, from what a person typed."""
    tidied = "".join(character for character in code.upper() if character.isalnum())
    if not tidied:
        raise invalid("/code", "The join code is empty.")
    return tidied


def members(session: Session, competition_id: str) -> Sequence[Player]:
    query = select(Player).where(Player.competition_id == competition_id).order_by(Player.joined_at, Player.id)
    return session.scalars(query).all()


def tokens_of(session: Session, player_id: str) -> Sequence[str]:
    return session.scalars(select(Token.id).where(Token.player_id == player_id)).all()
