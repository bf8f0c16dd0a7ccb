"""What people do on the pages, in a word."""

from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import (
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Response,
    ViewportSize,
    expect,
)

from tests.support.scenario.deployment import HOST_TOKEN, Deployment, Game

SLOW = 90_000  # ms


def join(page: Page, game: Game, name: str) -> None:
    """Join by the link of a class; ends on the round's page, with its scripts at work."""
    page.goto(f"/join/{game.competition['code']}")
    page.get_by_label("Your name in the game").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Your words")).to_be_visible(timeout=SLOW)
    live(page)


def come(page: Page, game: Game, name: str = "Ada") -> None:
    """Join, and go to the round, whatever is asked for there."""
    page.goto(f"/join/{game.competition['code']}")
    page.get_by_label("Your name in the game").fill(name)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/rounds/**")
    page.goto(f"/rounds/{game.round['id']}")


def go_on(page: Page, words: str) -> None:
    """The next move of a play of several."""
    field = page.get_by_label("Your next words")
    expect(field).to_be_visible(timeout=SLOW)
    field.fill(words)
    page.get_by_role("button", name="Go on").click()


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


def answers(arena: Deployment) -> bool:
    """Is the server there (again)?"""
    try:
        return httpx.get(f"{arena.url}/healthz", timeout=2).is_success
    except httpx.TransportError:
        return False


OpenPage = Callable[..., Page]


class Watch:
    """What may not happen in a page: errors in the console (also of the content policy), dialogs, foreign requests.

    forgiven: beginnings of console errors that a test causes on purpose.
    """

    def __init__(self, own: str) -> None:
        self._own = urlsplit(own).netloc
        self.forgiven: list[str] = ["Failed to load resource: the server responded with a status of 4"]
        self.amiss: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.amiss.append(f"script: {error}"))
        page.on("dialog", self._dialog)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.amiss.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.amiss.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _response(self, response: Response) -> None:
        if urlsplit(response.url).netloc != self._own:
            self.amiss.append(f"a request to elsewhere: {response.url}")
        elif response.status >= 500 or (response.status >= 400 and "/static/" in response.url):
            self.amiss.append(f"{response.status}: {response.url}")

    def found(self) -> list[str]:
        return [each for each in self.amiss if not each.startswith(tuple(self.forgiven))]


PHONE = ViewportSize(width=360, height=740)


LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamt"


def fits(page: Page) -> None:
    page.wait_for_load_state()  # without its style sheet any page is wide
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], f"{page.url} is {wide} pixels wide"


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
