"""Standings and boards. Only integers rank: millibits of the best, or, in a round whose players are rated against each
other, thousandths of the rating. Equal ones share a rank, listed by acceptance number."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVarTuple

from sqlalchemy import ColumnElement, Select, case, delete, func, select
from sqlalchemy.orm import Session, aliased

from server.arena import competitions, feed, rated_plays, rounds, totals
from server.arena.outbox import Outbox
from server.arena.ratings import Rating
from server.arena.unit import Unit
from server.db.models import Competition, Player, RatingAfter, Round, Standing, Submission
from server.db.session import insert
from server.db.states import BotPolicy, PlayerKind, SubmissionState

Shape = TypeVarTuple("Shape")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a board. millibits, submission: the player's best, whether it ranks or not; 0 and None for whoever has
    left every play, and None on a board over several rounds. rating: what ranks, where players are rated. total: what
    ranks on a board over several rounds, in thousandths of what the competition adds up; None on others."""

    rank: int
    player: Player
    millibits: int
    number: int
    submission: str | None = None
    rating: Rating | None = None
    total: int | None = None

    @property
    def ranks(self) -> int:
        if self.rating:
            return self.rating.points
        return self.millibits if self.total is None else self.total


@dataclass(frozen=True, slots=True)
class Place:
    """Where a player stands on a board. count: how many stand there."""

    rank: int
    count: int


def improve(session: Session, round_: Round, submission: Submission) -> list[feed.Entry]:
    """Note a scored submission; a feed entry if it is its player's best and that ranks. The earlier of equal ones
    counts."""
    statement = insert(session, Standing).values(
        round_id=round_.id,
        player_id=submission.player_id,
        millibits=submission.millibits,
        number=submission.number,
    )
    new = statement.excluded
    better = (new.millibits > Standing.millibits) | (
        (new.millibits == Standing.millibits) & (new.number < Standing.number)
    )
    changed = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["round_id", "player_id"],
            set_={"millibits": new.millibits, "number": new.number},
            where=better,
        ).returning(Standing.millibits)
    ).one_or_none()
    if changed is None or rated_plays.is_rated(session, round_):
        return []
    return [_changed(session, round_, submission.player_id)]


def recompute(session: Session, round_: Round, player: str) -> list[feed.Entry]:
    """Find a player's best again, after one of their submissions was hidden or shown; a feed entry if it changed."""
    here = (Standing.round_id == round_.id, Standing.player_id == player)
    before = session.scalars(delete(Standing).where(*here).returning(Standing.number)).one_or_none()
    best = session.scalars(
        select(Submission)
        .where(
            Submission.round_id == round_.id,
            Submission.player_id == player,
            Submission.state == SubmissionState.SCORED,
            Submission.hidden.is_(False),
            Submission.practice.is_(False),
        )
        .order_by(Submission.millibits.desc(), Submission.number)
        .limit(1)
    ).one_or_none()
    entries = improve(session, round_, best) if best else []
    if rated_plays.is_rated(session, round_) or before == (best and best.number):
        return []
    return entries or [_changed(session, round_, player)]


def tell(session: Session, competition_id: str, entries: Sequence[feed.Entry]) -> None:
    """Add to the feed, after rating the plays that are over by now. Locks the competition's row: it comes last."""
    told = list(entries)
    if rated_plays.marked(session, competition_id):
        session.execute(select(Competition.id).where(Competition.id == competition_id).with_for_update(key_share=True))
        for rated in rated_plays.work_off(session, competition_id):
            told += [_changed(session, rated.round, player) for player in rated.players]
    feed.append(session, competition_id, told)


def rate_on(session: Session, outbox: Outbox) -> bool:
    """Rate what one transaction left to the next, or an earlier version to this one. Is there more?"""
    waiting = rated_plays.competitions_to_rate(session)
    for competition_id in waiting[:1]:
        tell(session, competition_id, [])
        outbox.competitions.add(competition_id)
    return bool(waiting)


def of_round(session: Session, round_: Round, kind: str | None = None) -> list[Entry]:
    """The whole board of a round, best first."""
    if rated_plays.is_rated(session, round_):
        return _rated(session, round_, kind)
    query = (
        select(Player, Standing.millibits, Standing.number, Submission.id)
        .join(Standing, Standing.player_id == Player.id)
        .join(Submission, Submission.number == Standing.number)
        .where(Standing.round_id == round_.id)
        .order_by(Standing.millibits.desc(), Standing.number)
    )
    return _ranked([Entry(0, *row) for row in session.execute(_visible(query, kind))])


def _rated(session: Session, round_: Round, kind: str | None) -> list[Entry]:
    """Everybody who has finished a play. Who has left them all has no best."""
    best = (func.coalesce(Standing.millibits, 0), RatingAfter.number, Submission.id)
    query = (
        select(Player, *best, RatingAfter.mu, RatingAfter.sigma, RatingAfter.plays)
        .join(RatingAfter, RatingAfter.player_id == Player.id)
        .outerjoin(Standing, (Standing.player_id == Player.id) & (Standing.round_id == RatingAfter.round_id))
        .outerjoin(Submission, Submission.number == Standing.number)
        .where(RatingAfter.round_id == round_.id, RatingAfter.points.is_not(None))
        .order_by(RatingAfter.points.desc(), RatingAfter.number)
    )
    return _ranked(
        [
            Entry(0, player, millibits, number, submission, Rating(mu, sigma, plays))
            for player, millibits, number, submission, mu, sigma, plays in session.execute(_visible(query, kind))
        ]
    )


def boards_of_round(session: Session, round_: Round) -> list[list[Entry]]:
    """The boards of a round, each best first: people's and bots' where these stand apart, else everyone's."""
    competition = competitions.find(session, round_.competition_id)
    return [of_round(session, round_, kind) for kind in sides(competition)]


def of_competition(session: Session, competition: Competition, kind: str | None = None) -> list[Entry]:
    """What every player's best in each round in which the best ranks adds up to, as the competition's total says."""
    worth = totals.WORTH[competition.total].label("worth")
    query = (
        select(Standing.player_id, Standing.millibits, Standing.number, worth)
        .join(Player, Player.id == Standing.player_id)
        .join(Round, Round.id == Standing.round_id)
        .join(Submission, Submission.number == Standing.number)
        .where(
            Round.competition_id == competition.id,
            Round.archived_at.is_(None),
            Round.id.not_in(rated_rounds(session, competition.id)),
        )
    )
    bests = _visible(query, kind).subquery()
    total, first = func.sum(bests.c.worth).label("total"), func.max(bests.c.number).label("number")
    rows = session.execute(
        select(Player, func.sum(bests.c.millibits), first, total)
        .join(bests, bests.c.player_id == Player.id)
        .group_by(Player.id)
        .order_by(total.desc(), first)
    )
    return _ranked([Entry(0, player, int(bits), number, total=int(sum_)) for player, bits, number, sum_ in rows])


def rated_rounds(session: Session, competition_id: str) -> list[str]:
    """The rounds that add nothing to a competition's board, since their players are rated against each other."""
    found = rounds.of_competition(session, competition_id)
    return [round_.id for round_ in found if rated_plays.is_rated(session, round_)]


def _visible(query: Select[*Shape], kind: str | None) -> Select[*Shape]:
    query = query.where(Player.removed.is_(False))
    return query if kind is None else query.where(Player.kind == kind)


def _ranked(entries: Sequence[Entry]) -> list[Entry]:
    """Ranks for entries that come best first."""
    board: list[Entry] = []
    for place, entry in enumerate(entries, start=1):
        tied = bool(board) and board[-1].ranks == entry.ranks
        board.append(replace(entry, rank=board[-1].rank if tied else place))
    return board


def _changed(session: Session, round_: Round, player: str) -> feed.Entry:
    """How a player stands now, or that they stand no longer."""
    query = select(Standing.millibits).where(Standing.round_id == round_.id, Standing.player_id == player)
    millibits, rating = session.scalar(query), rated_plays.of_player(session, player).get(round_.id)
    ranks = millibits
    if rated_plays.is_rated(session, round_):
        ranks = rating.points if rating else None
    data = {
        "player": player,
        "round": round_.id,
        "bits": None if ranks is None else (millibits or 0) / 1000,
        "rank": None if ranks is None else 1 + _ahead(session, round_, player, ranks),
        "rating": {"value": rating.value, **asdict(rating)} if rating else None,
    }
    return ("standing.changed", data)


def _ahead(session: Session, round_: Round, player: str, ranks: int) -> int:
    """How many stand before a player."""
    return session.scalars(_better(session, round_, player, ranks).with_only_columns(func.count())).one()


def next_ahead(session: Session, round_: Round, player: str, millibits: int) -> int | None:
    """What the nearest of those has who stand before a player by their best; None where nobody does."""
    better = _better(session, round_, player, millibits)
    return session.scalars(better.with_only_columns(func.min(Standing.millibits))).one()


def best(session: Session, round_: Round, player: str) -> Standing | None:
    return session.get(Standing, (round_.id, player))


def bests(session: Session, player: str) -> dict[str, int]:
    """Round → what the player's best there has, in millibits."""
    query = select(Standing.round_id, Standing.millibits).where(Standing.player_id == player)
    return {row.round_id: row.millibits for row in session.execute(query)}


def places(session: Session, player: str) -> dict[str, Place]:
    """Round → where the player stands there, among those that share a board with them."""
    rated = rated_rounds(session, session.get_one(Player, player).competition_id)
    return {
        **_places(session, player, Standing, "millibits", Standing.round_id.not_in(rated)),
        **_places(session, player, RatingAfter, "points", RatingAfter.round_id.in_(rated)),
    }


def _places(
    session: Session, player: str, table: type[Standing | RatingAfter], ranks: str, there: ColumnElement[bool]
) -> dict[str, Place]:
    own = aliased(table)
    mine, theirs = getattr(own, ranks), getattr(table, ranks)
    query = (
        select(
            own.round_id, (1 + func.sum(case((theirs > mine, 1), else_=0))).label("rank"), func.count().label("players")
        )
        .join(table, table.round_id == own.round_id)
        .join(Player, Player.id == table.player_id)
        .where(own.player_id == player, mine.is_not(None), theirs.is_not(None), Player.removed.is_(False), there)
        .group_by(own.round_id)
    )
    rows = session.execute(_in_lane(session, query, player))
    return {row.round_id: Place(int(row.rank), row.players) for row in rows}


def _in_lane(session: Session, query: Select[*Shape], player: str) -> Select[*Shape]:
    """Of players, only those that share a board with this one: all, or its own kind where bots have their own."""
    policy, kind = session.execute(
        select(Competition.bots, Player.kind)
        .join(Player, Player.competition_id == Competition.id)
        .where(Player.id == player)
    ).one()
    return query.where(Player.kind == kind) if policy == BotPolicy.SEPARATE else query


def _better(session: Session, round_: Round, player: str, ranks: int) -> Select[str]:
    """The players above, on the player's own board."""
    query = select(Player.id).where(Player.removed.is_(False))
    if rated_plays.is_rated(session, round_):
        query = query.join(RatingAfter, RatingAfter.player_id == Player.id)
        query = query.where(RatingAfter.round_id == round_.id, RatingAfter.points > ranks)
    else:
        query = query.join(Standing, Standing.player_id == Player.id)
        query = query.where(Standing.round_id == round_.id, Standing.millibits > ranks)
    return _in_lane(session, query, player)


def sides(competition: Competition) -> Sequence[PlayerKind | None]:
    """Whose boards there are; None: one for everyone."""
    return (PlayerKind.PERSON, PlayerKind.BOT) if competition.bots == BotPolicy.SEPARATE else (None,)


def kinds(competition: Competition, asked: str | None) -> str | None:
    """Which players a board shows: everyone, unless bots stand apart and one side was asked for."""
    return asked if competition.bots == BotPolicy.SEPARATE else None


def see_round(unit: Unit, round_id: str, kind: str | None) -> list[Entry]:
    """The board of a round of the caller's competition."""
    round_ = rounds.see(unit, round_id)
    competition = competitions.find(unit.session, round_.competition_id)
    return of_round(unit.session, round_, kinds(competition, kind))


def see_competition(unit: Unit, competition_id: str, kind: str | None) -> list[Entry]:
    """The board over all rounds of the caller's competition."""
    competition = competitions.see(unit, competition_id)
    return of_competition(unit.session, competition, kinds(competition, kind))
