"""A host has a round scored again, looks, lets it count, and goes back; its players see it without doing anything."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import PHONE, SLOW, OpenPage, board, fits, join, live, scored, sign_in_as_host, submit
from tests.support.scenario.deployment import Game

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def aside(page: Page, profile: str | None) -> None:
    """Have it scored again, and wait until all is measured."""
    if profile:
        page.get_by_label("Profile").select_option(profile)
    page.get_by_role("button", name="Score again, aside").click()
    measured = page.get_by_text("2 of 2 plays are measured. Nothing has changed for anybody yet.")
    expect(measured).to_be_visible(timeout=2 * SLOW)  # behind everything else that waits for the judge


def told(page: Page, column: int) -> dict[str, str]:
    """Name → what stands in that column, as numbers on a board are written."""
    rows = page.get_by_role("table").locator("tbody tr").all()
    return {row.get_by_role("rowheader").inner_text(): row.get_by_role("cell").nth(column).inner_text() for row in rows}


def stands(page: Page) -> dict[str, str]:
    return {
        row.get_by_role("rowheader").inner_text().removesuffix("you").strip(): row.locator(".bits").inner_text()
        for row in board(page).all()
    }


def test_a_round_is_scored_again_and_back_on_its_pages(open_page: OpenPage, game: Game) -> None:
    host, ada, bob = open_page(), open_page(), open_page(viewport=PHONE)
    for page, name, words in ((ada, "Ada", "sailors at sea"), (bob, "Bob", "tax law")):
        join(page, game, name)
        submit(page, words)
        scored(page)
        live(page)
    expect(board(ada)).to_have_count(2, timeout=SLOW)
    before = stands(ada)
    sign_in_as_host(host)
    host.goto(f"/host/competitions/{game.competition['id']}")
    host.get_by_text("More round 1").click()
    host.get_by_role("link", name="Score again under another judge round 1").click()
    aside(host, "xent-0.5")
    after = told(host, 3)
    assert told(host, 2) == before != after
    assert stands(ada) == before, "nothing changes until it is applied"
    host.get_by_role("button", name="Apply the new scores").click()
    expect(host.get_by_role("alert")).to_contain_text("Scores are replaced once a round has ended", timeout=SLOW)

    host.get_by_role("link", name="Score again").click()
    host.get_by_role("link", name="Rounds").click()
    host.get_by_role("button", name="Close round 1", exact=True).click()
    host.get_by_text("More round 1").click()
    host.get_by_role("link", name="Score again under another judge round 1").click()
    host.get_by_role("link", name="xent-0.5").click()
    host.get_by_role("button", name="Apply the new scores").click()
    expect(host.get_by_text("These scores count.")).to_be_visible(timeout=SLOW)
    expect(board(ada).filter(has_text="Ada").locator(".bits")).to_have_text(after["Ada"], timeout=SLOW)
    assert stands(ada) == after

    host.get_by_role("link", name="Score again").click()
    aside(host, None)
    assert told(host, 3) == before
    host.get_by_role("button", name="Apply the new scores").click()
    expect(board(bob).filter(has_text="Bob").locator(".bits")).to_have_text(before["Bob"], timeout=SLOW)
    host.set_viewport_size(PHONE)
    fits(host)
