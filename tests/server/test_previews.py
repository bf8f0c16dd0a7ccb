"""What is told of a move before it is made: for whom, of which play, and that it leaves no trace."""

from collections.abc import Callable

import pytest

from tests.support.scenario.deployment import PASSAGE, answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, problem
from tests.support.workers import FakeJudge, at_work, hand_of
from xentarena import Client

STEPS = "elicit(x, 5)\nensure(num_words(x) >= 2)\nelicit(y, 5)\nensure(len(y) > 3, say='More.')\nreward(xent(x | y))"


def preview(who: Caller, lesson: Class, move: str, submission: str | None = None) -> Json:
    body = {"move": move, "submission": submission}
    return answer(who.post(f"/rounds/{lesson.round_id}/moves:preview", json=body))


def kinds(found: Json) -> list[str]:
    return [event["type"] for event in found["events"]]


def test_what_is_cut_and_taken_out_is_told_and_leaves_no_trace(slow_lesson: Class) -> None:
    ada = slow_lesson.join()
    taken = PASSAGE.split()[1]
    with nothing_changes(slow_lesson.house):
        found = preview(ada, slow_lesson, f"{taken} ship " + "far " * 20)
    assert (found["tokens"], found["limit"], found["refused"], found["after_scoring"]) == (22, 10, False, True)
    assert found["kept"].split() == [taken, "ship", *["far"] * 8]
    assert found["events"][-1]["values"][0]["value"].split() == ["ship", *["far"] * 8]


def test_the_next_move_of_a_play_is_previewed_in_that_play(house: RunningApp, judge: FakeJudge) -> None:
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge, game=house.install_game(STEPS), passages=[])
        ada, bob = lesson.join(), lesson.join()
        assert preview(ada, lesson, "one")["refused"]
        begun = answer(ada.post(f"{lesson.submissions}?wait=10", json={"move": "two words"}), 201, 202)["id"]
        found = preview(ada, lesson, "no", begun)
        assert (found["refused"], found["events"][-1]["say"]) == (True, "More.")
        assert not preview(ada, lesson, "long enough", begun)["refused"]
        body = {"move": "a", "submission": begun}
        problem(bob.post(f"/rounds/{lesson.round_id}/moves:preview", json=body), 403, "forbidden")


def test_what_a_judge_knows_of_another_players_move_is_not_told(house: RunningApp, judge: FakeJudge) -> None:
    """Ada's move is measured; a preview of the same words by Bob says no more of its bits than of any other's."""
    source = "elicit(x, 5)\nensure(xent(x) > 1000)\nreward(xent(x))"
    with at_work(house.redis_url, judge):
        lesson = new_class(house, judge, game=house.install_game(source), passages=[])
        ada, bob = lesson.join(), lesson.join()
        begun = answer(ada.post(f"{lesson.submissions}?wait=10", json={"move": "25"}), 201, 202)
        assert [event["type"] for event in begun["events"]].count("ensure_failed") == 1
        found = preview(bob, lesson, "25")
    assert (kinds(found), found["refused"], found["after_scoring"]) == (["move"], False, True)


def test_a_preview_is_refused_as_the_move_would_be(slow_lesson: Class, lesson: Class) -> None:
    ada, stranger = slow_lesson.join(), lesson.join()
    path = f"/rounds/{slow_lesson.round_id}/moves:preview"
    problem(stranger.post(path, json={"move": "sea"}), 403, "forbidden")
    problem(slow_lesson.house.host.post(path, json={"move": "sea"}), 403, "forbidden")
    for move in ("", "\0", "x" * 8_193):
        problem(ada.post(path, json={"move": move}), 422, "invalid-request")
    problem(ada.post(path, json={"move": "sea", "submission": "sub_none"}), 404, "not-found")
    assert preview(ada, slow_lesson, "\U0001f6a4" * 2_048)["tokens"] > 0
    answer(slow_lesson.house.host.post(f"/rounds/{slow_lesson.round_id}:close"))
    problem(ada.post(path, json={"move": "sea"}), 409, "round-closed")


def test_previews_are_limited_apart_from_moves(own_house: Callable[..., RunningApp], judge: FakeJudge) -> None:
    house = own_house(rate_limit=0.001, rate_burst=3)
    with hand_of(house.redis_url, judge):
        lesson = new_class(house, judge)
    ada = lesson.join()
    for _ in range(3):
        preview(ada, lesson, "sea")
    problem(ada.post(f"/rounds/{lesson.round_id}/moves:preview", json={"move": "sea"}), 429, "limit-reached")
    answer(ada.submit(lesson.round_id, "sea"), 202)


def test_the_client_previews(slow_lesson: Class) -> None:
    ada = slow_lesson.join()
    assert ada.token
    with Client(slow_lesson.house.url, ada.token) as client:
        found = client.preview(slow_lesson.round_id, "ship " * 12)
    assert (found.tokens, found.limit, found.kept.split(), found.refused) == (12, 10, ["ship"] * 10, False)


@pytest.fixture
def whispers(house: RunningApp, judge: FakeJudge, hand: object) -> Class:
    return new_class(house, judge, game="whispers")


def test_before_seats_are_taken_nobody_is_shown_what_one_seat_sees(whispers: Class) -> None:
    ada = whispers.join()
    for who in (ada, whispers.house.host):
        shown = answer(who.get(f"/rounds/{whispers.round_id}"))["opening"]
        assert (shown["registers"], shown["events"]) == ({}, [])
    problem(ada.post(f"/rounds/{whispers.round_id}/moves:preview", json={"move": "sea"}), 409, "several-seats")
