"""A round that has ended: its player practises, its host reveals moves, and others read them while the page is open."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import (
    CONTRAST,
    PHONE,
    SLOW,
    OpenPage,
    board,
    fits,
    join,
    live,
    scored,
    sign_in_as_host,
    submit,
)
from tests.support.scenario.deployment import Deployment, Game, answer

pytestmark = pytest.mark.slow

HEADING = "Practice: the round has ended, and the board stands"


def close(arena: Deployment, game: Game, how: str = "close") -> None:
    with arena.client() as host:
        answer(host.post(f"/rounds/{game.round['id']}:{how}"))


def played(page: Page, game: Game, name: str, move: str) -> None:
    join(page, game, name)
    submit(page, move)
    scored(page)


def manage(page: Page, game: Game) -> None:
    sign_in_as_host(page)
    page.goto(f"/host/competitions/{game.competition['id']}")


def test_a_closed_round_is_practised_on_and_the_board_stands(
    open_page: OpenPage, arena: Deployment, game: Game
) -> None:
    page = open_page()
    played(page, game, "Ada", "quantum tax law")
    live(page)
    expect(board(page).filter(has_text="Ada")).to_be_visible(timeout=SLOW)
    before = board(page).all_inner_texts()
    close(arena, game)
    expect(page.get_by_text("The round has ended. Your words are still here.")).to_be_visible(timeout=SLOW)
    page.get_by_role("link", name="Practise").click()
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=SLOW)
    page.get_by_label("Your words").press_sequentially("lighthouse sailors lost")
    expect(page.locator("form.move .preview")).to_contain_text("of 10 tokens", timeout=SLOW)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#score")).to_contain_text("The round has ended: this does not count.", timeout=SLOW)
    scored(page)
    expect(page.locator("[data-announce]")).to_contain_text("Practice: ")
    expect(page.locator("#score")).not_to_contain_text("best")
    expect(page.locator(".mine .tag", has_text="practice")).to_have_count(1, timeout=SLOW)
    page.reload()
    live(page)
    expect(board(page)).to_have_text(before, use_inner_text=True)
    expect(page.locator("#score")).to_contain_text("lighthouse sailors lost")


def test_a_round_that_is_opened_again_tells_whoever_practises(
    open_page: OpenPage, arena: Deployment, game: Game
) -> None:
    page = open_page()
    join(page, game, "Ada")
    close(arena, game)
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible(timeout=SLOW)
    live(page)
    page.get_by_label("Your words").fill("half a thought")
    close(arena, game, "open")
    expect(page.get_by_text("The round is open again: load this page anew to play it.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    page.reload()
    expect(page.get_by_role("heading", name=HEADING)).to_have_count(0)
    expect(page.get_by_label("Your words")).to_have_value("half a thought")


def test_a_host_reveals_the_best_three_and_players_read_them(
    open_page: OpenPage, arena: Deployment, game: Game
) -> None:
    host, ada, bob = open_page(), open_page(), open_page(viewport=PHONE)
    played(ada, game, "Ada", "sailors at sea")
    played(bob, game, "Bob", "quantum tax law")
    close(arena, game)
    bob.get_by_role("link", name="Practise").click()
    live(bob)
    top = bob.get_by_label("Your words").bounding_box()
    manage(host, game)
    host.get_by_text("Reveal moves").click()
    host.get_by_label("Whose moves").select_option("top")
    host.get_by_role("button", name="Reveal round 1").click()
    expect(host.locator(".reveal summary", has_text="Moves are revealed")).to_be_visible()

    others = bob.locator("[data-part$='/others']", has_text="What others wrote")
    expect(others).to_contain_text("Somebody", timeout=SLOW)
    assert bob.get_by_label("Your words").bounding_box() == top, "nothing jumps"
    expect(others).not_to_contain_text("Ada")
    expect(others).not_to_contain_text("quantum tax law")
    fits(bob)
    others.get_by_role("link", name="sailors at sea").click()
    expect(bob.get_by_role("heading", level=1)).to_contain_text("A move of somebody")
    expect(bob.locator(".tokens .token[data-bits]").first).to_be_visible()
    expect(bob.get_by_text("Ada")).to_have_count(0)
    fits(bob)
    assert bob.evaluate(CONTRAST) == []
    bob.go_back()
    live(bob)
    host.locator(".reveal summary", has_text="Moves are revealed").click()
    host.get_by_role("button", name="Conceal round 1").click()
    expect(others).to_have_count(0, timeout=SLOW)


def test_the_hosts_form_fits_a_phone(open_page: OpenPage, arena: Deployment, game: Game) -> None:
    close(arena, game)
    page = open_page(viewport=PHONE)
    manage(page, game)
    page.get_by_text("Reveal moves").click()
    expect(page.get_by_label("With names")).to_be_visible()
    fits(page)
    assert page.evaluate(CONTRAST) == []
