"""Rounds of one competition that would be open at the same time. Hosts are told, and nothing is refused: they may want
it so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from sqlalchemy.orm import Session

from server.arena import rounds
from server.arena.round_making import opens_at
from server.db.models import Round
from server.db.states import RoundState


@dataclass(frozen=True, slots=True)
class Overlap:
    """With which round, and from when to when both are open."""

    round: str
    number: int
    opens_at: datetime
    closes_at: datetime


def of_competition(session: Session, competition_id: str, at: datetime) -> Mapping[str, Sequence[Overlap]]:
    """Round → those whose window has a time in common with its own, in their order; of rounds that have not ended.

    A round that goes on until its host closes it has no window.
    """
    found: dict[str, list[Overlap]] = {}
    windows = [(each, window) for each in rounds.of_competition(session, competition_id) if (window := _of(each, at))]
    for (one, first), (other, second) in combinations(windows, 2):
        start, end = max(first[0], second[0]), min(first[1], second[1])
        if start < end:
            found.setdefault(one.id, []).append(Overlap(other.id, other.number, start, end))
            found.setdefault(other.id, []).append(Overlap(one.id, one.number, start, end))
    return {id_: sorted(each, key=lambda overlap: overlap.number) for id_, each in found.items()}


def _of(round_: Round, at: datetime) -> tuple[datetime, datetime] | None:
    begins, ends = opens_at(round_, at), round_.closes_at
    if begins is not None and ends is None and round_.duration is not None:
        ends = begins + timedelta(seconds=round_.duration)
    if begins is None or ends is None or rounds.state_of(round_, at) is RoundState.CLOSED:
        return None
    return begins, ends
