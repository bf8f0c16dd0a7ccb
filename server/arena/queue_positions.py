"""Where plays stand in the queue: behind what is handed out before them, people first, but one in eight a bot's."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.arena.workforce import Workforce
from server.db.models import Measurement, PendingMeasurement
from server.db.states import WorkState
from server.queue.messages import BOT_LANES, PEOPLE_LANES, Lane

LOOKED_AT = 1000  # pending rows of a judge that are looked at one by one; of more only the lengths of lanes are known

Place = tuple[datetime, str]  # in a lane: jobs are put in when they are asked for, and of one moment by their keys


def of_plays(session: Session, workforce: Workforce, play_ids: Collection[str]) -> dict[str, int]:
    """Where the last measurement that a play waits for stands in its judge's queue, from 1, behind all that was asked
    for by now and comes first. Plays that wait for nothing are left out."""
    query = (
        select(PendingMeasurement.play_id, Measurement.judge, Measurement.lane, Measurement.queued_at, Measurement.key)
        .join(Measurement, PendingMeasurement.key == Measurement.key)
        .where(PendingMeasurement.play_id.in_(play_ids), Measurement.state == WorkState.PENDING)
    )
    last: dict[tuple[str, str, str], Place] = {}
    for play_id, judge, lane, queued_at, key in session.execute(query):
        last[play_id, judge, lane] = max(last.get((play_id, judge, lane), (queued_at, key)), (queued_at, key))
    times = defaultdict[str, set[datetime]](set)
    for (_, judge, _), (queued_at, _) in last.items():
        times[judge].add(queued_at)
    lines = {judge: _Line(session, workforce, judge, asked_at) for judge, asked_at in times.items()}
    found: dict[str, int] = {}
    for (play_id, judge, lane), place in last.items():
        found[play_id] = max(found.get(play_id, 0), lines[judge].position(lane, place))
    return found


def position(lanes: Mapping[str, Lane], lane: str, before: int) -> int:
    """From 1. before: how many are first in the same lane."""
    own, other = (PEOPLE_LANES, BOT_LANES) if lane in PEOPLE_LANES else (BOT_LANES, PEOPLE_LANES)
    before += sum(lanes[each].jobs for each in own[: own.index(lane)] if each in lanes)
    of_own, of_other = _sum(lanes, own), _sum(lanes, other)
    # What is in a worker's hands comes first; then seven of eight are people's, while there are any.
    after = max(0, before + 1 - of_own.taken)
    others = of_other.taken + (after // 7 if own is PEOPLE_LANES else 7 * after)
    return 1 + before + min(of_other.jobs, others)


def _sum(lanes: Mapping[str, Lane], which: Sequence[str]) -> Lane:
    found = [lanes[each] for each in which if each in lanes]
    return Lane(sum(each.jobs for each in found), sum(each.taken for each in found))


class _Line:
    """What waits for a judge: by its rows, and if these are too many, by what the queue said of its lanes."""

    def __init__(self, session: Session, workforce: Workforce, judge: str, times: Collection[datetime]) -> None:
        self._session = session
        self._waits = (Measurement.judge == judge, Measurement.state == WorkState.PENDING)
        self._lanes = workforce.lanes.get(judge, {})
        self._places: dict[str, list[Place]] | None = None
        if session.scalars(select(func.count()).where(*self._waits)).one() <= LOOKED_AT:
            self._look()
        else:
            self._earlier = self._asked_before(times)

    def position(self, lane: str, place: Place) -> int:
        if self._places is not None:
            return position(self._lanes, lane, bisect_left(self._places[lane], place))
        earlier, most = self._earlier[place[0]], self._lanes.get(lane)
        return position(self._lanes, lane, earlier if most is None else min(earlier, most.jobs))

    def _look(self) -> None:
        query = select(Measurement.lane, Measurement.queued_at, Measurement.key).where(*self._waits)
        self._places = defaultdict(list)
        for lane, queued_at, key in sorted(self._session.execute(query).all()):
            self._places[lane].append((queued_at, key))
        taken = {lane: each.taken for lane, each in self._lanes.items()}
        self._lanes = {lane: Lane(len(each), taken.get(lane, 0)) for lane, each in self._places.items()}

    def _asked_before(self, times: Collection[datetime]) -> dict[datetime, int]:
        """How many were asked for before each of these times. Each stretch between two of them is counted once: a list
        of many submissions costs what one costs."""
        pending, found, count = select(func.count()).where(*self._waits), dict[datetime, int](), 0
        for number, at in enumerate(ordered := sorted(times)):
            here = pending.where(Measurement.queued_at < at)
            stretch = here.where(Measurement.queued_at >= ordered[number - 1]) if number else here
            count += self._session.scalars(stretch).one()
            found[at] = count
        return found
