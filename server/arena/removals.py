"""Taking players off a competition, one by one or all who joined since a moment, and taking them back.

Whoever is removed is on no board, and their plays change no rating. Their name is free meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from games.sentences import say
from server.arena import audit, callers, competitions, feed, leaderboards, names, players, rated_plays
from server.arena.unit import Unit
from server.arena.validation import new_id
from server.db.models import Player
from server.errors import conflict, not_found


@dataclass(frozen=True, slots=True)
class Removal:
    """Players who were removed together, by which they are taken back."""

    id: str
    players: Sequence[Player]


def remove(unit: Unit, player_id: str) -> Player:
    """Remove a player. Hosts only."""
    player = players.lock(unit, player_id)
    audit.record(unit, "player.remove", player_id, before=player.removed, after=True)
    if not player.removed:
        _remove(unit, [player], None)
    return player


def readmit(unit: Unit, player_id: str, name: str | None = None) -> Player:
    """Take a player back, by another name where theirs is somebody else's by now. Hosts only."""
    player = players.lock(unit, player_id)
    detail = {} if name is None else {"name": name}
    audit.record(unit, "player.readmit", player_id, before=player.removed, after=False, **detail)
    if player.removed:
        if name is not None:
            player.name = names.chosen(name)
        _readmit(unit, [player])
    return player


def remove_since(unit: Unit, competition_id: str, since: datetime, until: datetime | None = None) -> Removal:
    """Remove all who joined from one moment on, up to another where that is said, both included. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    query = select(Player).where(Player.competition_id == competition.id, ~Player.removed, Player.joined_at >= since)
    if until is not None:
        query = query.where(Player.joined_at <= until)
    found = players.locked(unit.session, query)
    if not found:
        raise conflict("nobody-joined", "Nobody joined", "Nobody who is still here has joined in that time.")
    removal = Removal(new_id("rmv"), found)
    audit.record(
        unit,
        "players.remove",
        competition.id,
        before=f"{len(found):,} players",
        after=None,
        removal=removal.id,
        since=since.isoformat(),
    )
    _remove(unit, found, removal.id)
    return removal


def readmit_all(unit: Unit, competition_id: str, removal: str) -> Removal:
    """Take all back who were removed together and are not back yet. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    query = select(Player).where(Player.competition_id == competition_id, Player.removal == removal, Player.removed)
    found = players.locked(unit.session, query)
    if not found:
        raise not_found("Nobody is left to take back of the removal {name}.", removal)
    keys = [names.skeleton(player.name) for player in found]
    here = select(Player.name_key).where(Player.competition_id == competition_id, Player.name_key.in_(keys))
    taken = set(unit.session.scalars(here))
    if clash := [player.name for player, key in zip(found, keys, strict=True) if key in taken]:
        told = say(
            "By now others here have these names: {names}. Readmit these players one by one, by other names, and then"
            " the rest.",
            names=", ".join(map(repr, clash)),
        )
        raise conflict("name-taken", "Name taken", told)
    audit.record(unit, "players.readmit", competition_id, before=None, after=f"{len(found):,} players", removal=removal)
    _readmit(unit, found)
    return Removal(removal, found)


def _remove(unit: Unit, found: Sequence[Player], removal: str | None) -> None:
    for player in found:
        player.removed, player.removal, player.name_key = True, removal, None
    _tell(unit, found)


def _readmit(unit: Unit, found: Sequence[Player]) -> None:
    for player in found:
        player.removed, player.removal, player.name_key = False, None, names.skeleton(player.name)
    players.claim_names(unit.session, found)
    _tell(unit, found)


def _tell(unit: Unit, found: Sequence[Player]) -> None:
    """That these are there no longer, or again."""
    unit.session.flush()
    for player in found:
        rated_plays.mark_player(unit.session, player.id)
        unit.outbox.tokens |= set(players.tokens_of(unit.session, player.id))
    competition = found[0].competition_id
    leaderboards.tell(unit.session, competition, [_entry(player) for player in found])
    unit.outbox.competitions.add(competition)


def _entry(player: Player) -> feed.Entry:
    gone = player.removed and not player.pending
    return ("player.removed", players.public(player)) if gone else players.arrival(player)
