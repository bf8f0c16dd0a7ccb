"""Teams: a host puts a competition's players together. Everybody is in one of them, or in none.

What a player has earned counts for the team that they are in by now. So while the boards are frozen nobody changes
teams: what everybody sees has to stay as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from games.sentences import say
from server.arena import audit, callers, competitions, feed, names, players
from server.arena.unit import Unit
from server.arena.validation import new_id
from server.db.models import Competition, Player, Team
from server.db.states import PlayerKind
from server.errors import conflict, invalid, not_found

MOST = 100  # in a competition: a board of teams is one page


@dataclass(frozen=True, slots=True)
class Members:
    """A team, and how many are in it: not those who were removed, or wait to be let in."""

    team: Team
    players: int


def see(unit: Unit, competition_id: str) -> Sequence[Members]:
    """The teams of the caller's competition, in the order in which they were made."""
    return of_competition(unit.session, competitions.see(unit, competition_id).id)


def of_competition(session: Session, competition_id: str) -> Sequence[Members]:
    there = (Player.team_id == Team.id) & ~Player.removed & ~Player.pending
    query = select(Team, func.count(Player.id)).outerjoin(Player, there).group_by(Team.id)
    query = query.where(Team.competition_id == competition_id, Team.deleted_at.is_(None))
    return [Members(*row) for row in session.execute(query.order_by(Team.created_at, Team.id))]


def numbers(session: Session, competition_id: str) -> dict[str, int]:
    """Team → its number, in the order in which they were made; deleted ones keep theirs."""
    query = select(Team.id).where(Team.competition_id == competition_id).order_by(Team.created_at, Team.id)
    return {team: number for number, team in enumerate(session.scalars(query), start=1)}


def of_player(session: Session, player_id: str | None) -> Team | None:
    """The team that a player is in."""
    query = select(Team).join(Player, Player.team_id == Team.id)
    return session.scalars(query.where(Player.id == player_id, Team.deleted_at.is_(None))).one_or_none()


def team_of(session: Session, player: Player) -> str | None:
    """The id of the team that this player is in."""
    team = None if player.team_id is None else session.get_one(Team, player.team_id)
    return team.id if team is not None and team.deleted_at is None else None


def deleted(session: Session, competition_id: str) -> Sequence[Team]:
    """Those that can be taken back, newest first."""
    query = select(Team).where(Team.competition_id == competition_id, Team.deleted_at.is_not(None))
    return session.scalars(query.order_by(Team.deleted_at.desc(), Team.id)).all()


def create(unit: Unit, competition_id: str, name: str) -> Team:
    """A team that nobody is in yet. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    (team,) = _make(unit, competition, [names.chosen(name)])
    audit.record(unit, "team.create", team.id, before=None, after=team.name)
    _tell(unit, competition.id)
    return team


def rename(unit: Unit, team_id: str, name: str) -> Team:
    """Call a team otherwise. Hosts only."""
    team = _lock(unit, team_id)
    name, before = names.chosen(name), team.name
    if name != before:
        team.name, team.name_key = name, names.skeleton(name)
        _claim_names(unit.session, [name])
        audit.record(unit, "team.rename", team.id, before=before, after=name)
        _tell(unit, team.competition_id)
    return team


def delete(unit: Unit, team_id: str) -> Team:
    """Take a team away; its players are in none then, and keep what they earned. `restore` undoes it. Hosts only."""
    team = _lock(unit, team_id)
    _require_thawed(unit, team.competition_id)
    team.deleted_at, team.name_key = unit.now, None
    audit.record(unit, "team.delete", team.id, before=team.name, after=None)
    _tell(unit, team.competition_id)
    return team


def restore(unit: Unit, team_id: str) -> Team:
    """Take a deleted team back, with those of its players who are in no other one by now. Hosts only."""
    team = _lock(unit, team_id, deleted=True)
    _require_thawed(unit, team.competition_id)
    _require_room(unit.session, team.competition_id, 1)
    team.deleted_at, team.name_key = None, names.skeleton(team.name)
    _claim_names(unit.session, [team.name])
    audit.record(unit, "team.restore", team.id, before=None, after=team.name)
    _tell(unit, team.competition_id)
    return team


def put(unit: Unit, player_id: str, team_id: str | None) -> Player:
    """Put a player into a team, or out of theirs. Hosts only."""
    player = players.find(unit.session, player_id)
    put_all(unit, player.competition_id, {player.id: team_id})
    return player


def put_all(unit: Unit, competition_id: str, wanted: Mapping[str, str | None]) -> None:
    """The same for several players of a competition. wanted: player → team. All of them, or nobody. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    here = select(Player).where(Player.competition_id == competition_id, Player.id.in_(wanted))
    found = {player.id: player for player in players.locked(unit.session, here)}
    there = {each.team.id: each.team for each in of_competition(unit.session, competition_id)}
    changed = 0
    for player_id, team_id in wanted.items():
        if player_id not in found:
            raise not_found("There is no player {name} in this competition.", player_id)
        if team_id is not None and team_id not in there:
            raise not_found("There is no team {name} in this competition.", team_id)
        changed += _put(unit, found[player_id], there.get(found[player_id].team_id or ""), there.get(team_id or ""))
    if changed:
        _require_thawed(unit, competition_id)
        _tell(unit, competition_id)


def _put(unit: Unit, player: Player, before: Team | None, after: Team | None) -> bool:
    """Did that change anything?"""
    if before is after:
        return False
    player.team_id = after.id if after else None
    left, joined = (each.name if each else None for each in (before, after))
    audit.record(unit, "player.team", player.id, before=left, after=joined)
    return True


def spread(unit: Unit, competition_id: str, count: int) -> Sequence[Members]:
    """Put everybody who is in no team into the smallest one, in the order in which they joined. So many teams there are
    at least: those that are missing are made. Hosts only."""
    callers.require_host_of(unit.caller, competition_id)
    competition = competitions.find(unit.session, competition_id)
    _require_thawed(unit, competition.id)
    if not 1 <= count <= MOST:
        raise invalid("/count", say("There are between 1 and {most} teams.", most=MOST))
    there = of_competition(unit.session, competition.id)
    made = _make(unit, competition, _free_names([each.team for each in there], count - len(there)))
    sizes = {each.team.id: each.players for each in there} | {team.id: 0 for team in made}
    alone = _without_team(unit.session, competition.id)
    for player in alone:
        smallest = min(sizes, key=lambda each: sizes[each])
        player.team_id = smallest
        sizes[smallest] += 1
    audit.record(unit, "teams.spread", competition.id, before=None, after=f"{len(alone):,} players", teams=len(sizes))
    _tell(unit, competition.id)
    return of_competition(unit.session, competition.id)


def named(unit: Unit, competition: Competition, wanted: Sequence[str]) -> dict[str, Team]:
    """Name → the team that has it, or one that looks like it; those that are missing are made."""
    known = {each.team.name_key: each.team for each in of_competition(unit.session, competition.id)}
    missing: dict[str, str] = {}
    for name in wanted:
        if (key := names.skeleton(name)) not in known:
            missing.setdefault(key, name)
    made = _make(unit, competition, list(missing.values()))
    known |= {team.name_key: team for team in made}
    return {name: known[names.skeleton(name)] for name in wanted}


def _make(unit: Unit, competition: Competition, wanted: Sequence[str]) -> list[Team]:
    _require_room(unit.session, competition.id, len(wanted))
    made = [
        Team(
            id=new_id("tea"),
            competition_id=competition.id,
            name=name,
            name_key=names.skeleton(name),
            created_at=unit.now + timedelta(microseconds=place),  # they are listed by it
        )
        for place, name in enumerate(wanted)
    ]
    unit.session.add_all(made)
    _claim_names(unit.session, wanted)
    return made


def _require_room(session: Session, competition_id: str, more: int) -> None:
    if more > 0 and len(of_competition(session, competition_id)) + more > MOST:
        raise conflict("too-many-teams", "Too many teams", say("A competition has at most {most} teams.", most=MOST))


def _claim_names(session: Session, wanted: Sequence[str]) -> None:
    try:
        session.flush()
    except IntegrityError:
        told = say(
            "There is already a team named {name} here, or one like it; choose another name.",
            name=" / ".join(map(repr, wanted)),
        )
        raise conflict("name-taken", "Name taken", told) from None


def _require_thawed(unit: Unit, competition_id: str) -> None:
    """Locks the competition's row, so that nobody freezes the boards meanwhile."""
    competition = competitions.find(unit.session, competition_id)
    unit.session.refresh(competition, with_for_update={"key_share": True})
    if competition.frozen_at is not None:
        told = say("The boards are frozen: they would not stand still if somebody changed teams. Unfreeze them first.")
        raise conflict("boards-frozen", "Boards are frozen", told)


def _free_names(there: Sequence[Team], count: int) -> list[str]:
    taken, number, free = {team.name_key for team in there}, 0, list[str]()
    while len(free) < count:
        number += 1
        if names.skeleton(f"Team {number}") not in taken:
            free.append(f"Team {number}")
    return free


def _without_team(session: Session, competition_id: str) -> Sequence[Player]:
    """People only: a host puts bots into teams one by one, if at all."""
    alone = Player.team_id.is_(None) | Player.team_id.in_(select(Team.id).where(Team.deleted_at.is_not(None)))
    here = (Player.competition_id == competition_id, Player.kind == PlayerKind.PERSON)
    query = select(Player).where(*here, ~Player.removed, ~Player.pending, alone)
    return sorted(players.locked(session, query), key=lambda each: (each.joined_at, each.id))


def _lock(unit: Unit, team_id: str, *, deleted: bool = False) -> Team:
    """The team, with nobody else changing it. Hosts only."""
    query = select(Team).where(Team.id == team_id).with_for_update().execution_options(populate_existing=True)
    team = unit.session.scalars(query).one_or_none()
    if team is None or (team.deleted_at is not None) != deleted:
        raise not_found("There is no team {name}.", team_id)
    callers.require_host_of(unit.caller, team.competition_id)
    return team


def _tell(unit: Unit, competition_id: str) -> None:
    unit.session.flush()
    feed.append(unit.session, competition_id, [("teams.changed", {})])
    unit.outbox.competitions.add(competition_id)
