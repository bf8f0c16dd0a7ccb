"""The list of rounds as a player sees it: one's own best, place and attempts, and a place told in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from server.web.words import ordinal
from tests.support.server import Class, RunningApp, new_class
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN

MANY = 100


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of any database in the meantime, by anyone."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _about(visitor: Visitor, path: str) -> int:
    """How many statements about rounds a page takes: the least of some tries, since others are at work meanwhile."""
    counts = []
    for _ in range(5):
        with statements() as seen:
            assert visitor.get(path).status_code == 200
        counts.append(sum(any(f" {name}" in each for name in ("games", "attempts", "standings")) for each in seen))
    return min(counts)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/rounds", "/rounds/list", "/rounds/{}"])
def test_a_hundred_rounds_take_no_more_statements_than_one(visitor: Visitor, lesson: Class, path: str) -> None:
    visitor.join(lesson, "Ada")
    path = path.format(lesson.round_id)
    few = _about(visitor, path)
    for number in range(1, MANY):
        lesson.another_round(game=("condense", "condense_strict")[number % 2])
    assert f"/rounds/{lesson.round_id}" in visitor.get("/rounds").text
    assert _about(visitor, path) <= few


@pytest.mark.parametrize(("bots", "place"), [("separate", "2nd of 3"), ("mixed", "3rd of 4")])
def test_a_round_in_the_list_shows_ones_best_ones_place_and_what_is_left(
    visitor: Visitor, house: RunningApp, bots: str, place: str
) -> None:
    lesson = new_class(house, PLAIN, bots=bots, attempts=3)
    lesson.join("Bob").score(lesson.round_id, "9")
    lesson.join("Cyd").score(lesson.round_id, "5")
    lesson.join("Robby", "bot").score(lesson.round_id, "20")
    gone = lesson.join("Dan")
    gone.score(lesson.round_id, "30")
    house.host.post(f"/players/{gone.id}:remove")
    second = lesson.another_round(attempts=2)
    visitor.join(lesson, "Ada")
    visitor.send(f"/rounds/{lesson.round_id}/moves", move="4")
    visitor.send(f"/rounds/{lesson.round_id}/moves", move="5.0")
    for path in ("/rounds", "/rounds/list"):
        words = text_of(visitor.get(path))
        assert f"Condense open your best 5.000 bits {place} 1 attempt left" in words
        assert "Condense open 2 attempts left" in words
    assert f"You are {place}." in text_of(visitor.get(f"/rounds/{lesson.round_id}"))
    assert "You are" not in text_of(visitor.get(f"/rounds/{second['id']}"))


def test_places_are_told_as_english_tells_them() -> None:
    told = {
        1: "1st",
        2: "2nd",
        3: "3rd",
        4: "4th",
        11: "11th",
        12: "12th",
        13: "13th",
        21: "21st",
        102: "102nd",
        111: "111th",
    }
    assert {number: ordinal(number) for number in told} == told


def test_a_host_reads_which_passage_and_which_judge_an_error_is_about(visitor: Visitor, lesson: Class) -> None:
    visitor.sign_in(lesson.house.host)
    path = f"/host/competitions/{lesson.id}/rounds"
    fields = {"game": "contrast", "judge": PLAIN.name, "passages": "one\n---\n"}
    assert "Passage 2: The passage is empty." in text_of(visitor.send(path, **fields))
    fields = {"game": "arrow_of_time", "judge": PLAIN.name, "judges": "backward=nobody"}
    assert "Judge “backward”: No worker has announced the judge 'nobody'" in text_of(visitor.send(path, **fields))
