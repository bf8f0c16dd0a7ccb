"""Who asks, and what they may do: tokens and their scopes."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena.validation import new_id
from server.db.models import Competition, Hosting, Player, Token
from server.db.session import insert, now
from server.db.states import PlayerKind, Scope
from server.errors import RequestError, forbidden, unauthorized

ANOTHER_HOSTS = "This competition is another host's. Its host can let you in."
NOT_PUBLISHED = say("The host has not published this competition yet.")
PREFIX = 8  # letters of a token by which its row is found; the rest is compared by digest


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is.

    competition: the only one that the token is good for: a player's, and a co-host's, an observer's or a reader's.
    pending: a player who is not let in yet. owner: a host of the whole server. own: the competitions that a host made.
    """

    token: str
    scope: Scope
    player: str | None = None
    competition: str | None = None
    kind: PlayerKind = PlayerKind.PERSON
    pending: bool = False
    name: str | None = None
    owner: bool = False
    own: set[str] = field(default_factory=set)

    @property
    def is_host(self) -> bool:
        """Of some competitions, of those that they will make, or of all."""
        return self.scope is Scope.HOST

    @property
    def makes_competitions(self) -> bool:
        """And brings games: not a host of one competition, whom its host let in."""
        return self.is_host and self.competition is None

    def hosts(self, competition: str) -> bool:
        return self.is_host and self._sees(competition)

    def watches(self, competition: str) -> bool:
        """Sees all that a host of this competition sees."""
        return self.scope in (Scope.HOST, Scope.OBSERVER) and self._sees(competition)

    def _sees(self, competition: str) -> bool:
        return self.owner or self.competition == competition or competition in self.own


def authenticate(session: Session, token: str | None) -> Caller:
    """The caller behind a bearer token. Raises `RequestError`: 401 for none, an unknown or a revoked one, 403 for a
    player who was removed or is not let in yet."""
    return _let_in(identify(session, token))


def authenticate_each(session: Session, tokens: Iterable[str | None]) -> dict[str | None, Caller | RequestError]:
    """The callers behind all of these, or what `authenticate` raises of one."""
    each = set(tokens)
    found = _of_tokens(session, filter(None, each))
    callers: dict[str | None, Caller | RequestError] = {}
    for token in each:
        try:
            callers[token] = _let_in(_caller(session, token, found))
        except RequestError as error:
            callers[token] = error
    return callers


def _let_in(caller: Caller) -> Caller:
    if caller.pending:
        told = say("The host has not let this player in yet. Until then only /me answers.")
        raise RequestError("pending", 403, "Not let in yet", told)
    return caller


def identify(session: Session, token: str | None) -> Caller:
    """The same, for what those may see, too, who still wait to be let in."""
    return _caller(session, token, _of_tokens(session, [token] if token else []))


_Found = Row[Token, Player, bool]  # the last two are None for a token of no player


def _of_tokens(session: Session, tokens: Iterable[str]) -> dict[str, _Found]:
    """Prefix → its row, its player, and whether the player's competition is a draft."""
    # No token has other characters, and no database takes a NUL.
    prefixes = {token[:PREFIX] for token in tokens if token.isascii() and token.isprintable()}
    if not prefixes:
        return {}
    query = (
        select(Token, Player, Competition.draft)
        .outerjoin(Player, Player.id == Token.player_id)
        .outerjoin(Competition, Competition.id == Player.competition_id)
        .where(Token.prefix.in_(prefixes))
    )
    return {each.Token.prefix: each for each in session.execute(query)}


def worker(session: Session, token: str | None) -> Token:
    """The row of a worker's token. Raises `RequestError`: 401 for none, an unknown or a revoked one, 403 for any
    other's."""
    row: Token = _good(token, _of_tokens(session, [token] if token else [])).Token
    if row.scope is not Scope.WORKER:
        raise forbidden("Only workers may ask this: it needs a token that `xentarena worker-token create` printed.")
    return row


def _good(token: str | None, known: Mapping[str, _Found]) -> _Found:
    if not token:
        raise unauthorized("This needs a token: send 'Authorization: Bearer …' with the token that joining gave you.")
    found = known.get(token[:PREFIX])
    if found is None or not secrets.compare_digest(found.Token.digest, digest(token)):
        raise unauthorized("This token is not known here. Copy it whole, or join again.")
    if found.Token.revoked_at is not None:
        raise unauthorized("This token was revoked. Ask the host, or join again.")
    return found


def _caller(session: Session, token: str | None, known: Mapping[str, _Found]) -> Caller:
    found = _good(token, known)
    row: Token = found.Token
    if row.scope is Scope.WORKER:
        raise forbidden("This is a worker's token: it opens what workers ask, and nothing else.")
    player: Player | None = found.Player
    if player is None:
        return _without_player(session, row)
    if player.removed:
        raise forbidden("The host has removed this player from the competition.")
    if found.draft:
        raise forbidden(NOT_PUBLISHED)
    return Caller(row.id, row.scope, player.id, player.competition_id, player.kind, player.pending)


def _without_player(session: Session, row: Token) -> Caller:
    own: set[str] = set()
    if row.scope is Scope.HOST and row.competition_id is None and not row.owner:
        own = set(session.scalars(select(Hosting.competition_id).where(Hosting.token_id == row.id)))
    return Caller(row.id, row.scope, competition=row.competition_id, name=row.name, owner=row.owner, own=own)


def require_owner(caller: Caller) -> None:
    if not caller.owner:
        raise forbidden("Only the server's owner can do this: it needs the token that the server was started with.")


def require_some_host(caller: Caller) -> None:
    if not caller.is_host:
        raise forbidden("Only a host can do this: it needs a token of scope 'host'.")


def require_host(caller: Caller) -> None:
    """The caller is a host who may make competitions and bring games."""
    require_some_host(caller)
    if not caller.makes_competitions:
        raise forbidden("This token is good for one competition. Only hosts of their own can do this.")


def require_host_of(caller: Caller, competition: str) -> None:
    if caller.hosts(competition):
        return
    if caller.is_host:
        raise forbidden(ANOTHER_HOSTS)
    if caller.scope is Scope.OBSERVER:
        raise forbidden("Observers look on and change nothing: this needs a token of scope 'host'.")
    raise forbidden("Only a host can do this: it needs a token of scope 'host'.")


def require_watcher(caller: Caller, competition: str) -> None:
    """The caller sees all of the competition: its host, or an observer."""
    if not caller.watches(competition):
        raise forbidden(
            ANOTHER_HOSTS
            if caller.scope in (Scope.HOST, Scope.OBSERVER)
            else "Only a host can see this: it needs a token of scope 'host'."
        )


def require_member(caller: Caller, competition: str) -> None:
    """The caller belongs to the competition, or is a host or an observer of it."""
    if caller.watches(competition) or (caller.competition == competition and not caller.is_host):
        return
    if caller.scope in (Scope.HOST, Scope.OBSERVER):
        raise forbidden(ANOTHER_HOSTS)
    raise forbidden("This token belongs to another competition. Join this one with its code first.")


def player_of(caller: Caller) -> str:
    if caller.player is None or caller.scope not in (Scope.PLAY, Scope.BOT):
        raise forbidden("Only players can submit: join the competition with its code, and use the token that gives.")
    return caller.player


def issue_each(session: Session, players: Sequence[Player], at: datetime) -> list[str]:
    """A new token for each player."""
    tokens = [secrets.token_urlsafe(32) for _ in players]
    for token, player in zip(tokens, players, strict=True):
        scope = Scope.BOT if player.kind is PlayerKind.BOT else Scope.PLAY
        session.add(_row(token, scope, at, player_id=player.id))
    session.flush()
    return tokens


def issue(session: Session, scope: Scope, at: datetime, **whose: str | None) -> tuple[str, Token]:
    """A new token and its row, which keeps only the digest. whose: further columns."""
    token = secrets.token_urlsafe(32)
    row = _row(token, scope, at, **whose)
    session.add(row)
    session.flush()
    return token, row


def renew(row: Token) -> str:
    """Another token for the same row; the one of before is good for nothing."""
    token = secrets.token_urlsafe(32)
    row.prefix, row.digest = token[:PREFIX], digest(token)
    return token


def _row(token: str, scope: Scope, at: datetime, **whose: str | None) -> Token:
    return Token(id=new_id("tok"), prefix=token[:PREFIX], digest=digest(token), scope=scope, created_at=at, **whose)


def ensure_owner(session: Session, token: str) -> Sequence[str]:
    """Make the token of the settings the owner's: it is always accepted, whatever was done to it before.

    It is the only one: those that were the owner's end, and their ids are returned.
    """
    at = now(session)
    values = {
        "id": new_id("tok"),
        "prefix": token[:PREFIX],
        "digest": digest(token),
        "scope": Scope.HOST,
        "owner": True,
        "created_at": at,
    }
    statement = insert(session, Token).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["prefix"],
            set_={"digest": statement.excluded.digest, "revoked_at": None, "owner": True},
            where=Token.scope == Scope.HOST,  # never a player's, should the letters be the same by chance
        )
    )
    mine = select(Token.id).where(Token.digest == digest(token), Token.owner)
    if session.scalars(mine).one_or_none() is None:
        return ()
    others = update(Token).where(Token.owner, Token.id.not_in(mine), Token.revoked_at.is_(None))
    return session.scalars(others.values(revoked_at=at).returning(Token.id)).all()


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
