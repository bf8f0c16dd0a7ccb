"""A leaderboard as pages show it: the best, and one's own line wherever it stands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from server.arena import competitions, leaderboards, rated_plays, rounds
from server.arena.callers import Caller
from server.arena.leaderboards import Entry
from server.arena.unit import Unit
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
    place: leaderboards.Place | None


@dataclass(frozen=True, slots=True)
class Board:
    """rated: do ratings rank? some_rated: are there rounds that add nothing to it, since ratings rank there?

    total: what it adds up, where it is over several rounds.
    """

    sections: Sequence[Section]
    rated: bool = False
    some_rated: bool = False
    total: Total | None = None


Boards = dict[str, tuple[int, Sequence[Sequence[Line]]]]


def of_round(unit: Unit, round_id: str, kept: Boards) -> Board:
    row = rounds.see(unit, round_id)
    sections = _sections(unit, row.competition_id, round_id, partial(leaderboards.see_round, unit, round_id), kept)
    return Board(sections, rated=rated_plays.is_rated(unit.session, row))


def of_competition(unit: Unit, competition_id: str, kept: Boards) -> Board:
    read = partial(leaderboards.see_competition, unit, competition_id)
    sections = _sections(unit, competition_id, competition_id, read, kept)
    total = competitions.see(unit, competition_id).total
    return Board(sections, some_rated=bool(leaderboards.rated_rounds(unit.session, competition_id)), total=total)


def _sections(
    unit: Unit, competition_id: str, key: str, read: Callable[[str | None], list[Entry]], kept: Boards
) -> list[Section]:
    """A class of people asks for the same board after each event: it is read from the rows once."""
    competition = competitions.see(unit, competition_id)
    apart = competition.bots == BotPolicy.SEPARATE
    number, tables = kept.get(key, (-1, ()))
    if number != competition.last_event:
        tables = [[_line(entry) for entry in read(kind)] for kind in leaderboards.sides(competition)]
        if len(kept) >= CACHED_BOARDS:
            kept.clear()
        kept[key] = (competition.last_event, tables)
    headings: Sequence[str | None] = (_("People"), _("Bots")) if apart else (None,)
    return [_section(heading, table, unit.caller) for heading, table in zip(headings, tables, strict=True)]


def _section(heading: str | None, table: Sequence[Line], caller: Caller) -> Section:
    at, own = next(((i, line) for i, line in enumerate(table) if line.player == caller.player), (0, None))
    below = own if at >= TOP else None
    more = len(table) - min(len(table), TOP) - (below is not None)
    place = leaderboards.Place(own.rank, len(table)) if own else None
    return Section(heading, table[:TOP], below, more, place)


def _line(entry: Entry) -> Line:
    is_bot = entry.player.kind == PlayerKind.BOT
    plays = entry.rating.plays if entry.rating else None
    return Line(entry.rank, entry.player.id, entry.player.name, is_bot, entry.ranks / 1000, plays)
