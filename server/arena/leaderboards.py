"""Standings and boards. Only integer millibits rank; equal ones share a rank, listed by acceptance number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVarTuple

from sqlalchemy import Select, case, delete, func, select
from sqlalchemy.orm import Session, aliased

from server.arena import competitions, feed, rounds
from server.arena.unit import Unit
from server.db.models import BotPolicy, Competition, Player, PlayerKind, Round, Standing, Submission, SubmissionState
from server.db.session import insert

Shape = TypeVarTuple("Shape")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a board. submission: the one that counts; None on a board over several rounds."""

    rank: int
    player: Player
    millibits: int
    number: int
    submission: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a player stands on a board. count: how many stand there."""

    rank: int
    count: int


def improve(session: Session, round_: Round, submission: Submission) -> list[feed.Entry]:
    """Note a scored submission; a feed entry if it is its player's best. The earlier of equal ones counts."""
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
    if changed is None:
        return []
    return [_changed(session, round_, submission.player_id, changed)]


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
    if best is None:
        gone = ("standing.changed", {"player": player, "round": round_.id, "bits": None, "rank": None})
        return [] if before is None else [gone]
    entries = improve(session, round_, best)
    return [] if best.number == before else entries


def of_round(session: Session, round_: Round, kind: str | None = None) -> list[Entry]:
    """The whole board of a round, best first."""
    query = (
        select(Player, Standing.millibits, Standing.number, Submission.id)
        .join(Standing, Standing.player_id == Player.id)
        .join(Submission, Submission.number == Standing.number)
        .where(Standing.round_id == round_.id)
        .order_by(Standing.millibits.desc(), Standing.number)
    )
    return _ranked([Entry(0, *row) for row in session.execute(_visible(query, kind))])


def boards_of_round(session: Session, round_: Round) -> list[list[Entry]]:
    """The boards of a round, each best first: people's and bots' where these stand apart, else everyone's."""
    competition = competitions.find(session, round_.competition_id)
    return [of_round(session, round_, kind) for kind in sides(competition)]


def of_competition(session: Session, competition: Competition, kind: str | None = None) -> list[Entry]:
    """The sum of every player's best over the rounds of a competition."""
    total, first = func.sum(Standing.millibits).label("total"), func.max(Standing.number).label("number")
    query = (
        select(Player, total, first)
        .join(Standing, Standing.player_id == Player.id)
        .join(Round, Round.id == Standing.round_id)
        .where(Round.competition_id == competition.id)
        .group_by(Player.id)
        .order_by(total.desc(), first)
    )
    return _ranked(
        [Entry(0, player, int(bits), number) for player, bits, number in session.execute(_visible(query, kind))]
    )


def _visible(query: Select[*Shape], kind: str | None) -> Select[*Shape]:
    query = query.where(Player.removed.is_(False))
    return query if kind is None else query.where(Player.kind == kind)


def _ranked(entries: Sequence[Entry]) -> list[Entry]:
    """Ranks for entries that come best first."""
    board: list[Entry] = []
    for place, entry in enumerate(entries, start=1):
        tied = bool(board) and board[-1].millibits == entry.millibits
        board.append(replace(entry, rank=board[-1].rank if tied else place))
    return board


def _changed(session: Session, round_: Round, player: str, millibits: int) -> feed.Entry:
    rank = 1 + _ahead(session, round_, player, millibits)
    data = {"player": player, "round": round_.id, "bits": millibits / 1000, "rank": rank}
    return ("standing.changed", data)


def _ahead(session: Session, round_: Round, player: str, millibits: int) -> int:
    """How many stand before a player."""
    return session.scalars(_better(session, round_, player, millibits).with_only_columns(func.count())).one()


def next_ahead(session: Session, round_: Round, player: str, millibits: int) -> int | None:
    """What the nearest of those has who stand before a player; None where nobody does."""
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
    own = aliased(Standing)
    ahead = func.sum(case((Standing.millibits > own.millibits, 1), else_=0))
    query = (
        select(own.round_id, (1 + ahead).label("rank"), func.count().label("players"))
        .join(Standing, Standing.round_id == own.round_id)
        .join(Player, Player.id == Standing.player_id)
        .where(own.player_id == player, Player.removed.is_(False))
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


def _better(session: Session, round_: Round, player: str, millibits: int) -> Select[Standing]:
    """The standings above, on the player's own board."""
    query = (
        select(Standing)
        .join(Player, Player.id == Standing.player_id)
        .where(Standing.round_id == round_.id, Standing.millibits > millibits, Player.removed.is_(False))
    )
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
