"""The referee turns results into rows, once; whatever else workers send changes nothing."""

import math
import random
import struct
import time
from collections.abc import Callable
from itertools import permutations

import pytest

from tests.support.frames import hint_in
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes
from tests.support.services import Redis, eventually
from tests.support.statements import statements
from tests.support.workers import (
    FakeJudge,
    Hand,
    Says,
    at_work,
    bits,
    hand_of,
    honest,
    measurement,
    packed,
    result_of,
    saying,
)


def final(caller: Caller, submission: Json) -> Json:
    shown = answer(caller.get(f"/submissions/{submission['id']}", params={"wait": 20}))
    assert shown["state"] not in ("queued", "awaiting_move")
    return shown


def results_left(house: RunningApp) -> int:
    """Results that no referee has settled yet."""
    return int(house.redis.xlen("xa:results"))


def referee_is_done(house: RunningApp) -> None:
    eventually(lambda: results_left(house) == 0, what="the end of all results")


def publish(house: RunningApp, **fields: str | bytes) -> None:
    """Put something into the results that no claim stands behind."""
    house.redis.xadd("xa:results", fields)


# --- Bits that cannot be ----------------------------------------------------------------------------------------------

WORDS = len(PASSAGE.split())

IMPOSSIBLE: dict[str, Says] = {
    "one value too few": [1.0] * (WORDS - 1),
    "one value too many": [1.0] * (WORDS + 1),
    "none at all": [],
    "half a value": packed([1.0] * WORDS)[:-2],
    "NaN": [math.nan] + [1.0] * (WORDS - 1),
    "NaN with letters in it": struct.pack("<I", 0x7FC12345) + packed([1.0] * (WORDS - 1)),
    "infinity": [1.0] * (WORDS - 1) + [math.inf],
    "minus infinity": [-math.inf] * WORDS,
    "below zero": [1.0] * (WORDS - 1) + [-0.001],
    "a failure": "the machine is on fire",
    "a failure with NUL": "on fire\0",
    "a failure that says nothing": "",
}


def test_bits_that_cannot_be_are_a_failure_never_a_score(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge, attempts=len(IMPOSSIBLE))
    ada = lesson.join()
    sent = [answer(ada.submit(lesson.round_id, str(number)), 202) for number in range(len(IMPOSSIBLE))]
    said = list(IMPOSSIBLE.values())
    claims = hand.take_all(1 + len(IMPOSSIBLE))
    hand.answer(*claims, says=lambda job: said[int(hint_in(job.prefix))] if hint_in(job.prefix) else bits("", job.text))
    for what, submission in zip(IMPOSSIBLE, sent, strict=True):
        shown = final(ada, submission)
        assert (shown["state"], shown["bits"]) == ("failed", None), what
        assert shown["reason"]["type"] == "measurement_failed"
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 0
    assert lesson.board() == []
    assert "standing.changed" not in [event["type"] for event in lesson.events()]
    for row in house.measurements(judge):
        assert row.state == ("failed" if hint_in(row.prefix) else "known"), row.prefix
        assert not hint_in(row.prefix) or (row.bits is None and row.failure), row.prefix
    referee_is_done(house)


def test_minus_zero_is_zero(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    submission = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    hand.answer(*hand.take_all(2), says=lambda job: [-0.0] * WORDS)
    assert final(ada, submission)["bits"] == 0.0


def test_a_failing_submission_leaves_a_better_one_standing(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    good = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    hand.answer(*hand.take_all(2))
    final(ada, good)
    before = slow_lesson.board(), slow_lesson.events()
    bad = answer(ada.submit(slow_lesson.round_id, "26"), 202)
    hand.answer(*hand.take_all(1), says=lambda job: "broken")
    assert final(ada, bad)["state"] == "failed"
    assert (slow_lesson.board(), slow_lesson.events()) == before


def test_a_failed_measurement_fails_everyone_who_needs_it_and_nobody_else(slow_lesson: Class, hand: Hand) -> None:
    ada, bob = slow_lesson.join(), slow_lesson.join()
    sent = {(who.id, move): answer(who.submit(slow_lesson.round_id, move), 202) for who in (ada, bob) for move in "78"}
    hand.answer(
        *hand.take_all(3), says=lambda job: "broken" if hint_in(job.prefix) == "7" else bits(job.prefix, job.text)
    )
    for who in (ada, bob):
        assert final(who, sent[who.id, "7"])["state"] == "failed"
        assert final(who, sent[who.id, "8"])["bits"] == 8.0


# --- Results that nobody waits for ------------------------------------------------------------------------------------


def test_a_late_result_changes_nothing(slow_lesson: Class, hand: Hand, judge: FakeJudge) -> None:
    house, ada = slow_lesson.house, slow_lesson.join()
    submission = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    claims = hand.take_all(2)
    hand.answer(*claims)
    first = final(ada, submission)
    late: list[Says] = [[1.0] * WORDS, "broken", [math.nan] * WORDS]
    with nothing_changes(house):
        before = rows_of(house, judge)
        for said in late:
            hand.answer(*claims, says=saying(said))
        referee_is_done(house)
        assert rows_of(house, judge) == before
    assert final(ada, submission) == first


def rows_of(house: RunningApp, judge: FakeJudge) -> list[tuple[object, ...]]:
    return [(row.key, row.state, row.bits, row.build, row.finished_at) for row in house.measurements(judge)]


def test_of_two_answers_to_one_question_in_one_batch_the_first_counts(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    submission = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    claims = hand.take_all(2)
    hand.answer(*claims)
    hand.answer(*claims, says=saying("too late"))
    assert final(ada, submission)["bits"] == 25.0
    referee_is_done(slow_lesson.house)


def test_a_result_for_an_unknown_question_changes_nothing(house: RunningApp) -> None:
    with nothing_changes(house):
        publish(house, key="0" * 64, build="fake", bits=packed([1.0]))
        publish(house, key="", build="", bits=b"")
        publish(house, key="nul \0 nul", build="\0", failure="a\0b")
        publish(house, key="x" * 100_000, build="fake", failure="long")
        referee_is_done(house)


def test_what_is_no_result_at_all_holds_up_nobody(slow_lesson: Class, hand: Hand) -> None:
    house, ada = slow_lesson.house, slow_lesson.join()
    submission = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    publish(house, hello="world")
    publish(house, key=b"\xff\xfe", build="fake", bits=b"\0")
    publish(house, key="k")
    publish(house, key="0" * 64, build=b"\xff\0", bits=b"\0")
    hand.answer(*hand.take_all(2))
    publish(house, build="fake")
    assert final(ada, submission)["bits"] == 25.0
    referee_is_done(house)


# --- Plays of several measurements ------------------------------------------------------------------------------------


def answer_together(hand: Hand, count: int) -> None:
    """All results in one step, so that one transaction settles them."""
    hand.claims.publish_all(
        [(each, result_of(measurement(each), honest(measurement(each)))) for each in hand.take_all(count)]
    )


def test_results_that_come_together_change_a_standing_once(slow_lesson: Class, hand: Hand) -> None:
    ada, bo = slow_lesson.join(), slow_lesson.join()
    sent = [(who, answer(who.submit(slow_lesson.round_id, f"{i}"), 202)) for i in range(1, 6) for who in (ada, bo)]
    answer_together(hand, 6)
    assert [final(*each)["bits"] for each in sent] == [float(i) for i in range(1, 6) for _ in range(2)]
    assert [(entry["player"]["id"], entry["bits"]) for entry in slow_lesson.board()] == [(ada.id, 5.0), (bo.id, 5.0)]
    told = [event["data"] for event in slow_lesson.events() if event["type"] == "standing.changed"]
    assert sorted((each["player"], each["bits"], each["rank"]) for each in told) == sorted(
        (who.id, 5.0, 1) for who in (ada, bo)
    )


def test_a_play_that_cannot_be_finished_fails_alone(slow_lesson: Class, hand: Hand) -> None:
    players = [slow_lesson.join() for _ in range(4)]
    sent = [answer(who.submit(slow_lesson.round_id, f"{i}"), 202) for i, who in enumerate(players)]
    moves = '[{"seat": "nobody", "text": "2"}]'
    slow_lesson.house.sql("UPDATE plays SET moves = :moves WHERE id = :id", moves=moves, id=sent[2]["play"])
    answer_together(hand, 5)
    shown = [final(*each) for each in zip(players, sent, strict=True)]
    assert [each["bits"] for each in shown] == [0.0, 1.0, None, 3.0]
    assert shown[2]["state"] == "failed"
    assert "its host can see why" in shown[2]["reason"]["detail"]


@pytest.mark.parametrize("order", random.sample(list(permutations(range(4))), 4))
def test_a_play_waits_for_all_it_needs_in_whatever_order_it_comes(
    house: RunningApp, judge: FakeJudge, hand: Hand, order: tuple[int, ...]
) -> None:
    lesson = new_class(house, judge, game="contrast", passages=["A storm at sea.", "A court of law, in session."])
    ada = lesson.join()
    submission = answer(ada.submit(lesson.round_id, "sailors and gowns"), 202)
    claims = sorted(hand.take_all(4), key=lambda claim: (measurement(claim).text, measurement(claim).prefix))
    for number in order:
        assert answer(ada.get(f"/submissions/{submission['id']}"))["state"] == "queued"
        hand.answer(claims[number])
        referee_is_done(house)
    shown = final(ada, submission)
    with at_work(house.redis_url, judge):
        assert lesson.join().score(lesson.round_id, "sailors and gowns")["bits"] == shown["bits"]


def test_a_play_fails_with_the_first_that_fails_but_only_when_nothing_is_open(
    house: RunningApp, judge: FakeJudge, hand: Hand
) -> None:
    lesson = new_class(house, judge, game="contrast", passages=["A storm at sea.", "A court of law."], attempts=1)
    ada = lesson.join()
    submission = answer(ada.submit(lesson.round_id, "gowns"), 202)
    first, *rest = hand.take_all(4)
    hand.answer(first, says=lambda job: "broken")
    referee_is_done(house)
    hand.answer(*rest)
    assert final(ada, submission)["state"] == "failed"
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 0


def test_a_measurement_that_failed_is_not_asked_for_again_at_once(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    first = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    hand.answer(*hand.take_all(2), says=lambda job: "broken" if hint_in(job.prefix) else bits("", job.text))
    final(ada, first)
    second = answer(ada.submit(slow_lesson.round_id, "25"), 201)
    assert second["state"] == "failed"
    assert hand.take() == []
    slow_lesson.house.sql(
        "UPDATE measurements SET finished_at = :then WHERE state = 'failed' AND judge = :judge",
        then="2020-01-01 00:00:00.000000",
        judge=slow_lesson.judge.identity,
    )
    third = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    hand.answer(*hand.take_all(1))
    assert final(ada, third)["bits"] == 25.0


@pytest.mark.parametrize("lost_by_the_queue", [False, True])
def test_a_failed_baseline_is_asked_for_again_with_the_next_move(
    slow_lesson: Class, hand: Hand, judge: FakeJudge, lost_by_the_queue: bool
) -> None:
    ada, house = slow_lesson.join(), slow_lesson.house
    first = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    claims = hand.take_all(2)
    hand.answer(*claims, says=lambda job: bits(job.prefix, job.text) if hint_in(job.prefix) else "broken")
    assert final(ada, first)["state"] == "failed", "whoever waited for it is told"
    assert hand.take() == []
    if lost_by_the_queue:  # neither is a move's own measurement to blame for that
        house.sql(
            "UPDATE measurements SET state = 'failed', build = NULL, finished_at = queued_at, failure = 'lost'"
            " WHERE judge = :judge",
            judge=judge.identity,
        )
    second = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    hand.answer(*hand.take_all(1 + lost_by_the_queue))
    assert final(ada, second)["bits"] == 25.0


# --- The sweeper ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock_put_back", [False, True])
def test_a_job_that_the_queue_lost_is_put_back(
    slow_lesson: Class, hand: Hand, judge: FakeJudge, clock_put_back: bool
) -> None:
    ada = slow_lesson.join()
    submission = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    if clock_put_back:
        slow_lesson.house.sql(
            "UPDATE measurements SET queued_at = :later WHERE judge = :judge",
            later="2100-01-01 00:00:00.000000",
            judge=judge.identity,
        )
    slow_lesson.house.redis.delete(*(f"xa:{judge.identity}:{part}" for part in ("people", "index")))
    hand.announce()
    claims = eventually(lambda: hand.take(), what="the lost jobs")
    while len(claims) < 2:
        claims += hand.take()
    # Noted once Redis has taken them, and of those that wait: not when they are answered by then.
    eventually(lambda: {row.tries for row in slow_lesson.house.measurements(judge)} == {1}, what="a note of the try")
    hand.answer(*claims)
    assert final(ada, submission)["bits"] == 25.0


def test_a_sweep_that_finds_nothing_locks_and_writes_nothing(own_house: Callable[..., RunningApp]) -> None:
    house = own_house(sweep=0.1)
    for _ in range(2):  # the first sweep may have something to do
        with statements(house) as seen:
            eventually(lambda: seen.count("BEGIN") >= 20, what="some sweeps")
    assert {statement.split()[0] for statement in seen} == {"BEGIN", "SELECT"}
    assert "BEGIN IMMEDIATE" not in seen


def test_a_job_that_waits_in_the_queue_is_never_put_there_twice(
    slow_lesson: Class, hand: Hand, judge: FakeJudge
) -> None:
    ada = slow_lesson.join()
    sent = [answer(ada.submit(slow_lesson.round_id, str(number)), 202) for number in range(20)]
    taken = hand.take_all(3)
    time.sleep(4)  # well past the grace, and two sweeps
    assert {row.tries for row in slow_lesson.house.measurements(judge)} == {0}
    taken += hand.take_all(18)
    assert hand.take() == []
    hand.answer(*taken)
    assert [final(ada, each)["bits"] for each in sent] == list(range(20))


@pytest.mark.slow
def test_a_job_that_is_lost_again_and_again_is_given_up(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house(grace=0, sweep=0.05)
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge, attempts=1)
        ada = lesson.join()
        submission = answer(ada.submit(lesson.round_id, "25"), 202)

        def lose() -> bool:
            house.redis.flushall()
            return bool(answer(ada.get(f"/submissions/{submission['id']}"))["state"] == "failed")

        eventually(lose, seconds=180, what="giving up")
    assert "lost" in answer(ada.get(f"/submissions/{submission['id']}"))["reason"]["detail"]
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 0


def test_moves_are_taken_while_redis_is_away_and_scored_when_it_is_back(
    own_house: Callable[..., RunningApp], judge: FakeJudge, own_redis: Redis
) -> None:
    house = own_house(grace=0.2, sweep=0.2)
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
    ada = lesson.join()
    own_redis.stop()
    submission = answer(ada.submit(lesson.round_id, "25"), 202)
    assert submission["state"] == "queued"
    own_redis.start()
    with at_work(house.redis_url, judge):
        assert final(ada, submission)["bits"] == 25.0


def test_what_a_referee_had_in_hand_when_it_died_goes_to_the_next(
    own_house: Callable[..., RunningApp], judge: FakeJudge, own_redis: Redis
) -> None:
    first = own_house()
    with hand_of(first.redis_url, judge) as hand:
        lesson = new_class(first, judge)
        ada = lesson.join()
        submission = answer(ada.submit(lesson.round_id, "25"), 202)
        claims = hand.take_all(2)
        first.stop()
        hand.answer(*claims)
    with own_redis.client as client:
        assert client.xreadgroup("referees", "one-that-dies", {"xa:results": ">"}, count=10)
    second = own_house(lease=0.5)
    assert ada.token
    assert final(second.caller(ada.token), submission)["bits"] == 25.0
