"""Frozen boards as three people see them, none of whom loads a page again: the host, the mover, and who looks on."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import SLOW, OpenPage, board, join, live, scored, sign_in_as_host, submit
from tests.support.scenario.deployment import Game

pytestmark = pytest.mark.slow


def test_boards_stand_still_and_go_on_by_themselves(open_page: OpenPage, game: Game) -> None:
    host, watching, ada, dan = open_page(), open_page(), open_page(), open_page()
    for page, name in ((ada, "Ada"), (dan, "Dan")):
        join(page, game, name)
        submit(page, "zebra")
        scored(page)
        live(page)
    for page in (host, watching):
        sign_in_as_host(page)
    watching.goto(f"/rounds/{game.round['id']}")
    live(watching)
    expect(board(dan)).to_have_count(2, timeout=SLOW)
    first = dan.locator(".board .bits").all_inner_texts()

    host.goto(f"/host/competitions/{game.competition['id']}")
    host.get_by_role("button", name="Freeze the boards").click()
    expect(host.get_by_text("The boards are frozen since")).to_be_visible()
    for page in (ada, dan):
        expect(page.get_by_text("The host has frozen the board")).to_be_visible(timeout=SLOW)
    expect(watching.get_by_text("you see it as it is")).to_be_visible(timeout=SLOW)

    submit(ada, "sailors at sea in a storm")
    expect(ada.get_by_text("Your best so far.", exact=True)).to_be_visible(timeout=SLOW)
    best = ada.locator("[data-submission] output").inner_text()
    expect(watching.get_by_role("cell", name=best)).to_be_visible(timeout=SLOW)
    for page in (ada, dan):
        assert page.locator(".board .bits").all_inner_texts() == first

    host.get_by_role("button", name="Unfreeze the boards").click()
    expect(dan.get_by_role("cell", name=best)).to_be_visible(timeout=SLOW)
    expect(dan.get_by_text("The host has frozen the board")).to_have_count(0)
