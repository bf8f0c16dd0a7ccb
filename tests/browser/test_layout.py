"""Where things stand on the page of a round: reading and typing without scrolling, on a desk and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import LONG, PHONE, SLOW, OpenPage, board, come, fits, go_on, live, scored, submit
from tests.support.scenario.deployment import PASSAGE, Deployment, Game, answer
from tests.support.services import eventually

pytestmark = pytest.mark.slow

DESK, SMALL_DESK = {"width": 1280, "height": 900}, {"width": 1024, "height": 768}
HAND = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
KEYBOARD = 336  # pixels of a phone's screen
LONG_PASSAGE = " ".join([PASSAGE] * 9)
HEBREW = "הסירות חזרו לנמל לפני עלות השחר, ורק אחת חסרה. " * 3
CODE = "def turn(items):\n    if len(items) < 2:\n        return items\n    return [*items[1:], items[0]]"
PASSAGES = {"long": [LONG_PASSAGE], "right to left": [HEBREW], "code": [CODE], "three": [PASSAGE, "Beans.", CODE]}
ON_TOP = """element => {
  const { left, top, bottom } = element.getBoundingClientRect();
  if (top < 0 || bottom > window.innerHeight) return false;
  const there = (y) => document.elementFromPoint(left + 2, y);
  return [top + 2, bottom - 2].map(there).every((on) => on && (element.contains(on) || on.contains(element)));
}"""
FOCUS = """() => {
  const { activeElement } = document;
  const { top } = activeElement.getBoundingClientRect();
  const form = document.querySelector("form.move").getBoundingClientRect();
  return {name: activeElement.outerHTML.slice(0, 80), own: activeElement.closest("form.move") !== null, top,
    edge: form.bottom >= window.innerHeight - 1 ? form.top : window.innerHeight};
}"""
TWO_MOVES = """# Two moves
#
# Say much, then little.

assign(s=story())
elicit(x, 200)
elicit(y, 5)
reward(xed(s | y))
"""


def box(found: Locator) -> Any:
    return found.evaluate("element => element.getBoundingClientRect()")


def seen(found: Locator) -> None:
    """All of it is on the screen, and nothing lies on it, once the page has scrolled."""
    expect(found).to_be_visible(timeout=SLOW)
    eventually(lambda: found.evaluate(ON_TOP), what="a page that has scrolled")


def to_the_end_of_the_text(page: Page) -> None:
    page.evaluate("document.querySelector('.text').lastElementChild.scrollIntoView({block: 'end'})")


@pytest.mark.parametrize("kind", PASSAGES)
@pytest.mark.parametrize("size", [DESK, SMALL_DESK], ids=["desk", "small desk"])
def test_on_a_desk_text_and_form_stand_side_by_side(
    open_page: OpenPage, arena: Deployment, size: dict[str, int], kind: str
) -> None:
    passages = PASSAGES[kind]
    page = open_page(viewport=size)
    come(page, Game.make(arena, game="condense" if len(passages) == 1 else "synthesize", passages=passages))
    field, text = page.get_by_label("Your words"), page.locator(".text blockquote").first
    assert box(text)["right"] < box(field)["left"]
    to_the_end_of_the_text(page)
    seen(field)
    field.fill("lighthouse sailors")
    before = page.evaluate("window.scrollY")
    page.get_by_role("button", name="Submit").click()
    scored(page)
    seen(page.locator("#score output"))
    seen(page.locator("#score .tokens .token").first)
    seen(field)
    assert page.evaluate("window.scrollY") == before, "nobody is taken away from what they read"
    expect(board(page).first).to_be_visible()


def test_the_place_in_words_leads_to_the_board_and_follows_it(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, bots="separate", passages=[LONG_PASSAGE])
    with game.join("Robby", "bot") as robby:
        answer(robby.post(game.submissions, params={"wait": 30}, json={"move": "sea"}), 201)
    page = open_page(viewport=DESK)
    come(page, game)
    place = page.locator(".standing")
    expect(place).to_be_hidden()
    submit(page, "The tide came in")  # nothing of it is left
    scored(page)
    expect(place).to_have_text("You are 1st of 1.", timeout=SLOW)
    live(page)
    with game.join("Bob") as bob:
        answer(bob.post(game.submissions, params={"wait": 30}, json={"move": "sea lamp 5"}), 201)
    expect(place).to_have_text("You are 2nd of 2.", timeout=SLOW)
    place.get_by_role("link").click()
    seen(page.get_by_role("complementary").get_by_role("heading", name="Board"))
    seen(page.get_by_label("Your words"))


@pytest.mark.parametrize("kind", PASSAGES)
def test_on_a_phone_the_form_stays_at_the_edge_and_covers_nothing_for_good(
    open_page: OpenPage, arena: Deployment, kind: str
) -> None:
    passages = PASSAGES[kind]
    page = open_page(**HAND)
    come(page, Game.make(arena, game="condense" if len(passages) == 1 else "synthesize", passages=passages))
    field = page.get_by_label("Your words")
    seen(field)
    field.fill(f"lighthouse {'sailors ' * 12}")
    expect(page.locator(".preview .count")).to_be_visible(timeout=SLOW)
    seen(page.locator(".preview"))
    assert box(page.locator("form.move"))["height"] < 844 / 2, "there is something left to read"
    page.locator(".text blockquote").last.evaluate("element => element.scrollIntoView({block: 'end'})")
    page.mouse.wheel(0, box(page.locator("form.move"))["height"])
    seen(page.locator(".text .token").last)
    seen(field)
    page.get_by_role("button", name="Submit").click()
    scored(page)
    seen(page.locator("#score output"))
    seen(field)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_above_a_keyboard_there_is_room_for_the_field_its_errors_and_the_passage(
    open_page: OpenPage, game: Game
) -> None:
    """A keyboard makes the page smaller: so says its viewport."""
    page = open_page(**HAND)
    come(page, game)
    meta = page.locator("meta[name=viewport]").get_attribute("content")
    assert "interactive-widget=resizes-content" in (meta or "")
    field = page.get_by_label("Your words")
    field.focus()
    page.set_viewport_size({"width": 390, "height": 844 - KEYBOARD})
    page.get_by_role("button", name="Submit").click()
    error = page.locator("#move-error")
    expect(error).to_have_text("The move is empty.")
    seen(error)
    seen(field)
    assert box(error)["bottom"] <= box(field)["top"], "it stands above what the thumb covers"
    page.locator("blockquote").scroll_into_view_if_needed()
    assert box(page.locator("form.move"))["top"] > 200


def test_what_has_the_focus_is_never_under_the_form(open_page: OpenPage, arena: Deployment) -> None:
    page = open_page(**HAND)
    come(page, Game.make(arena, passages=[LONG_PASSAGE]))
    submit(page, "lighthouse")
    scored(page)
    page.evaluate("window.scrollTo(0, 0)")
    page.locator(".how > summary").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        assert at["own"] or at["top"] < at["edge"], at


def test_the_next_move_stays_at_the_edge_too(open_page: OpenPage, arena: Deployment) -> None:
    page = open_page(**HAND)
    come(page, Game.make(arena, game="horizon", passages=[LONG_PASSAGE]))
    submit(page, "xyzzy qqq")
    field = page.get_by_label("Your next words")
    expect(field).to_be_visible(timeout=SLOW)
    seen(page.locator(".turn.said .words"))
    seen(field)
    page.evaluate("window.scrollTo(0, 0)")
    seen(field)
    seen(page.get_by_role("heading", name="Horizon"))


def test_without_scripts_the_score_comes_to_the_eye_on_a_phone(open_page: OpenPage, arena: Deployment) -> None:
    page = open_page(java_script_enabled=False, **HAND)
    come(page, Game.make(arena, passages=[LONG_PASSAGE]))
    submit(page, "lighthouse sailors")
    score = page.locator("#score output")
    expect(score).to_be_visible(timeout=SLOW)
    for found in (score, page.get_by_label("Your words")):
        at = found.bounding_box()
        assert at is not None
        assert 0 <= at["y"] < 844 - at["height"]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_long_moves_are_clipped_until_all_is_asked_for(open_page: OpenPage, game: Game, scripts: bool) -> None:
    words = f"{'sailors in a storm ' * 40}{LONG * 3} the very end"
    page = open_page(viewport=PHONE, java_script_enabled=scripts)
    come(page, game)
    submit(page, words)
    expect(page.locator("#score output")).to_be_visible(timeout=SLOW)
    fits(page)
    for text, button in (
        (page.locator(".said .clip").first, page.locator(".said .more > summary").first),
        (page.locator(".mine .move-text"), page.locator(".mine .more > summary")),
    ):
        expect(button).to_have_text("Show all", use_inner_text=True)
        clipped = text.bounding_box()
        button.focus()
        page.keyboard.press("Enter")
        expect(button).to_have_text("Show less", use_inner_text=True)
        whole = text.bounding_box()
        assert clipped is not None
        assert whole is not None
        assert whole["height"] > 2 * clipped["height"]
        fits(page)
        page.keyboard.press("Enter")
        assert text.bounding_box()["height"] == clipped["height"]  # type: ignore[index]


def test_long_moves_are_clipped_in_the_story_of_several(open_page: OpenPage, arena: Deployment) -> None:
    with arena.client() as host:
        digest = answer(host.post("/games", json={"source": TWO_MOVES}), 200, 201)["digest"]
    page = open_page(viewport=PHONE)
    come(page, Game.make(arena, game=digest))
    submit(page, "Tea calms the mind " * 30)
    words, more = page.locator(".story .turn.own .words"), page.locator(".story .turn.own .more > summary")
    expect(more).to_have_text("Show all", use_inner_text=True, timeout=SLOW)
    clipped = box(words)["height"]
    page.get_by_label("Your next words").press_sequentially("still here")
    more.click()
    assert box(words)["height"] > 2 * clipped
    expect(page.get_by_label("Your next words")).to_have_value("still here")
    fits(page)
    go_on(page, "so short")
    scored(page)
    expect(page.locator(".story .turn.own .more")).to_have_count(1)


def test_the_list_of_rounds_fits_a_phone_and_says_how_one_stands(open_page: OpenPage, arena: Deployment) -> None:
    game = Game.make(arena, attempts=3)
    page = open_page(viewport=PHONE)
    come(page, game)
    submit(page, "lighthouse sailors")
    score = scored(page)
    page.goto("/rounds")
    line = page.locator(".round-list li")
    expect(line).to_contain_text(f"your best {score:.3f} bits".replace("-", "−"))
    expect(line).to_contain_text("1st of 1")
    expect(line).to_contain_text("2 attempts left")
    expect(page.locator(".standing")).to_have_text("You are 1st of 1.")
    assert box(line)["height"] < 100
    fits(page)
