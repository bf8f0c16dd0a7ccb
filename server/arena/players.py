"""Players: joining, waiting to be let in, their names and keys."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena import audit, callers, competitions, feed, names
from server.arena.listing import Rows
from server.arena.unit import Unit
from server.arena.validation import new_id
from server.db.models import Audit, Competition, Player, Token
from server.db.states import BotPolicy, Joining, PlayerKind
from server.errors import RequestError, conflict, forbidden, invalid, not_found

DELETE = "player.delete"  # what the audit calls it


@dataclass(frozen=True, slots=True)
class Joined:
    token: str
    player: Player


def join(unit: Unit, code: str, name: str, kind: PlayerKind) -> Joined:
    """A new player in the competition with this code. The code's case and dashes do not matter."""
    name = names.chosen(name)
    competition = require_open(unit, code, kind)
    player = newcomer(competition, name, kind, unit.now, pending=competition.joining is Joining.APPROVAL)
    (joined,) = enrol(unit, competition, [player])
    return joined


def require_open(unit: Unit, code: str, kind: PlayerKind) -> Competition:
    """The competition with this code. Raises `RequestError`: 404 where there is none, 403 or 409 where such a player
    cannot join it now."""
    competition = unit.session.scalar(select(Competition).where(Competition.code == tidy_code(code)))
    if competition is None:
        raise not_found("There is no competition with the code {name}.", code)
    if competition.draft:
        raise conflict("competition-draft", "Competition is a draft", callers.NOT_PUBLISHED)
    if competition.joining is Joining.LOCKED:
        told = say("Nobody can join this competition at the moment. Ask whoever runs it to open it.")
        raise RequestError("joining-locked", 403, "Joining is locked", told)
    if kind is PlayerKind.BOT and competition.bots == BotPolicy.NONE:
        raise forbidden("This competition takes no bots.")
    return competition


def newcomer(
    competition: Competition,
    name: str,
    kind: PlayerKind,
    at: datetime,
    *,
    pending: bool = False,
    external_id: str | None = None,
    team_id: str | None = None,
) -> Player:
    return Player(
        id=new_id("ply"),
        competition_id=competition.id,
        name=name,
        name_key=names.skeleton(name),
        external_id=external_id,
        team_id=team_id,
        kind=kind,
        pending=pending,
        removed=False,
        joined_at=at,
    )


def enrol(unit: Unit, competition: Competition, newcomers: Sequence[Player]) -> list[Joined]:
    """Take them in, each with a key of their own."""
    unit.session.add_all(newcomers)
    claim_names(unit.session, newcomers)
    tokens = callers.issue_each(unit.session, newcomers, unit.now)
    feed.append(unit.session, competition.id, [arrival(player) for player in newcomers])
    unit.outbox.competitions.add(competition.id)
    return [Joined(token, player) for token, player in zip(tokens, newcomers, strict=True)]


def claim_names(session: Session, players: Sequence[Player]) -> None:
    """Write the players with their names. Raises `RequestError` (409) where somebody else has one of them by now."""
    wanted = [player.name for player in players]
    try:
        session.flush()
    except IntegrityError:
        raise name_taken(wanted) from None


def name_taken(taken: Sequence[str]) -> RequestError:
    """taken: the name, or several of which one at least is."""
    if len(taken) == 1:
        told = say(
            "There is already a player named {name} here, or one like it; choose another name.", name=repr(taken[0])
        )
    else:
        told = say("One of these names was taken at this moment. Send them again to see which.")
    return conflict("name-taken", "Name taken", told)


def arrival(player: Player) -> feed.Entry:
    """That somebody has come. Whoever waits is not named to players: nobody has looked at the name yet."""
    return ("waiting.changed", {}) if player.pending else ("player.joined", public(player))


def public(player: Player) -> dict[str, str]:
    """What the feed says of a player."""
    return {"player": player.id, "name": player.name, "kind": player.kind}


def admit(unit: Unit, competition_id: str, player_id: str | None = None) -> Sequence[Player]:
    """Let a player in who waits; all who wait where none is named. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    query = select(Player).where(Player.competition_id == competition.id, Player.pending, ~Player.removed)
    if player_id is not None:
        query = query.where(Player.id == player_id)
    waiting = locked(unit.session, query)
    for player in waiting:
        player.pending = False
        audit.record(unit, "player.admit", player.id, before="waiting", after="let in")
        unit.outbox.tokens |= set(tokens_of(unit.session, player.id))
    unit.session.flush()
    feed.append(unit.session, competition.id, [arrival(player) for player in waiting])
    unit.outbox.competitions.add(competition.id)
    return waiting


def admit_one(unit: Unit, player_id: str) -> Player:
    """The same for one player, whether they wait or not."""
    player = find(unit.session, player_id)
    admit(unit, player.competition_id, player.id)
    return player


def rename(unit: Unit, player_id: str, name: str) -> Player:
    """Call a player otherwise. Hosts only."""
    player = lock(unit, player_id)
    name, before = names.chosen(name), player.name
    if name == before:
        return player
    player.name = name
    if not player.removed:
        player.name_key = names.skeleton(name)
    claim_names(unit.session, [player])
    audit.record(unit, "player.rename", player.id, before=before, after=name)
    told = ("waiting.changed", {}) if player.pending else ("player.renamed", public(player))
    feed.append(unit.session, player.competition_id, [] if player.removed else [told])
    unit.outbox.competitions.add(player.competition_id)
    return player


def new_key(unit: Unit, player_id: str) -> Joined:
    """A new key for a player; those of before end at once, with all that was open by them. Hosts only."""
    player = lock(unit, player_id)
    if player.removed:
        raise conflict(
            "player-removed", "Player removed", "This player was removed. Readmit them before you give a key."
        )
    ended = update(Token).where(Token.player_id == player.id, Token.revoked_at.is_(None)).values(revoked_at=unit.now)
    unit.outbox.tokens |= set(unit.session.scalars(ended.returning(Token.id)))
    (token,) = callers.issue_each(unit.session, [player], unit.now)
    audit.record(unit, "player.key", player.id, name=player.name)
    return Joined(token, player)


def revoke(unit: Unit) -> None:
    """End the caller's own token."""
    unit.session.execute(update(Token).where(Token.id == unit.caller.token).values(revoked_at=unit.now))
    unit.outbox.tokens.add(unit.caller.token)


def find(session: Session, player_id: str) -> Player:
    player = session.get(Player, player_id)
    if player is None:
        raise not_found("There is no player {name}.", player_id)
    return player


def lock(unit: Unit, player_id: str) -> Player:
    """The player, with nobody else changing them. Hosts only."""
    player = find(unit.session, player_id)
    callers.require_host_of(unit.caller, player.competition_id)
    unit.session.refresh(player, with_for_update=True)
    return player


def locked(session: Session, query: Select[Player]) -> Sequence[Player]:
    """These players, in the order in which everybody locks them."""
    query = query.order_by(Player.id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).all()


def tidy_code(code: str) -> str:
    """A join code as it is stored, from what a person typed."""
    tidied = "".join(character for character in code.upper() if character.isalnum())
    if not tidied:
        raise invalid("/code", "The join code is empty.")
    return tidied


def members(session: Session, competition_id: str) -> Sequence[Player]:
    return session.scalars(_members(competition_id)).all()


def _members(competition_id: str) -> Select[Player]:
    return select(Player).where(Player.competition_id == competition_id).order_by(Player.joined_at, Player.id)


def few_names(session: Session, competition_id: str, most: int, *, but: str) -> Sequence[str]:
    """The names of those who are there, but for one of them; none where they are more than `most`."""
    here = (Player.competition_id == competition_id, Player.removed.is_(False), Player.pending.is_(False))
    query = select(Player.name).where(*here, Player.id != but).order_by(Player.name).limit(most + 1)
    found = session.scalars(query).all()
    return found if len(found) <= most else []


def numbers(session: Session, competition_id: str) -> dict[str, int]:
    """Player → their number, in the order in which they joined. It stays theirs when somebody else is deleted."""
    deleted = (Audit.competition_id == competition_id, Audit.action == DELETE)
    gone = {detail.get("number") for detail in session.scalars(select(Audit.detail).where(*deleted))}
    left = (number for number in itertools.count(1) if number not in gone)
    return {player.id: number for player, number in zip(members(session, competition_id), left, strict=False)}


def count(session: Session, competition_id: str) -> int:
    """How many are there: not those who were removed, or wait to be let in."""
    here = (Player.competition_id == competition_id, ~Player.removed, ~Player.pending)
    return session.scalars(select(func.count()).select_from(Player).where(*here)).one()


def tokens_of(session: Session, player_id: str) -> Sequence[str]:
    return session.scalars(select(Token.id).where(Token.player_id == player_id)).all()


def list_members(unit: Unit, competition_id: str, joined_since: datetime | None = None) -> Rows[Player]:
    """Everyone who joined, or did since then, in order of joining. Hosts and observers only."""
    callers.require_watcher(unit.caller, competition_id)
    query = _members(competitions.find(unit.session, competition_id).id)
    return Rows(unit.session, query if joined_since is None else query.where(Player.joined_at >= joined_since))


def own(unit: Unit) -> Player | None:
    """The caller's player; None for a host."""
    return find(unit.session, unit.caller.player) if unit.caller.player else None
