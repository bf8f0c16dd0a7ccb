"""What the hosts of a round may not have meant: another one that is open at the same time."""

from typing import Literal

from pydantic import BaseModel, Field

from games.sentences import say
from server.arena import overlaps
from server.arena.unit import Unit
from server.db.models import Round


class RoundWarning(BaseModel):
    """Another round of the competition that is open at the same time."""

    type: Literal["overlap"]
    round: str
    detail: str = Field(
        examples=["Round 2 is open at the same time, from 2026-11-27T09:00:00Z to 2026-11-27T09:30:00Z."]
    )


def of_round(unit: Unit, row: Round) -> list[RoundWarning]:
    found = overlaps.of_round(unit.session, row, unit.now)
    return [RoundWarning(type="overlap", round=each.round, detail=_overlap(each)) for each in found]


def _overlap(each: overlaps.Overlap) -> str:
    start, end = (at.isoformat(timespec="seconds").replace("+00:00", "Z") for at in (each.opens_at, each.closes_at))
    return say(
        "Round {number} is open at the same time, from {start} to {end}.", number=each.number, start=start, end=end
    )
