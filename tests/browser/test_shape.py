"""How the pages hold up: small screens, very long words, servers that go away."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import (
    CONTRAST,
    LONG,
    PHONE,
    SLOW,
    OpenPage,
    Watch,
    answers,
    board,
    fits,
    join,
    live,
    scored,
    sign_in_as_host,
    submit,
)
from tests.support.scenario.deployment import Deployment, Game, answer
from tests.support.services import eventually

pytestmark = pytest.mark.slow


def test_no_page_is_wider_than_a_phone(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, passages=[f"{LONG * 4} came in over the flats."])
    page = open_page("/", viewport=PHONE)
    fits(page)
    join(page, game, LONG[:64])
    fits(page)
    submit(page, LONG)
    scored(page)
    page.get_by_text("As a table").click()
    page.get_by_label("Show numbers").check()
    fits(page)
    for path in ("/rounds", "/me", "/sign-in", "/nothing-here"):
        page.goto(path)
        fits(page)
    page.goto("/me")
    page.get_by_role("button", name="Show my key").click()
    fits(page)


def test_no_page_of_a_host_is_wider_than_a_phone(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena)
    with game.join(LONG[:64]) as player:
        answer(player.post(game.submissions, json={"move": LONG * 10, "extra": 1}), 422)
        answer(player.post(game.submissions, json={"move": LONG * 10}), 201, 202)
    page = open_page(viewport=PHONE)
    sign_in_as_host(page)
    fits(page)
    page.goto(f"/host/competitions/{game.competition['id']}")
    page.get_by_text("New round").click()
    fits(page)


def test_a_page_outlives_its_server(open_page: OpenPage, game: Game, arena: Deployment, watch: Watch) -> None:
    watch.forgiven += ["Failed to load resource: net::", "Failed to load resource: the server responded"]
    page = open_page()
    join(page, game, "Ada")
    live(page)
    api = next(process for process in arena.processes if "api" in process.command)
    api.kill()
    expect(page.locator("[data-connection]")).to_contain_text("Connection lost", timeout=SLOW)
    submit(page, "lighthouse")
    expect(page.locator("#move-error")).to_contain_text("The server cannot be reached. Your words are still here")
    api.start()
    eventually(lambda: answers(arena), what="the API")
    arena.judge_ready()
    live(page)
    with game.join("Bob") as bob:
        answer(bob.post(game.submissions, params={"wait": 30}, json={"move": "sailors"}), 201)
    expect(board(page).filter(has_text="Bob")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Submit").click()
    scored(page)
    assert len([each for each in game.all_submissions() if each["bits"] is not None]) == 2


def test_a_move_waits_for_a_judge_and_says_so(open_page: OpenPage, game: Game, arena: Deployment) -> None:
    worker = next(process for process in arena.processes if "worker" in process.command)
    worker.stop()
    try:
        page = open_page()
        join(page, game, "Ada")
        submit(page, "lighthouse sailors far from shore")
        expect(page.locator("[data-submission]")).to_contain_text("Your move waits for the judge", timeout=SLOW)
        expect(page.locator("[data-submission]")).to_contain_text("No judge is at work", timeout=SLOW)
        page.reload()
        expect(page.locator("[data-submission]")).to_contain_text("Your move waits for the judge")
    finally:
        worker.start()
        arena.judge_ready()
    scored(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page: OpenPage, game: Game, scheme: str) -> None:
    """WCAG AA: 4.5 to 1 for all text, on tinted tokens too."""
    page = open_page(color_scheme=scheme)
    join(page, game, "Ada")
    submit(page, "the lighthouse sailors and a storm of words that mislead")
    scored(page)
    page.get_by_label("Show numbers").check()
    live(page)
    poor = page.evaluate(CONTRAST)
    assert poor == []
