"""Where a player stands on a board, without reading the board: how many are better, and how many there are.

A board leaves few out: who was removed, and the other side where bots stand apart. So everybody is counted in the index
of the standings, and those who are left out are taken away.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

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
    own = aliased(table)
    mine, theirs = getattr(own, ranks), getattr(table, ranks)
    everybody = (
        select(own.round_id, func.sum(case((theirs > mine, 1), else_=0)), func.count())
        .join(table, table.round_id == own.round_id)
        .where(own.player_id == player, mine.is_not(None), theirs.is_not(None), there)
        .group_by(own.round_id)
    )
    left_out = everybody.join(Player, Player.id == table.player_id).where(_left_out(*_lane(session, player)))
    less = {round_id: (better, count) for round_id, better, count in session.execute(left_out)}
    places = {}
    for round_id, better, count in session.execute(everybody):
        fewer_better, fewer = less.get(round_id, (0, 0))
        places[round_id] = Place(1 + int(better) - int(fewer_better), count - fewer)
    return places


def ahead(session: Session, round_: Round, ranks: int, rows: BoardRows, kind: PlayerKind | None) -> int:
    """How many stand before whoever ranks by so much, on the board of these players."""
    table, column = _table(session, round_, rows)
    return _count(session, round_, table, column > ranks, kind)


def size(session: Session, round_: Round, rows: BoardRows, kind: PlayerKind | None) -> int:
    """How many stand on the board of these players."""
    table, column = _table(session, round_, rows)
    return _count(session, round_, table, column.is_not(None), kind)


def next_ahead(session: Session, round_: Round, player: str, millibits: int) -> int | None:
    """What the nearest of those has who stand before a player by their best; None where nobody does."""
    competition, kind = _lane(session, player)
    query = (
        select(Standing.millibits)
        .join(Player, Player.id == Standing.player_id)
        .where(Standing.round_id == round_.id, Standing.millibits > millibits, ~_left_out(competition, kind))
    )
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


def _count(session: Session, round_: Round, table: Table, which: ColumnElement[bool], kind: PlayerKind | None) -> int:
    competition = competitions.find(session, round_.competition_id)
    everybody = select(func.count()).select_from(table).where(table.round_id == round_.id, which)
    left_out = everybody.join(Player, Player.id == table.player_id).where(_left_out(competition, kind))
    return session.scalars(everybody).one() - session.scalars(left_out).one()


def _lane(session: Session, player: str) -> tuple[Competition, PlayerKind | None]:
    """Who shares a board with this player: all, or its own kind where bots have their own."""
    mine = session.get_one(Player, player)
    competition = competitions.find(session, mine.competition_id)
    return competition, mine.kind if competition.bots == BotPolicy.SEPARATE else None


def _left_out(competition: Competition, kind: PlayerKind | None) -> ColumnElement[bool]:
    """Of a competition's players, those who are not on the board of this kind, or of everybody."""
    shown = {PlayerKind(kind)} if kind else set(PlayerKind)
    each = [
        and_(Player.kind == one, Player.removed.is_(True)) if one in shown else Player.kind == one for one in PlayerKind
    ]
    return and_(Player.competition_id == competition.id, or_(*each))
