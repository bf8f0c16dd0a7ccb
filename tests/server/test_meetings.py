"""Where one thing that hosts do meets another: deleted rounds and players, observers, frozen boards, new codes."""

import re
from collections.abc import Iterator

import pytest

from tests.support.games import new_name, program
from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, RunningApp, new_competition, new_round
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import FakeJudge, Hand, hand_of


@pytest.fixture
def host(house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(house)
    made.sign_in(house.host)
    yield made
    made.http.close()


def observer_of(lesson: Class) -> Caller:
    made = answer(
        lesson.house.host.post(f"/competitions/{lesson.id}/hosts", json={"name": "Mr B", "scope": "observer"}), 201
    )
    return lesson.house.caller(made["token"])


def delete_round(lesson: Class, round_id: str) -> None:
    answer(lesson.house.host.post(f"/rounds/{round_id}:close"))
    answer(lesson.house.host.post(f"/rounds/{round_id}:delete"))


def test_a_page_of_what_hosts_did_has_who_was_deleted(host: Visitor, lesson: Class) -> None:
    ada = lesson.join("Ada")
    assert lesson.house.host.request("DELETE", f"/players/{ada.id}", json={"name": "Ada"}).status_code == 204
    shown = text_of(host.get(f"/host/competitions/{lesson.id}/audit"))
    assert f"deleted a player for good: {ada.id}" in shown
    assert "Ada" not in shown


def test_a_deleted_round_is_in_no_list_but_that_of_its_host(host: Visitor, lesson: Class) -> None:
    ada, other = lesson.join("Ada"), lesson.another_round()
    ada.score(lesson.round_id, "25")
    kept = ada.score(other["id"], "3")
    delete_round(lesson, lesson.round_id)
    assert "1. Condense deleted at" in text_of(host.get(f"/host/competitions/{lesson.id}"))
    assert [each["id"] for each in answer(ada.get("/me/submissions"))["items"]] == [kept["id"]]


def test_a_wall_shows_the_round_that_ended_last_of_those_that_are_there(host: Visitor, lesson: Class) -> None:
    first, last = lesson.another_round(title="First"), lesson.another_round(title="Last")
    for each in (last, first):
        answer(lesson.house.host.post(f"/rounds/{each['id']}:close"))
    delete_round(lesson, lesson.round_id)
    host.send(f"/host/competitions/{lesson.id}/wall")
    assert "First" in text_of(host.get(f"/show/{lesson.competition['code']}/scene"))


def test_a_new_code_is_told(lesson: Class) -> None:
    answer(lesson.house.host.post(f"/competitions/{lesson.id}:renew-code"))
    assert lesson.events()[-1]["type"] == "competition.changed"
    assert lesson.events()[-1]["data"] == {}


def test_hosts_lists_count_who_is_there(host: Visitor, lesson: Class) -> None:
    ada, _ = lesson.join("Ada"), lesson.join("Bob")
    answer(lesson.house.host.post(f"/players/{ada.id}:remove"))
    answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": "approval"}))
    lesson.join("Wim")
    shown = text_of(host.get("/host"))
    assert "1 player, 1 round" in shown[shown.index(lesson.competition["code"]) :][:120]


def test_whoever_was_removed_is_not_counted_as_having_moved(host: Visitor, lesson: Class) -> None:
    ada, bob = lesson.join("Ada"), lesson.join("Bob")
    for each in (ada, bob):
        each.score(lesson.round_id, "25")
    answer(lesson.house.host.post(f"/players/{ada.id}:remove"))
    assert "1 player has moved" in text_of(host.get(f"/host/competitions/{lesson.id}/rounds"))


def test_a_draft_that_moves_past_rounds_is_told_of_by_one_of_them(lesson: Class) -> None:
    draft = lesson.another_round(draft=True)
    answer(lesson.house.host.post(f"/rounds/{draft['id']}:move", json={"number": 1}))
    assert (lesson.events()[-1]["type"], lesson.events()[-1]["data"]["round"]) == ("round.changed", lesson.round_id)
    assert not any(event["data"].get("round") == draft["id"] for event in lesson.events())


def test_an_observer_has_no_page_with_what_they_may_not_press(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(observer_of(lesson))
    at = f"/host/competitions/{lesson.id}"
    for path in ("", "/hosts"):
        page = visitor.get(at + path)
        assert page.status_code == 200
        assert set(re.findall(r'method="post" action="([^"]+)"', page.text)) == {"/language"}
    for path in ("/people", "/people/waiting", "/audit"):
        assert visitor.get(at + path).status_code == 403
        assert at + path not in visitor.get(at).text


def test_an_observer_sees_what_a_host_sees(visitor: Visitor, lesson: Class) -> None:
    host, ada = lesson.house.host, lesson.join("Ada")
    observer = observer_of(lesson)
    visitor.sign_in(observer)
    answer(host.request("PATCH", f"/rounds/{lesson.round_id}", json={"title": "The evening before"}))
    answer(host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": "approval"}))
    lesson.join("Wim")
    headers = {"Content-Type": "text/csv"}
    answer(host.post(f"/competitions/{lesson.id}/roster", content=b"Bob,1815", headers=headers), 201)
    answer(host.post(f"/competitions/{lesson.id}:freeze"))
    ada.score(lesson.round_id, "25")
    shown = text_of(visitor.get(f"/host/competitions/{lesson.id}"))
    assert "1. The evening before (Condense)" in shown
    assert "The boards are frozen since" in shown
    assert "Wim waits to be let in" in shown
    assert "Bob 1815" in shown
    players = answer(observer.get(f"/competitions/{lesson.id}/players"))["items"]
    assert {each["name"]: each["external_id"] for each in players} == {"Ada": None, "Wim": None, "Bob": "1815"}
    shown = text_of(visitor.get(f"/rounds/{lesson.round_id}"))
    assert "players see this board as it was then, you see it as it is" in shown
    assert "25.000" in shown
    assert "You are here as an observer." in shown


def test_a_co_host_is_not_offered_what_only_hosts_of_their_own_do(visitor: Visitor, lesson: Class) -> None:
    made = answer(lesson.house.host.post(f"/competitions/{lesson.id}/hosts", json={"name": "Ms Byron"}), 201)
    visitor.sign_in(lesson.house.caller(made["token"]))
    page = visitor.get(f"/host/competitions/{lesson.id}")
    assert f"/host/competitions/{lesson.id}/rounds" in page.text
    assert f"/host/competitions/{lesson.id}/duplicate" not in page.text


def test_a_host_makes_a_game_of_their_own_from_another_hosts(visitor: Visitor, lesson: Class) -> None:
    host, name = lesson.house.host, new_name()
    game = answer(host.post("/games", json={"name": name, "source": program(f"# {name}")}), 201)
    other = answer(host.post("/hosts", json={"name": "Ms Byron"}), 201)
    visitor.sign_in(lesson.house.caller(other["token"]))
    page = visitor.get(f"/games/{name}")
    assert "Make a game of your own from it" in page.text
    assert f"/host/games/{game['digest']}/withdraw" not in page.text
    assert f'value="own_{name}"' in visitor.get(f"/host/games/new?of={name}").text
    answer(host.post(f"/games/{name}:withdraw"))
    assert name not in visitor.get("/games").text


def test_a_wall_does_not_invite_where_nobody_can_join(host: Visitor, lesson: Class) -> None:
    host.send(f"/host/competitions/{lesson.id}/wall")
    scene = f"/show/{lesson.competition['code']}/scene"
    assert "with the code" in text_of(host.get(scene))
    answer(lesson.house.host.request("PATCH", f"/competitions/{lesson.id}", json={"joining": "locked"}))
    shown = text_of(host.get(scene))
    assert "Nobody can join at the moment." in shown
    assert lesson.competition["code"] not in shown


def test_a_wall_hears_that_its_competition_is_published(lesson: Class) -> None:
    made = new_competition(lesson.house, draft=True)
    answer(lesson.house.host.post(f"/competitions/{made['id']}:publish"))
    events = answer(lesson.house.host.get(f"/competitions/{made['id']}/events", params={"after": 0}))["items"]
    assert [each["type"] for each in events] == ["competition.changed"]


def test_an_observer_opens_what_is_linked_of_a_move(visitor: Visitor, lesson: Class) -> None:
    move = lesson.join("Ada").score(lesson.round_id, "25")
    lesson.close()
    visitor.sign_in(observer_of(lesson))
    page = visitor.get(f"/submissions/{move['id']}")
    links = {each for each in re.findall(r'href="([^"#]+)"', page.text) if each.startswith("/")}
    assert f"/api/v1/submissions/{move['id']}/receipt" in links
    assert {each: visitor.get(each).status_code for each in links} == dict.fromkeys(links, 200)


def test_what_waits_of_a_deleted_round_is_nobodys_wait(host: Visitor, lesson: Class, judge: FakeJudge) -> None:
    with hand_of(lesson.house.redis_url, judge):
        eventually(lambda: lesson.house.measurable(judge), what="the judge")
        gone = new_round(lesson.house, lesson.id, judge, draft=True)
    lesson.house.sql("UPDATE rounds SET state = 'preparing' WHERE id = :id", id=gone["id"])
    assert judge.name in text_of(host.get(f"/host/competitions/{lesson.id}/rounds"))
    answer(lesson.house.host.post(f"/rounds/{gone['id']}:delete"))
    assert judge.name not in text_of(host.get(f"/host/competitions/{lesson.id}/rounds"))


def test_a_score_that_comes_after_its_round_was_deleted_is_told_to_nobody(slow_lesson: Class, hand: Hand) -> None:
    ada = slow_lesson.join("Ada")
    move = answer(ada.submit(slow_lesson.round_id, "25"), 202)
    delete_round(slow_lesson, slow_lesson.round_id)
    while claims := hand.take():
        hand.answer(*claims)
    eventually(lambda: slow_lesson.house.submissions(slow_lesson.round_id)[0].millibits is not None, what="the score")
    assert "standing.changed" not in {event["type"] for event in slow_lesson.events()}
    answer(slow_lesson.house.host.post(f"/rounds/{slow_lesson.round_id}:restore"))
    assert [entry["submission"] for entry in slow_lesson.board()] == [move["id"]]


def test_what_hosts_did_links_to_no_page_of_a_deleted_round(host: Visitor, lesson: Class) -> None:
    move, kept = lesson.join("Ada").score(lesson.round_id, "25"), lesson.another_round()
    answer(lesson.house.host.post(f"/submissions/{move['id']}:hide"))
    delete_round(lesson, lesson.round_id)
    page = host.get(f"/host/competitions/{lesson.id}/audit")
    assert "deleted a round: Round 1" in text_of(page)
    assert "hid a move: a move of Ada" in text_of(page)
    links = set(re.findall(r'href="(/(?:rounds|submissions)/[^"]+)"', page.text))
    assert links == {f"/rounds/{kept['id']}"}
