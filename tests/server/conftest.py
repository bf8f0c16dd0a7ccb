"""A house for each kind of database, opened once for a file; every test has a competition of its own in it."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
import structlog

from tests.support.databases import sqlite_at
from tests.support.house import opened
from tests.support.server import Class, RunningApp, new_class
from tests.support.services import Postgres, Redis, eventually
from tests.support.web import Visitor
from tests.support.workers import PLAIN, FakeJudge, Hand, at_work, by_length, hand_of
from xentarena import offline


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> None:
    """A traceback as Python writes it: a pretty one takes seconds."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ]
    )


@pytest.fixture(scope="module")
def loaded_once() -> Iterator[None]:
    """A judge is the same however often it is loaded, and loading takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline, "load_judge", cache(offline.load_judge))
        yield


@pytest.fixture(scope="module")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """For what no database has a part in."""
    folder = tmp_path_factory.mktemp("house")
    with opened(sqlite_at(folder / "house.sqlite3"), folder) as house:
        yield house


@pytest.fixture(scope="module")
def postgresql_house(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[RunningApp]:
    with opened(postgres.migrated_database(), tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest) -> RunningApp:
    made: RunningApp = request.getfixturevalue(f"{request.param}_house")
    return made


@pytest.fixture
def visitor(house: RunningApp) -> Iterator[Visitor]:
    """Somebody with a browser that runs no scripts."""
    made = Visitor(house)
    yield made
    made.http.close()


@pytest.fixture
def judge() -> FakeJudge:
    """A judge of this test alone, which nobody serves yet."""
    return FakeJudge()


@pytest.fixture
def other(house: RunningApp, judge: FakeJudge) -> Iterator[FakeJudge]:
    """A judge of another mind than PLAIN, at work."""
    with at_work(house.redis_url, judge, says=by_length):
        eventually(lambda: house.measurable(judge), what="the other judge")
        yield judge


@pytest.fixture
def hand(house: RunningApp, judge: FakeJudge) -> Iterator[Hand]:
    """A worker for `judge` whose steps the test takes itself."""
    with hand_of(house.redis_url, judge) as made:
        yield made


@pytest.fixture
def lesson(house: RunningApp) -> Class:
    """A class with one open round, scored at once."""
    return new_class(house, PLAIN)


@pytest.fixture
def slow_lesson(house: RunningApp, hand: Hand, judge: FakeJudge) -> Class:
    """A class with one open round, in which nothing is scored before the test does it by `hand`."""
    return new_class(house, judge)


@pytest.fixture
def own_house(tmp_path: Path, own_redis: Redis) -> Iterator[Callable[..., RunningApp]]:
    """Opens a house with settings and a Redis of its own, on SQLite unless another database is named."""
    houses: list[RunningApp] = []

    def open_(database_url: str | None = None, **settings: object) -> RunningApp:
        file = tmp_path / "own.sqlite3"
        url = database_url or (f"sqlite:///{file}" if houses else sqlite_at(file))
        houses.append(RunningApp(url, own_redis.url, **settings))
        return houses[-1].start()

    yield open_
    for each in houses:
        each.stop()
