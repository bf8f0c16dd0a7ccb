"""Games of several seats: meeting, playing in turn, leaving, and what each seat is shown."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from server.db.states import SubmissionState
from tests.support.duels import challenge, class_of, move, now, set_back
from tests.support.games import TWO_STEPS
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, nothing_changes, pointers, problem
from tests.support.services import eventually
from tests.support.web import Visitor
from tests.support.workers import PLAIN
from xentarena import Client

ASIDE = """\
# Aside
#
# Alice and Bob say something that the other never sees.

assign(s=story(), t="A secret of the house.")
reveal(alice, "You speak first.")
elicit(alice, x, 8)
assign(p="Alice has spoken.")
elicit(bob, y, 8)
reward(alice, xent(s | x))
reward(bob, xent(t))
"""


@pytest.fixture
def duel(house: RunningApp) -> Class:
    return class_of(house)


def challenges(caller: Caller, class_: Class) -> list[Json]:
    found: list[Json] = answer(caller.get(f"/rounds/{class_.round_id}/challenges"))["items"]
    return found


def test_two_meet_by_an_open_challenge_and_play_to_the_end(duel: Class) -> None:
    ada, bo = duel.join("Ada"), duel.join("Bo")
    first = challenge(ada, duel)
    assert (first["state"], first["seat"]) == ("awaiting_opponent", "black")
    assert first["seats"]["black"]["name"] == "Ada"
    assert first["seats"]["white"] is None
    (seen,) = challenges(bo, duel)
    assert (seen["taken"]["black"]["name"], seen["free"], seen["invited"]) == ("Ada", ["white"], None)

    second = challenge(bo, duel)
    assert (second["play"], second["seat"], second["state"]) == (first["play"], "white", "awaiting_opponent")
    assert challenges(bo, duel) == []
    first = now(ada, first)
    assert first["state"] == "awaiting_move"
    assert (first["awaits"]["seat"], first["awaits"]["register"], first["awaits"]["limit"]) == ("black", "x", 8)
    assert first["awaits"]["registers"]["s"] == "The tide came in over the flats."
    assert first["awaits"]["due_at"] is not None
    assert now(bo, second)["awaits"]["registers"] == {}, "it is not White's turn"

    problem(bo.post(f"/submissions/{second['id']}/moves", json={"move": "early"}), 409, "not-awaiting-move")
    assert move(ada, first, "sea")["state"] == "awaiting_opponent"
    assert now(bo, second)["state"] == "awaiting_move"
    assert [event["text"] for event in now(bo, second)["events"] if event["type"] == "move"] == ["sea"]
    ended = move(bo, second, " ship", wait=30)
    assert ended["state"] == "scored"
    first = now(ada, first, wait=30)
    assert first["bits"] == -ended["bits"], "what black wins, white loses"
    assert first["bits"] == first["rewards"]["black"] != 0
    board = {entry["player"]["name"]: entry["bits"] for entry in duel.board()}
    assert board == {"Ada": first["bits"], "Bo": ended["bits"]}


def test_an_invitation_is_for_one_player(duel: Class) -> None:
    ada, bo, cy = duel.join("Ada"), duel.join("Bo"), duel.join("Cy")
    waiting = challenge(ada, duel, invite="bo", seat="white")
    assert waiting["seat"] == "white"
    assert challenges(cy, duel) == []
    problem(cy.post(f"/challenges/{waiting['play']}:accept", json={}), 403, "forbidden")
    assert challenges(bo, duel)[0]["invited"]["name"] == "Bo"
    other = challenge(cy, duel)
    assert other["play"] != waiting["play"], "an open challenge does not end up with an invitation"
    joined = bo.post(f"/challenges/{waiting['play']}:accept", json={})
    assert joined.status_code == 201, joined.text
    assert (joined.json()["seat"], joined.json()["state"]) == ("black", "awaiting_move")
    problem(bo.post(f"/challenges/{waiting['play']}:accept", json={}), 409, "challenge-gone")


def test_what_a_challenge_may_not_ask(duel: Class) -> None:
    ada, bo = duel.join("Ada"), duel.join("Bo")
    path = f"/rounds/{duel.round_id}/challenges"
    with nothing_changes(duel.house):
        assert pointers(problem(ada.post(path, json={"seat": "carol"}), 422, "invalid-request")) == ["/seat"]
        assert pointers(problem(ada.post(path, json={"invite": "nobody"}), 422, "invalid-request")) == ["/invite"]
        assert pointers(problem(ada.post(path, json={"invite": "Ada"}), 422, "invalid-request")) == ["/invite"]
        problem(ada.submit(duel.round_id, "alone"), 409, "several-seats")
        problem(duel.house.host.post(path, json={}), 403, "forbidden")
        problem(ada.post("/challenges/play_0000000000000000:accept", json={}), 404, "not-found")
    waiting = challenge(ada, duel)
    with nothing_changes(duel.house):
        problem(ada.post(path, json={}), 409, "challenge-open")
        problem(ada.post(f"/challenges/{waiting['play']}:accept", json={}), 409, "own-challenge")
        problem(bo.post(f"/challenges/{waiting['play']}:accept", json={"seat": "black"}), 409, "seat-taken")
        problem(bo.post(f"/submissions/{waiting['id']}:resign"), 403, "forbidden")


def test_a_name_that_no_database_takes_invites_nobody(duel: Class, visitor: Visitor) -> None:
    visitor.join(duel, "Ada")
    with nothing_changes(duel.house):
        refused = visitor.send(f"/rounds/{duel.round_id}/challenges", seat="", invite="\0")
    assert refused.status_code == 400


def test_a_player_waits_in_a_few_challenges_at_most(house: RunningApp) -> None:
    class_ = class_of(house, attempts=6)
    ada, others = class_.join(), [class_.join() for _ in range(5)]
    open_ = challenge(ada, class_)
    invitations = [challenge(ada, class_, invite=each.id) for each in others[:4]]
    path, one_more = f"/rounds/{class_.round_id}/challenges", {"invite": others[4].id}
    with nothing_changes(house):
        for body in (one_more, {}):
            assert "5 challenges" in problem(ada.post(path, json=body), 409, "too-many-challenges")["detail"]
    for gone in (open_, invitations[0]):
        answer(ada.post(f"/submissions/{gone['id']}:resign"))
    assert challenge(ada, class_, **one_more)["state"] == "awaiting_opponent"
    answer(others[1].post(f"/challenges/{invitations[1]['play']}:accept", json={}), 202)
    assert len(challenges(ada, class_)) == 3, "what is played waits no more"


def test_a_challenge_runs_out(house: RunningApp) -> None:
    class_ = class_of(house, attempts=1)
    ada, bo = class_.join(), class_.join()
    waiting = challenge(ada, class_, invite=bo.id)
    (shown,) = challenges(bo, class_)
    assert shown["until"] > shown["since"]
    answer(house.host.post(f"/rounds/{class_.round_id}:pause"))
    answer(house.host.post(f"/rounds/{class_.round_id}:open"))
    assert challenges(bo, class_) == [shown], "a pause makes it no longer"
    set_back(house, waiting, 24 * 3600 + 1)
    eventually(lambda: now(ada, waiting)["state"] == "rejected", what="the end of the challenge")
    assert now(ada, waiting)["reason"]["type"] == "withdrawn"
    assert house.attempts_used(class_.round_id, str(ada.id)) == 0
    assert challenges(bo, class_) == []


def test_challenges_come_in_pages_and_the_oldest_with_a_seat_is_taken_up(duel: Class) -> None:
    waiting = [challenge(duel.join(), duel, seat="black")["play"] for _ in range(5)]
    last = duel.join()
    own = challenge(last, duel, seat="black")["play"]
    found, cursor = list[str](), None
    for _ in range(4):
        page = answer(last.get(f"/rounds/{duel.round_id}/challenges", params={"limit": 2, "cursor": cursor or 0}))
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == [own, *waiting]
    assert challenge(last, duel, seat="white")["play"] == waiting[0]


def test_the_page_proposes_whom_to_invite_only_where_these_are_few(duel: Class, visitor: Visitor) -> None:
    visitor.join(duel, "Ada")
    duel.join("Bo")
    page = f"/rounds/{duel.round_id}/challenges"
    shown = visitor.get(page).text
    assert 'list="names"' in shown
    assert '<option value="Bo"></option>' in shown
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: duel.join(), range(50)))
    shown = visitor.get(page).text
    assert "Bo" not in shown
    assert "datalist" not in shown
    visitor.send(page, seat="", invite="Bo")
    assert "you invited <bdi>Bo</bdi>" in " ".join(visitor.get(page).text.split())


def test_a_game_of_one_seat_has_no_challenges(lesson: Class) -> None:
    ada = lesson.join()
    with nothing_changes(lesson.house):
        problem(ada.post(f"/rounds/{lesson.round_id}/challenges", json={}), 409, "one-seat")


def test_taking_a_challenge_back_costs_no_attempt(house: RunningApp) -> None:
    class_ = class_of(house, attempts=1)
    ada = class_.join()
    waiting = challenge(ada, class_)
    assert house.attempts_used(class_.round_id, str(ada.id)) == 1
    gone = answer(ada.post(f"/submissions/{waiting['id']}:resign"))
    assert (gone["state"], gone["reason"]["type"]) == ("rejected", "withdrawn")
    assert house.attempts_used(class_.round_id, str(ada.id)) == 0
    assert challenges(class_.join(), class_) == []
    problem(ada.post(f"/submissions/{waiting['id']}:resign"), 409, "play-over")
    challenge(ada, class_)


def begun(class_: Class) -> tuple[Caller, Json, Caller, Json]:
    """Black and white, and their submissions, before the first move."""
    ada, bo = class_.join(), class_.join()
    return ada, challenge(ada, class_), bo, challenge(bo, class_)


def test_who_resigns_is_rejected_and_who_stays_has_a_result(house: RunningApp) -> None:
    class_ = class_of(house, attempts=1)
    ada, first, bo, second = begun(class_)
    left = answer(ada.post(f"/submissions/{first['id']}:resign"))
    assert (left["state"], left["reason"]["type"], left["bits"]) == ("rejected", "resigned", None)
    stays = now(bo, second)
    assert (stays["state"], stays["bits"], stays["reason"]["type"]) == ("scored", 0, "opponent_left")
    assert [entry["player"]["id"] for entry in class_.board()] == [bo.id, ada.id]
    assert house.attempts_used(class_.round_id, str(ada.id)) == 1, "it is charged"
    problem(ada.post(f"/submissions/{first['id']}/moves", json={"move": "late"}), 409, "not-awaiting-move")


def test_the_move_clock_ends_a_play(house: RunningApp) -> None:
    class_ = class_of(house, move_seconds=5)
    ada, first, bo, second = begun(class_)
    set_back(house, first, 6)
    eventually(lambda: now(ada, first)["state"] == "rejected", what="the end of the move clock")
    assert now(ada, first)["reason"]["type"] == "abandoned"
    assert now(bo, second)["state"] == "scored"


def test_a_move_after_the_clock_is_refused_although_nobody_has_noticed(house: RunningApp) -> None:
    class_ = class_of(house, move_seconds=5)
    ada, first, _, _ = begun(class_)
    answer(house.host.post(f"/rounds/{class_.round_id}:pause"))  # the clock of a paused round ends nothing
    set_back(house, first, 6)
    problem(ada.post(f"/submissions/{first['id']}/moves", json={"move": "late"}), 409, "round-paused")
    answer(house.host.post(f"/rounds/{class_.round_id}:open"))
    assert move(ada, first, "in time")["state"] == "awaiting_opponent", "opening gives the whole time again"


def test_closing_the_round_ends_what_is_going_on(house: RunningApp) -> None:
    class_ = class_of(house, attempts=1)
    ada, first, bo, second = begun(class_)
    cy = class_.join()
    waiting = challenge(cy, class_)
    answer(house.host.post(f"/rounds/{class_.round_id}:close"))
    assert now(ada, first)["reason"]["type"] == "abandoned"
    assert now(bo, second)["state"] == "scored"
    assert now(cy, waiting)["reason"]["type"] == "withdrawn"
    assert house.attempts_used(class_.round_id, str(cy.id)) == 0


def test_hidden_registers_and_the_others_moves_stay_on_the_server(house: RunningApp) -> None:
    class_ = class_of(house, ASIDE)
    ada, bo = class_.join(), class_.join()
    first, second = challenge(ada, class_), challenge(bo, class_)
    assert answer(ada.get(f"/rounds/{class_.round_id}"))["passages"] == [], "neither seat sees the registers"
    assert now(ada, first)["awaits"]["registers"] == {"p": ""}
    move(ada, first, "whisper one")
    assert now(bo, second)["awaits"]["registers"] == {"p": "Alice has spoken."}
    move(bo, second, "whisper two", wait=30)
    for caller, mine, own, foreign in ((ada, first, "one", "two"), (bo, second, "two", "one")):
        response = caller.get(f"/submissions/{mine['id']}", params={"wait": 30})
        assert response.json()["state"] == "scored"
        assert f"whisper {own}" in response.text
        assert f"whisper {foreign}" not in response.text
        assert "tide" not in response.text
        assert "secret" not in response.text
        (reward,) = [event for event in response.json()["events"] if event["type"] == "reward"]
        assert reward["tokens"] == []
        assert reward["bits"] > 0
        assert response.json()["bits"] == round(reward["bits"], 3)


def test_a_repeated_challenge_is_the_same_one(duel: Class) -> None:
    ada, bo = duel.join(), duel.join()
    path = f"/rounds/{duel.round_id}/challenges"

    def ask(caller: Caller, **body: str) -> Any:
        return caller.post(path, json=body, headers={"Idempotency-Key": "once"})

    first, again = ask(ada), ask(ada)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    problem(ask(ada, seat="white"), 422, "idempotency-key-reused")
    taken = f"/challenges/{first.json()['play']}:accept"
    joined = [bo.post(taken, json={}, headers={"Idempotency-Key": "twice"}).json()["id"] for _ in range(2)]
    assert joined[0] == joined[1]


def test_twenty_at_once_make_ten_plays(house: RunningApp) -> None:
    class_ = class_of(house)
    callers = [class_.join() for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda caller: challenge(caller, class_), callers))
    seats: dict[str, set[str]] = {}
    for submission in made:
        seats.setdefault(submission["play"], set()).add(submission["seat"])
    assert list(seats.values()) == [{"black", "white"}] * 10


def test_one_challenge_is_taken_up_once(duel: Class) -> None:
    waiting = challenge(duel.join(), duel)
    callers = [duel.join() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        path = f"/challenges/{waiting['play']}:accept"
        statuses = sorted(pool.map(lambda caller: caller.post(path, json={}).status_code, callers))
    assert statuses == [202] + [409] * 7


def test_moves_and_resigning_at_once_leave_one_truth(duel: Class) -> None:
    ada, first, bo, second = begun(duel)
    with ThreadPoolExecutor(2) as pool:
        moved = pool.submit(ada.post, f"/submissions/{first['id']}/moves", json={"move": "sea"})
        left = pool.submit(bo.post, f"/submissions/{second['id']}:resign")
    assert left.result().status_code == 200
    assert moved.result().status_code in (202, 409)
    assert now(bo, second)["state"] == "rejected"
    assert now(ada, first)["state"] == "scored"
    assert duel.house.submissions(duel.round_id)[0].state == SubmissionState.SCORED


def test_who_breaks_the_rules_too_often_leaves_the_other_with_a_result(house: RunningApp) -> None:
    source = "\n".join(
        ["elicit(black, x, 4)", "elicit(white, y, 4)", 'ensure(y == "yes")', "reward(black, xent(x))", ""]
    )
    class_ = class_of(house, source, passages=[])
    ada, first, bo, second = begun(class_)
    move(ada, first, "well?")
    for _ in range(10):
        second = move(bo, second, "no")
        assert second["state"] == "awaiting_move"
    assert second["events"][-2]["type"] == "ensure_failed"
    assert (second["events"][-2]["left"], second["events"][-2]["right"]) == ("no", "yes")
    assert move(bo, second, "no")["reason"]["type"] == "ensure_limit"
    assert now(ada, first)["reason"]["type"] == "opponent_left"


def test_a_play_can_begin_before_its_first_move_and_says_what_it_shows(house: RunningApp) -> None:
    source = "assign(s=story())\nreveal(alice, xent(s))\nelicit(alice, x, 8)\nreward(alice, xed(s | x))\n"
    class_ = class_of(house, source)
    ada = class_.join()
    assert answer(ada.get(f"/rounds/{class_.round_id}"))["opening"] is None, "something is measured before"
    response = ada.post(f"/rounds/{class_.round_id}/submissions:begin", params={"wait": 30})
    assert response.status_code == 201
    begun_ = response.json()
    assert begun_["state"] == "awaiting_move"
    assert begun_["events"][0]["values"][0]["value"]["bits"] == 128
    assert move(ada, begun_, "9", wait=30)["bits"] == 9


# --- The Python client ------------------------------------------------------------------------------------------------


def test_the_python_client_meets_plays_and_gives_up(house: RunningApp, duel: Class) -> None:
    ada, bob = duel.join(), duel.join()
    with Client(house.url, ada.token) as one, Client(house.url, bob.token) as other:
        waiting = one.challenge(duel.round_id, seat="white")
        assert waiting.state == "awaiting_opponent"
        (open_,) = other.challenges(duel.round_id)
        assert (open_.free, open_.invited) == (("black",), None)
        taken = other.accept(open_.id)
        assert taken.state == "awaiting_move"
        other.move_again(taken.id, "5", wait=0)
        last = one.move_again(one.submission(waiting.id, wait=20).id, "words")
        assert one.wait_for(last).state == "scored"
        again = one.challenge(duel.round_id, invite=bob.id)
        assert one.resign(again.id).state == "rejected"
        assert other.challenges(duel.round_id) == []


def test_the_python_client_begins_a_play_without_a_move(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game=house.install_game(TWO_STEPS))
    with Client(house.url, lesson.join().token) as client:
        begun = client.begin(lesson.round_id)
        assert begun.state == "awaiting_move"
        assert begun.awaits is not None
        assert begun.awaits.register_ == "x"
        second = client.move_again(begun.id, "3")
        assert client.wait_for(client.move_again(second.id, "4")).state == "scored"
