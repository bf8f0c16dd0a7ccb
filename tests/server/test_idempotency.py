"""The same Idempotency-Key and body again give the same submission, whatever has happened in between."""

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp, all_at_once, new_class, nothing_changes, problem
from tests.support.workers import PLAIN, Hand


def test_one_key_sent_50_times_at_once_makes_one_submission(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    ada = lesson.join()
    responses = all_at_once(50, lambda _: ada.submit(lesson.round_id, "25", key="once"))
    assert len({response.json()["id"] for response in responses}) == 1
    assert len({response.headers["Location"] for response in responses}) == 1
    statuses = sorted(response.status_code for response in responses)
    assert statuses[:49] == [200] * 49
    assert statuses[49] in (201, 202)
    assert len(house.submissions(lesson.round_id)) == 1
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 1


def test_without_a_key_every_request_is_a_submission(lesson: Class) -> None:
    ada = lesson.join()
    assert ada.score(lesson.round_id, "25")["id"] != ada.score(lesson.round_id, "25")["id"]


def test_the_answer_is_the_submission_as_it_is_now(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    first = ada.submit(slow_lesson.round_id, "25", key="k")
    assert answer(first, 202)["state"] == "queued"
    assert answer(ada.submit(slow_lesson.round_id, "25", key="k"), 200)["state"] == "queued"
    hand.answer(*hand.take_all(2))
    again = ada.submit(slow_lesson.round_id, "25", key="k", wait=10)
    assert answer(again, 200)["bits"] == 25.0
    assert again.headers["Location"] == first.headers["Location"]


def test_the_key_with_another_body_is_refused(lesson: Class) -> None:
    ada = lesson.join()
    ada.submit(lesson.round_id, "25", key="k")
    with nothing_changes(lesson.house):
        problem(ada.submit(lesson.round_id, "26", key="k"), 422, "idempotency-key-reused")
        problem(ada.submit(lesson.round_id, "", key="k"), 422, "idempotency-key-reused")


def test_the_key_still_answers_when_the_round_is_closed_and_no_attempt_is_left(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=1)
    ada = lesson.join()
    made = answer(ada.submit(lesson.round_id, "25", key="k", wait=10), 201)
    with nothing_changes(house):
        assert answer(ada.submit(lesson.round_id, "25", key="k"), 200)["id"] == made["id"]
    answer(house.host.post(f"/rounds/{lesson.round_id}:close"))
    with nothing_changes(house):
        assert answer(ada.submit(lesson.round_id, "25", key="k"), 200)["bits"] == 25.0
        problem(ada.submit(lesson.round_id, "25", key="another"), 409, "round-closed")
        problem(ada.submit(lesson.round_id, "26", key="k"), 422, "idempotency-key-reused")


def test_a_key_is_one_players_own(lesson: Class) -> None:
    ada, bob = lesson.join(), lesson.join()
    first = answer(ada.submit(lesson.round_id, "25", key="k"), 201, 202)
    second = answer(bob.submit(lesson.round_id, "26", key="k"), 201, 202)
    assert (first["player"], second["player"]) == (ada.id, bob.id)


def test_a_key_is_one_rounds_own(lesson: Class) -> None:
    ada, second = lesson.join(), lesson.another_round()["id"]
    here = answer(ada.submit(lesson.round_id, "25", key="k"), 201, 202)
    there = answer(ada.submit(second, "26", key="k"), 201, 202)
    assert here["id"] != there["id"]


def test_a_request_that_was_refused_does_not_use_up_its_key(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN)
    ada = lesson.join()
    answer(house.host.post(f"/rounds/{lesson.round_id}:pause"))
    problem(ada.submit(lesson.round_id, "25", key="k"), 409, "round-paused")
    answer(house.host.post(f"/rounds/{lesson.round_id}:open"))
    answer(ada.submit(lesson.round_id, "26", key="k"), 201, 202)


def test_many_keys_at_once_do_not_get_in_each_others_way(lesson: Class) -> None:
    ada = lesson.join()
    responses = all_at_once(24, lambda i: ada.submit(lesson.round_id, str(i % 8), key=f"k{i % 8}", wait=20))
    ids: dict[int, set[str]] = {}
    for number, response in enumerate(responses):
        ids.setdefault(number % 8, set()).add(answer(response, 200, 201)["id"])
    assert all(len(found) == 1 for found in ids.values())
    assert len(lesson.house.submissions(lesson.round_id)) == 8


@pytest.mark.parametrize("key", ["a key with spaces", "ключ".encode().decode("latin-1"), "{}", "x" * 255])
def test_a_key_may_be_any_text_that_a_header_holds(lesson: Class, key: str) -> None:
    ada, headers = lesson.join(), {b"Idempotency-Key": key.encode("latin-1")}
    ids = [answer(ada.post(lesson.submissions, json={"move": "1"}, headers=headers), 200, 201, 202) for _ in range(2)]
    assert ids[0]["id"] == ids[1]["id"]
