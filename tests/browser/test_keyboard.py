"""For whoever uses the pages by keyboard, hears them, sees them in few colours, or wants nothing to move."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import SLOW, OpenPage, board, join, live, scored, submit
from tests.support.scenario.deployment import Deployment, Game, answer

pytestmark = pytest.mark.slow

#: Whether what has the focus has a frame around it, in sight.
FRAMED = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect();
  const seen = at !== document.body && at.checkVisibility() && box.bottom > 0 && box.top < innerHeight;
  return seen && getComputedStyle(at).outlineStyle === "solid";
}"""


def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there. Wherever it is on the way can be seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate(FRAMED), page.evaluate("document.activeElement.outerHTML")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")


def _come_by_keyboard(page: Page, game: Game) -> None:
    page.goto("/")
    expect(page.get_by_label("Join code")).to_be_focused()
    page.keyboard.type(game.competition["code"])
    page.keyboard.press("Tab")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    live(page)


def test_condense_is_played_with_the_keyboard_alone(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    keyboard = page.keyboard
    _come_by_keyboard(page, game)
    _tab_to(page, ".skip")
    keyboard.press("Enter")
    assert page.url.endswith("#main")
    _tab_to(page, ".first-minute > summary")
    _tab_to(page, ".guesses summary")
    keyboard.press("Enter")
    expect(page.locator(".guesses p").first).to_be_visible()
    _tab_to(page, ".how > summary")
    _tab_to(page, ".surprise > summary")
    keyboard.press("Enter")
    expect(page.locator(".surprise table")).to_be_visible()
    _tab_to(page, "#move")
    keyboard.type("lighthouse sailors")
    keyboard.press("Control+Enter")
    scored(page)
    expect(page.get_by_label("Your words")).to_be_focused()
    _tab_to(page, "[data-numbers]")
    keyboard.press("Space")
    expect(page.get_by_label("Show numbers")).to_be_checked()
    _tab_to(page, ".part summary")
    keyboard.press("Enter")
    expect(page.locator("#score .bits-table")).to_be_visible()
    _tab_to(page, "#score .scroll")
    _tab_to(page, ".mine a")
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A move of Ada")).to_be_visible()


def test_the_focus_goes_from_move_to_move_and_to_the_score(open_page: OpenPage, arena: Deployment) -> None:
    page = open_page()
    _come_by_keyboard(page, Game.make(arena, game="find_the_surprise"))
    page.get_by_label("Your words").focus()
    page.keyboard.type("tide")
    page.keyboard.press("Control+Enter")
    for word in ("lamp", "missing"):
        field = page.get_by_label("Your next words")
        expect(field).to_be_focused(timeout=SLOW)
        expect(field).to_have_value("")
        page.keyboard.type(word)
        page.keyboard.press("Control+Enter")
        expect(page.locator(".story")).to_contain_text(word, timeout=SLOW)
    scored(page)
    expect(page.get_by_role("region", name="Your latest move")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Show numbers")).to_be_focused()


def test_the_focus_stays_where_it_is_while_parts_of_the_page_are_loaded_anew(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "lighthouse")
    scored(page)
    live(page)
    link = page.locator(".mine a")
    link.focus()
    other = page.context.new_page()
    other.goto(page.url)
    submit(other, "sailors waiting")
    expect(link).to_have_count(2, timeout=SLOW)
    expect(link.filter(has_text="lighthouse")).to_be_focused()


def _said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text)).to_be_attached(timeout=SLOW)


def test_scores_ranks_and_errors_are_announced(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    live(page)
    submit(page, "")
    expect(page.get_by_role("alert").filter(has_text="The move is empty.")).to_be_visible()
    submit(page, "quantum tax law")
    scored(page)
    score = page.locator("[data-submission] output").inner_text()
    _said(page, f"Scored: {score} bits. Your words make it")
    _said(page, "Your best so far, and nobody has more.")
    _said(page, "You are 1st of 1.")
    with game.join("Bob") as bob:
        answer(bob.post(game.submissions, params={"wait": 30}, json={"move": "lighthouse sailors"}), 201)
    _said(page, "You are 2nd of 2.")
    expect(board(page).filter(has_text="Ada").locator(".rank")).to_have_text("2")


def test_the_last_minute_is_announced(open_page: OpenPage, arena: Deployment) -> None:
    closes = datetime.now(UTC) + timedelta(seconds=65)
    page = open_page()
    join(page, Game.make(arena, closes_at=closes.isoformat()), "Ada")
    _said(page, "The round closes in less than a minute.")


#: How the tokens are underlined.
LINES = """all => all.map((each) => getComputedStyle(each))
  .map((style) => `${style.textDecorationLine} ${style.textDecorationStyle}`)"""


def _lines(page: Page, selector: str) -> set[str]:
    return set(page.locator(selector).evaluate_all(LINES))


@pytest.mark.parametrize("colours", ["none", "active"])
def test_lines_tell_gain_from_loss_where_colours_cannot(open_page: OpenPage, game: Game, colours: str) -> None:
    page = open_page(forced_colors=colours)
    join(page, game, "Ada")
    submit(page, "lighthouse sailors")
    scored(page)
    assert _lines(page, ".tokens [class*=gain-]") == {"underline solid"}
    assert _lines(page, ".tokens [class*=loss-]") == {"underline dotted"}
    assert _lines(page, ".tokens .even") == {"none solid"}
    if colours == "active":
        thickness = "all => all.map(each => parseFloat(getComputedStyle(each).textDecorationThickness))"
        for step, wide in enumerate((1, 2, 3, 5), 1):
            assert set(page.locator(f".passage .loss-{step}").evaluate_all(thickness)) <= {wide}
        assert _lines(page, ".passage :is(.loss-1, .loss-2, .loss-3, .loss-4)") == {"underline dotted"}


@pytest.mark.parametrize(("wish", "moving"), [("reduce", 0), ("no-preference", 2)])
def test_nothing_moves_for_whoever_wants_nothing_to_move(
    open_page: OpenPage, game: Game, wish: str, moving: int
) -> None:
    page = open_page(reduced_motion=wish)
    join(page, game, "Ada")
    submit(page, "lighthouse sailors")
    scored(page)
    # At one moment: parts that are loaded anew meanwhile have no style.
    every = "[...document.querySelectorAll('body *')].map(each => getComputedStyle(each).animationName)"
    names = page.evaluate(every)
    assert len([name for name in names if name != "none"]) == moving
