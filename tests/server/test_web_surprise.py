"""What a player's page says of surprise: the passage as a map before the first move, and a score in words after it."""

import re

import pytest

from tests.support.scenario.deployment import PASSAGE
from tests.support.server import Class, RunningApp, new_class
from tests.support.web import Visitor, text_of
from tests.support.workers import PLAIN, FakeJudge, bits


@pytest.fixture
def house(sqlite_house: RunningApp) -> RunningApp:
    return sqlite_house


def test_the_passage_is_a_map_of_what_it_costs_without_words(visitor: Visitor, lesson: Class) -> None:
    visitor.join(lesson, "Ada")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    shown = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", page.text, re.DOTALL)
    assert shown
    assert re.sub(r"<[^>]+>", "", shown[1]) == PASSAGE
    costs = [float(each) for each in re.findall(r'data-bits="([\d.]+)"', shown[1])]
    expected = bits("", PASSAGE)
    assert costs == pytest.approx(expected, abs=0.01)
    assert f"{sum(expected):.1f} bits of surprise without your words" in text_of(page)


def test_a_token_that_the_profile_leaves_out_stands_in_the_passage_all_the_same(
    visitor: Visitor, house: RunningApp
) -> None:
    lesson = new_class(house, PLAIN, profile="xent-0.5")
    visitor.join(lesson, "Ada")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    shown = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", page.text, re.DOTALL)
    assert shown
    assert "data-bits" in shown[1]
    assert re.sub(r"<[^>]+>", "", shown[1]) == PASSAGE


@pytest.mark.parametrize(
    ("game", "passages"),
    [("guess_the_surprise", 1), ("find_the_surprise", 1), ("which_is_likelier", 2), ("odd_one_out", 2), ("infill", 1)],
)
def test_a_game_that_asks_for_it_shows_no_map(visitor: Visitor, house: RunningApp, game: str, passages: int) -> None:
    lesson = new_class(house, PLAIN, game=game, passages=[f"{PASSAGE} {number}" for number in range(passages)])
    visitor.join(lesson, "Ada")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    assert "surprise without your words" not in text_of(page)
    assert "data-bits" not in page.text
    assert "data-awaits" not in page.text, "nobody looks for what never comes"


def test_a_passage_that_a_seat_may_not_see_is_not_mapped(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game="ten_questions")
    visitor.join(lesson, "Ada")
    page = visitor.get(f"/rounds/{lesson.round_id}")
    assert PASSAGE.split(",")[0] not in text_of(page)
    assert "data-bits" not in page.text


def test_before_the_baseline_is_measured_the_passage_stands_plain(
    visitor: Visitor, slow_lesson: Class, judge: FakeJudge
) -> None:
    visitor.join(slow_lesson, "Ada")
    page = visitor.get(f"/rounds/{slow_lesson.round_id}")
    assert PASSAGE in text_of(page)
    assert "surprise without your words" not in text_of(page)


def test_a_score_is_told_in_words_with_the_way_to_the_best_and_to_the_next(visitor: Visitor, lesson: Class) -> None:
    lesson.join("Bob").score(lesson.round_id, "20")
    visitor.join(lesson, "Ada")
    path = f"/rounds/{lesson.round_id}/moves"
    first = text_of(visitor.send(path, move="12.5"))
    assert "Your words make it 12.5 bits easier to predict, of" in first
    assert "Your best so far; 7.5 bits behind the next rank." in first
    worse = text_of(visitor.send(path, move="-4"))
    assert "Your words make it 4.0 bits harder to predict." in worse
    assert "16.5 bits short of your best." in worse
    assert "As good as your best." in text_of(visitor.send(path, move="12.5 and"))
    assert "Your best so far, and nobody has more." in text_of(visitor.send(path, move="30"))


def test_a_score_of_two_texts_is_shown_text_by_text(visitor: Visitor, house: RunningApp) -> None:
    lesson = new_class(house, PLAIN, game="which_is_likelier", passages=["The cat sat.", "The cat sat on the moth."])
    visitor.join(lesson, "Ada")
    page = visitor.send(f"/rounds/{lesson.round_id}/moves", move="1")
    headings = [
        re.sub(r"<[^>]+>", "", each) for each in re.findall(r"<section class=\"part\">\s*<h3>(.*?)</h3>", page.text)
    ]
    assert [each.split(" ", 4)[:4] for each in headings] == [
        ["The", "other", "text,", "less"],
        ["The", "other", "text,", "less"],
    ]
    assert ["Passage 2" in headings[0], "Passage 1" in headings[1]] == [True, True]
    costs = [sum(bits("", text)) for text in ("The cat sat on the moth.", "The cat sat.")]
    assert f"+{costs[0]:.3f}" in headings[0]
    assert f"−{costs[1]:.3f}" in headings[1]
