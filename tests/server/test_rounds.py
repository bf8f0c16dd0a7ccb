"""A round: fixed when it is made, open by the clock or by the host, and finished to the last move."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.games import TWO_STEPS
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
    pointers,
    problem,
)
from tests.support.services import eventually
from tests.support.workers import PLAIN, TOKENIZER, FakeJudge, Hand, at_work, hand_of, worth


def state(caller: Caller, round_id: str) -> str:
    return str(answer(caller.get(f"/rounds/{round_id}"))["state"])


def set_state(lesson: Class, how: str, round_id: str | None = None) -> Json:
    return answer(lesson.house.host.post(f"/rounds/{round_id or lesson.round_id}:{how}"))


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def wait_for(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 0.01)


# --- Making one -------------------------------------------------------------------------------------------------------


def test_a_round_says_all_that_a_player_needs(lesson: Class) -> None:
    shown = answer(lesson.join().get(f"/rounds/{lesson.round_id}"))
    assert set(shown) >= {
        *("id", "competition", "game", "digest", "passages", "judges", "profile", "state", "opens_at", "closes_at"),
        *("attempts", "attempts_left"),
    }
    assert (shown["game"], shown["passages"], shown["state"]) == ("condense", [PASSAGE], "open")
    assert shown["judges"] == {"main": PLAIN.identity}
    assert shown["digest"] == answer(lesson.house.anyone.get("/games/condense"))["digest"]


def test_rounds_are_numbered_and_listed_in_order(lesson: Class) -> None:
    second = lesson.another_round()
    listed = answer(lesson.join().get(f"/competitions/{lesson.id}/rounds"))["items"]
    assert [(each["number"], each["id"]) for each in listed] == [(1, lesson.round_id), (2, second["id"])]


def test_a_judge_is_named_by_name_or_identity_or_not_at_all(house: RunningApp) -> None:
    competition = new_competition(house)["id"]
    for name in ({"judge": PLAIN.name}, {"judge": PLAIN.identity}):
        assert new_round(house, competition, PLAIN, **name)["judges"] == {"main": PLAIN.identity}
    made = house.host.post(f"/competitions/{competition}/rounds", json={"game": "condense", "passages": [PASSAGE]})
    served = {judge["identity"] for judge in answer(house.anyone.get("/judges"))["items"] if judge["workers"]}
    assert answer(made, 201)["judges"]["main"] in served


def test_a_round_outlives_the_workers_of_its_judge(house: RunningApp, judge: FakeJudge) -> None:
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
    ada = lesson.join()
    answer(ada.get(f"/rounds/{lesson.round_id}"))
    sent = answer(ada.submit(lesson.round_id, "25"), 202)
    assert sent["state"] == "queued"
    with hand_of(house.redis_url, judge) as hand:
        hand.answer(*hand.take_all(2))
    assert answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 10}))["bits"] == 25.0


@pytest.mark.parametrize(("game", "count"), [("contrast", 2), ("synthesize", 3)])
def test_a_game_of_several_passages_takes_exactly_that_many(house: RunningApp, game: str, count: int) -> None:
    competition = new_competition(house)["id"]
    passages = ["A storm at sea.", "A court of law.", "An old kitchen."]
    for wrong in (0, count - 1, count + 1):
        with nothing_changes(house):
            body = {"game": game, "judge": PLAIN.identity, "passages": (passages * 2)[:wrong]}
            response = house.host.post(f"/competitions/{competition}/rounds", json=body)
            assert pointers(problem(response, 422, "invalid-request")) == ["/passages"]
    round_ = new_round(house, competition, PLAIN, game=game, passages=passages[:count])
    lesson = Class(house, {**answer(house.host.get(f"/competitions/{competition}"))}, round_, PLAIN)
    hint = "words and more"
    saved = [worth(hint, passage) for passage in passages[:count]]
    expected = saved[0] - saved[1] if game == "contrast" else sum(saved)
    submission = lesson.join().score(lesson.round_id, hint)
    assert submission["bits"] == round(expected, 3)
    assert len([event for event in submission["events"] if event["type"] == "reward"]) == count


def test_every_packaged_game_of_one_player_can_be_played_or_says_why_not(house: RunningApp) -> None:
    competition = new_competition(house)["id"]
    for game in answer(house.anyone.get("/games"))["items"]:
        body = {
            "game": game["name"],
            "judge": PLAIN.identity,
            "judges": dict.fromkeys(game["judges"], PLAIN.identity),
            "passages": [f"{PASSAGE} {number}." for number in range(game["passages"])],
        }
        response = house.host.post(f"/competitions/{competition}/rounds", json=body)
        assert response.status_code in (201, 422), response.text


# --- The clock --------------------------------------------------------------------------------------------------------


def test_the_clock_opens_and_closes_a_round(house: RunningApp) -> None:
    opens, closes = soon(1), soon(5)  # a sweep comes between them
    lesson = new_class(house, PLAIN, opens_at=opens.isoformat(), closes_at=closes.isoformat())
    ada = lesson.join()
    assert state(ada, lesson.round_id) == "scheduled"
    said = problem(ada.submit(lesson.round_id, "1"), 409, "round-scheduled")
    assert f"{opens:%H:%M:%S}" in said["detail"]
    wait_for(opens)
    assert state(ada, lesson.round_id) == "open"
    assert ada.score(lesson.round_id, "1")["bits"] == 1.0
    wait_for(closes)
    assert state(ada, lesson.round_id) == "closed"
    problem(ada.submit(lesson.round_id, "2"), 409, "round-closed")
    told = eventually(lambda: [e["type"] for e in lesson.events()][-1] == "round.closed", what="the event")
    assert told
    types = [event["type"] for event in lesson.events() if event["type"].startswith("round.")]
    assert types == ["round.opened", "round.closed"], "each once"


def test_the_passages_are_hidden_from_players_until_the_round_opens(house: RunningApp) -> None:
    opens = soon(1)
    lesson = new_class(house, PLAIN, opens_at=opens.isoformat())
    ada, path = lesson.join(), f"/rounds/{lesson.round_id}"
    for response in (ada.get(path), ada.get(f"/competitions/{lesson.id}/rounds")):
        assert response.status_code == 200
        assert PASSAGE not in response.text
    assert answer(lesson.house.host.get(path))["passages"] == [PASSAGE]
    wait_for(opens)
    assert answer(ada.get(path))["passages"] == [PASSAGE]


def test_a_round_that_is_cancelled_before_its_time_keeps_its_passages_to_itself(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, opens_at=soon(600).isoformat())
    set_state(lesson, "close")
    assert answer(lesson.join().get(f"/rounds/{lesson.round_id}"))["passages"] == []


def test_the_host_can_open_a_round_before_its_time(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, opens_at=soon(600).isoformat())
    ada = lesson.join()
    shown = set_state(lesson, "open")
    assert shown["state"] == "open"
    assert datetime.fromisoformat(shown["opens_at"]) <= datetime.now(UTC) + timedelta(seconds=1)
    assert ada.score(lesson.round_id, "1")["bits"] == 1.0


def test_opening_a_round_whose_time_is_over_takes_its_end_away(house: RunningApp) -> None:
    closes = soon(0.5)
    lesson = new_class(house, PLAIN, closes_at=closes.isoformat())
    ada = lesson.join()
    wait_for(closes)
    problem(ada.submit(lesson.round_id, "1"), 409, "round-closed")
    assert set_state(lesson, "open")["closes_at"] is None
    assert ada.score(lesson.round_id, "1")["bits"] == 1.0


# --- The host ---------------------------------------------------------------------------------------------------------


def test_a_pause_takes_no_moves_and_finishes_what_is_queued(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    sent = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    assert set_state(slow_lesson, "pause")["state"] == "paused"
    problem(ada.submit(slow_lesson.round_id, "26"), 409, "round-paused")
    hand.answer(*hand.take_all(2))
    assert answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 10}))["bits"] == 25.0
    assert [entry["bits"] for entry in slow_lesson.board()] == [25.0]
    set_state(slow_lesson, "open")
    answer(ada.submit(slow_lesson.round_id, "26"), 202)


def test_what_is_queued_when_a_round_closes_is_finished_and_counts(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    sent = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    set_state(slow_lesson, "close")
    problem(ada.submit(slow_lesson.round_id, "26"), 409, "round-closed")
    hand.answer(*hand.take_all(2))
    assert answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 10}))["state"] == "scored"
    assert [entry["bits"] for entry in slow_lesson.board()] == [25.0]


def test_only_an_open_round_can_be_paused(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, opens_at=soon(600).isoformat())
    path = f"/rounds/{lesson.round_id}:pause"
    problem(house.host.post(path), 409, "round-not-open")
    set_state(lesson, "close")
    problem(house.host.post(path), 409, "round-not-open")


def test_doing_it_twice_is_doing_it_once(lesson: Class) -> None:
    for how in ("pause", "close", "open"):
        set_state(lesson, how)
        with nothing_changes(lesson.house):
            if how == "pause":
                problem(lesson.house.host.post(f"/rounds/{lesson.round_id}:pause"), 409, "round-not-open")
            else:
                set_state(lesson, how)


# --- Plays that end otherwise -----------------------------------------------------------------------------------------

BROKEN = """\
# A game with a defect

assign(s=story())
elicit(x, 10)
assign(l=s.split())
reveal(l[99])
reward(xed(s | x))
"""
PICKY = """\
# Only the letter a

assign(s=story())
elicit(x, 10)
ensure(only_uses_chars("a", x))
reward(xed(s | x))
"""


@pytest.fixture
def two_steps(house: RunningApp) -> Class:
    return new_class(house, PLAIN, game=house.install_game(TWO_STEPS), attempts=2)


def begin(lesson: Class, caller: Caller, move: str = "2") -> Json:
    submission = answer(caller.submit(lesson.round_id, move), 201)
    assert submission["state"] == "awaiting_move"
    return submission


def go_on(caller: Caller, submission: Json, move: str, **more: str) -> Json:
    path = f"/submissions/{submission['id']}/moves"
    return answer(caller.post(path, json={"move": move}, params={"wait": 20}, headers=more), 201)


def test_a_play_of_several_moves_takes_one_after_the_other(two_steps: Class) -> None:
    ada = two_steps.join()
    submission = begin(two_steps, ada)
    assert [event["type"] for event in submission["events"]] == ["ask", "move", "ask"]
    finished = go_on(ada, submission, "5")
    assert (finished["id"], finished["state"], finished["bits"]) == (submission["id"], "scored", 25.0)
    assert two_steps.house.attempts_used(two_steps.round_id, str(ada.id)) == 1
    path = f"/submissions/{submission['id']}/moves"
    problem(ada.post(path, json={"move": "6"}), 409, "not-awaiting-move")


def test_a_further_move_can_be_repeated_with_its_key(two_steps: Class) -> None:
    ada = two_steps.join()
    submission = begin(two_steps, ada)
    path, key = f"/submissions/{submission['id']}/moves", {"Idempotency-Key": "k"}
    first = ada.post(path, json={"move": "5"}, params={"wait": 20}, headers=key)
    again = ada.post(path, json={"move": "5"}, params={"wait": 20}, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"] == f"/api/v1/submissions/{submission['id']}"
    problem(ada.post(path, json={"move": "6"}, headers=key), 422, "idempotency-key-reused")


def test_a_further_move_is_judged_like_a_first(two_steps: Class) -> None:
    ada, bob = two_steps.join(), two_steps.join()
    path = f"/submissions/{begin(two_steps, ada)['id']}/moves"
    with nothing_changes(two_steps.house):
        for bad in ("", "a\0", "x" * 8_193):
            assert pointers(problem(ada.post(path, json={"move": bad}), 422, "invalid-request")) == ["/move"]
        problem(bob.post(path, json={"move": "5"}), 403, "forbidden")
        problem(two_steps.house.host.post(path, json={"move": "5"}), 403, "forbidden")
        problem(two_steps.house.anyone.post(path, json={"move": "5"}), 401, "unauthorized")
    set_state(two_steps, "pause")
    with nothing_changes(two_steps.house):
        problem(ada.post(path, json={"move": "5"}), 409, "round-paused")


@pytest.mark.parametrize("by", ["host", "clock"])
def test_a_play_that_awaits_a_move_when_its_round_ends_is_abandoned_and_charged(house: RunningApp, by: str) -> None:
    closes = soon(1.5)
    window = closes.isoformat() if by == "clock" else None
    lesson = new_class(house, PLAIN, game=house.install_game(TWO_STEPS), attempts=2, closes_at=window)
    ada = lesson.join()
    submission = begin(lesson, ada)
    if by == "host":
        set_state(lesson, "close")
    else:
        wait_for(closes)
    shown = eventually(lambda: ended(ada, submission), what="the end of the play")
    assert shown is not None
    assert (shown["state"], shown["reason"]["type"], shown["bits"]) == ("rejected", "abandoned", None)
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 1
    assert lesson.board() == []


def ended(caller: Caller, submission: Json) -> Json | None:
    shown = answer(caller.get(f"/submissions/{submission['id']}"))
    return None if shown["state"] in ("awaiting_move", "queued") else shown


def test_a_defect_of_the_game_is_void_and_not_charged(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, passages=["A short one."], game=house.install_game(BROKEN), attempts=1)
    ada = lesson.join()
    for _ in range(2):
        shown = answer(ada.submit(lesson.round_id, "25", wait=20), 201)
        assert (shown["state"], shown["reason"]["type"]) == ("void", "run_time")
        assert (shown["reason"]["line"], shown["reason"]["column"]) == (6, 8)
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["attempts_left"] == 1
    assert lesson.board() == []


def test_a_move_that_fails_eleven_times_is_rejected_and_charged(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(PICKY), attempts=1)
    ada = lesson.join()
    submission = answer(ada.submit(lesson.round_id, "b"), 201)
    for _ in range(10):
        assert submission["state"] == "awaiting_move"
        submission = go_on(ada, submission, "b")
    assert (submission["state"], submission["reason"]["type"]) == ("rejected", "ensure_limit")
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["attempts_left"] == 0


def test_a_move_too_long_for_the_judge_is_rejected_and_charged(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, passages=["word " * 395], attempts=1)
    ada = lesson.join()
    shown = answer(ada.submit(lesson.round_id, "a b c d e f g h i j", wait=20), 201)
    assert (shown["state"], shown["reason"]["type"]) == ("rejected", "too_long")
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["attempts_left"] == 0


def test_a_judge_slot_that_nobody_names_goes_to_the_main_judges_namesake(house: RunningApp) -> None:
    main = FakeJudge()
    twin = FakeJudge(name=f"{main.name}-backward", direction="backward")
    competition = new_competition(house)["id"]
    path = f"/competitions/{competition}/rounds"
    body = {"game": "arrow_of_time", "passages": [], "judge": main.name}
    with at_work(house.redis_url, main):
        eventually(lambda: house.measurable(main), what="the judge")
        refused = problem(house.host.post(path, json=body), 422, "invalid-request")
        assert pointers(refused) == ["/judges"]
        with at_work(house.redis_url, twin):
            eventually(lambda: house.measurable(twin), what="its twin")
            made = answer(house.host.post(path, json=body), 201)
    assert made["judges"] == {"main": main.identity, "backward": twin.identity}


def test_two_judges_that_read_other_tokens_are_not_held_against_each_other(house: RunningApp) -> None:
    other = FakeJudge(direction="backward", tokenizer=TOKENIZER.replace("<unk>", "<?>"))
    path = f"/competitions/{new_competition(house)['id']}/rounds"
    body = {"game": "arrow_of_time", "passages": [], "judge": PLAIN.name, "judges": {"backward": other.name}}
    with at_work(house.redis_url, other):
        eventually(lambda: house.measurable(other), what="the judge")
        refused = problem(house.host.post(path, json=body), 422, "invalid-request")
    assert pointers(refused) == ["/judges/backward"]
    assert f"{other.name} reads other tokens than plain. Take twins" in refused["detail"]


def test_a_judges_name_that_is_far_too_long_does_not_come_back_whole(house: RunningApp) -> None:
    response = house.host.post("/measurements", json={"judge": "x" * 60_000, "text": "a"})
    assert pointers(problem(response, 422, "invalid-request")) == ["/judge"]
    assert len(response.content) < 2_000


def test_no_round_is_made_on_a_judge_whose_context_is_a_word_too_short(house: RunningApp) -> None:
    judge = FakeJudge(context=8)  # one to begin, two of the game's frame
    competition = new_competition(house)["id"]
    with hand_of(house.redis_url, judge):
        body = {"game": "condense", "judge": judge.name}
        path = f"/competitions/{competition}/rounds"
        refused = problem(
            house.host.post(path, json={**body, "passages": ["one two three four five six"]}), 422, "invalid-request"
        )
        assert pointers(refused) == ["/passages"]
        answer(house.host.post(path, json={**body, "passages": ["one two three four"]}), 201)


def test_where_nobody_names_a_judge_the_first_at_work_is_meant_and_twins_where_the_game_asks_two(
    house: RunningApp,
) -> None:
    usual, main = FakeJudge(), FakeJudge()
    twin = FakeJudge(name=f"{main.name}-backward", direction="backward")
    path = f"/competitions/{new_competition(house)['id']}/rounds"
    with hand_of(house.redis_url, usual, main, twin):
        for judge in (usual, main, twin):
            eventually(partial(house.measurable, judge), what="the judges")
        plain = answer(house.host.post(path, json={"game": "condense", "passages": [PASSAGE]}), 201)
        two = answer(house.host.post(path, json={"game": "arrow_of_time", "passages": []}), 201)
        body = {"game": "arrow_of_time", "passages": [], "judge": main.name, "judges": {"backward": usual.name}}
        refused = problem(house.host.post(path, json=body), 422, "invalid-request")
    assert plain["judges"]["main"] in {PLAIN.identity, usual.identity}, "the first of one of both workers"
    assert two["judges"] == {"main": main.identity, "backward": twin.identity}
    assert "takes a judge that reads backward; this one reads forward" in refused["detail"]
