"""Measuring freely: the bits of a text with and without a prefix, outside any game."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.games import program
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import (
    Caller,
    Class,
    Json,
    RunningApp,
    new_class,
    new_competition,
    new_round,
    nothing_changes,
    problem,
)
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work, bits, hand_of, measurement

TEXT = "The tide came in over the flats."


def measure(caller: Caller, text: str = TEXT, prefix: str = "", **more: str) -> Json:
    body = {"judge": PLAIN.identity, "text": text, "prefix": prefix, **more}
    return answer(caller.post("/measurements", json=body, params={"wait": 20}), 201)


@pytest.mark.parametrize("profile", ["arena", "xent-0.5"])
@pytest.mark.parametrize("prefix", ["", "sea and ships", "worth 7.5"])
def test_the_sums_are_those_of_the_judges_own_bits(house: RunningApp, profile: str, prefix: str) -> None:
    shown = measure(house.host, prefix=prefix, profile=profile)
    after, alone = bits(prefix, TEXT, profile), bits("", TEXT, profile)
    assert shown["bits"] == sum(after)
    assert shown["base"] == sum(alone)
    assert shown["saved"] == sum(alone) - sum(after)
    assert [(token["bits"], token["base"]) for token in shown["tokens"]] == list(zip(after, alone, strict=True))
    assert "".join(token["text"] for token in shown["tokens"]).split() == TEXT.split()[-len(after) :]
    assert (shown["judge"], shown["profile"], shown["state"]) == (PLAIN.identity, profile, "known")


def test_a_game_scores_what_measuring_by_hand_says(lesson: Class) -> None:
    move = "lighthouse keeper"
    score = lesson.join().score(lesson.round_id, move)["bits"]
    assert score == measure(lesson.house.host, PASSAGE, move)["saved"]


def test_it_may_be_asked_again_by_its_address(house: RunningApp) -> None:
    response = house.host.post("/measurements", json={"judge": "plain", "text": TEXT}, params={"wait": 20})
    shown = answer(response, 201)
    assert answer(house.host.get(response.headers["Location"].removeprefix("/api/v1"))) == shown
    with nothing_changes(house):
        assert measure(house.host) == shown


def test_it_is_202_until_both_halves_are_there(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    ada = new_class(house, judge).join()
    body = {"judge": judge.identity, "text": TEXT, "prefix": "7"}
    response = ada.post("/measurements", json=body)
    pending = answer(response, 202)
    assert (pending["state"], pending["bits"], pending["saved"], pending["tokens"]) == ("pending", None, None, [])
    asked = [claim for claim in hand.take_all(3) if measurement(claim).prefix in ("", "7")]  # not the round's own
    first, second = sorted(asked, key=lambda claim: -len(measurement(claim).prefix))
    hand.answer(first)
    path = response.headers["Location"].removeprefix("/api/v1")
    eventually(lambda: "known" in {row.state for row in house.measurements(judge)}, what="one half")
    assert answer(ada.get(path))["state"] == "pending"
    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        waiting = thread.submit(ada.get, path, params={"wait": 60})
        time.sleep(0.2)
        hand.answer(second)
        assert answer(waiting.result())["saved"] == 7.0
    assert time.monotonic() - start < 4


def test_a_measurement_that_fails_says_why(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge, says=lambda job: "out of memory" if job.prefix else [4.0] * 7):
        new_class(house, judge)
        body = {"judge": judge.identity, "text": TEXT, "prefix": "7"}
        shown = answer(house.host.post("/measurements", json=body, params={"wait": 20}), 201)
    assert (shown["state"], shown["failure"], shown["bits"]) == ("failed", "out of memory", None)


def test_it_runs_in_the_bots_lane_also_for_people(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge)
    answer(lesson.join().post("/measurements", json={"judge": judge.identity, "text": TEXT}), 202)
    lanes = {measurement(claim).prefix: claim.job.lane for claim in hand.take_all(2)}
    assert lanes[""] == "bots"
    assert len(lanes) == 2, "the other is the round's own"


def test_there_is_a_quota_for_each_participant(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house()
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
        ada, bob = lesson.join(), lesson.join()
        waiting = 0
        while waiting < 64:
            body = {"judge": judge.identity, "text": f"text {waiting}", "prefix": "a"}
            answer(ada.post("/measurements", json=body), 202)
            waiting += 2
        with nothing_changes(house):
            response = ada.post("/measurements", json={"judge": judge.identity, "text": "one more"})
            assert problem(response, 429, "limit-reached")["limit"] == "pending"
            assert int(response.headers["Retry-After"]) > 0
        answer(bob.post("/measurements", json={"judge": judge.identity, "text": "one more"}), 202)


def test_nobody_measures_without_a_token(house: RunningApp) -> None:
    with nothing_changes(house):
        problem(house.anyone.post("/measurements", json={"text": TEXT}), 401, "unauthorized")


def test_a_private_judge_scores_rounds_and_nothing_else(house: RunningApp) -> None:
    secret = FakeJudge("secret")
    with at_work(house.redis_url, secret):
        lesson = new_class(house, secret, game=house.install_game(program()))
        ada = lesson.join()
        assert answer(house.anyone.get("/judges/secret"))["private"] is True
        sent = ada.score(lesson.round_id, "7")
        assert sent["bits"] == 7.0
        with nothing_changes(house):
            for caller in (ada, house.host):
                for name in ("secret", secret.identity):
                    response = caller.post("/measurements", json={"judge": name, "text": PASSAGE, "prefix": "7"})
                    problem(response, 403, "forbidden")
                key = next(row.key for row in house.measurements(secret) if row.prefix == "7")
                problem(caller.get(f"/measurements/{key}"), 403, "forbidden")


# --- No helping hand in a round that counts attempts ------------------------------------------------------------------


def refused(lesson: Class, caller: Caller) -> bool:
    body = {"judge": lesson.judge.identity, "text": "something else"}
    response = caller.post("/measurements", json=body, params={"wait": 20})
    if response.status_code == 201:
        return False
    problem(response, 403, "forbidden")
    return True


def test_players_of_an_open_round_with_an_attempt_limit_may_not_measure_with_its_judge(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    ada = lesson.join()
    assert refused(lesson, ada)
    assert not refused(lesson, house.host)
    assert not refused(lesson, new_class(house, PLAIN).join()), "nobody of that round"
    key = measure(house.host, "something else")["id"]
    problem(ada.get(f"/measurements/{key}"), 403, "forbidden")


def test_other_judges_are_free(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge, attempts=3)
        measure(lesson.join())
        assert refused(lesson, lesson.join())


def test_the_host_can_allow_it(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3, free=True)
    assert not refused(lesson, lesson.join())


def test_a_round_without_an_attempt_limit_has_nothing_to_protect(lesson: Class) -> None:
    assert not refused(lesson, lesson.join())


def test_it_opens_again_when_the_round_is_over_but_not_while_it_pauses(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    ada = lesson.join()
    answer(house.host.post(f"/rounds/{lesson.round_id}:pause"))
    assert refused(lesson, ada)
    answer(house.host.post(f"/rounds/{lesson.round_id}:close"))
    assert not refused(lesson, ada)


def test_it_closes_when_the_clock_opens_the_round_and_opens_when_it_ends(house: RunningApp) -> None:
    competition = new_competition(house)
    opens = datetime.now(UTC) + timedelta(seconds=1.2)
    closes = opens + timedelta(seconds=1.5)
    window = {"opens_at": opens.isoformat(), "closes_at": closes.isoformat()}
    round_ = new_round(house, competition["id"], PLAIN, attempts=3, **window)
    lesson = Class(house, competition, round_, PLAIN)
    ada = lesson.join()
    assert not refused(lesson, ada)
    time.sleep(max(0, (opens - datetime.now(UTC)).total_seconds()) + 0.01)
    assert refused(lesson, ada), "from the moment, not from when somebody has noticed"
    time.sleep(max(0, (closes - datetime.now(UTC)).total_seconds()) + 0.01)
    assert not refused(lesson, ada)


def test_a_backward_judge_leaves_the_last_word_out_where_the_profile_leaves_out_the_first(house: RunningApp) -> None:
    judge = FakeJudge(direction="backward")
    with at_work(house.redis_url, judge, says=lambda job: [1.0, 2.0]):
        new_class(house, judge)
        shown = measure(house.host, "one two three", judge=judge.identity, profile="xent-0.5")
    assert [(token["text"], token["bits"]) for token in shown["tokens"]] == [("one ", 1.0), ("two ", 2.0)]
