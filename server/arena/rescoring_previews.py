"""What a rescoring changes: who stands where, before and after, and which plays keep their score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from server.arena import competitions, leaderboards, rated_plays, rescorings
from server.arena.leaderboards import NAMED, Named
from server.arena.ratings import Rating
from server.arena.unit import Unit
from server.db.models import Player, Round, Submission
from server.db.rescorings import Rescore, RescoredPlay, Rescoring
from server.db.states import SubmissionState


@dataclass(frozen=True, slots=True)
class Stand:
    """A player's best and rating, and where they rank: by the rating where players are rated against each other."""

    millibits: int
    rating: Rating | None = None
    rank: int = 0

    @property
    def ranks(self) -> int:
        return self.rating.points if self.rating else self.millibits


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
    return Preview(rescoring, done, moved(unit.session, rescoring), kept(unit.session, rescoring))


def moved(session: Session, rescoring: Rescoring) -> list[Moved]:
    """Everybody who stands, by their rank after."""
    round_ = session.get_one(Round, rescoring.round_id)
    stand = list(_by_best(session, rescoring))
    if rated_plays.is_rated(session, round_):
        stand = list(_by_rating(session, rescoring, round_, stand))
    stand.sort(key=lambda each: (-each.after.ranks, each.player.name, each.player.id))
    found: list[Moved] = []
    for side in leaderboards.sides(competitions.find(session, round_.competition_id)):
        here = [each for each in stand if side in (None, each.player.kind)]
        old, new = _ranks([each.before.ranks for each in here]), _ranks([each.after.ranks for each in here])
        for each in here:
            before = replace(each.before, rank=old[each.before.ranks])
            found.append(replace(each, before=before, after=replace(each.after, rank=new[each.after.ranks])))
    return found


def _by_best(session: Session, rescoring: Rescoring) -> Iterator[Moved]:
    mine = (Rescore.number == Submission.number) & (Rescore.rescoring_id == rescoring.id)
    before = func.coalesce(Rescore.replaced, Submission.millibits)
    after = func.coalesce(Rescore.millibits, Submission.millibits)
    query = (
        select(*NAMED, func.max(before), func.max(after))
        .select_from(Submission)
        .join(Player, Player.id == Submission.player_id)
        .outerjoin(Rescore, mine)
        .where(Submission.round_id == rescoring.round_id, Submission.state == SubmissionState.SCORED)
        .where(~Submission.hidden, ~Submission.practice, ~Player.removed)
        .group_by(*NAMED)
    )
    for row in session.execute(query):
        yield Moved(Named(*row[:3]), Stand(int(row[3])), Stand(int(row[4])))


def _by_rating(session: Session, rescoring: Rescoring, round_: Round, bests: Sequence[Moved]) -> Iterator[Moved]:
    """Everybody who is rated; who has left all plays has no best."""
    best = {each.player.id: each for each in bests}

    def table(score: Any) -> dict[str, Rating]:
        def bits(seat: type[Submission]) -> ColumnElement[int]:
            here = (Rescore.rescoring_id == rescoring.id, Rescore.number == seat.number)
            return func.coalesce(select(score).where(*here).scalar_subquery(), seat.millibits)

        return rated_plays.rated_by(session, round_.id, bits)

    before, after = table(Rescore.replaced), table(Rescore.millibits)
    for row in session.execute(select(*NAMED).where(Player.competition_id == round_.competition_id)):
        player = Named(*row)
        if player.id in after:
            known = best.get(player.id, Moved(player, Stand(0), Stand(0)))
            old, new = before[player.id], after[player.id]
            yield Moved(player, replace(known.before, rating=old), replace(known.after, rating=new))


def _ranks(values: Sequence[int]) -> dict[int, int]:
    """Value → the rank that it has among these."""
    ranks: dict[int, int] = {}
    for place, each in enumerate(sorted(values, reverse=True), start=1):
        ranks.setdefault(each, place)
    return ranks


def kept(session: Session, rescoring: Rescoring) -> list[Kept]:
    """The submissions that keep their score."""
    query = (
        select(*NAMED, Submission.id, RescoredPlay.reason)
        .select_from(RescoredPlay)
        .join(Submission, Submission.play_id == RescoredPlay.play_id)
        .join(Player, Player.id == Submission.player_id)
        .where(RescoredPlay.rescoring_id == rescoring.id, RescoredPlay.reason.is_not(None))
        .where(Submission.state == SubmissionState.SCORED)
        .order_by(Submission.number)
    )
    return [Kept(row[3], Named(*row[:3]), row[4] or "") for row in session.execute(query)]
