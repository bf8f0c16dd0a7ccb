"""What people do on the pages, in a word."""

from playwright.sync_api import Locator, Page, expect

from tests.scenarios.arena import HOST_TOKEN, Game

SLOW = 30_000  # ms


def join(page: Page, game: Game, name: str) -> None:
    """Join by the link of a class; ends on the round's page."""
    page.goto(f"/join/{game.competition['code']}")
    page.get_by_label("Your name in the game").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)


def submit(page: Page, move: str) -> None:
    page.get_by_label("Your words").fill(move)
    page.get_by_role("button", name="Submit").click()


def scored(page: Page) -> float:
    """Wait for the score of the latest move."""
    expect(page.locator("[data-submission][data-settled] output")).to_be_visible(timeout=SLOW)
    return number(page.locator("[data-submission] output").inner_text())


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def board(page: Page) -> Locator:
    return page.get_by_role("complementary").locator("tbody tr")


def sign_in_as_host(page: Page) -> None:
    page.goto(f"/sign-in#{HOST_TOKEN}")
    expect(page.get_by_role("heading", name="Competitions")).to_be_visible(timeout=SLOW)


def live(page: Page) -> None:
    """Wait until the page follows the competition."""
    expect(page.locator("[data-connection]")).to_have_text("Live", timeout=SLOW)
