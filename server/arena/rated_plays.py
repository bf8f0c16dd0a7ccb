"""The ratings of a round as rows: a function of the plays that count, in the order in which they were accepted.

Plays end in any order, and a host hides and removes. So a play that is over, or counts no longer, leaves a mark, and
everything from the earliest mark on is worked out again; where the play is the newest one, that is the play alone. Who
works marks off holds the competition's row.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from server.arena import round_setup
from server.arena.ratings import Outcome, Rating, follow, rate
from server.db.boards import RatingAfter, RatingRow, Unrated
from server.db.models import Play, Player, Round, Submission
from server.db.session import insert as insert_or
from server.db.states import SubmissionState

_Row = Row[*tuple[Any, ...]]
AT_ONCE = 256  # plays that one transaction rates; the sweeper sees to the rest


@dataclass(frozen=True, slots=True)
class Rated:
    """What of a round was rated now. players: those whose plays were marked."""

    round: Round
    players: Sequence[str]


def is_rated(session: Session, round_: Round) -> bool:
    """Are its players rated against each other, rather than each by their best?"""
    setup = round_setup.setup_of(session, round_)
    return setup.program.zero_sum and not setup.setup.house


def mark(session: Session, round_: Round, play: Play) -> None:
    """The play is over, or counts otherwise than before."""
    if is_rated(session, round_):
        _mark(session, select(Submission).where(Submission.play_id == play.id))


def mark_round(session: Session, round_: Round) -> None:
    """All of its plays have other scores than before."""
    if is_rated(session, round_):
        session.flush()
        firsts = select(Submission.round_id, func.min(Submission.number)).where(Submission.round_id == round_.id)
        each_play = firsts.group_by(Submission.round_id, Submission.play_id)
        marks = insert_or(session, Unrated).from_select(["round_id", "first"], each_play)
        session.execute(marks.on_conflict_do_nothing())


def mark_player(session: Session, player: str) -> None:
    """The player's plays count otherwise than before."""
    plays = select(Submission.play_id).where(Submission.player_id == player)
    _mark(session, select(Submission).where(Submission.play_id.in_(plays)))


@dataclass(frozen=True, slots=True)
class Gap:
    """What goes out of a round's ratings. first: the earliest of the plays; players: whose ratings hang on them."""

    first: int
    players: frozenset[str]


def forget(session: Session, player: str) -> dict[str, Gap]:
    """Round → the gap that the player leaves: their rows, and all that come after, are gone from the ratings."""
    session.flush()
    plays = select(Submission.play_id).where(Submission.player_id == player)
    numbers = select(Submission.number).where(Submission.play_id.in_(plays))
    query = select(Submission.round_id, func.min(Submission.number)).where(Submission.play_id.in_(plays))
    gaps: dict[str, Gap] = {}
    for round_id, first in session.execute(query.group_by(Submission.round_id)).all():
        if is_rated(session, session.get_one(Round, round_id)):
            session.execute(delete(Unrated).where(Unrated.round_id == round_id, Unrated.first.in_(numbers)))
            after = (RatingAfter.round_id == round_id, RatingAfter.first >= first)
            gone = session.scalars(delete(RatingAfter).where(*after).returning(RatingAfter.player_id))
            gaps[round_id] = Gap(first, frozenset(gone) - {player})
    return gaps


def rate_without(session: Session, round_id: str, gap: Gap) -> None:
    """The rows of the player are gone: what came after their plays is to be rated as if these had never been."""
    query = select(func.min(Submission.number)).where(Submission.round_id == round_id, Submission.number >= gap.first)
    following = session.scalars(query).one()
    if following is not None:
        mark = insert_or(session, Unrated).values(round_id=round_id, first=following)
        session.execute(mark.on_conflict_do_nothing())
    _note_newest(session, round_id, gap.players)


def _mark(session: Session, submissions: Select[Submission]) -> None:
    session.flush()
    earliest = submissions.with_only_columns(Submission.round_id, func.min(Submission.number))
    statement = insert_or(session, Unrated).from_select(["round_id", "first"], earliest.group_by(Submission.round_id))
    session.execute(statement.on_conflict_do_nothing())


def competitions_to_rate() -> Select[str]:
    """Those in which something is marked."""
    return select(Round.competition_id).join(Unrated).distinct()


def marked(session: Session, competition: str) -> dict[str, list[int]]:
    """Round → its marks, the earliest first."""
    query = select(Unrated.round_id, Unrated.first).join(Round).where(Round.competition_id == competition)
    found: dict[str, list[int]] = {}
    for round_id, first in session.execute(query.order_by(Unrated.round_id, Unrated.first)):
        found.setdefault(round_id, []).append(first)
    return found


def work_off(session: Session, competition: str) -> Iterator[Rated]:
    """Rate what is marked, as far as one transaction may."""
    left = AT_ONCE
    for round_id, marks in marked(session, competition).items():
        round_, following = session.get_one(Round, round_id), None
        rated = is_rated(session, round_)
        if rated:
            count, following = _rate(session, round_id, marks[0], left)
            left -= count
        done = marks if following is None else [first for first in marks if first < following]
        session.execute(delete(Unrated).where(Unrated.round_id == round_id, Unrated.first.in_(done)))
        if following is not None:
            session.execute(
                insert_or(session, Unrated).values(round_id=round_id, first=following).on_conflict_do_nothing()
            )
        if rated:
            yield Rated(round_, _players(session, done))
        if not left:
            return


def _rate(session: Session, round_id: str, first: int, most: int) -> tuple[int, int | None]:
    """Rate the plays from this one on, at most so many: how many there were, and which one is next."""
    found = session.execute(_counting(round_id, first).limit(most + 1)).all()
    plays, following = found[:most], found[most].first if len(found) > most else None
    here = [RatingAfter.round_id == round_id, RatingAfter.first >= first]
    if following is not None:
        here.append(RatingAfter.first < following)
    before = set(session.scalars(delete(RatingAfter).where(*here).returning(RatingAfter.player_id)))
    players = {player for play in plays for player in (play.player, play.other)}
    table = {row.player_id: _rating(row) for row in _newest(session, round_id, players, first)}
    rows: list[dict[str, Any]] = []
    outcomes = [_outcome(play) for play in plays]
    for play, outcome, ratings in zip(plays, outcomes, follow(outcomes, table), strict=True):
        numbers = {play.player: play.first, play.other: play.second}
        for player, rating in zip(outcome[:2], ratings, strict=True):
            row = {"number": numbers[player], "round_id": round_id, "player_id": player, "first": play.first}
            rows.append(row | {"mu": rating.mu, "sigma": rating.sigma, "plays": rating.plays})
    if rows:
        session.execute(insert(RatingAfter), rows)
    _note_newest(session, round_id, before | players)
    return len(plays), following


#: The millibits of a seat: those of its row, or what another judge says of them.
Bits = Callable[[type[Submission]], ColumnElement[int]]


def rated_by(session: Session, round_id: str, bits: Bits) -> dict[str, Rating]:
    """What everybody's rating would be if these were the bits of the plays."""
    return rate(_outcome(play) for play in session.execute(_counting(round_id, 0, bits)))


def _own(seat: type[Submission]) -> Any:
    return seat.millibits


def _counting(round_id: str, first: int, bits: Bits = _own) -> Select[*tuple[Any, ...]]:
    """The plays from this one on that count, in order. Bits are null for whoever left."""
    one, other, player, opponent = aliased(Submission), aliased(Submission), aliased(Player), aliased(Player)
    scored, ended = SubmissionState.SCORED, (SubmissionState.SCORED, SubmissionState.REJECTED)
    return (
        select(
            one.number.label("first"),
            other.number.label("second"),
            one.player_id.label("player"),
            other.player_id.label("other"),
            case((one.state == scored, bits(one))).label("bits"),
            case((other.state == scored, bits(other))).label("other_bits"),
        )
        .join(other, (other.play_id == one.play_id) & (other.number > one.number))
        .join(player, player.id == one.player_id)
        .join(opponent, opponent.id == other.player_id)
        .where(one.round_id == round_id, one.number >= first, player.id != opponent.id)
        .where(one.state.in_(ended), other.state.in_(ended), (one.state == scored) | (other.state == scored))
        .where(~one.hidden, ~other.hidden, ~player.removed, ~opponent.removed)
        .order_by(one.number)
    )


def _outcome(play: _Row) -> Outcome:
    """More bits win. Who left has lost, whatever the bits were until then."""
    if play.other_bits is None or (play.bits is not None and play.bits >= play.other_bits):
        return Outcome(play.player, play.other, drawn=play.bits == play.other_bits)
    return Outcome(play.other, play.player)


def _newest(session: Session, round_id: str, players: Collection[str], before: int | None = None) -> Sequence[_Row]:
    """The players' ratings after their latest plays, or the latest before that one."""
    each = aliased(RatingAfter)
    latest = select(each.number).where(each.round_id == round_id, each.player_id == Player.id)
    if before is not None:
        latest = latest.where(each.first < before)
    number = latest.order_by(each.first.desc()).limit(1).correlate(Player).scalar_subquery()
    query = select(*_COLUMNS).where(RatingAfter.number.in_(select(number).where(Player.id.in_(players))))
    return session.execute(query).all()


def _note_newest(session: Session, round_id: str, players: Collection[str]) -> None:
    """Give points to the newest rows of these players, and to no others of theirs."""
    mine = (RatingAfter.round_id == round_id, RatingAfter.points.is_not(None), RatingAfter.player_id.in_(players))
    session.execute(update(RatingAfter).where(*mine).values(points=None))
    rows = [{"number": row.number, "points": _rating(row).points} for row in _newest(session, round_id, players)]
    if rows:
        session.execute(update(RatingAfter), rows)


#: Read as columns and never as objects: they are written behind the back of the session.
_COLUMNS = (RatingAfter.number, RatingAfter.player_id, RatingAfter.mu, RatingAfter.sigma, RatingAfter.plays)


def _rating(row: _Row) -> Rating:
    return Rating(row.mu, row.sigma, row.plays)


def _players(session: Session, firsts: Collection[int]) -> Sequence[str]:
    """Who plays in the plays with these numbers."""
    plays = select(Submission.play_id).where(Submission.number.in_(firsts))
    query = select(Submission.player_id).where(Submission.play_id.in_(plays)).distinct()
    return session.scalars(query.order_by(Submission.player_id)).all()


def of_player(session: Session, player: str, table: type[RatingRow] = RatingAfter) -> dict[str, Rating]:
    """Round → what the player's rating there is."""
    query = select(table.round_id, table.mu, table.sigma, table.plays)
    rows = session.execute(query.where(table.player_id == player, table.points.is_not(None)))
    return {row.round_id: _rating(row) for row in rows}


def around(session: Session, submission: Submission) -> tuple[Rating | None, Rating] | None:
    """A player's rating before the play and after it; None where the play does not count."""
    query = select(RatingAfter.first, *_COLUMNS).where(RatingAfter.number == submission.number)
    after = session.execute(query).one_or_none()
    if after is None:
        return None
    before = _newest(session, submission.round_id, [submission.player_id], after.first)
    return (_rating(before[0]) if before else None), _rating(after)
