"""What a wall shows at a moment: how to join, a round with its board, or what is revealed of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.arena import players, reveals, walls
from server.arena.reveals import Revealed
from server.arena.unit import Unit
from server.db.models import Competition
from server.db.states import PlayerKind
from server.web import board, view_models
from server.web.board import Board, Boards
from server.web.i18n import _
from server.web.view_models import RoundShown, SubmissionShown

PLACES = 20  # of a board; a wall shows those of them that fit
STEPS = 10  # moves that a wall reveals, at most

Name = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the board. player: by which a script knows it again where it has moved to."""

    rank: int
    player: str
    name: str
    is_bot: bool
    value: float


@dataclass(frozen=True, slots=True)
class Table:
    heading: str | None
    places: Sequence[Place]


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
        tables=_tables(board.of_round(unit, row.id, boards), name) if row else [],
        steps=_steps(unit, row.id, name) if row and told else None,
        apart=bool(told and told["which"] == reveals.Which.BELOW_OWN_BEST),
    )


def tables(unit: Unit, code: str, anonymous: bool, boards: Boards) -> list[Table]:
    """The board of the round that the wall shows."""
    competition = walls.see(unit, code)
    row = walls.on_show(unit, competition.id)
    name = _names(unit, competition.id, anonymous)
    return _tables(board.of_round(unit, row.id, boards), name) if row else []


def _names(unit: Unit, competition_id: str, anonymous: bool) -> Name:
    """What a player is called: by their name, or by a number, in the order in which they joined."""
    if not anonymous:
        return lambda _player, name: name
    rows = players.members(unit.session, competition_id)
    numbers = {row.id: number for number, row in enumerate(rows, start=1)}
    return lambda player, _name: _("Player {number}", number=numbers[player])


def _tables(found: Board, name: Name) -> list[Table]:
    """Whoever has a board of their own and is not there is left out, unless nobody is."""
    made = [
        Table(section.heading, [_place(line, name) for line in section.lines[:PLACES]]) for section in found.sections
    ]
    return [table for table in made if table.places] or made[:1]


def _place(line: board.Line, name: Name) -> Place:
    return Place(line.rank, line.player, name(line.player, line.name), line.is_bot, line.value)


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
