"""Where a player stands on a board, without reading the board: how many are better, and how many there are.

A board leaves few out: who was removed, and the other side where bots stand apart. So everybody is counted in the index
of the standings, and those who are left out are taken away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from server.arena import competitions, rated_plays, rounds
from server.arena.board_rows import LIVE, BoardRows
from server.db.boards import RatingRow, Standing, StandingRow
from server.db.models import Competition, Player, Round
from server.db.states import BotPolicy, PlayerKind

Table = type[StandingRow] | type[RatingRow]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a player stands on a board. count: how many stand there."""

    rank: int
    count: int


def of_player(session: Session, player: str, rows: BoardRows) -> dict[str, Place]:
    """Round → where the player stands there, among those that share a board with them."""
    found = rounds.of_competition(session, session.get_one(Player, player).competition_id)
    rated = [each.id for each in found if rated_plays.is_rated(session, each)]
    best = _places(session, player, rows.standing, "millibits", rows.standing.round_id.not_in(rated))
    return best | _places(session, player, rows.rating, "points", rows.rating.round_id.in_(rated))


def _places(session: Session, player: str, table: Table, ranks: str, there: ColumnElement[bool]) -> dict[str, Place]:
    rank = getattr(table, ranks)
    mine = select(table.round_id, rank.label("mine")).where(table.player_id == player, rank.is_not(None), there)
    own = mine.subquery()
    everybody = select(own.c.round_id, own.c.mine, rank.label("theirs")).join(table, table.round_id == own.c.round_id)
    without = select(own.c.round_id, own.c.mine, _of(table, rank, own.c.round_id).label("theirs"))
    without = without.join(Player, _left_out(*_lane(session, player)))
    less = _counted(session, without)
    places = {}
    for round_id, (better, count) in _counted(session, everybody).items():
        fewer_better, fewer = less.get(round_id, (0, 0))
        places[round_id] = Place(1 + better - fewer_better, count - fewer)
    return places


def _counted(session: Session, query: Select[Any, Any, Any]) -> dict[str, tuple[int, int]]:
    """Round → how many of theirs are better than mine, and how many there are."""
    each = query.subquery()
    better = func.sum(case((each.c.theirs > each.c.mine, 1), else_=0))
    counts = select(each.c.round_id, better, func.count(each.c.theirs)).group_by(each.c.round_id)
    return {round_id: (int(more), count) for round_id, more, count in session.execute(counts)}


def _of(table: Table, rank: Any, round_id: Any, *which: ColumnElement[bool]) -> ScalarSelect[int]:
    """What a player has in a round. By itself, so that they are looked up there, and not looked for."""
    query = select(rank).where(table.round_id == round_id, table.player_id == Player.id, rank.is_not(None))
    return query.where(*which).correlate_except(table).scalar_subquery()


def ahead(session: Session, round_: Round, ranks: int, rows: BoardRows, kind: PlayerKind | None) -> int:
    """How many stand before whoever ranks by so much, on the board of these players."""
    table, column = _table(session, round_, rows)
    return _count(session, round_, table, column, kind, ranks)


def size(session: Session, round_: Round, rows: BoardRows, kind: PlayerKind | None) -> int:
    """How many stand on the board of these players."""
    table, column = _table(session, round_, rows)
    return _count(session, round_, table, column, kind)


def next_ahead(session: Session, round_: Round, player: str, millibits: int) -> int | None:
    """What the nearest of those has who stand before a player by their best; None where nobody does."""
    _, kind = _lane(session, player)
    query = (
        select(Standing.millibits)
        .join(Player, Player.id == Standing.player_id)
        .where(Standing.round_id == round_.id, Standing.millibits > millibits, Player.removed.is_(False))
    )
    if kind is not None:
        query = query.where(Player.kind == kind)
    return session.scalars(query.order_by(Standing.millibits).limit(1)).one_or_none()


def best(session: Session, round_: Round, player: str, rows: BoardRows = LIVE) -> StandingRow | None:
    return session.get(rows.standing, (round_.id, player))


def bests(session: Session, player: str) -> dict[str, int]:
    """Round → what the player's best there has, in millibits."""
    query = select(Standing.round_id, Standing.millibits).where(Standing.player_id == player)
    return {row.round_id: row.millibits for row in session.execute(query)}


def _table(session: Session, round_: Round, rows: BoardRows) -> tuple[Table, Any]:
    """What ranks in a round: the rows, and the column of them."""
    if rated_plays.is_rated(session, round_):
        return rows.rating, rows.rating.points
    return rows.standing, rows.standing.millibits


def _count(
    session: Session, round_: Round, table: Table, rank: Any, kind: PlayerKind | None, least: int | None = None
) -> int:
    """How many rank at all on the board of these players, or better than `least`. Bots are few: they are counted
    themselves."""
    competition = competitions.find(session, round_.competition_id)
    better = [] if least is None else [rank > least]
    if kind is PlayerKind.BOT:
        bots = (Player.competition_id == competition.id, Player.kind == kind, Player.removed.is_(False))
        return _looked_up(session, round_, table, rank, better, *bots)
    everybody = select(func.count()).select_from(table).where(table.round_id == round_.id, rank.is_not(None), *better)
    without = _looked_up(session, round_, table, rank, better, _left_out(competition, kind))
    return session.scalars(everybody).one() - without


def _looked_up(
    session: Session,
    round_: Round,
    table: Table,
    rank: Any,
    better: Sequence[ColumnElement[bool]],
    *who: ColumnElement[bool],
) -> int:
    """How many of some players rank."""
    theirs = _of(table, rank, round_.id, *better).label("rank")
    each = select(theirs).select_from(Player).where(*who).subquery()
    return session.scalars(select(func.count(each.c.rank))).one()


def _lane(session: Session, player: str) -> tuple[Competition, PlayerKind | None]:
    """Who shares a board with this player: all, or its own kind where bots have their own."""
    mine = session.get_one(Player, player)
    competition = competitions.find(session, mine.competition_id)
    return competition, mine.kind if competition.bots == BotPolicy.SEPARATE else None


def left_out(competition: Competition, kind: PlayerKind | None) -> Select[str]:
    """The players who are not on the board of this kind, or of everybody."""
    return select(Player.id).where(_left_out(competition, kind))


def _left_out(competition: Competition, kind: PlayerKind | None) -> ColumnElement[bool]:
    """Of a competition's players, those who are not on the board of this kind, or of everybody: each term is a range
    of the players' index."""
    here = Player.competition_id == competition.id
    return or_(
        *(
            and_(here, Player.kind == one, Player.removed.is_(True))
            if kind in (None, one)
            else and_(here, Player.kind == one)
            for one in PlayerKind
        )
    )
