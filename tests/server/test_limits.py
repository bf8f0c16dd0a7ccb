"""Who is too quick is told which limit it was and when to come back; others do not notice."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from server.errors import RequestError
from server.http.rate_limit import Buckets, Rates, SharedBuckets
from tests.support.scenario.deployment import answer
from tests.support.server import RunningApp, new_class, nothing_changes, problem
from tests.support.services import Postgres, Redis, eventually
from tests.support.workers import FakeJudge, at_work


@pytest.mark.slow
def test_who_is_too_quick_is_told_when_to_come_back(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house(rate_limit=0.1, rate_burst=3)
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada, bob = lesson.join(), lesson.join()
        for number in range(3):
            ada.score(lesson.round_id, str(number))
        with nothing_changes(house):
            response = ada.submit(lesson.round_id, "one more")
            body = problem(response, 429, "limit-reached")
            assert body["limit"] == "requests"
        assert 1 <= int(response.headers["Retry-After"]) <= 10
        bob.score(lesson.round_id, "1")
        items = [{"move": f"new {number}"} for number in range(3)]
        results = answer(bob.post(f"{lesson.submissions}:batch", json={"items": items}))["items"]
        assert [result["status"] for result in results] == [202, 202, 429]
        assert results[2]["problem"]["limit"] == "requests"
        assert 1 <= results[2]["problem"]["retry_after"] <= 10
        answer(ada.get(f"/rounds/{lesson.round_id}/leaderboard"))
        time.sleep(int(response.headers["Retry-After"]) + 0.1)
        ada.score(lesson.round_id, "one more")


def test_measuring_freely_has_a_rate_of_its_own(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house(rate_limit=0.1, rate_burst=1)
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada = lesson.join()
        ada.score(lesson.round_id, "1")
        body = {"judge": judge.identity, "text": "a text"}
        answer(ada.post("/measurements", json=body, params={"wait": 10}), 201)
        response = ada.post("/measurements", json=body)
        problem(response, 429, "limit-reached")
        assert 1 <= int(response.headers["Retry-After"]) <= 10


def test_a_player_reads_what_is_left_before_running_into_it(
    own_house: Callable[..., RunningApp], judge: FakeJudge
) -> None:
    house = own_house(rate_limit=0.01, rate_burst=3, submission_limit=7, pending_limit=9)
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge, attempts=5)
        lesson.another_round()
        ada = lesson.join()
        for number in range(2):
            ada.score(lesson.round_id, str(number))
        left = answer(ada.get("/me"))["allowance"]
        assert (left["rate"], left["at_once"], left["wait_s"]) == (0.01, 1, 0)
        assert left["rounds"] == [{"round": lesson.round_id, "attempts": {"used": 2, "of": 5}}]
        assert (left["submissions"], left["waiting"]) == ({"used": 2, "of": 7}, {"used": 0, "of": 9})
        assert left["measured"]["used"] >= 2
        answer(ada.get("/me"))
        ada.score(lesson.round_id, "2")
        left = answer(ada.get("/me"))["allowance"]
        assert (left["at_once"], left["rounds"][0]["attempts"]["used"]) == (0, 3)
        assert 0 < left["wait_s"] <= 100
        assert int(ada.submit(lesson.round_id, "3").headers["Retry-After"]) >= left["wait_s"] - 10, "as a refusal says"
        assert answer(house.host.get("/me"))["allowance"] is None


class Clock:
    """A clock that stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def rates_of(rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> Rates:
    return Rates(rate, Buckets(rate, burst, clock))


def test_what_is_refused_is_not_spent() -> None:
    clock = Clock()
    rates = rates_of(rate=10, burst=5, clock=clock)
    rates.spend("ada", 5)
    for _ in range(100):
        with pytest.raises(RequestError):
            rates.spend("ada")
    clock.now = 0.125
    rates.spend("ada")


def test_a_burst_is_the_most_however_long_one_was_away() -> None:
    clock = Clock()
    rates = rates_of(rate=1_000, burst=5, clock=clock)
    clock.now = 50
    rates.spend("ada", 5)
    with pytest.raises(RequestError):
        rates.spend("ada", 5)


def test_threads_do_not_share_what_one_of_them_spent() -> None:
    """Requests run in many threads; none of them may slip through."""
    rates, spent = rates_of(rate=0.001, burst=1_000), []

    def spend() -> None:
        for _ in range(1_000):
            try:
                rates.spend("ada")
            except RequestError:
                return
            spent.append(1)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spent) == 1_000


def test_a_crowd_does_not_fill_the_memory() -> None:
    buckets = Buckets(rate=1, burst=1)
    for number in range(20_000):
        assert not buckets.take(f"player {number}", 1)
    assert len(buckets) == 10_000


def test_several_processes_take_from_one_bucket(redis_url: str) -> None:
    """What a process took ahead is all that another one can be short of."""
    processes = [SharedBuckets(redis_url, rate=0.01, burst=640) for _ in range(3)]
    spent = [0, 0, 0]

    def spend(i: int) -> None:
        while not processes[i].take("ada", 1):
            spent[i] += 1

    threads = [threading.Thread(target=spend, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(spent) == 640
    assert all(each.left("ada") < 1 for each in processes)
    assert 630 <= processes[0].left("bob") <= 640
    assert all(0 < short <= 1 for short in (each.take("ada", 1) for each in processes))
    assert processes[0].take("ada", 700) == pytest.approx(700, abs=0.1)
    assert processes[1].take("bob", 640) == 0


def test_a_shared_bucket_fills_by_the_clock_of_redis_and_is_forgotten(redis_url: str, redis_server: Redis) -> None:
    buckets = SharedBuckets(redis_url, rate=20, burst=4)
    assert buckets.take("ada", 4) == 0
    short = buckets.take("ada", 2)
    assert 1 < short <= 2
    time.sleep(short / 20 + 0.02)
    assert buckets.take("ada", 2) == 0
    with redis_server.client as client:
        eventually(lambda: not client.keys("xa:rate:*"), what="the end of what nobody asks for")


def test_where_redis_is_away_a_process_counts_by_itself(tmp_path: Path) -> None:
    redis = Redis(tmp_path).start()
    clock = Clock()
    buckets = SharedBuckets(redis.url, rate=1, burst=5, clock=clock)
    assert buckets.take("ada", 5) == 0
    redis.pause()
    began = time.monotonic()
    assert buckets.take("ada", 5) == 0  # by itself it knows of nothing that was spent
    assert buckets.take("ada", 1) == 1
    assert (buckets.left("ada"), buckets.left("bob")) == (0, 5)
    assert time.monotonic() - began < 3  # it does not ask a Redis that hangs for each of them
    redis.go_on()
    clock.now = 6
    assert 0 < buckets.take("ada", 5) <= 5
    redis.stop()


def test_two_processes_of_one_server_refuse_as_one(
    own_house: Callable[..., RunningApp], postgres: Postgres, judge: FakeJudge
) -> None:
    url = postgres.migrated_database()
    houses = [own_house(url, rate_limit=0.1, rate_burst=3) for _ in range(2)]
    with at_work(houses[0].redis_url, judge):
        lesson = new_class(houses[0], judge)
        ada = lesson.join()
        seats = [house.caller(str(ada.token)) for house in houses]
        sent = [seats[i % 2].submit(lesson.round_id, f"{i}").status_code for i in range(8)]
    assert [each in (201, 202) for each in sent] == [True] * 3 + [False] * 5
    assert sent[3:] == [429] * 5
