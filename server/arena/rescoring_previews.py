"""What a rescoring changes: who stands where, before and after, and which plays keep their score."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from server.arena import competitions, leaderboards, rated_plays, rescorings
from server.arena.leaderboards import NAMED, Named
from server.arena.unit import Unit
from server.db.models import Player, Round, Submission
from server.db.rescorings import Rescore, RescoredPlay, Rescoring
from server.db.states import SubmissionState


@dataclass(frozen=True, slots=True)
class Stand:
    """A player's best, and where it ranks; no rank where players are rated against each other."""

    millibits: int
    rank: int | None


@dataclass(frozen=True, slots=True)
class Moved:
    player: Named
    before: Stand
    after: Stand


@dataclass(frozen=True, slots=True)
class Kept:
    """A submission that keeps its score, since its play cannot be compared."""

    submission: str
    player: Named
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """moved: everybody who stands, by their rank after. Those that are not worked out yet are as they are."""

    rescoring: Rescoring
    progress: rescorings.Progress
    moved: Sequence[Moved]
    kept: Sequence[Kept]


def preview(unit: Unit, rescoring_id: str) -> Preview:
    """Hosts and observers."""
    rescoring = rescorings.see(unit, rescoring_id)
    done = rescorings.progress(unit.session, rescoring)
    return Preview(rescoring, done, _moved(unit, rescoring), _kept(unit, rescoring))


def _moved(unit: Unit, rescoring: Rescoring) -> list[Moved]:
    session = unit.session
    round_ = session.get_one(Round, rescoring.round_id)
    mine = (Rescore.number == Submission.number) & (Rescore.rescoring_id == rescoring.id)
    before = func.coalesce(Rescore.replaced, Submission.millibits)
    after = func.coalesce(Rescore.millibits, Submission.millibits)
    query = (
        select(*NAMED, func.max(before), func.max(after))
        .select_from(Submission)
        .join(Player, Player.id == Submission.player_id)
        .outerjoin(Rescore, mine)
        .where(Submission.round_id == round_.id, Submission.state == SubmissionState.SCORED)
        .where(~Submission.hidden, ~Submission.practice, ~Player.removed)
        .group_by(*NAMED)
        .order_by(func.max(after).desc(), Player.name, Player.id)
    )
    rows = [(Named(*row[:3]), int(row[3]), int(row[4])) for row in session.execute(query)]
    rated = rated_plays.is_rated(session, round_)
    found: list[Moved] = []
    for side in leaderboards.sides(competitions.find(session, round_.competition_id)):
        here = [row for row in rows if side in (None, row[0].kind)]
        old, new = _ranks([row[1] for row in here]), _ranks([row[2] for row in here])
        for player, was, is_ in here:
            ranks = (None, None) if rated else (old[was], new[is_])
            found.append(Moved(player, Stand(was, ranks[0]), Stand(is_, ranks[1])))
    return found


def _ranks(millibits: Sequence[int]) -> dict[int, int]:
    """Millibits → the rank that they have among these."""
    ranks: dict[int, int] = {}
    for place, each in enumerate(sorted(millibits, reverse=True), start=1):
        ranks.setdefault(each, place)
    return ranks


def _kept(unit: Unit, rescoring: Rescoring) -> list[Kept]:
    query = (
        select(*NAMED, Submission.id, RescoredPlay.reason)
        .select_from(RescoredPlay)
        .join(Submission, Submission.play_id == RescoredPlay.play_id)
        .join(Player, Player.id == Submission.player_id)
        .where(RescoredPlay.rescoring_id == rescoring.id, RescoredPlay.reason.is_not(None))
        .where(Submission.state == SubmissionState.SCORED)
        .order_by(Submission.number)
    )
    return [Kept(row[3], Named(*row[:3]), row[4] or "") for row in unit.session.execute(query)]
