"""A round that has ended can be practised on, and nothing that counts changes by it."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server.http.requests import COOKIE
from tests.support.games import TWO_STEPS
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, pointers, problem
from tests.support.services import eventually
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work, hand_of, measurement
from xentarena import Client

DEFECT = "assign(s=story())\nassign(l=s.split())\nelicit(x, 10)\nreveal(l[num_words(x)])\nreward(xed(s | x))"
PICKY = 'assign(s=story())\nelicit(x, 10)\nensure(only_uses_chars("0123456789", x))\nreward(xed(s | x))'
DUEL = "assign(s=story())\nelicit(black, x, 8)\nelicit(white, y, 8)\nreward(black, xed(s | x + y))"


def closed(house: RunningApp, judge: FakeJudge = PLAIN, **round_: Any) -> Class:
    lesson = new_class(house, judge, **round_)
    lesson.close()
    return lesson


def test_practice_is_scored_and_says_what_it_is(house: RunningApp) -> None:
    lesson = closed(house)
    ada = lesson.join()
    sent = ada.score(lesson.round_id, "25", practice=True)
    assert (sent["state"], sent["bits"], sent["practice"]) == ("scored", 25.0, True)
    assert answer(ada.get(f"/submissions/{sent['id']}"))["practice"] is True
    assert [each["id"] for each in answer(ada.get(lesson.submissions))["items"]] == [sent["id"]]
    assert lesson.board() == []


def test_what_was_played_while_it_was_open_is_no_practice(lesson: Class) -> None:
    assert lesson.join().score(lesson.round_id, "25")["practice"] is False


# --- Nothing that counts changes --------------------------------------------------------------------------------------

Act = Callable[[Class, Caller, int], object]


def _play(lesson: Class, who: Caller, number: int) -> object:
    return who.score(lesson.round_id, f"{number} boats", practice=True)


def _batch(lesson: Class, who: Caller, number: int) -> object:
    items = [{"move": f"{number}.5", "practice": True}, {"move": f"{number}.25 ships", "practice": True}]
    results = answer(who.post(f"{lesson.submissions}:batch", json={"items": items}, params={"wait": 20}))["items"]
    assert {each["status"] for each in results} == {201}
    return results


def _break(lesson: Class, who: Caller, number: int) -> object:
    """What the game refuses to read: the attempt would be given back."""
    return answer(who.submit(lesson.round_id, " ".join(["far"] * (7 + number % 3)), wait=20, practice=True), 201)


def _repeat(lesson: Class, who: Caller, number: int) -> object:
    first, again = (who.submit(lesson.round_id, "77", wait=20, key=f"k{number}", practice=True) for _ in range(2))
    assert answer(first, 200, 201)["id"] == answer(again, 200)["id"]
    return again


def _hide(lesson: Class, who: Caller, number: int) -> object:
    sent = who.score(lesson.round_id, f"{900 + number}", practice=True)
    path = f"/submissions/{sent['id']}"
    answer(lesson.house.host.post(f"{path}:hide"))
    return answer(lesson.house.host.post(f"{path}:show" if number % 2 else f"{path}:hide"))


def _refused(lesson: Class, who: Caller, number: int) -> object:
    return problem(who.submit(lesson.round_id, f"{number}"), 409, "round-closed")


def _preview(lesson: Class, who: Caller, number: int) -> object:
    body = {"move": f"{number} far", "practice": True}
    return answer(who.post(f"/rounds/{lesson.round_id}/moves:preview", json=body))


ACTS: list[Act] = [_play, _batch, _break, _repeat, _hide, _refused, _preview]


def everything_that_counts(lesson: Class, players: list[Caller]) -> Iterator[object]:
    """As bytes where it is shown, as rows where it is kept."""
    house = lesson.house
    for who in (house.host, *players):
        for path in (f"/rounds/{lesson.round_id}", f"/competitions/{lesson.id}"):
            board = who.get(f"{path}/leaderboard")
            yield (board.content, board.headers["etag"])
            for kind in ("person", "bot"):
                yield who.get(f"{path}/leaderboard", params={"kind": kind}).content
        yield who.get(f"/competitions/{lesson.id}/events", params={"after": 0}).content
        yield who.get(f"/rounds/{lesson.round_id}").content
        yield who.get(f"/competitions/{lesson.id}").content
        page = house.http.get(
            f"{house.url}/rounds/{lesson.round_id}/board", headers={"Cookie": f"{COOKIE}={who.token}"}
        )
        assert page.status_code == 200
        yield page.content
        yield who.get(f"/rounds/{lesson.round_id}/moves").content
    for table in ("attempts", "standings"):
        yield house.sql(f"SELECT * FROM {table} WHERE round_id = :id ORDER BY player_id", id=lesson.round_id)
    yield house.sql("SELECT number, type FROM feed WHERE competition_id = :id ORDER BY number", id=lesson.id)


@pytest.mark.parametrize("seed", range(3))
def test_boards_feed_and_attempts_are_the_same_to_the_byte_whatever_is_practised(house: RunningApp, seed: int) -> None:
    chance = random.Random(seed)
    bots = chance.choice(["mixed", "separate"])
    passages = ["one two three four five six seven"]
    lesson = new_class(house, PLAIN, bots=bots, attempts=3, game=house.install_game(DEFECT), passages=passages)
    players = [lesson.join(), lesson.join(), lesson.join(kind="bot")]
    for place, who in enumerate(players[:: chance.choice([1, 2])]):
        who.score(lesson.round_id, f"{place}")
    lesson.close()
    answer(house.host.post(f"/rounds/{lesson.round_id}:reveal", json={"which": "all", "names": True}))
    before = list(everything_that_counts(lesson, players))
    for number in range(12):
        chance.choice(ACTS)(lesson, chance.choice(players), number)
    states = {each.state for each in house.submissions(lesson.round_id) if each.practice}
    assert "scored" in states
    assert list(everything_that_counts(lesson, players)) == before


def test_practice_gives_no_attempt_back(house: RunningApp) -> None:
    """A play that the game or the server breaks gives its attempt back; practice has taken none."""
    lesson = new_class(house, PLAIN, game=house.install_game(DEFECT), passages=["one two three"], attempts=2)
    ada = lesson.join()
    ada.score(lesson.round_id, "25")
    lesson.close()
    sent = answer(ada.submit(lesson.round_id, " ".join(["far"] * 9), wait=20, practice=True), 201)
    assert sent["state"] == "void"
    assert house.attempts_used(lesson.round_id, str(ada.id)) == 1


def test_practice_that_cannot_be_measured_gives_no_attempt_back(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join()
    answer(ada.submit(slow_lesson.round_id, "1"), 202)
    hand.answer(*hand.take_all(2))
    eventually(lambda: slow_lesson.board(), what="the score")
    slow_lesson.close()
    sent = answer(ada.submit(slow_lesson.round_id, "2", practice=True), 202)
    hand.answer(*hand.take_all(1), says=lambda job: "the machine is broken")
    assert answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 10}))["state"] == "failed"
    assert slow_lesson.house.attempts_used(slow_lesson.round_id, str(ada.id)) == 1


def test_attempts_that_are_used_up_are_no_limit_to_practice(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=1)
    ada = lesson.join()
    ada.score(lesson.round_id, "5")
    lesson.close()
    for number in range(3):
        ada.score(lesson.round_id, f"{number + 6}", practice=True)
    assert answer(ada.get(f"/rounds/{lesson.round_id}"))["attempts_left"] == 0
    assert [entry["bits"] for entry in lesson.board()] == [5.0]


def test_hiding_the_best_move_does_not_bring_practice_onto_the_board(lesson: Class) -> None:
    ada = lesson.join()
    low, high = (ada.score(lesson.round_id, move)["id"] for move in ("5", "9"))
    lesson.close()
    ada.score(lesson.round_id, "50", practice=True)
    answer(lesson.house.host.post(f"/submissions/{high}:hide"))
    assert [(entry["submission"], entry["bits"]) for entry in lesson.board()] == [(low, 5.0)]


# --- When it may be ---------------------------------------------------------------------------------------------------


def test_a_round_that_is_not_over_is_played_not_practised(lesson: Class) -> None:
    ada = lesson.join()
    with nothing_changes(lesson.house):
        said = problem(ada.submit(lesson.round_id, "25", practice=True), 409, "round-open")
        assert "The round is open: play it." in said["detail"]
    answer(lesson.house.host.post(f"/rounds/{lesson.round_id}:pause"))
    problem(ada.submit(lesson.round_id, "25", practice=True), 409, "round-paused")


def test_without_the_word_a_closed_round_is_closed_and_says_that_it_takes_practice(lesson: Class) -> None:
    ada = lesson.join()
    lesson.close()
    with nothing_changes(lesson.house):
        assert '"practice": true' in problem(ada.submit(lesson.round_id, "25"), 409, "round-closed")["detail"]


def test_rounds_that_cannot_be_practised_say_why(house: RunningApp) -> None:
    later = closed(house, opens_at="2099-01-01T00:00:00Z")
    duel = closed(house, game=house.install_game(DUEL))
    for lesson, why in (
        (later, "The round was closed before it opened."),
        (duel, "This game seats black, white: practice is for games of one player."),
    ):
        ada = lesson.join()
        with nothing_changes(house):
            assert problem(ada.submit(lesson.round_id, "25", practice=True), 409, "no-practice")["detail"] == why
            assert "practice" not in problem(ada.submit(lesson.round_id, "25"), 409, "round-closed")["detail"]


def test_a_round_that_could_not_be_prepared_says_so(house: RunningApp) -> None:
    lesson = closed(house)
    ada = lesson.join()
    house.sql("UPDATE rounds SET trouble = 'The judge is mute.' WHERE id = :id", id=lesson.round_id)
    said = problem(ada.submit(lesson.round_id, "25", practice=True), 409, "no-practice")
    assert said["detail"] == "The round could not be prepared: The judge is mute."


def test_practice_is_no_way_round_the_attempts_of_another_round(house: RunningApp) -> None:
    """The same passage, once more, with an attempt limit: there each try counts."""
    lesson = closed(house)
    other = lesson.another_round(passages=["Another text altogether."], attempts=1)
    ada = lesson.join()
    ada.score(lesson.round_id, "1", practice=True)
    again = lesson.another_round(attempts=1)
    with nothing_changes(house):
        said = problem(ada.submit(lesson.round_id, "2", practice=True), 409, "no-practice")
    assert "on the same text" in said["detail"]
    answer(house.host.post(f"/rounds/{again['id']}:close"))
    ada.score(lesson.round_id, "2", practice=True)
    answer(ada.submit(other["id"], "3"), 201, 202)


def test_who_may_not_play_may_not_practise(house: RunningApp) -> None:
    lesson, stranger = closed(house), new_class(house, PLAIN).join()
    gone = lesson.join()
    answer(house.host.post(f"/players/{gone.id}:remove"))
    with nothing_changes(house):
        for who in (house.host, stranger, gone):
            problem(who.submit(lesson.round_id, "25", practice=True), 403, "forbidden")
        problem(house.anyone.submit(lesson.round_id, "25", practice=True), 401, "unauthorized")


@pytest.mark.parametrize("said", ["yes", 1, None, [], "true"])
def test_practice_is_true_or_false(house: RunningApp, said: object) -> None:
    lesson = closed(house)
    ada = lesson.join()
    body = {"move": "25", "practice": said}
    with nothing_changes(house):
        assert pointers(problem(ada.post(lesson.submissions, json=body), 422, "invalid-request")) == ["/practice"]
        for path in (f"{lesson.submissions}:begin", f"/rounds/{lesson.round_id}/moves:preview"):
            sent = {"practice": said} if path.endswith("begin") else body
            assert pointers(problem(ada.post(path, json=sent), 422, "invalid-request")) == ["/practice"]
        batch = ada.post(f"{lesson.submissions}:batch", json={"items": [body]})
        assert pointers(problem(batch, 422, "invalid-request")) == ["/items/0/practice"]


def test_a_key_belongs_to_a_move_or_to_practice(lesson: Class) -> None:
    ada = lesson.join()
    first = answer(ada.submit(lesson.round_id, "25", key="k"), 201, 202)["id"]
    lesson.close()
    problem(ada.submit(lesson.round_id, "25", key="k", practice=True), 422, "idempotency-key-reused")
    assert answer(ada.submit(lesson.round_id, "25", key="k"), 200)["id"] == first


# --- Plays of several moves -------------------------------------------------------------------------------------------


@pytest.fixture
def two_steps(house: RunningApp) -> Class:
    return closed(house, game=house.install_game(TWO_STEPS), attempts=1, move_seconds=5)


def _go_on(who: Caller, submission: Json, move: str) -> Any:
    return who.post(f"/submissions/{submission['id']}/moves", json={"move": move}, params={"wait": 20})


def test_practice_of_several_moves_waits_for_the_next_one(two_steps: Class) -> None:
    """The sweeper ends what awaits a move in a closed round, and what is late; practice is neither."""
    ada = two_steps.join()
    begun = answer(ada.submit(two_steps.round_id, "2", wait=20, practice=True), 201)
    assert (begun["state"], begun["awaits"]["due_at"]) == ("awaiting_move", None)
    other = two_steps.another_round(game=two_steps.round["game"])["id"]
    left = answer(ada.submit(other, "2", wait=20), 201)
    answer(two_steps.house.host.post(f"/rounds/{other}:close"))
    assert answer(ada.get(f"/submissions/{left['id']}"))["state"] == "rejected"
    body = {"move": "far " * 12, "submission": begun["id"]}
    assert answer(ada.post(f"/rounds/{two_steps.round_id}/moves:preview", json=body))["tokens"] == 12
    done = answer(_go_on(ada, begun, "5"), 201)
    assert (done["state"], done["bits"], done["practice"]) == ("scored", 25.0, True)
    assert two_steps.board() == []


def test_practice_stays_practice_when_the_round_is_opened_again(two_steps: Class) -> None:
    ada, house = two_steps.join(), two_steps.house
    begun = answer(ada.submit(two_steps.round_id, "2", wait=20, practice=True), 201)
    answer(house.host.post(f"/rounds/{two_steps.round_id}:open"))
    with nothing_changes(house):
        problem(_go_on(ada, begun, "5"), 409, "round-open")
        body = {"move": "5", "submission": begun["id"]}
        problem(ada.post(f"/rounds/{two_steps.round_id}/moves:preview", json=body), 409, "round-open")
    assert answer(ada.get(f"/rounds/{two_steps.round_id}"))["attempts_left"] == 1
    played = answer(ada.submit(two_steps.round_id, "1", wait=20), 201)
    assert answer(_go_on(ada, played, "1"), 201)["bits"] == 11.0
    two_steps.close()
    assert answer(_go_on(ada, begun, "5"), 201)["bits"] == 25.0
    assert [entry["bits"] for entry in two_steps.board()] == [11.0]


def test_practice_can_be_given_up(two_steps: Class) -> None:
    ada = two_steps.join()
    begun = answer(ada.post(f"{two_steps.submissions}:begin", json={"practice": True}, params={"wait": 20}), 201)
    assert answer(ada.post(f"/submissions/{begun['id']}:resign"))["state"] == "rejected"
    assert two_steps.house.attempts_used(two_steps.round_id, str(ada.id)) == 0


def test_practice_that_breaks_a_rule_is_asked_again(house: RunningApp) -> None:
    lesson = closed(house, game=house.install_game(PICKY))
    begun = answer(lesson.join().submit(lesson.round_id, "no", wait=20, practice=True), 201)
    assert begun["state"] == "awaiting_move"


# --- The judge --------------------------------------------------------------------------------------------------------


def test_practice_stands_behind_what_counts(slow_lesson: Class, hand: Hand) -> None:
    ada, bot = slow_lesson.join(), slow_lesson.join(kind="bot")
    other = slow_lesson.another_round()["id"]
    slow_lesson.close()
    answer(ada.submit(slow_lesson.round_id, "1", practice=True), 202)
    answer(bot.submit(slow_lesson.round_id, "2", practice=True), 202)
    answer(ada.submit(other, "3"), 202)
    lanes = [(row.prefix, row.lane) for row in slow_lesson.house.measurements(slow_lesson.judge)]
    found = {number: lane for prefix, lane in lanes for number in "123" if number in prefix}
    assert (found["1"], found["2"]) == ("people-rest", "bots-rest")
    assert found["3"] in ("people", "people-2"), "what waits for practice counts as waiting"
    taken = [measurement(claim).prefix for claim in hand.take_all(4)]
    places = {number: place for place, prefix in enumerate(taken) for number in "123" if number in prefix}
    assert places["3"] < min(places["1"], places["2"])


def test_practice_waits_for_a_judge_that_is_away(house: RunningApp, judge: FakeJudge) -> None:
    with hand_of(house.redis_url, judge):
        lesson = closed(house, judge)
    ada = lesson.join()
    sent = answer(ada.submit(lesson.round_id, "25", practice=True), 202)
    with at_work(house.redis_url, judge):
        assert answer(ada.get(f"/submissions/{sent['id']}", params={"wait": 20}))["bits"] == 25.0


# --- The client -------------------------------------------------------------------------------------------------------


def test_the_client_practises(house: RunningApp) -> None:
    lesson = closed(house)
    ada = lesson.join(kind="bot")
    with Client(house.url, ada.token) as client:
        assert client.preview(lesson.round_id, "far " * 12, practice=True).tokens == 12
        sent = client.wait_for(client.submit(lesson.round_id, "25", practice=True))
        assert (sent.bits, sent.practice) == (25.0, True)
        many = client.submit_batch(lesson.round_id, ["1", "2"], practice=True)
        assert [getattr(each, "practice", each) for each in many] == [True, True]
        assert client.begin(lesson.round_id, practice=True).practice
        assert client.leaderboard(lesson.round_id) == []
