"""A host's page of a competition: what is kept live on it, and who may look."""

from collections.abc import Iterator

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import Hand

PARTS = ("rounds", "moves", "players")


@pytest.fixture
def host(house: RunningApp) -> Iterator[Visitor]:
    made = Visitor(house)
    made.sign_in(house.host)
    yield made
    made.http.close()


def part(host: Visitor, lesson: Class, name: str) -> str:
    return text_of(host.get(f"/host/competitions/{lesson.id}/{name}"))


def test_the_parts_are_what_the_page_has(host: Visitor, lesson: Class) -> None:
    lesson.join("Ada").score(lesson.round_id, "9")
    page = host.get(f"/host/competitions/{lesson.id}")
    assert f'data-events="/api/v1/competitions/{lesson.id}/events"' in page.text
    for name in PARTS:
        assert f'data-part="/host/competitions/{lesson.id}/{name}"' in page.text
        assert part(host, lesson, name) in text_of(page)


def test_joins_moves_and_scores_are_in_them(host: Visitor, slow_lesson: Class, hand: Hand) -> None:
    lesson = slow_lesson
    assert "0 players have moved" in part(host, lesson, "rounds")
    ada = lesson.join("Ada")
    lesson.join("Bob")
    assert "2 players" in part(host, lesson, "players")
    answer(ada.post(lesson.submissions, json={"move": "9 boats"}), 202)
    answer(ada.post(lesson.submissions, json={"move": "8 boats"}), 202)
    assert "1 player has moved, 2 wait for their scores" in part(host, lesson, "rounds")
    assert "measurements wait for the judge" in part(host, lesson, "rounds")
    assert "9 boats waits for the judge" in part(host, lesson, "moves")
    while claims := hand.take():
        hand.answer(*claims)
    eventually(lambda: "wait for" not in part(host, lesson, "rounds").split("moved")[1], what="the scores")
    assert "9.000 bits" in part(host, lesson, "moves")


def test_the_moves_are_sent_again_only_where_they_changed(host: Visitor, lesson: Class) -> None:
    path = f"/host/competitions/{lesson.id}/moves"
    ada = lesson.join("Ada")
    made = ada.score(lesson.round_id, "9")
    known = {"If-None-Match": host.get(path).headers["etag"]}
    assert host.get(path, headers=known).status_code == 304
    for change in (f"/submissions/{made['id']}:hide", f"/submissions/{made['id']}:show"):
        answer(lesson.house.host.post(change))
        again = host.get(path, headers=known)
        assert again.status_code == 200
        known = {"If-None-Match": again.headers["etag"]}
    answer(lesson.house.host.request("PATCH", f"/players/{ada.id}", json={"name": "Grace"}))
    assert "Grace" in text_of(host.get(path, headers=known))
    lesson.join("Bob").score(lesson.round_id, "3")
    assert "Bob" in text_of(host.get(path, headers=known))


def test_practice_and_other_competitions_are_not_counted(host: Visitor, lesson: Class) -> None:
    lesson.join("Ada").score(lesson.round_id, "9")
    lesson.close()
    lesson.join("Bob").score(lesson.round_id, "8", practice=True)
    assert "1 player has moved" in part(host, lesson, "rounds")
    assert "for the judge" not in part(host, lesson, "rounds"), "no round goes on"


@pytest.mark.parametrize("name", PARTS)
def test_a_player_sees_no_part_of_it(visitor: Visitor, lesson: Class, name: str) -> None:
    visitor.join(lesson, "Ada")
    assert visitor.get(f"/host/competitions/{lesson.id}/{name}").status_code == 403
    visitor.send("/sign-out")
    assert visitor.get(f"/host/competitions/{lesson.id}/{name}").url.path == "/sign-in"
