"""A leaderboard as pages show it: the best, and one's own line wherever it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from server.arena import competitions, leaderboards, places, rated_plays, rounds, team_boards, teams
from server.arena.board_rows import LIVE, shown_to
from server.arena.leaderboards import Entry, Page
from server.arena.places import Place
from server.arena.team_boards import TeamEntry
from server.arena.unit import Unit
from server.db.models import Competition
from server.db.states import BotPolicy, PlayerKind, Total
from server.web.i18n import _

TOP = 100
CACHED_BOARDS = 64  # boards held in memory


@dataclass(frozen=True, slots=True)
class Line:
    """rating: what ranks, where players are rated."""

    rank: int
    player: str
    name: str
    is_bot: bool
    value: float
    plays: int | None


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the board. own: the viewer's line, where it is not among `lines`. more: how many are left out.
    place: where the viewer stands in it, if they do. total: what `value` adds up, on a board over several rounds."""

    heading: str | None
    lines: Sequence[Line]
    own: Line | None
    more: int
    place: Place | None


@dataclass(frozen=True, slots=True)
class Board:
    """rated: do ratings rank? some_rated: are there rounds that add nothing to it, since ratings rank there?

    total: what it adds up, where it is over several rounds. teams: the table of these; None where there are none. team:
    the viewer's. frozen_at: since when all but hosts and observers see it as it was then.
    """

    competition: str
    sections: Sequence[Section]
    frozen_at: datetime | None
    rated: bool = False
    some_rated: bool = False
    total: Total | None = None
    teams: Section | None = None
    team: str | None = None


Table = tuple[Sequence[Line], int]  # the best, and how many there are
Boards = dict[str, tuple[int, Sequence[Table]]]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a board is read from: its best lines, how many it has, and the viewer's line, of each side."""

    key: str
    top: Callable[[PlayerKind | None], list[Entry]]
    size: Callable[[PlayerKind | None], int]
    own: Callable[[], Entry | None]
    teams: Callable[[], Sequence[TeamEntry]]


def of_round(unit: Unit, round_id: str, kept: Boards) -> Board:
    row = rounds.see(unit, round_id)
    competition = competitions.find(unit.session, row.competition_id)
    rows = shown_to(unit.caller, competition)
    source = _Source(
        key=round_id,
        top=lambda kind: leaderboards.see_round(unit, round_id, kind, Page(limit=TOP)),
        size=partial(places.size, unit.session, row, rows),
        own=partial(leaderboards.own_of_round, unit, row),
        teams=partial(team_boards.of_round, unit.session, competition, row, rows),
    )
    rated = rated_plays.is_rated(unit.session, row)
    return _read(unit, source, kept, Board(competition.id, (), competition.frozen_at, rated=rated))


def of_competition(unit: Unit, competition_id: str, kept: Boards) -> Board:
    competition = competitions.see(unit, competition_id)
    rows = shown_to(unit.caller, competition)
    source = _Source(
        key=competition_id,
        top=lambda kind: leaderboards.see_competition(unit, competition_id, kind, Page(limit=TOP)),
        size=partial(leaderboards.size_of_competition, unit, competition),
        own=partial(leaderboards.own_of_competition, unit, competition),
        teams=partial(team_boards.of_competition, unit.session, competition, rows),
    )
    board = Board(
        competition.id,
        (),
        competition.frozen_at,
        some_rated=bool(leaderboards.rated_rounds(unit.session, competition_id)),
        total=competition.total,
    )
    return _read(unit, source, kept, board)


def _read(unit: Unit, source: _Source, kept: Boards, board: Board) -> Board:
    """The board with its tables."""
    competition = competitions.find(unit.session, board.competition)
    *tables, (of_teams, _size) = _tables(unit, competition, source, kept)
    found = replace(board, sections=_sections(unit, competition, source, tables))
    if not teams.of_competition(unit.session, competition.id):
        return found
    own = teams.of_player(unit.session, unit.caller.player)
    return replace(found, teams=Section(_("Teams"), of_teams, None, 0, None), team=own.id if own else None)


def _sections(unit: Unit, competition: Competition, source: _Source, tables: Sequence[Table]) -> list[Section]:
    sides = leaderboards.sides(competition)
    headings: Sequence[str | None] = (_("People"), _("Bots")) if competition.bots == BotPolicy.SEPARATE else (None,)
    return [
        _section(unit, source, heading, kind, *table)
        for heading, kind, table in zip(headings, sides, tables, strict=True)
    ]


def _tables(unit: Unit, competition: Competition, source: _Source, kept: Boards) -> Sequence[Table]:
    """A class of people asks for the same board after each event: it is read from the rows once. Of teams the table
    comes last. What only hosts see of frozen boards has no events, and is read each time."""
    number, tables = kept.get(source.key, (-1, ()))
    hidden = competition.frozen_at is not None and shown_to(unit.caller, competition) is LIVE
    if hidden or number != competition.last_event:
        tables = [*(_table(source, kind) for kind in leaderboards.sides(competition)), _teams(source)]
        if not hidden:
            if len(kept) >= CACHED_BOARDS:
                kept.clear()
            kept[source.key] = (competition.last_event, tables)
    return tables


def _table(source: _Source, kind: PlayerKind | None) -> Table:
    lines = [_line(entry) for entry in source.top(kind)]
    return lines, len(lines) if len(lines) < TOP else source.size(kind)


def _teams(source: _Source) -> Table:
    lines = [Line(each.rank, each.team, each.name, False, each.ranks / 1000, None) for each in source.teams()]
    return lines, len(lines)


def _section(
    unit: Unit, source: _Source, heading: str | None, kind: PlayerKind | None, lines: Sequence[Line], size: int
) -> Section:
    caller = unit.caller
    own = next((line for line in lines if line.player == caller.player), None)
    below = None
    if own is None and size > len(lines) and caller.player and kind in (None, caller.kind):
        entry = source.own()
        own = below = None if entry is None else _line(entry)
    place = Place(own.rank, size) if own else None
    return Section(heading, lines, below, size - len(lines) - (below is not None), place)


def _line(entry: Entry) -> Line:
    is_bot = entry.player.kind == PlayerKind.BOT
    plays = entry.rating.plays if entry.rating else None
    return Line(entry.rank, entry.player.id, entry.player.name, is_bot, entry.ranks / 1000, plays)
