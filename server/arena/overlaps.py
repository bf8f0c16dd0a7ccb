"""Rounds of one competition that would be open at the same time. Hosts are told, and nothing is refused: they may want
it so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
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


Window = tuple[datetime, datetime]


def of_competition(session: Session, competition_id: str, at: datetime) -> Mapping[str, Sequence[Overlap]]:
    """Round → those whose window has a time in common with its own, in their order; of rounds that have not ended.

    A round that goes on until its host closes it has no window.
    """
    found = [each for each in rounds.of_competition(session, competition_id) if _window(each, at)]
    return {each.id: _among(each, found, at) for each in found}


def of_round(session: Session, round_: Round, at: datetime) -> Sequence[Overlap]:
    """The same for one round."""
    window = _window(round_, at)
    if window is None:
        return []
    there = (Round.competition_id == round_.competition_id, Round.archived_at.is_(None))
    query = select(Round).where(*there, Round.opens_at < window[1], Round.closes_at > window[0])
    return _among(round_, session.scalars(query.order_by(Round.number)).all(), at)


def _among(round_: Round, others: Sequence[Round], at: datetime) -> list[Overlap]:
    mine, found = _window(round_, at), list[Overlap]()
    for each in others:
        theirs = _window(each, at)
        if mine is not None and theirs is not None and each is not round_:
            start, end = max(mine[0], theirs[0]), min(mine[1], theirs[1])
            if start < end:
                found.append(Overlap(each.id, each.number, start, end))
    return found


def _window(round_: Round, at: datetime) -> Window | None:
    begins, ends = opens_at(round_, at), round_.closes_at
    if begins is None or ends is None or rounds.state_of(round_, at) is RoundState.CLOSED:
        return None
    return begins, ends
