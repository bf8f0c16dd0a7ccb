"""What a wall shows at a moment: how to join, a round with its board, or what is revealed of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from server.arena import players, reveals, teams, walls
from server.arena.rescoring_previews import Moved
from server.arena.reveals import Revealed
from server.arena.unit import Unit
from server.db.models import Competition
from server.db.states import PlayerKind
from server.web import board, revealed, view_models
from server.web.board import Board, Boards
from server.web.i18n import _
from server.web.view_models import RoundShown, SubmissionShown

PLACES = 20  # of a board; a wall shows those of them that fit
STEPS = 10  # moves that a wall reveals, at most

Name = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the board. player: by which a script knows it again where it has moved to. second: what a second judge
    gave. fell: how many places they have lost under it, where they have."""

    rank: int
    player: str
    name: str
    is_bot: bool
    value: float
    second: float | None = None
    fell: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """judges: the names of the two whose bits stand in its columns, once those of a second one are told."""

    heading: str | None
    places: Sequence[Place]
    judges: tuple[str, str] | None = None
    teams: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A revealed move. name: None where the host reveals no names."""

    rank: int
    name: str | None
    is_bot: bool
    bits: float
    moves: Sequence[str]
    submission: SubmissionShown


@dataclass(frozen=True, slots=True)
class Scene:
    """round: None before one has begun. opens_at: when the next one does. steps: the revealed moves, the best one last;
    None while nothing is revealed. apart: is each player shown what is below their own best, and nothing to all?"""

    competition: Competition
    joined: int
    round: RoundShown | None
    opens_at: datetime | None
    tables: Sequence[Table]
    steps: Sequence[Step] | None
    apart: bool


def scene(unit: Unit, code: str, anonymous: bool, boards: Boards) -> Scene:
    competition = walls.see(unit, code)
    row = walls.on_show(unit, competition.id)
    coming = walls.next_round(unit, competition.id)
    name = _names(unit, competition.id, anonymous)
    told = row.revealed if row else None
    return Scene(
        competition=competition,
        joined=walls.joined(unit, competition.id),
        round=view_models.round_(unit, row.id) if row else None,
        opens_at=coming.opens_at if coming else None,
        tables=_tables(unit, board.of_round(unit, row.id, boards), name, row.id) if row else [],
        steps=_steps(unit, row.id, name) if row and told else None,
        apart=bool(told and told["which"] == reveals.Which.BELOW_OWN_BEST),
    )


def tables(unit: Unit, code: str, anonymous: bool, boards: Boards) -> list[Table]:
    """The board of the round that the wall shows."""
    competition = walls.see(unit, code)
    row = walls.on_show(unit, competition.id)
    name = _names(unit, competition.id, anonymous)
    return _tables(unit, board.of_round(unit, row.id, boards), name, row.id) if row else []


def _names(unit: Unit, competition_id: str, anonymous: bool) -> Name:
    """What a player or a team is called: by their name, or by a number, in the order in which they came."""
    if not anonymous:
        return lambda _player, name: name
    of_players = players.numbers(unit.session, competition_id)
    of_teams = teams.numbers(unit.session, competition_id)
    return lambda who, _name: (
        _("Team {number}", number=of_teams[who]) if who in of_teams else _("Player {number}", number=of_players[who])
    )


def _tables(unit: Unit, found: Board, name: Name, round_id: str) -> list[Table]:
    """Two at most, or nobody reads them from afar: teams come instead of bots. Whoever has a board of their own and is
    not there is left out, unless nobody is."""
    sections = [*found.sections[:1], *([found.teams] if found.teams else found.sections[1:])]
    made = [
        Table(
            section.heading or _("Players"),
            [_place(line, name) for line in section.lines[:PLACES]],
            teams=section is found.teams,
        )
        for section in sections
    ]
    made[0] = _under_both(unit, made[0], round_id)
    return [table for table in made if table.places] or made[:1]


def _place(line: board.Line, name: Name) -> Place:
    return Place(line.rank, line.player, name(line.player, line.name), line.is_bot, line.value)


def _under_both(unit: Unit, table: Table, round_id: str) -> Table:
    """With what a second judge said, where there is one and players may see it."""
    second = revealed.second(unit, round_id)
    if second is None:
        return table
    moved = {each.player.id: each for each in second.players}
    places = [_moved(place, moved.get(place.player)) for place in table.places]
    return replace(table, places=places, judges=(second.judge, second.second))


def _moved(place: Place, moved: Moved | None) -> Place:
    if moved is None:
        return place
    before, after = moved.before, moved.after
    return replace(place, value=before.ranks / 1000, second=after.ranks / 1000, fell=after.rank - before.rank)


def _steps(unit: Unit, round_id: str, name: Name) -> list[Step]:
    return [_step(unit, move, name) for move in reversed(reveals.moves(unit, round_id)[:STEPS])]


def _step(unit: Unit, move: Revealed, name: Name) -> Step:
    return Step(
        rank=move.rank,
        name=name(move.player.id, move.player.name) if move.player else None,
        is_bot=move.kind is PlayerKind.BOT,
        bits=move.millibits / 1000,
        moves=move.moves,
        submission=view_models.shown(unit, move.submission, {}),
    )
