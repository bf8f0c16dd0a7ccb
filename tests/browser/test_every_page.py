"""Every page in every state: valid HTML, light, asking only its own server, and nothing amiss by the rules of axe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.support.nu import complaints
from tests.support.services import eventually
from tests.support.stage import Stage
from tests.support.states import ROUNDS, STATES, State, open_details, page_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # whichever test comes first walks to all pages

PART = '<!doctype html>\n<html lang="en">\n<head><title>Part</title></head>\n<body>\n{}\n</body>\n</html>\n'
LIGHT = 150_000  # bytes, of a round's page on a first view
#: Whether each part of the page has come anew, as it does once the page is live.
RENEWED = """() => [...document.querySelectorAll("[data-part]")].every((part) =>
  performance.getEntriesByName(new URL(part.dataset.part, location).href).length)"""
#: Bytes of all that has come, with its headers.
WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, each) => sum + each.transferSize, 0)"""
#: Tokens that a map shows and no row of a table tells, by the map.
UNTOLD = """() => [...document.querySelectorAll(".tokens, blockquote:has(.token)")].map((map) => {
  const told = map.parentElement.querySelectorAll("table tbody tr").length;
  return map.querySelectorAll(".token").length - told;
}).filter((missing) => missing > 0)"""

#: The form stays at the edge of a phone: what it happens to lie on is no target that is too small.
UNFIXED = "document.querySelectorAll('form.move').forEach((form) => (form.style.position = 'static'))"

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
PHONE, DESK = (390, 844), (1280, 900)
#: WCAG 2.2 A and AA, what is good practice beside them, and what axe leaves out unless it is asked for: targets of 24
#: pixels.
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


@dataclass(frozen=True)
class Seen:
    """asked: addresses. documents: pages, and parts of pages as pages of their own, by address. weight: bytes of a
    first view. amiss: what axe says. untold: see `UNTOLD`. broken: what has no answer in another language.
    """

    state: State
    asked: Sequence[str]
    documents: dict[str, str]
    weight: int
    amiss: Sequence[str]
    untold: Sequence[int]
    broken: Sequence[str]


class Walk:
    """Goes to a page when somebody asks what is to be seen there, and once only."""

    def __init__(self, browser: Browser, stage: Stage) -> None:
        self._browser, self._stage = browser, stage
        self._seen: dict[str, Seen] = {}

    def seen(self, state: State) -> Seen:
        if state.name not in self._seen:
            self._seen[state.name] = self._look(state)
        return self._seen[state.name]

    def everything(self) -> Iterator[Seen]:
        return (self.seen(state) for state in STATES)

    def _look(self, state: State) -> Seen:
        with page_of(self._browser, self._stage, state.who) as page:
            log = Log(page)
            state.visit(page, self._stage)
            eventually(lambda: page.evaluate(RENEWED), what="the parts of the page")
            documents, weight = log.documents(), page.evaluate(WEIGHT)
            broken = _broken(page, [page.url, *(f"{self._stage.arena.url}{path}" for path in documents)])
            return Seen(state, log.asked, documents, weight, _amiss(page), page.evaluate(UNTOLD), broken)


class Log:
    """What a page asks for, and what has come since the page came that it is now."""

    def __init__(self, page: Page) -> None:
        self.asked: list[str] = []
        self._come: list[Request] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("requestfinished", self._note)

    def _note(self, request: Request) -> None:
        if request.is_navigation_request():  # what the page of before asked for may come until then, and cannot be read
            self._come.clear()
        self._come.append(request)

    def documents(self) -> dict[str, str]:
        found = {}
        for request in list(self._come):
            response = request.response()
            if response and response.headers.get("content-type", "").startswith("text/html"):
                text = response.text()
                found[urlsplit(request.url).path] = text if text.startswith("<!doctype") else PART.format(text)
        return found


def _amiss(page: Page) -> list[str]:
    """With everything open; what the page was when it came is part of that."""
    page.evaluate(AXE)
    open_details(page)
    page.evaluate(UNFIXED)
    return [*_violations(page, PHONE, "light"), *_violations(page, DESK, "dark")]  # no colour depends on the size


def _broken(page: Page, addresses: Sequence[str]) -> list[str]:
    """English has the fewest forms of a number: what its sentences allow, those of others may not."""
    asked = [(language, address) for language in ("de", "fr") for address in dict.fromkeys(addresses)]
    found = [page.request.get(address, headers={"Accept-Language": language}) for language, address in asked]
    return [f"{each}: {answer.status}" for each, answer in zip(asked, found, strict=True) if answer.status >= 500]


def _violations(page: Page, size: tuple[int, int], scheme: Literal["light", "dark"]) -> list[str]:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    found = page.evaluate("(options) => axe.run(options)", RULES)["violations"]
    return [
        f"{size[0]} {scheme}: {each['id']}: {node['html']}\n{node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.fixture(scope="module")
def walk(browser: Browser, stage: Stage) -> Walk:
    return Walk(browser, stage)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_axe_finds_nothing_amiss(walk: Walk, state: State) -> None:
    seen = walk.seen(state)
    assert not seen.amiss, "\n\n".join(seen.amiss)
    assert seen.untold == [], "each map of tokens is told in a table, too"
    assert seen.broken == []


def test_all_html_is_valid(walk: Walk, tmp_path: Path) -> None:
    seen = list(walk.everything())
    documents = {f"{each.state.name}: {path}": text for each in seen for path, text in each.documents.items()}
    kinds = {path.rsplit("/", 1)[-1] for each in seen for path in each.documents}
    assert kinds > {"board", "challenges", "check", "list", "mine", "others", "preview", "state"}
    found = complaints(documents, tmp_path)
    assert not found, "\n".join(found[:50])


def test_no_page_asks_for_anything_elsewhere(walk: Walk, stage: Stage) -> None:
    asked = {url for each in walk.everything() for url in each.asked}
    assert any(url.endswith(".css") for url in asked)
    assert [url for url in asked if not url.startswith(f"{stage.arena.url}/")] == []


@pytest.mark.parametrize(
    "state", [each for each in ROUNDS if each.path.startswith("/rounds/") and not each.act], ids=lambda each: each.name
)
def test_the_first_view_of_a_round_is_light(walk: Walk, state: State) -> None:
    # with the style sheet and the scripts, which nothing had kept
    assert 30_000 < walk.seen(state).weight < LIGHT
