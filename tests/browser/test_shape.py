"""How the pages hold up: small screens, very long words, keyboards, servers that go away."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Watch
from tests.browser.steps import SLOW, board, join, live, scored, sign_in_as_host, submit
from tests.scenarios.arena import Arena, Game, answer
from tests.services import eventually

pytestmark = pytest.mark.slow

PHONE = {"width": 360, "height": 740}
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamt"


def _fits(page: Page) -> None:
    page.wait_for_load_state()  # without its style sheet any page is wide
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], f"{page.url} is {wide} pixels wide"


def test_no_page_is_wider_than_a_phone(open_page: OpenPage, arena: Arena) -> None:
    game = Game.make(arena, passages=[f"{LONG * 4} came in over the flats."])
    page = open_page("/", viewport=PHONE)
    _fits(page)
    join(page, game, LONG[:64])
    _fits(page)
    submit(page, LONG)
    scored(page)
    page.get_by_text("As a table").click()
    page.get_by_label("Show numbers").check()
    _fits(page)
    for path in ("/rounds", "/me", "/sign-in", "/nothing-here"):
        page.goto(path)
        _fits(page)
    page.goto("/me")
    page.get_by_role("button", name="Show my key").click()
    _fits(page)


def test_no_page_of_a_host_is_wider_than_a_phone(open_page: OpenPage, arena: Arena) -> None:
    game = Game.make(arena)
    with game.join(LONG[:64]) as player:
        answer(player.post(game.submissions, json={"move": LONG * 10, "extra": 1}), 422)
        answer(player.post(game.submissions, json={"move": LONG * 10}), 201, 202)
    page = open_page(viewport=PHONE)
    sign_in_as_host(page)
    _fits(page)
    page.goto(f"/host/competitions/{game.competition['id']}")
    page.get_by_text("New round").click()
    _fits(page)


def test_everything_can_be_done_with_the_keyboard(open_page: OpenPage, game: Game) -> None:
    page = open_page("/")
    keyboard = page.keyboard
    expect(page.get_by_label("Join code")).to_be_focused()
    keyboard.type(game.competition["code"])
    keyboard.press("Tab")
    keyboard.type("Ada")
    keyboard.press("Enter")
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)
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
    expect(page.locator(".bits-table")).to_be_visible()
    outline = page.locator(".part summary").evaluate("element => getComputedStyle(element).outlineStyle")
    assert outline == "solid"


def _tab_to(page: Page, selector: str) -> None:
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached by Tab")


def test_scores_and_errors_are_announced(open_page: OpenPage, game: Game) -> None:
    page = open_page()
    join(page, game, "Ada")
    submit(page, "")
    expect(page.get_by_role("alert").filter(has_text="The move is empty.")).to_be_visible()
    submit(page, "lighthouse")
    score = page.locator("[data-submission] output")
    expect(score).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("status").filter(has_text=f"Scored: {score.inner_text()} bits.")).to_be_attached()


def test_a_page_outlives_its_server(open_page: OpenPage, game: Game, arena: Arena, watch: Watch) -> None:
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
    eventually(lambda: _answers(arena), what="the API")
    arena.judge_ready()
    live(page)
    with game.join("Bob") as bob:
        answer(bob.post(game.submissions, params={"wait": 30}, json={"move": "sailors"}), 201)
    expect(board(page).filter(has_text="Bob")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Submit").click()
    scored(page)
    assert len([each for each in game.all_submissions() if each["bits"] is not None]) == 2


def _answers(arena: Arena) -> bool:
    try:
        return httpx.get(f"{arena.url}/healthz", timeout=2).is_success
    except httpx.TransportError:
        return False


def test_a_move_waits_for_a_judge_and_says_so(open_page: OpenPage, game: Game, arena: Arena) -> None:
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


#: Text in the page whose contrast with what is painted behind it is below 4.5.
CONTRAST = """() => {
  const parse = (text) => {
    const n = text.match(/[\\d.]+/g).map(Number);
    return {c: n.slice(0, 3), a: n.length > 3 ? n[3] : 1};
  };
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, over) => under.map((v, i) => over.c[i] * over.a + v * (1 - over.a)),
      [255, 255, 255]);
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility()) continue;
    for (const pseudo of [null, "::after"]) {
      const style = getComputedStyle(element, pseudo);
      if (pseudo && style.content === "none") continue;
      const [a, b] = [luminance(parse(style.color).c), luminance(ground(element))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className} ${pseudo ?? ""} ${element.textContent}`);
    }
  }
  return poor;
}"""
