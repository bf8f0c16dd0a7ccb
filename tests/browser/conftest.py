"""Chromium, a whole server with the judge that ships, and pages that fail a test when something is amiss in them."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.browser import OpenPage, Watch
from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import Deployment, Game
from tests.support.services import Redis
from tests.support.stage import Stage, staged

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
PATIENCE = 90_000  # ms; machines that run tests are slow
expect.set_options(PATIENCE)


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
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An API process and a worker with the judge `pocket`, on SQLite and a Redis of their own."""
    folder = tmp_path_factory.mktemp("browser")
    redis = Redis(folder / "redis").start()
    url = sqlite_at(folder / "arena.sqlite3")
    arena = Deployment(folder, url, redis.url, {"XENTARENA_SWEEP": "4"})
    try:
        arena.start_api()
        arena.start_worker()
        arena.judge_ready()
        yield arena
    finally:
        arena.stop()
        redis.stop()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Another server, with a class in it in which everything has happened. Tests look, and change nothing."""
    with staged(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture
def game(arena: Deployment) -> Game:
    """A competition with one round of Condense."""
    return Game.make(arena)


@pytest.fixture
def watch(arena: Deployment) -> Iterator[Watch]:
    watch = Watch(arena.url)
    yield watch
    assert not watch.found()


@pytest.fixture
def open_page(browser: Browser, arena: Deployment, watch: Watch) -> Iterator[OpenPage]:
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
