"""How a competition goes on, for those who see all of it: who has moved, what waits, and how long for."""

from dataclasses import dataclass

from sqlalchemy import case, func, select

from server.arena import callers
from server.arena.unit import Unit
from server.db.models import Judge, Measurement, Player, Round, RoundJudge, Submission
from server.db.states import RoundState, SubmissionState, WorkState


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a round, without players who were removed.

    moved: who have made a move that counts. waiting: submissions that the judge is still at.
    """

    moved: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Of a judge. waiting: measurements, whoever asked for them. seconds: until all are made; None where nobody knows.
    served: is a worker there?"""

    judge: str
    waiting: int
    seconds: float | None
    served: bool


def of_rounds(unit: Unit, competition_id: str) -> dict[str, Progress]:
    """Round → how it goes on; a round without a move is not among them."""
    callers.require_watcher(unit.caller, competition_id)
    waits = case((Submission.state == SubmissionState.QUEUED, 1), else_=0)
    query = (
        select(Submission.round_id, func.count(Submission.player_id.distinct()), func.sum(waits))
        .join(Round, Round.id == Submission.round_id)
        .join(Player, Player.id == Submission.player_id)
        .where(Round.competition_id == competition_id, ~Submission.practice, ~Player.removed)
        .group_by(Submission.round_id)
    )
    return {round_id: Progress(moved, int(waiting)) for round_id, moved, waiting in unit.session.execute(query)}


def waits(unit: Unit, competition_id: str) -> list[Wait]:
    """Of the judges of the rounds that go on."""
    callers.require_watcher(unit.caller, competition_id)
    going_on = (
        select(RoundJudge.identity)
        .join(Round, Round.id == RoundJudge.round_id)
        .where(
            Round.competition_id == competition_id,
            Round.archived_at.is_(None),
            Round.state.in_([RoundState.PREPARING, RoundState.OPEN, RoundState.PAUSED]),
        )
    )
    pending = (Measurement.judge == Judge.identity) & (Measurement.state == WorkState.PENDING)
    query = (
        select(Judge.identity, Judge.name, func.count(Measurement.key))
        .outerjoin(Measurement, pending)
        .where(Judge.identity.in_(going_on))
        .group_by(Judge.identity, Judge.name)
        .order_by(Judge.name)
    )
    return [
        Wait(name, count, unit.workforce.expected_wait(identity, count), bool(unit.workforce.serving(identity)))
        for identity, name, count in unit.session.execute(query)
    ]
