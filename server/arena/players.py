"""Players: joining, removing, coming back."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena import audit, callers, competitions, feed, leaderboards, rated_plays
from server.arena.callers import issue
from server.arena.unit import Unit
from server.arena.validation import clean_name, new_id
from server.db.models import Competition, Player, Token
from server.db.session import insert
from server.db.states import BotPolicy, PlayerKind, Scope
from server.errors import conflict, forbidden, invalid, not_found


@dataclass(frozen=True, slots=True)
class Joined:
    token: str
    player: Player


def join(unit: Unit, code: str, name: str, kind: PlayerKind) -> Joined:
    """A new player in the competition with this code. The code's case and dashes do not matter."""
    name = clean_name(name)
    competition = unit.session.scalar(select(Competition).where(Competition.code == tidy_code(code)))
    if competition is None:
        raise not_found("There is no competition with the code {name}.", code)
    if kind is PlayerKind.BOT and competition.bots == BotPolicy.NONE:
        raise forbidden("This competition takes no bots.")
    at = unit.now
    player_id = new_id("ply")
    made = unit.session.execute(
        insert(unit.session, Player)
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
        told = say("There is already a player named {name} here; choose another name.", name=repr(name))
        raise conflict("name-taken", "Name taken", told)
    player = unit.session.get_one(Player, player_id)
    token = issue(unit.session, Scope.BOT if kind is PlayerKind.BOT else Scope.PLAY, player.id, at)
    feed.append(unit.session, competition.id, [("player.joined", {"player": player.id, "name": name, "kind": kind})])
    unit.outbox.competitions.add(competition.id)
    return Joined(token, player)


def set_removed(unit: Unit, player_id: str, removed: bool) -> Player:
    """Remove a player from the competition and its boards, or take one back. Meanwhile their plays change no rating."""
    player = find(unit.session, player_id)
    callers.require_host_of(unit.caller, player.competition_id)
    unit.session.refresh(player, with_for_update={"key_share": True})  # one at a time; submissions need not wait
    before = player.removed
    if before != removed:
        player.removed = removed
        unit.session.flush()
        type_ = "player.removed" if removed else "player.joined"
        data = {"player": player.id, "name": player.name, "kind": player.kind}
        rated_plays.mark_player(unit.session, player.id)
        leaderboards.tell(unit.session, player.competition_id, [(type_, data)])
    audit.record(unit, "player.remove" if removed else "player.readmit", player_id, before=before, after=removed)
    unit.outbox.competitions.add(player.competition_id)
    unit.outbox.tokens |= set(tokens_of(unit.session, player_id))
    return player


def revoke(unit: Unit) -> None:
    """End the caller's own token."""
    unit.session.execute(update(Token).where(Token.id == unit.caller.token).values(revoked_at=unit.now))
    unit.outbox.tokens.add(unit.caller.token)


def find(session: Session, player_id: str) -> Player:
    player = session.get(Player, player_id)
    if player is None:
        raise not_found("There is no player {name}.", player_id)
    return player


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


def list_members(unit: Unit, competition_id: str) -> Sequence[Player]:
    """Everyone who joined, in order of joining. Hosts and observers only."""
    callers.require_watcher(unit.caller, competition_id)
    return members(unit.session, competitions.find(unit.session, competition_id).id)


def own(unit: Unit) -> Player | None:
    """The caller's player; None for a host."""
    return find(unit.session, unit.caller.player) if unit.caller.player else None
