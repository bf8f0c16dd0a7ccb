"""Every page in every state is valid HTML, light, and asks nobody but its own server."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.support.nu import complaints
from tests.support.services import eventually
from tests.support.stage import Stage
from tests.support.states import ROUNDS, STATES, State, page_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PART = '<!doctype html>\n<html lang="en">\n<head><title>Part</title></head>\n<body>\n{}\n</body>\n</html>\n'
LIGHT = 150_000  # bytes, of a round's page on a first view
#: Whether each part of the page has come anew, as it does once the page is live.
RENEWED = """() => [...document.querySelectorAll("[data-part]")].every((part) =>
  performance.getEntriesByName(new URL(part.dataset.part, location).href).length)"""
#: Bytes of all that has come, with its headers.
WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, each) => sum + each.transferSize, 0)"""


@dataclass(frozen=True)
class Seen:
    """asked: addresses. documents: pages, and parts of pages as pages of their own, by address."""

    state: State
    asked: Sequence[str]
    documents: dict[str, str]


def _visited(page: Page, stage: Stage, state: State) -> None:
    state.visit(page, stage)
    eventually(lambda: page.evaluate(RENEWED), what="the parts of the page")


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


@pytest.fixture(scope="module")
def seen(browser: Browser, stage: Stage) -> list[Seen]:
    """A walk through all states."""
    found = []
    for state in STATES:
        with page_of(browser, stage, state.who) as page:
            log = Log(page)
            _visited(page, stage, state)
            found.append(Seen(state, log.asked, log.documents()))
    return found


def test_all_html_is_valid(seen: list[Seen], tmp_path: Path) -> None:
    documents = {f"{each.state.name}: {path}": text for each in seen for path, text in each.documents.items()}
    kinds = {path.rsplit("/", 1)[-1] for each in seen for path in each.documents}
    assert kinds > {"board", "challenges", "check", "list", "mine", "others", "preview", "state"}
    found = complaints(documents, tmp_path)
    assert not found, "\n".join(found[:50])


def test_no_page_asks_for_anything_elsewhere(seen: list[Seen], stage: Stage) -> None:
    asked = {url for each in seen for url in each.asked}
    assert any(url.endswith(".css") for url in asked)
    assert [url for url in asked if not url.startswith(f"{stage.arena.url}/")] == []


@pytest.mark.parametrize(
    "state", [each for each in ROUNDS if each.path.startswith("/rounds/") and not each.act], ids=lambda each: each.name
)
def test_the_first_view_of_a_round_is_light(browser: Browser, stage: Stage, state: State) -> None:
    with page_of(browser, stage, state.who) as page:
        _visited(page, stage, state)
        assert 30_000 < page.evaluate(WEIGHT) < LIGHT  # with the style sheet and the scripts, which nothing had kept
