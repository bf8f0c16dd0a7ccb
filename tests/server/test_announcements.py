"""What a host tells everyone: made, shown, withdrawn; on the API, on pages and on the wall."""

import json
from collections.abc import Iterator

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Caller, Class, Json, RunningApp, new_class, pointers, problem
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN
from xentarena.client import Client


@pytest.fixture
def host(house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(house)
    made.sign_in(house.host)
    yield made
    made.http.close()


def announce(lesson: Class, text: str) -> Json:
    return answer(lesson.house.host.post(f"/competitions/{lesson.id}/announcements", json={"text": text}), 201)


def announced(caller: Caller, lesson: Class) -> list[str]:
    items = answer(caller.get(f"/competitions/{lesson.id}/announcements"))["items"]
    return [item["text"] for item in items]


def test_an_announcement_is_told_to_everyone_until_it_is_withdrawn(lesson: Class) -> None:
    ada = lesson.join("Ada")
    first, second = announce(lesson, "  Five minutes\nleft. "), announce(lesson, "Time is up.")
    assert first["text"] == "Five minutes left."
    assert announced(ada, lesson) == ["Time is up.", "Five minutes left."]
    withdraw = f"/announcements/{second['id']}:withdraw"
    gone = answer(lesson.house.host.post(withdraw))
    assert gone["withdrawn_at"] is not None
    assert answer(lesson.house.host.post(withdraw)) == gone, "once is enough"
    assert announced(ada, lesson) == announced(lesson.house.host, lesson) == ["Five minutes left."]
    told = [(event["type"], event["data"]) for event in lesson.events() if event["type"].startswith("announcement")]
    assert told == [
        ("announcement.made", {"announcement": first["id"]}),
        ("announcement.made", {"announcement": second["id"]}),
        ("announcement.withdrawn", {"announcement": second["id"]}),
    ]
    rows = lesson.house.sql("SELECT action FROM audit WHERE target = :id ORDER BY number", id=lesson.id)
    assert [row.action for row in rows][-3:] == ["announcement.make", "announcement.make", "announcement.withdraw"]


def test_only_a_host_announces_and_only_members_are_told(lesson: Class) -> None:
    path, ada = f"/competitions/{lesson.id}/announcements", lesson.join("Ada")
    made = announce(lesson, "Welcome!")
    stranger = new_class(lesson.house, PLAIN).join()
    problem(ada.post(path, json={"text": "I am the host"}), 403, "forbidden")
    problem(ada.post(f"/announcements/{made['id']}:withdraw"), 403, "forbidden")
    problem(stranger.get(path), 403, "forbidden")
    problem(lesson.house.anyone.get(path), 401, "unauthorized")
    problem(lesson.house.host.post("/announcements/ann_nowhere:withdraw"), 404, "not-found")
    problem(lesson.house.host.post("/competitions/cmp_nowhere/announcements", json={"text": "x"}), 404, "not-found")


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), (" \n ", "is empty"), ("x" * 281, "281 characters"), ("a\x07b", "control"), ("\ud800", "")],
    ids=["empty", "white space", "too long", "bell", "half a character"],
)
def test_a_line_that_is_none_is_refused(lesson: Class, text: str, said: str) -> None:
    body = problem(
        lesson.house.host.post(
            f"/competitions/{lesson.id}/announcements",
            content=json.dumps({"text": text}),
            headers={"Content-Type": "application/json"},
        ),
        422,
        "invalid-request",
    )
    assert pointers(body) == ["/text"]
    assert said in str(body)
    assert announce(lesson, "x" * 280)["text"] == "x" * 280


def test_players_and_the_wall_see_the_newest_ones(host: Visitor, visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    for number in range(1, 5):
        page = host.send(f"/host/competitions/{lesson.id}/announcements", text=f"Line <b>{number}</b>")
    assert "Line <b>1</b>" in text_of(page)
    for path in ("/rounds", f"/rounds/{lesson.round_id}", f"/competitions/{lesson.id}/announcements"):
        text = text_of(visitor.get(path))
        assert "Line <b>4</b>" in text
        assert "Line <b>2</b>" in text
        assert "Line <b>1</b>" not in text
    wall = host.send(f"/host/competitions/{lesson.id}/wall")
    assert "Line <b>4</b>" in text_of(wall)
    newest = answer(lesson.house.host.get(f"/competitions/{lesson.id}/announcements"))["items"][0]["id"]
    page = host.send(f"/host/announcements/{newest}/withdraw")
    assert "Line <b>4</b>" not in text_of(page)
    assert "Line <b>3</b>" in text_of(host.get(f"{wall.url.path}/announced"))


def test_a_refused_line_is_still_there_to_be_mended(host: Visitor, visitor: Visitor, lesson: Class) -> None:
    path = f"/host/competitions/{lesson.id}/announcements"
    page = host.send(path, text="x" * 281)
    assert page.status_code == 422
    assert "281 characters" in text_of(page)
    assert f'value="{"x" * 281}"' in page.text
    visitor.join(lesson, "Ada")
    assert visitor.send(path, text="I am the host").status_code == 403


def test_a_bot_asks_for_them(lesson: Class) -> None:
    announce(lesson, "Welcome, bots!")
    with Client(lesson.house.url, lesson.join("Robby", "bot").token) as client:
        assert [each.text for each in client.announcements()] == ["Welcome, bots!"]
