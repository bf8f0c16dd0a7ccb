"""A leaderboard as pages show it: the best, and one's own line wherever it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.arena import competitions, leaderboards, players, rounds
from server.arena.leaderboards import Entry
from server.arena.players import Caller
from server.db.models import BotPolicy, Competition, PlayerKind

TOP = 100
KEPT = 64  # boards held in memory


@dataclass(frozen=True, slots=True)
class Line:
    rank: int
    player: str
    name: str
    is_bot: bool
    bits: float


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the board. own: the viewer's line, where it is not among `lines`. more: how many are left out."""

    heading: str | None
    lines: Sequence[Line]
    own: Line | None
    more: int


Boards = dict[str, tuple[int, Sequence[Sequence[Line]]]]


def of_round(session: Session, caller: Caller, round_id: str, kept: Boards) -> list[Section]:
    row = rounds.find_round(session, round_id)

    def read(competition: Competition, kind: str | None) -> list[Entry]:
        return leaderboards.of_round(session, row, leaderboards.kinds(competition, kind))

    return _sections(session, caller, row.competition_id, round_id, read, kept)


def of_competition(session: Session, caller: Caller, competition_id: str, kept: Boards) -> list[Section]:
    def read(competition: Competition, kind: str | None) -> list[Entry]:
        return leaderboards.of_competition(session, competition, leaderboards.kinds(competition, kind))

    return _sections(session, caller, competition_id, competition_id, read, kept)


def _sections(
    session: Session,
    caller: Caller,
    competition_id: str,
    key: str,
    read: Callable[[Competition, str | None], list[Entry]],
    kept: Boards,
) -> list[Section]:
    """A class of people asks for the same board after each event: it is read from the rows once."""
    players.require_member(caller, competition_id)
    competition = competitions.find(session, competition_id)
    apart = competition.bots == BotPolicy.SEPARATE
    number, tables = kept.get(key, (-1, ()))
    if number != competition.last_event:
        kinds: Sequence[str | None] = (PlayerKind.PERSON, PlayerKind.BOT) if apart else (None,)
        tables = [[_line(entry) for entry in read(competition, kind)] for kind in kinds]
        if len(kept) >= KEPT:
            kept.clear()
        kept[key] = (competition.last_event, tables)
    headings: Sequence[str | None] = ("People", "Bots") if apart else (None,)
    return [_section(heading, table, caller) for heading, table in zip(headings, tables, strict=True)]


def _section(heading: str | None, table: Sequence[Line], caller: Caller) -> Section:
    own = next((line for line in table[TOP:] if line.player == caller.player), None)
    return Section(heading, table[:TOP], own, len(table) - min(len(table), TOP) - (own is not None))


def _line(entry: Entry) -> Line:
    return Line(
        entry.rank, entry.player.id, entry.player.name, entry.player.kind == PlayerKind.BOT, entry.millibits / 1000
    )
