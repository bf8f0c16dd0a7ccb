"""The league of a competition: its programs, rated over time.

In each round that has ended the bots that stand in it are ranked against each other, all at once, and their ratings go
on from those after the round before. So the league is a function of the boards of these rounds, worked out when it is
read. People have their boards.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.arena import competitions, leaderboards, rated_plays, rounds
from server.arena.board_rows import FROZEN, BoardRows, shown_to
from server.arena.leaderboards import NAMED, Named
from server.arena.ratings import Rating, rate_ranking
from server.arena.unit import Unit
from server.caches import SizedCache
from server.db.models import Competition, Player, Round
from server.db.states import PlayerKind, RoundState

MOST = 200  # bots of a round that are rated: its best. What a round costs grows with their square
LEAST = 2  # bots of a round without whom it does not count


@dataclass(frozen=True, slots=True)
class Mark:
    """A program's rating after a round that counts. number: of the round."""

    round: str
    number: int
    rating: Rating


@dataclass(frozen=True, slots=True)
class LeagueEntry:
    """A line of the league. history: after each round in which the program stood, the oldest first; one at least."""

    rank: int
    player: Named
    history: Sequence[Mark]

    @property
    def rating(self) -> Rating:
        return self.history[-1].rating


@dataclass(frozen=True, slots=True)
class League:
    """entries: best first. rounds: those that count, in the order in which they ended."""

    entries: Sequence[LeagueEntry]
    rounds: Sequence[Round]


@dataclass(slots=True)
class _Ranking:
    """How bots stand in a round. ranks: best first. numbers: of their submissions that count."""

    round: Round
    ranks: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


def see(unit: Unit, competition_id: str) -> League:
    """The league of the caller's competition, as far as they may see its boards."""
    competition = competitions.see(unit, competition_id)
    return of_competition(unit.session, competition, shown_to(unit.caller, competition))


def entries(unit: Unit, competition_id: str) -> Sequence[LeagueEntry]:
    """The same, without the rounds."""
    return see(unit, competition_id).entries


def begins(session: Session, competition_id: str) -> bool:
    """Has a competition what a league is made of: a bot, and a round that has ended?"""
    bots = (Player.competition_id == competition_id, Player.kind == PlayerKind.BOT, Player.removed.is_(False))
    if session.scalars(select(Player.id).where(*bots).limit(1)).one_or_none() is None:
        return False
    return any(each.state is RoundState.CLOSED for each in rounds.of_competition(session, competition_id))


def of_competition(session: Session, competition: Competition, rows: BoardRows) -> League:
    found = [each for each in _rankings(session, competition, rows) if len(each.ranks) >= LEAST]
    histories: dict[str, list[Mark]] = {}
    numbers: dict[str, int] = {}
    for ranking, rated in zip(found, _followed(each.ranks for each in found), strict=True):
        numbers |= ranking.numbers
        for player, rating in rated.items():
            histories.setdefault(player, []).append(Mark(ranking.round.id, ranking.round.number, rating))
    listed = sorted(histories, key=lambda player: (-histories[player][-1].rating.points, numbers[player]))
    names = _names(session, competition)
    known = [(names[player], histories[player]) for player in listed if player in names]
    return League(list(_ranked(known)), [each.round for each in found])


def _ranked(lines: Iterable[tuple[Named, Sequence[Mark]]]) -> Iterator[LeagueEntry]:
    """Equal ratings share a rank."""
    rank, before = 0, None
    for place, (player, history) in enumerate(lines, start=1):
        points = history[-1].rating.points
        rank = rank if points == before else place
        before = points
        yield LeagueEntry(rank, player, history)


def _followed(rankings: Iterable[Mapping[str, int]]) -> Iterator[Mapping[str, Rating]]:
    """After each round, the ratings of those who stood in it. Kept by all that they hang on, the ranks up to there: so
    a round that ends costs itself, and one that changes costs itself and those after it."""
    table: dict[str, Rating] = {}
    digest = b""
    for ranks in rankings:
        digest = sha256(digest + repr(ranks).encode()).digest()
        rated = _kept.get(digest, partial(rate_ranking, ranks, table), len)
        table |= rated
        yield rated


#: Sizes in ratings.
_kept: SizedCache[bytes, Mapping[str, Rating]] = SizedCache(100_000)


def _rankings(session: Session, competition: Competition, rows: BoardRows) -> Sequence[_Ranking]:
    """The rounds that have ended, in that order, and how the bots stand in each."""
    ended = {each.id: _Ranking(each) for each in _ended(session, competition, rows)}
    rated = {id_ for id_, each in ended.items() if rated_plays.is_rated(session, each.round)}
    _fill(session, ended, rows.standing, "millibits", ended.keys() - rated)
    _fill(session, ended, rows.rating, "points", rated)
    return list(ended.values())


def _ended(session: Session, competition: Competition, rows: BoardRows) -> list[Round]:
    """Where the boards are frozen, those that had ended by then: for players nothing goes on."""
    until = competition.frozen_at if rows is FROZEN else None
    found = []
    for each in rounds.of_competition(session, competition.id):
        at = each.closed_at if each.state is RoundState.CLOSED and not each.draft else None
        if at is not None and (until is None or at <= until):
            found.append((at, each.number, each))
    return [each for _at, _number, each in sorted(found, key=lambda each: each[:2])]


def _fill(session: Session, rankings: Mapping[str, _Ranking], table: Any, ranks: str, which: Iterable[str]) -> None:
    """Read how bots stand in these rounds, by this column. The best of each, at most `MOST`."""
    ids = list(which)
    if not ids:
        return
    by, here = getattr(table, ranks), {"partition_by": table.round_id}
    query = select(
        table.round_id,
        table.player_id,
        table.number,
        func.rank().over(**here, order_by=by.desc()).label("rank"),
        func.row_number().over(**here, order_by=(by.desc(), table.number)).label("place"),
    ).join(Player, Player.id == table.player_id)
    stand = leaderboards.visible(query.where(table.round_id.in_(ids), by.is_not(None)), PlayerKind.BOT).subquery()
    best = select(stand).where(stand.c.place <= MOST).order_by(stand.c.round_id, stand.c.place)
    for round_id, player, number, rank, _place in session.execute(best):
        rankings[round_id].ranks[player] = rank
        rankings[round_id].numbers[player] = number


def _names(session: Session, competition: Competition) -> dict[str, Named]:
    query = select(*NAMED).where(Player.competition_id == competition.id)
    found = session.execute(leaderboards.visible(query, PlayerKind.BOT))
    return {row.id: Named(*row) for row in found}
