"""A host's way: sign in by link, make a competition and a round, keep order."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SLOW, OpenPage, board, join, live, scored, sign_in_as_host, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game

pytestmark = pytest.mark.slow


def _open_competition(page: Page, game: Game) -> None:
    sign_in_as_host(page)
    page.goto(f"/host/competitions/{game.competition['id']}")


def test_a_host_makes_a_competition_and_a_class_joins_by_its_link(open_page: OpenPage, arena: Deployment) -> None:
    host, ada = open_page(), open_page()
    sign_in_as_host(host)
    assert "#" not in host.url
    host.get_by_label("Name").fill("Thursday class")
    host.get_by_label("Bots").select_option("none")
    host.get_by_role("button", name="Create").click()
    host.get_by_label("Game").select_option("contrast")
    host.get_by_label("Passages").fill(f"{PASSAGE}\n---\nThe court rose at noon.")
    host.get_by_label("Attempts of each player").fill("three")
    host.get_by_role("button", name="Open the round").click()
    expect(host.locator("#round-error")).to_contain_text("The number of attempts is a whole number")
    expect(host.get_by_label("Attempts of each player")).to_be_focused()
    expect(host.get_by_label("Attempts of each player")).to_have_attribute("aria-invalid", "true")
    expect(host.get_by_label("Passages")).to_have_value(f"{PASSAGE}\n---\nThe court rose at noon.")
    host.get_by_label("Attempts of each player").fill("3")
    host.get_by_role("button", name="Open the round").click()
    expect(host.get_by_role("link", name="1. Contrast")).to_be_visible()

    ada.goto(host.get_by_role("link", name="/join/").inner_text())
    ada.get_by_label("Your name in the game").fill("Ada")
    ada.get_by_role("button", name="Join").click()
    expect(ada.locator("blockquote")).to_have_text([PASSAGE, "The court rose at noon."])
    submit(ada, "lighthouse sailors")
    scored(ada)

    host.reload()
    expect(host.get_by_role("link", name="lighthouse sailors")).to_be_visible()


def test_a_round_is_paused_opened_and_closed(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    _open_competition(page, game)
    state = page.locator(".badge")
    for button, then in (("Pause", "paused"), ("Open", "open"), ("Close", "closed")):
        page.get_by_role("button", name=f"{button} round 1", exact=True).click()
        expect(state).to_have_text(then)


def test_a_hidden_move_leaves_the_board_and_comes_back(open_page: OpenPage, game: Game) -> None:
    host, ada = open_page(), open_page()
    join(ada, game, "Ada")
    submit(ada, "lighthouse")
    scored(ada)
    live(ada)
    expect(board(ada).filter(has_text="Ada")).to_be_visible(timeout=SLOW)
    _open_competition(host, game)
    host.get_by_role("button", name="Hide the move of Ada").click()
    expect(board(ada).filter(has_text="Nobody yet.")).to_be_visible(timeout=SLOW)
    host.get_by_role("button", name="Show the move of Ada").click()
    expect(board(ada).filter(has_text="Ada")).to_be_visible(timeout=SLOW)


def test_a_player_is_removed_and_readmitted(open_page: OpenPage, game: Game) -> None:
    host, ada = open_page(), open_page()
    join(ada, game, "Ada")
    live(ada)
    _open_competition(host, game)
    host.get_by_role("link", name="See to the players").click()
    host.get_by_role("button", name="Remove Ada").click()
    expect(ada.get_by_text("The host has removed this player")).to_be_visible(timeout=SLOW)
    host.get_by_role("button", name="Readmit Ada").click()
    expect(host.get_by_role("button", name="Remove Ada")).to_be_visible()
    ada.goto("/play")
    expect(ada.get_by_label("Your words")).to_be_visible()


def test_a_player_cannot_see_the_pages_of_a_host(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    for path in ("/host", f"/host/competitions/{game.competition['id']}"):
        response = page.goto(path)
        assert response is not None
        assert response.status == 403
        expect(page.get_by_text("Only a host can")).to_be_visible()


def test_a_host_watches_a_round_without_a_form(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    sign_in_as_host(page)
    page.goto(f"/rounds/{game.round['id']}")
    expect(page.get_by_text("You are here as host.")).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_count(0)
    live(page)
