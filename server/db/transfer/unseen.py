"""What a shareable export lacks since players do not see it yet: scores worked out beside those that count.

Players see them once they are applied, or are of a second judge in a round whose moves are revealed. Until then nothing
tells what they are, nor by which judge.
"""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, or_, select

from games.protocol import MAIN
from server.db.models import Measurement, PendingMeasurement, Round, RoundJudge
from server.db.rescorings import RescoredPlay, Rescoring
from server.db.states import RescoringState
from server.db.transfer import rows

Needs = set[tuple[str, str]]  # keys of measurements, and the plays for which they were made


def left_out(connection: Connection) -> rows.Change:
    """What a row tells without that."""
    aside, rounds = _aside(connection), _with_secret_judge(connection)
    needs = {need for rescoring in aside for need in _needs(connection, rescoring)}
    measured = _for_nothing_else(connection, aside, needs)

    def change(table: str, told: dict[str, Any]) -> dict[str, Any] | None:
        match table:
            case "rounds" if told["id"] in rounds:
                return {name: value for name, value in told.items() if name != "second_judge"}
            case "rescorings" if told["id"] in aside:
                return None
            case "rescored_plays" | "rescores" if told["rescoring_id"] in aside:
                return None
            case "needs" if (told["key"], told["play_id"]) in needs:
                return None
            case "measurements" if told["key"] in measured:
                return None
        return told

    return change


def _aside(connection: Connection) -> set[str]:
    """The rescorings that players do not see."""
    second = Round.revealed.is_not(None) & (Rescoring.judges[MAIN].as_string() == func.coalesce(Round.second_judge, ""))
    seen = or_(Rescoring.state == RescoringState.APPLIED, second)
    return set(connection.scalars(select(Rescoring.id).join(Round).where(~seen)))


def _with_secret_judge(connection: Connection) -> set[str]:
    """The rounds whose second judge players are not told of."""
    applied = select(Rescoring.round_id).where(
        Rescoring.state == RescoringState.APPLIED, Rescoring.judges[MAIN].as_string() == Round.second_judge
    )
    kept = Round.second_judge.is_not(None) & Round.revealed.is_(None)
    return set(connection.scalars(select(Round.id).where(kept, Round.id.not_in(applied.correlate(Round)))))


def _needs(connection: Connection, rescoring: str) -> Needs:
    """What was measured for a rescoring, and would not be for the round itself."""
    judges, profile, round_id, own_profile = connection.execute(
        select(Rescoring.judges, Rescoring.profile, Rescoring.round_id, Round.profile)
        .join(Round)
        .where(Rescoring.id == rescoring)
    ).one()
    own = set(connection.scalars(select(RoundJudge.identity).where(RoundJudge.round_id == round_id)))
    others = set(judges.values()) - (own if profile == own_profile else set())
    found = connection.execute(
        select(PendingMeasurement.key, PendingMeasurement.play_id)
        .join(Measurement, Measurement.key == PendingMeasurement.key)
        .join(RescoredPlay, RescoredPlay.play_id == PendingMeasurement.play_id)
        .where(RescoredPlay.rescoring_id == rescoring, Measurement.profile == profile)
        .where(Measurement.judge.in_(others))
    )
    return {(key, play) for key, play in found}


def _for_nothing_else(connection: Connection, aside: set[str], needs: Needs) -> set[str]:
    """Of their keys, those that no other play needed."""
    mine = Counter(key for key, _ in needs)
    there = select(PendingMeasurement.key).join(RescoredPlay, RescoredPlay.play_id == PendingMeasurement.play_id)
    query = (
        select(PendingMeasurement.key, func.count())
        .where(PendingMeasurement.key.in_(there.where(RescoredPlay.rescoring_id.in_(aside))))
        .group_by(PendingMeasurement.key)
    )
    return {key for key, count in connection.execute(query) if mine[key] == count}
