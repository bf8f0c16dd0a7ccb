"""Rounds whose game wants texts of a judge: they open when these are written, and say so where they cannot be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.db.states import WorkState
from server.queue.messages import GenerationJob, Result
from tests.support.games import WRITTEN
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, new_class, new_competition, new_round, problem
from tests.support.services import eventually
from tests.support.workers import BUILD, PLAIN, FakeJudge, Hand, at_work, written


def written_class(house: RunningApp, judge: FakeJudge, **round_: Any) -> Class:
    return new_class(house, judge, game=house.install_game(WRITTEN), **round_)


def state(class_: Class) -> Json:
    return answer(class_.house.host.get(f"/rounds/{class_.round_id}"))


def test_a_round_opens_when_its_texts_are_written(house: RunningApp) -> None:
    class_ = written_class(house, PLAIN, seed="one", attempts=3)
    assert class_.round["state"] == "preparing"
    eventually(lambda: state(class_)["state"] == "open", what="the round to open")
    texts = state(class_)["generated"]
    assert [len(text.split()) for text in texts] == [6, 40, 40]
    ada = class_.join()
    seen = answer(ada.get(f"/rounds/{class_.round_id}"))
    assert seen["generated"] == []
    assert seen["opening"]["registers"]["s"] == texts[0], "black sees every register"
    assert ada.score(class_.round_id, "12")["bits"] == 12
    assert [event["type"] for event in class_.events()][:1] == ["round.opened"]


def test_the_same_seed_writes_the_same_and_asks_nobody_again(house: RunningApp) -> None:
    one = written_class(house, PLAIN, seed="same")
    eventually(lambda: state(one)["state"] == "open", what="the round to open")
    again = written_class(house, PLAIN, seed="same")
    assert again.round["state"] == "open", "all of it was written before"
    assert again.round["generated"] == state(one)["generated"]
    other = written_class(house, PLAIN, seed="other")
    eventually(lambda: state(other)["state"] == "open", what="the round to open")
    assert state(other)["generated"] != state(one)["generated"]


def test_nobody_plays_or_peeks_while_it_is_prepared(house: RunningApp, hand: Hand, judge: FakeJudge) -> None:
    class_ = written_class(house, judge)
    ada = class_.join()
    seen = answer(ada.get(f"/rounds/{class_.round_id}"))
    assert (seen["state"], seen["passages"], seen["opening"]) == ("preparing", [], None)
    problem(ada.submit(class_.round_id, "early"), 409, "round-preparing")
    problem(house.host.post(f"/rounds/{class_.round_id}:pause"), 409, "round-not-open")
    claims = [claim for _ in range(3) for claim in hand.take_all(1)]
    assert all(isinstance(claim.job, GenerationJob) for claim in claims)
    hand.answer(*claims)
    eventually(lambda: state(class_)["state"] == "open", what="the round to open")


def test_a_round_for_later_is_prepared_now(house: RunningApp) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    class_ = written_class(house, PLAIN, opens_at=at.isoformat())
    eventually(lambda: state(class_)["state"] == "scheduled", what="its preparation")
    assert state(class_)["generated"]
    answer(house.host.post(f"/rounds/{class_.round_id}:open"))
    assert state(class_)["state"] == "open"


def test_what_cannot_be_written_closes_the_round_and_opening_it_tries_again(
    house: RunningApp, hand: Hand, judge: FakeJudge
) -> None:
    class_ = written_class(house, judge)
    claims = [claim for _ in range(3) for claim in hand.take_all(1)]
    for claim in claims:
        hand.claims.publish(claim, Result(claim.job.key, BUILD, failure="The judge has no words."))
    eventually(lambda: state(class_)["state"] == "closed", what="the end of it")
    assert state(class_)["trouble"] == "The judge has no words."
    assert answer(class_.join().get(f"/rounds/{class_.round_id}"))["passages"] == []
    opened = answer(house.host.post(f"/rounds/{class_.round_id}:open"))
    assert (opened["state"], opened["trouble"]) == ("preparing", None)
    hand.answer(*[claim for _ in range(3) for claim in hand.take_all(1)])
    eventually(lambda: state(class_)["state"] == "open", what="the round to open")


def test_a_text_that_no_database_takes_is_a_failure_of_the_worker(
    house: RunningApp, hand: Hand, judge: FakeJudge
) -> None:
    class_ = written_class(house, judge)
    for claim in [claim for _ in range(3) for claim in hand.take_all(1)]:
        hand.claims.publish(claim, Result(claim.job.key, BUILD, text="notice \x07"))
    eventually(lambda: state(class_)["state"] == "closed", what="the end of it")
    assert "cannot be used" in state(class_)["trouble"]


def test_texts_that_do_not_fit_the_judge_close_the_round(house: RunningApp) -> None:
    small = FakeJudge(context=30)
    with at_work(house.redis_url, small):
        eventually(lambda: house.measurable(small), what="the judge")
        competition = new_competition(house)
        source = 'assign(s=generate("Go", 40))\nelicit(x, 4)\nreward(xed(s | x))\n'
        round_ = new_round(house, competition["id"], small, game=house.install_game(source), passages=[])
        class_ = Class(house, competition, round_, small)
        eventually(lambda: state(class_)["state"] == "closed", what="the end of it")
        assert "could not be played" in state(class_)["trouble"]


def test_a_wiped_queue_loses_no_text(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge, seconds=3600):
        eventually(lambda: house.measurable(judge), what="the judge")
        class_ = written_class(house, judge)
        house.redis.delete(*house.redis.keys(f"xa:{judge.identity}:*"))
    with at_work(house.redis_url, judge):
        eventually(lambda: state(class_)["state"] == "open", what="the sweeper to ask again")


@pytest.mark.parametrize("claims_twice", [False, True])
def test_a_late_text_changes_nothing(house: RunningApp, hand: Hand, judge: FakeJudge, claims_twice: bool) -> None:
    class_ = written_class(house, judge)
    claims = [claim for _ in range(3) for claim in hand.take_all(1)]
    hand.answer(*claims)
    eventually(lambda: state(class_)["state"] == "open", what="the round to open")
    before = state(class_)["generated"]
    writing = claims[0].job
    assert isinstance(writing, GenerationJob)
    late = written(writing) if claims_twice else "something else"
    hand.claims.publish(claims[0], Result(writing.key, BUILD, text=late))
    eventually(lambda: house.redis.xlen("xa:results") == 0, what="the referee")
    assert state(class_)["generated"] == before
    (row,) = house.sql("SELECT state FROM writings WHERE key = :key", key=writing.key)
    assert row.state == WorkState.KNOWN
