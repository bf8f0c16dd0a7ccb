"""Rounds are moved, deleted and taken back; whole rounds and competitions are duplicated."""

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, all_at_once, new_class, nothing_changes, pointers, problem
from tests.support.workers import PLAIN


def act(house: RunningApp, path: str, **body: object) -> Json:
    return answer(house.host.post(path, json=body or None), 200, 201)


def order(lesson: Class) -> list[tuple[int, str]]:
    items = answer(lesson.house.host.get(f"/competitions/{lesson.id}/rounds"))["items"]
    return [(each["number"], each["id"]) for each in items]


@pytest.fixture
def four(lesson: Class) -> list[str]:
    return [lesson.round_id, *(lesson.another_round()["id"] for _ in range(3))]


def test_a_round_takes_the_place_of_another_and_those_between_make_room(lesson: Class, four: list[str]) -> None:
    a, b, c, d = four
    act(lesson.house, f"/rounds/{d}:move", number=2)
    assert order(lesson) == [(1, a), (2, d), (3, b), (4, c)]
    act(lesson.house, f"/rounds/{a}:move", number=4)
    assert order(lesson) == [(1, d), (2, b), (3, c), (4, a)]
    assert [each["type"] for each in lesson.events()][-2:] == ["round.changed"] * 2
    with nothing_changes(lesson.house):
        act(lesson.house, f"/rounds/{a}:move", number=4)
        assert pointers(
            problem(lesson.house.host.post(f"/rounds/{a}:move", json={"number": 9}), 422, "invalid-request")
        )
        problem(lesson.house.host.post(f"/rounds/{a}:move", json={"number": 0}), 422, "invalid-request")


def test_rounds_moved_at_once_keep_numbers_of_their_own(lesson: Class, four: list[str]) -> None:
    all_at_once(8, lambda number: act(lesson.house, f"/rounds/{four[number % 4]}:move", number=1 + number % 3))
    assert [number for number, _ in order(lesson)] == [1, 2, 3, 4]


def test_a_deleted_round_is_nowhere_and_comes_back_as_it_was(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, attempts=3)
    ada, second = lesson.join("Ada"), lesson.another_round()
    ada.score(lesson.round_id, "7")
    ada.score(second["id"], "5")
    path = f"/rounds/{lesson.round_id}"
    with nothing_changes(house):
        problem(house.host.post(f"{path}:delete"), 409, "round-open")
        problem(ada.post(f"{path}:delete"), 403, "forbidden")
        problem(house.host.post(f"{path}:restore"), 404, "not-found")
    lesson.close()
    act(house, f"{path}:delete")
    for caller in (ada, house.host):
        problem(caller.get(path), 404, "not-found")
        assert [each["id"] for each in answer(caller.get(f"/competitions/{lesson.id}/rounds"))["items"]] == [
            second["id"]
        ]
    problem(ada.submit(lesson.round_id, "9"), 404, "not-found")
    problem(house.host.post(f"{path}:open"), 404, "not-found")
    board = answer(ada.get(f"/competitions/{lesson.id}/leaderboard"))["items"]
    assert [entry["bits"] for entry in board] == [5.0]
    results = house.host.get(f"/competitions/{lesson.id}/results.csv").text
    assert len(results.strip().splitlines()) == 2
    act(house, f"{path}:restore")
    board = answer(ada.get(f"/competitions/{lesson.id}/leaderboard"))["items"]
    assert [entry["bits"] for entry in board] == [12.0]
    assert order(lesson) == [(1, lesson.round_id), (2, second["id"])]
    told = [each["type"] for each in lesson.events() if each["data"].get("round") == lesson.round_id]
    assert told[-3:] == ["round.closed", "round.changed", "round.changed"]


def test_a_deleted_round_is_not_opened_by_the_clock_and_not_taken_back_after_a_day(lesson: Class) -> None:
    house = lesson.house
    later = lesson.another_round(opens_at="2100-01-01T00:00:00Z")
    act(house, f"/rounds/{later['id']}:delete")
    early = "2026-01-31 12:00:00" + ("" if "sqlite" in house.database.url else "+00")
    house.sql("UPDATE rounds SET opens_at = :at WHERE id = :id", at=early, id=later["id"])
    lesson.join().score(lesson.round_id, "5")
    assert [each for each in lesson.events() if each["data"].get("round") == later["id"]][-1]["type"] == "round.changed"
    house.sql("UPDATE rounds SET archived_at = :at WHERE id = :id", at=early, id=later["id"])
    with nothing_changes(house):
        problem(house.host.post(f"/rounds/{later['id']}:restore"), 409, "round-deleted")


def test_a_round_is_duplicated_as_a_draft_that_lasts_as_long(house: RunningApp) -> None:
    lesson = new_class(
        house, PLAIN, title="Tides", attempts=2, opens_at="2100-01-01T09:00:00Z", closes_at="2100-01-01T09:20:00Z"
    )
    copy = act(house, f"/rounds/{lesson.round_id}:duplicate")
    same = ("title", "game", "digest", "passages", "judges", "profile", "attempts")
    assert {name: copy[name] for name in same} == {name: lesson.round[name] for name in same}
    assert (copy["number"], copy["draft"], copy["opens_at"], copy["closes_at"], copy["duration"]) == (
        *(2, True, None, None),
        1200,
    )


def test_a_competition_is_duplicated_without_its_players(house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, bots="none", title="Tides")
    lesson.another_round(game="condense_strict")
    ada = lesson.join("Ada")
    ada.score(lesson.round_id, "5")
    lab = {"lab": False, "closed_experiments": ["sampling"]}
    answer(house.host.request("PATCH", f"/competitions/{lesson.id}", json=lab))
    copy = act(house, f"/competitions/{lesson.id}:duplicate", name="Friday class")
    assert {name: copy[name] for name in lab} == lab
    assert (copy["name"], copy["bots"], copy["draft"]) == ("Friday class", "none", True)
    assert copy["code"] != lesson.competition["code"]
    rounds = answer(house.host.get(f"/competitions/{copy['id']}/rounds"))["items"]
    assert [(each["title"], each["game"], each["draft"]) for each in rounds] == [
        ("Tides", "condense", True),
        (rounds[1]["game_title"], "condense_strict", True),
    ]
    assert answer(house.host.get(f"/competitions/{copy['id']}/players"))["items"] == []
    with nothing_changes(house):
        problem(ada.post(f"/competitions/{lesson.id}:duplicate", json={"name": "Mine"}), 403, "forbidden")
        wrong = house.host.post(f"/competitions/{lesson.id}:duplicate", json={"name": " "})
        assert pointers(problem(wrong, 422, "invalid-request")) == ["/name"]


@pytest.mark.slow
def test_nobody_joins_a_competition_that_is_a_draft(house: RunningApp) -> None:
    draft = answer(house.host.post("/competitions", json={"name": "Friday class", "draft": True}), 201)
    body = {"code": draft["code"], "name": "Ada"}
    with nothing_changes(house):
        refused = problem(house.anyone.post("/competitions:join", json=body), 409, "competition-draft")
        assert "not published" in refused["detail"]
    published = act(house, f"/competitions/{draft['id']}:publish")
    assert published["draft"] is False
    answer(house.anyone.post("/competitions:join", json=body), 201)
