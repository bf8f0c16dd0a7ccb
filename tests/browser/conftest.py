"""Chromium, a whole server with the judge that ships, and pages that fail a test when something is amiss in them."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Response, sync_playwright

from server.db.migrate import migrate
from tests.scenarios.arena import Arena, Game
from tests.services import Redis

ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000  # ms; machines that run tests are slow

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium from the PATH."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("The browser tests need Chromium on the PATH: on Debian, `apt-get install chromium`.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """An API process and a worker with the judge `pocket`, on SQLite and a Redis of their own."""
    folder = tmp_path_factory.mktemp("browser")
    redis = Redis(folder / "redis").start()
    url = f"sqlite:///{folder / 'arena.sqlite3'}"
    migrate(url)
    arena = Arena(folder, url, redis.url)
    try:
        arena.start_api()
        arena.start_worker()
        arena.judge_ready()
        yield arena
    finally:
        arena.stop()
        redis.stop()


@pytest.fixture
def game(arena: Arena) -> Game:
    """A competition with one round of Condense."""
    return Game.make(arena)


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


@pytest.fixture
def watch(arena: Arena) -> Iterator[Watch]:
    watch = Watch(arena.url)
    yield watch
    assert not watch.found()


@pytest.fixture
def open_page(browser: Browser, arena: Arena, watch: Watch) -> Iterator[OpenPage]:
    """Opens pages, each in a browser session of its own."""
    contexts: list[BrowserContext] = []

    def opened(path: str | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=arena.url, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        watch.follow(page)
        if path is not None:
            page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
