"""The place that somebody is told is about the place at which they are served: people before bots, groups and all."""

import time

import pytest

from tests.support.frames import hint_in
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Json, RunningApp, new_class
from tests.support.services import eventually
from tests.support.workers import FakeJudge, Hand, measurement, worker_at_work

BATCH = 8  # jobs that the worker of these tests takes at once


def move_of(number: int) -> str:
    return str(number / 4)  # not worth more than a text can save


def send(caller: Caller, round_id: str, moves: range) -> list[Json]:
    """As a batch, so that they are accepted in groups."""
    sent: list[Json] = []
    for first in moves[::32]:
        items = [{"move": move_of(number)} for number in range(first, min(first + 32, moves.stop))]
        found = answer(caller.post(f"/rounds/{round_id}/submissions:batch", json={"items": items}))["items"]
        sent += [each["submission"] for each in found]
    return sent


@pytest.mark.slow
def test_places_are_those_at_which_jobs_are_handed_out(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    eventually(lambda: house.measurable(judge), what="the judge")
    lesson = new_class(house, judge, bots="mixed")
    bot, ada, bob = lesson.join(kind="bot"), lesson.join(), lesson.join()
    sent = dict(enumerate(send(bot, lesson.round_id, range(60))))
    order = hand.take_all(BATCH)
    sent |= dict(enumerate(send(ada, lesson.round_id, range(100, 140)), 100))
    sent |= dict(enumerate(send(bob, lesson.round_id, range(200, 205)), 200))
    eventually(lambda: taken_of(house, judge) == BATCH, what="word of what the worker has taken")
    places = {number: answer(house.host.get(f"/submissions/{each['id']}"))["place"] for number, each in sent.items()}
    while taken := hand.take(BATCH):
        order += taken
    hints = [hint_in(measurement(claim).prefix) for claim in order]
    served = {number: 1 + hints.index(move_of(number)) for number in sent}
    wrong = {
        number: (places[number], served[number])
        for number in sent
        if abs(places[number] - served[number]) > BATCH and not 1 / 3 <= places[number] / served[number] <= 3
    }
    assert not wrong, "(told, true) places"
    most = max(abs(places[number] - served[number]) for number in sent if number >= 100)
    assert most <= BATCH, "people's are nearly right"


def taken_of(house: RunningApp, judge: FakeJudge) -> int:
    return sum(lane.taken for lane in house.arena.workforce.lanes.get(judge.identity, {}).values())


@pytest.mark.slow
@pytest.mark.parametrize("looked_at", [1000, 100])
def test_a_person_behind_many_bots_is_told_about_how_long_it_takes(
    house: RunningApp, judge: FakeJudge, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    monkeypatch.setattr("server.arena.queue_positions.LOOKED_AT", looked_at)
    with worker_at_work(house.redis_url, judge, seconds=0.02):
        eventually(lambda: house.measurable(judge) and house.arena.workforce.rate(judge.identity), what="the rate")
        lesson = new_class(house, judge, bots="mixed")
        send(lesson.join(kind="bot"), lesson.round_id, range(320))
        ada, start = lesson.join(), time.monotonic()
        sent = answer(ada.submit(lesson.round_id, "100"), 202)
        assert sent["place"] < 100
        answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 20}))
        waited = time.monotonic() - start
        told = sent["expected_wait_s"]
        assert 1 / 3 <= told / waited <= 3 or abs(told - waited) < 4, (told, waited)  # all the bots take six
