"""Boards of teams. In a round a team has what the best of its players has there; over several rounds these add up as
the competition's total says. Only people play for their team where bots stand apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.arena import competitions, leaderboards, places, rounds, totals
from server.arena.board_rows import BoardRows, shown_to
from server.arena.leaderboards import kinds
from server.arena.unit import Unit
from server.db.models import Competition, Player, Round, Submission, Team
from server.db.states import PlayerKind, Total


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A line of a board. ranks: in thousandths, of bits, of a rating, or of what the competition adds up. number: of
    the submission that counts, or of the latest of them; equal ones are listed by it."""

    rank: int
    team: str
    name: str
    ranks: int
    number: int


def see_round(unit: Unit, round_id: str) -> list[TeamEntry]:
    """The board of a round of the caller's competition, as far as they may see it."""
    round_ = rounds.see(unit, round_id)
    competition = competitions.find(unit.session, round_.competition_id)
    return of_round(unit.session, competition, round_, shown_to(unit.caller, competition))


def see_competition(unit: Unit, competition_id: str) -> list[TeamEntry]:
    """The board over all rounds of the caller's competition, as far as they may see it."""
    competition = competitions.see(unit, competition_id)
    return of_competition(unit.session, competition, shown_to(unit.caller, competition))


def of_round(session: Session, competition: Competition, round_: Round, rows: BoardRows) -> list[TeamEntry]:
    listed = leaderboards.listed(session, round_, rows)
    order = (listed.ranks.desc(), listed.number)
    place = func.row_number().over(partition_by=Player.team_id, order_by=order).label("place")
    columns = (Player.team_id, listed.ranks.label("ranks"), listed.number.label("number"), place)
    query = leaderboards.visible(listed.query, kinds(competition, PlayerKind.PERSON))
    each = query.where(Player.team_id.is_not(None)).with_only_columns(*columns).subquery()
    best = select(Team.id, Team.name, each.c.ranks, each.c.number).join(each, each.c.team_id == Team.id)
    found = session.execute(best.where(each.c.place == 1, Team.deleted_at.is_(None)))
    return _ranked([TeamEntry(0, *row) for row in found])


def of_competition(session: Session, competition: Competition, rows: BoardRows) -> list[TeamEntry]:
    standing, rated = rows.standing, leaderboards.rated_rounds(session, competition.id)
    here = [each.id for each in rounds.of_competition(session, competition.id) if each.id not in rated]
    order = (standing.millibits.desc(), standing.number)
    place = func.row_number().over(partition_by=(standing.round_id, Player.team_id), order_by=order).label("place")
    members = (
        select(standing.round_id, Player.team_id, standing.millibits, standing.number, place)
        .join(Player, Player.id == standing.player_id)
        .join(Team, Team.id == Player.team_id)
        .where(standing.round_id.in_(here), Team.deleted_at.is_(None))
        .where(standing.player_id.not_in(places.left_out(competition, kinds(competition, PlayerKind.PERSON))))
        .subquery()
    )
    columns = (members.c.round_id, members.c.team_id, members.c.millibits, members.c.number)
    bests = select(*columns).where(members.c.place == 1).subquery()
    query = select(bests.c.team_id, bests.c.number, totals.worth(competition.total, bests.c).label("worth"))
    if competition.total == Total.PERCENT:
        query = query.join(Submission, Submission.number == bests.c.number)
    worths = query.subquery()
    sums = select(Team.id, Team.name, func.sum(worths.c.worth), func.max(worths.c.number))
    sums = sums.join(worths, worths.c.team_id == Team.id).group_by(Team.id, Team.name)
    return _ranked([TeamEntry(0, id_, name, int(ranks), number) for id_, name, ranks, number in session.execute(sums)])


def _ranked(entries: Sequence[TeamEntry]) -> list[TeamEntry]:
    """Best first; equal ones share a rank."""
    board = sorted(entries, key=lambda each: (-each.ranks, each.number))
    ahead = {each.ranks: place for place, each in reversed(list(enumerate(board, start=1)))}
    return [replace(each, rank=ahead[each.ranks]) for each in board]
