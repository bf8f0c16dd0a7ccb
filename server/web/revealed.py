"""What others wrote in a round, as pages show it once the host reveals it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.arena import reveals, rounds, second_judges
from server.arena.reveals import Revealed
from server.arena.second_judges import SecondView
from server.arena.unit import Unit
from server.db.states import PlayerKind
from server.errors import RequestError
from server.web import view_models
from server.web.view_models import SubmissionShown

MOST = 100  # moves that a page lists


@dataclass(frozen=True, slots=True)
class Line:
    """name: None where names are not revealed."""

    id: str
    rank: int
    name: str | None
    is_bot: bool
    bits: float
    moves: Sequence[str]


@dataclass(frozen=True, slots=True)
class Others:
    """The best moves of others. more: how many are left out."""

    round: str
    lines: Sequence[Line]
    more: int


def others(unit: Unit, round_id: str) -> Others | None:
    """None while nothing is revealed."""
    if rounds.see(unit, round_id).revealed is None:
        return None
    found = reveals.moves(unit, round_id)
    return Others(round_id, [_line(each) for each in found[:MOST]], max(0, len(found) - MOST))


def second(unit: Unit, round_id: str) -> SecondView | None:
    """The round under both judges; None where the viewer may not see that, or there is no second one."""
    try:
        return second_judges.see(unit, round_id)
    except RequestError:
        return None


def play(unit: Unit, round_id: str, move_id: str) -> SubmissionShown:
    """One of them with its play, under the id by which it was opened, and no name that is not revealed."""
    move = reveals.move(unit, round_id, move_id)
    made = view_models.shown(unit, move.submission, {})
    name = move.player.name if move.player else ""
    return replace(made, line=replace(made.line, id=move.id, player=name))


def _line(move: Revealed) -> Line:
    name = move.player.name if move.player else None
    return Line(move.id, move.rank, name, move.kind is PlayerKind.BOT, move.millibits / 1000, move.moves)
