"""A move goes in, a score comes out; attempts are counted; whoever waits is told at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.arena import quotas
from tests.support.duels import challenge, class_of
from tests.support.frames import hint_in
from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Class, RunningApp, all_at_once, new_class, nothing_changes, problem
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work


def test_a_move_is_scored_by_the_bits_it_saves(lesson: Class) -> None:
    ada = lesson.join()
    submission = ada.score(lesson.round_id, "about 12.5 boats")
    assert set(submission) >= {
        *("id", "round", "player", "state", "place", "expected_wait_s", "bits", "rewards", "events", "reason"),
        *("judge", "profile", "build", "engine", "accepted_at"),
    }
    assert submission["state"] == "scored"
    assert submission["bits"] == 12.5
    assert submission["rewards"] == {"black": 12.5}
    assert (submission["round"], submission["player"]) == (lesson.round_id, ada.id)
    assert (submission["judge"], submission["profile"]) == (PLAIN.identity, "arena")
    assert submission["build"] == "fake"
    assert (submission["place"], submission["expected_wait_s"], submission["reason"]) == (None, None, None)


def test_the_events_show_which_token_saved_how_much(lesson: Class) -> None:
    events = lesson.join().score(lesson.round_id, "12")["events"]
    assert {event["type"] for event in events} >= {"ask", "move", "reveal", "reward"}
    (reward,) = [event for event in events if event["type"] == "reward"]
    assert (reward["seat"], reward["bits"]) == ("black", 12.0)
    assert "".join(token["text"] for token in reward["tokens"]) == PASSAGE
    assert [token["bits"] for token in reward["tokens"]] == [12.0, *[0.0] * (len(PASSAGE.split()) - 1)]


def test_the_answer_says_202_while_it_is_queued_and_where_to_ask(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    response = ada.submit(slow_lesson.round_id, "25")
    submission = answer(response, 202)
    assert submission["state"] == "queued"
    assert (submission["bits"], submission["rewards"], submission["build"]) == (None, {}, None)
    assert response.headers["Location"] == f"/api/v1/submissions/{submission['id']}"
    hand.answer(*hand.take_all(2))
    later = answer(ada.get(response.headers["Location"].removeprefix("/api/v1"), params={"wait": 10}))
    assert (later["id"], later["state"], later["bits"]) == (submission["id"], "scored", 25.0)


def test_what_is_known_already_is_scored_in_the_same_request(lesson: Class) -> None:
    lesson.join().score(lesson.round_id, "25")
    submission = answer(lesson.join().submit(lesson.round_id, "25"), 201)
    assert (submission["state"], submission["bits"]) == ("scored", 25.0)


def test_everyone_who_says_the_same_shares_one_measurement(slow_lesson: Class, hand: Hand, judge: FakeJudge) -> None:
    players = [slow_lesson.join() for _ in range(4)]
    all_at_once(4, lambda i: answer(players[i].submit(slow_lesson.round_id, "25"), 202))
    assert len(slow_lesson.house.measurements(judge)) == 2, "the passage alone, and after the move"
    hand.answer(*hand.take_all(2))
    for player in players:
        (mine,) = answer(player.get("/me/submissions"))["items"]
        assert answer(player.get(f"/submissions/{mine['id']}", params={"wait": 10}))["bits"] == 25.0
    assert hand.take() == []


def test_a_move_whose_every_word_stands_in_the_passage_saves_nothing(lesson: Class) -> None:
    assert lesson.join().score(lesson.round_id, "the tide the boats")["bits"] == 0.0


def test_scores_are_rounded_once_half_to_even_to_millibits(house: RunningApp, judge: FakeJudge) -> None:
    """Bits are summed as they come; only the sum is rounded."""
    third = 0.333251953125  # exact in float32

    with at_work(house.redis_url, judge, says=lambda job: [8 - third if hint_in(job.prefix) else 8.0] * 3):
        lesson = new_class(house, judge, passages=["one two three"])
        submission = lesson.join().score(lesson.round_id, "a hint")
    assert submission["bits"] == 1.0, "3 x 0.33325 = 0.99976, not 3 x 0.333"


def test_the_place_in_the_queue_counts_those_before(slow_lesson: Class, hand: Hand) -> None:
    places = []
    for number in range(3):
        submission = answer(slow_lesson.join().submit(slow_lesson.round_id, str(number)), 202)
        places.append(submission["place"])
    assert places == sorted(places)
    assert places[0] in (1, 2)
    assert len(set(places)) == 3


def test_the_places_in_a_list_are_those_of_each_alone(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    for number in range(4):
        for caller in (ada, slow_lesson.join()):
            answer(caller.submit(slow_lesson.round_id, f"{caller.id} {number}"), 202)
    listed = answer(ada.get(slow_lesson.submissions))["items"]
    alone = [answer(ada.get(f"/submissions/{each['id']}"))["place"] for each in listed]
    assert [each["place"] for each in listed] == alone
    assert alone == sorted(alone, reverse=True)
    assert alone[0] - alone[-1] > 4, "others wait between them"


def test_the_expected_wait_is_unknown_where_nobody_serves_the_judge(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    submission = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    path = f"/submissions/{submission['id']}"
    hand.announce(rate=0.5)
    waits = eventually(lambda: answer(ada.get(path))["expected_wait_s"], what="an expected wait")
    assert waits == submission["place"] / 0.5
    judge = next(each for each in answer(ada.get("/judges"))["items"] if each["measurements_per_second"] == 0.5)
    assert (judge["workers"], judge["class_size"]) == (1, 10)
    hand.claims.leave()
    eventually(lambda: answer(ada.get(path))["expected_wait_s"] is None, what="nobody's leaving")


# --- Waiting ----------------------------------------------------------------------------------------------------------


def test_waiting_ends_as_soon_as_the_score_is_there(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    with ThreadPoolExecutor(1) as thread:
        start = time.monotonic()
        waiting = thread.submit(ada.submit, slow_lesson.round_id, "25", wait=60)
        hand.answer(*hand.take_all(2))
        submission = answer(waiting.result(), 201)
    assert submission["bits"] == 25.0
    assert time.monotonic() - start < 30, "far from a minute"


def test_nonsense_on_the_doorbell_silences_nobody(slow_lesson: Class, hand: Hand) -> None:
    for nonsense in ("", "{", "[]", "5", '{"submissions": 5}', '{"dogs": ["a"]}', b"\xff", '{"submissions": [[1]]}'):
        slow_lesson.house.redis.publish("xa:notice", nonsense)
    test_waiting_ends_as_soon_as_the_score_is_there(slow_lesson, hand)


def test_waiting_ends_when_the_time_is_up(slow_lesson: Class) -> None:
    start = time.monotonic()
    submission = answer(slow_lesson.join().submit(slow_lesson.round_id, "25", wait=0.5), 202)
    assert submission["state"] == "queued"
    assert 0.4 < time.monotonic() - start < 30


def test_a_final_submission_is_not_waited_for(lesson: Class) -> None:
    ada = lesson.join()
    submission = ada.score(lesson.round_id, "25")
    start = time.monotonic()
    answer(ada.get(f"/submissions/{submission['id']}", params={"wait": 60}))
    assert time.monotonic() - start < 30


# --- Attempts ---------------------------------------------------------------------------------------------------------


def test_of_200_submissions_at_once_against_a_limit_of_10_exactly_10_are_accepted(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=10)
    ada = lesson.join()
    with ThreadPoolExecutor(50) as threads:
        responses = list(threads.map(lambda i: ada.submit(lesson.round_id, f"move {i}"), range(200)))
    accepted = [response for response in responses if response.status_code in (201, 202)]
    assert len(accepted) == 10
    for response in responses:
        if response not in accepted:
            assert problem(response, 409, "no-attempts-left")["limit"] == "attempts"
    assert len(lesson.house.submissions(lesson.round_id)) == 10
    assert lesson.house.attempts_used(lesson.round_id, str(ada.id)) == 10
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["attempts_left"] == 0


def test_everyone_has_attempts_of_their_own_in_every_round(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=2)
    second = lesson.another_round(attempts=2)["id"]
    for player in (lesson.join(), lesson.join()):
        for round_id in (lesson.round_id, second):
            assert answer(player.get(f"/rounds/{round_id}"))["attempts_left"] == 2
            player.score(round_id, "one")
            player.score(round_id, "two")
            problem(player.submit(round_id, "three"), 409, "no-attempts-left")


def test_a_round_without_a_limit_says_so(lesson: Class) -> None:
    ada = lesson.join()
    ada.score(lesson.round_id, "one")
    shown = answer(ada.get(f"/rounds/{lesson.round_id}"))
    assert (shown["attempts"], shown["attempts_left"]) == (None, None)


def test_an_attempt_whose_measurement_fails_is_given_back(house: RunningApp, judge: FakeJudge, hand: Hand) -> None:
    lesson = new_class(house, judge, attempts=1)
    ada = lesson.join()
    submission = answer(ada.submit(lesson.round_id, "25"), 202)
    problem(ada.submit(lesson.round_id, "26"), 409, "no-attempts-left")
    hand.answer(*hand.take_all(2), says=lambda job: "the machine is broken" if job.prefix else [4.0])
    failed = answer(ada.get(f"/submissions/{submission['id']}", params={"wait": 10}))
    assert failed["state"] == "failed"
    assert failed["reason"]["type"] == "measurement_failed"
    assert (failed["bits"], failed["rewards"]) == (None, {})
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["attempts_left"] == 1
    assert lesson.board() == []
    answer(ada.submit(lesson.round_id, "26"), 201, 202)


def test_a_refused_move_costs_nothing(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=1)
    ada = lesson.join()
    problem(ada.submit(lesson.round_id, "bad \0"), 422, "invalid-request")
    ada.score(lesson.round_id, "good")


def test_a_pending_limit_holds_back_who_asks_for_too_much(
    own_house: Callable[..., RunningApp], judge: FakeJudge
) -> None:
    house = own_house(pending_limit=4)
    with at_work(house.redis_url, judge, says=lambda job: None):
        lesson = new_class(house, judge)
        ada, bob = lesson.join(), lesson.join()
        for number in range(4):
            answer(ada.submit(lesson.round_id, str(number)), 202)  # one measurement each; the passage's is nobody's
        with nothing_changes(house):
            response = ada.submit(lesson.round_id, "one more")
            assert problem(response, 429, "limit-reached")["limit"] == "pending"
            assert int(response.headers["Retry-After"]) > 0
        answer(bob.submit(lesson.round_id, "0"), 202)


def test_a_participant_has_so_many_submissions_and_no_more(own_house: Callable[..., RunningApp]) -> None:
    house = own_house(submission_limit=3)
    with at_work(house.redis_url, PLAIN):
        lesson, duel = new_class(house, PLAIN), class_of(house)
        ada, bob = lesson.join(), duel.join()
        taken = answer(ada.post(f"{lesson.submissions}:batch", json={"items": [{"move": "same"}] * 4}))["items"]
        assert [each["status"] for each in taken[:3]].count(409) == 0
        assert (taken[3]["status"], taken[3]["problem"]["type"]) == (409, "quota-used")
        with nothing_changes(house):
            refused = problem(ada.submit(lesson.round_id, "same"), 409, "quota-used")
        assert (refused["limit"], "submission_limit" in refused["detail"]) == ("submissions", True)
        lesson.join().score(lesson.round_id, "same")
        for _ in range(3):
            answer(bob.post(f"/submissions/{challenge(bob, duel)['id']}:resign"))
        problem(bob.post(f"/rounds/{duel.round_id}/challenges", json={}), 409, "quota-used")


def test_free_measuring_ends_where_much_was_measured(house: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MEASUREMENTS", 4)
    ada = new_class(house, PLAIN).join()
    for number in range(2):
        answer(ada.post("/measurements", json={"text": f"text {number}", "prefix": f"{ada.id}"}), 202)
    refused = problem(ada.post("/measurements", json={"text": "more"}), 409, "quota-used")
    assert refused["limit"] == "measurements"


# --- Lists ------------------------------------------------------------------------------------------------------------


def test_lists_come_newest_first_in_pages(lesson: Class) -> None:
    ada, bob = lesson.join(), lesson.join()
    sent = [ada.score(lesson.round_id, str(number))["id"] for number in range(5)]
    bob.score(lesson.round_id, "9")
    for path in (lesson.submissions, "/me/submissions"):
        seen, cursor = [], None
        while True:
            page = answer(ada.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {})))
            assert len(page["items"]) <= 2
            seen += [item["id"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert seen == sent[::-1]
    assert len(answer(lesson.house.host.get(lesson.submissions))["items"]) == 6, "a host sees everyone's"


def test_a_page_holds_its_place_while_new_ones_come(lesson: Class) -> None:
    ada = lesson.join()
    sent = [ada.score(lesson.round_id, str(number))["id"] for number in range(4)]
    first = answer(ada.get("/me/submissions", params={"limit": 2}))
    ada.score(lesson.round_id, "late")
    second = answer(ada.get("/me/submissions", params={"limit": 2, "cursor": first["next"]}))
    assert [item["id"] for item in first["items"] + second["items"]] == sent[::-1]


# --- Batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_is_answered_in_order_item_by_item(lesson: Class) -> None:
    bot = lesson.join(kind="bot")
    items = [{"move": str(number), "key": f"k{number}"} for number in range(32)]
    results = answer(bot.post(f"{lesson.submissions}:batch", json={"items": items}, params={"wait": 30}))["items"]
    assert [result["submission"]["bits"] for result in results] == list(range(32))
    assert {result["status"] for result in results} == {201}
    again = answer(bot.post(f"{lesson.submissions}:batch", json={"items": items}))["items"]
    assert {result["status"] for result in again} == {200}
    assert [a["submission"]["id"] for a in again] == [b["submission"]["id"] for b in results]


def test_a_batch_goes_as_far_as_the_attempts_do(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    items = [{"move": str(number)} for number in range(5)]
    results = answer(lesson.join(kind="bot").post(f"{lesson.submissions}:batch", json={"items": items}))["items"]
    assert [result["status"] in (201, 202) for result in results] == [True, True, True, False, False]
    assert {result["problem"]["type"] for result in results[3:]} == {"no-attempts-left"}


def test_a_key_twice_in_one_batch_is_one_submission(lesson: Class) -> None:
    items = [{"move": "25", "key": "k"}, {"move": "25", "key": "k"}, {"move": "26", "key": "k"}]
    results = answer(lesson.join(kind="bot").post(f"{lesson.submissions}:batch", json={"items": items}))["items"]
    assert results[0]["submission"]["id"] == results[1]["submission"]["id"]
    assert results[1]["status"] == 200
    assert results[2]["problem"]["type"] == "idempotency-key-reused"


def test_who_is_removed_while_a_move_waits_still_hears_that_it_was_accepted(slow_lesson: Class) -> None:
    ada = slow_lesson.join()
    path = f"/rounds/{slow_lesson.round_id}/submissions"
    with ThreadPoolExecutor(2) as sending:
        one = sending.submit(ada.post, path, json={"move": "5 kites"}, params={"wait": 3})
        batch = {"items": [{"move": "6 kites"}, {"move": "7 kites"}]}
        many = sending.submit(ada.post, f"{path}:batch", json=batch, params={"wait": 3})
        accepted = "SELECT count(*) FROM submissions WHERE player_id = :player"
        eventually(lambda: slow_lesson.house.sql(accepted, player=ada.id) == [(3,)], what="the moves")
        answer(slow_lesson.house.host.post(f"/players/{ada.id}:remove"))
        assert answer(one.result(), 202)["state"] == "queued"
        assert [item["status"] for item in answer(many.result())["items"]] == [202, 202]
