"""A host's page of a competition: what is kept live on it, who may look, and what it says of a judge that is gone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.scenario.deployment import answer
from tests.support.server import Class, RunningApp, new_class
from tests.support.services import eventually
from tests.support.web import Visitor, text_of
from tests.support.workers import FakeJudge, Hand, at_work

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


@pytest.mark.slow
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


KEEP = "docker compose run -d --no-deps worker"


@pytest.fixture
def left(house: RunningApp, judge: FakeJudge) -> Iterator[Class]:
    """A class with an open round whose judge has been served, and is no longer."""
    with at_work(house.redis_url, judge):
        eventually(lambda: house.measurable(judge), what="the judge")
        answer(house.anyone.get("/judges"))
        lesson = new_class(house, judge)
    eventually(lambda: not house.measurable(judge), what="nobody at work")
    yield lesson
    lesson.close()


def pages_of(visitor: Visitor, lesson: Class) -> dict[str, str]:
    paths = [f"/host/competitions/{lesson.id}", f"/host/rounds/{lesson.round_id}/edit", "/host/judges"]
    return {path: visitor.get(path).text for path in paths}


def since(page: str) -> datetime:
    found = re.search(r'No worker has served the judge .*? since <time datetime="([^"]+)"', page)
    assert found, page
    return datetime.fromisoformat(found[1])


def test_a_host_reads_which_judge_is_gone_since_when_and_what_to_do(
    left: Class, judge: FakeJudge, visitor: Visitor
) -> None:
    visitor.sign_in(left.house.host)
    for path, page in pages_of(visitor, left).items():
        assert timedelta(0) <= datetime.now(UTC) - since(page) < timedelta(minutes=10), path
        assert f"xentarena worker --judge {judge.name}" in page, path
        assert judge.identity[:12] in page, path
        assert KEEP not in page, path
    assert f'href="/host/competitions/{left.id}#{left.round_id}"' in visitor.get("/host/judges").text


def test_another_judge_of_its_name_does_not_answer_and_hosts_are_told_to_keep_the_old_worker(
    left: Class, judge: FakeJudge, visitor: Visitor
) -> None:
    class Newer(FakeJudge):
        identity = f"newer-{judge.name}"

    newer = Newer(judge.name)
    visitor.sign_in(left.house.host)
    with at_work(left.house.redis_url, newer):
        eventually(lambda: left.house.measurable(newer), what="the newer one")
        for path, page in pages_of(visitor, left).items():
            assert since(page), path
            assert "with other weights" in page, path
            assert KEEP in page, path
    with at_work(left.house.redis_url, judge):
        eventually(lambda: left.house.measurable(judge), what="the old one")
        for path, page in pages_of(visitor, left).items():
            assert f"the judge {judge.name} since" not in page, path
            assert KEEP not in page, path


def test_what_ended_waits_for_nobody_and_what_is_another_host_s_is_not_told(
    left: Class, judge: FakeJudge, visitor: Visitor
) -> None:
    house = left.house
    key = answer(house.host.post("/hosts", json={"name": f"Host of {judge.name}"}), 201)["token"]
    other = house.caller(key)
    own = answer(other.post("/competitions", json={"name": "Their own"}), 201)["id"]
    visitor.sign_in(other)
    page = visitor.get("/host/judges").text
    assert left.id not in page
    assert judge.name in page, "judges are no secret"
    draft = answer(
        other.post(
            f"/competitions/{own}/rounds",
            json={"game": "condense", "passages": ["A field."], "judge": judge.identity, "draft": True},
        ),
        201,
    )
    assert f"{own}#{draft['id']}" in visitor.get("/host/judges").text
    visitor.sign_in(house.host)
    answer(house.host.post(f"/rounds/{left.round_id}:close"))
    page = visitor.get("/host/judges").text
    assert left.round_id not in page
    assert f"{own}#{draft['id']}" in page, "the owner sees everything"


def test_where_redis_has_forgotten_no_time_is_made_up(left: Class, judge: FakeJudge, visitor: Visitor) -> None:
    visitor.sign_in(left.house.host)
    wrong = {"x": "soon", judge.identity: "99999999999999"}
    left.house.redis.delete("xa:served")
    left.house.redis.hset("xa:served", mapping=wrong)
    for path, page in pages_of(visitor, left).items():
        assert f"No worker serves the judge {judge.name} at the moment" in page, path
