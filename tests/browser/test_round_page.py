"""Around a move: what is typed is kept, a round that ends says so, other tabs and new rounds are heard of."""

import signal
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.support.browser import SLOW, OpenPage, come, scored, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game, answer

pytestmark = pytest.mark.slow


def test_what_is_typed_survives_a_reload_and_a_way_back_until_it_is_sent(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    come(page, game)
    page.get_by_label("Your words").fill("half a thought")
    page.reload()
    expect(page.get_by_label("Your words")).to_have_value("half a thought")
    expect(page.locator("form.move .preview")).to_contain_text("of 10 tokens", timeout=SLOW)
    page.goto("/rounds")
    page.go_back()
    expect(page.get_by_label("Your words")).to_have_value("half a thought")
    page.get_by_role("button", name="Submit").click()
    scored(page)
    page.reload()
    expect(page.get_by_label("Your words")).to_have_value("")


def test_a_round_counts_down_and_ends_with_the_words_still_there(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, closes_at=(datetime.now(UTC) + timedelta(seconds=12)).isoformat())
    page = open_page()
    come(page, game)
    timer = page.get_by_role("timer")
    expect(timer).to_contain_text("left", timeout=SLOW)
    expect(timer).to_have_class("soon")
    page.get_by_label("Your words").fill("too late")
    expect(page.get_by_text("The round has ended. Your words are still here.")).to_be_visible(timeout=20_000)
    expect(page.get_by_label("Your words")).to_have_value("too late")
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()


def test_whoever_comes_before_the_passage_is_measured_gets_its_map_without_a_move(
    open_page: OpenPage, arena: Deployment
) -> None:
    worker = arena.processes[1]
    worker.send(signal.SIGSTOP)
    try:
        page = open_page()
        come(page, Game.make(arena, passages=["Nobody has measured this passage of a brown bear yet."]))
        expect(page.locator(".passage.awaited")).to_be_visible()
    finally:
        worker.send(signal.SIGCONT)
    field = page.get_by_label("Your words")
    field.fill("a bear")
    expect(page.locator(".passage .token").first).to_be_visible(timeout=SLOW)
    expect(page.locator(".passage.awaited")).to_have_count(0)
    expect(field).to_have_value("a bear")
    expect(field).to_be_focused()


def test_another_tab_hears_of_a_move(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    come(page, game)
    other = page.context.new_page()
    other.goto(page.url)
    submit(page, "sea ship")
    scored(page)
    expect(other.locator(".mine")).to_contain_text("sea ship", timeout=SLOW)


def test_a_new_round_is_told_of_and_the_first_without_a_score_comes_first(
    open_page: OpenPage, arena: Deployment, game: Game
) -> None:
    page = open_page()
    come(page, game)
    with arena.client() as host:
        body = {"game": "condense", "passages": [PASSAGE]}
        second = answer(host.post(f"/competitions/{game.competition['id']}/rounds", json=body), 201)
    link = page.get_by_role("link", name="go there")
    expect(link).to_be_visible(timeout=SLOW)
    assert link.get_attribute("href") == f"{arena.url}/rounds/{second['id']}"
    page.goto("/play")
    assert page.url.endswith(game.round["id"]), "the first open one that has no score"
    submit(page, "sea ship")
    scored(page)
    page.goto("/play")
    assert page.url.endswith(second["id"])
    page.goto("/rounds")
    expect(page.locator(".round-list li").first).to_contain_text("your best")


def test_the_best_of_several_moves_is_marked(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    come(page, game)
    for words in ("boats at sea", "quantum tax law"):
        submit(page, words)
        scored(page)
        expect(page.locator(".mine")).to_contain_text(words, timeout=SLOW)
    expect(page.locator(".mine .tag")).to_have_count(1, timeout=SLOW)


def test_the_first_minute_is_shown_once_and_goes_with_the_first_score(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    come(page, game)
    box = page.locator(".first-minute")
    page.locator(".guesses summary", has_text="milk").click()
    expect(box).to_contain_text("9.2 bits.")
    box.locator("> summary").click()
    page.reload()
    expect(box).to_be_visible()
    expect(page.locator(".guesses")).to_be_hidden()
    submit(page, "sea ship")
    scored(page)
    page.reload()
    expect(box).to_have_count(0)
