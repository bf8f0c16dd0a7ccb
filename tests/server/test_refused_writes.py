"""A Redis that answers and refuses to write: whatever was accepted meanwhile is scored soon after.

`REFUSED_SECONDS=60 pytest tests/server/test_refused_writes.py` holds each refusal for a minute.
"""

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial

import pytest
import structlog

from tests.support.databases import sqlite_at
from tests.support.games import WRITTEN
from tests.support.scenario.deployment import answer
from tests.support.server import Class, Json, RunningApp, new_class
from tests.support.services import Postgres, Redis, eventually, free_port
from tests.support.workers import FakeJudge, at_work, worker_at_work

log = structlog.get_logger()

Refusal = Callable[[Redis], AbstractContextManager[None]]
SECONDS = float(os.environ.get("REFUSED_SECONDS", "2.5"))  # long enough for all tries of a job, were they counted


@contextmanager
def readonly(server: Redis) -> Iterator[None]:
    with server.client as client:
        client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        try:
            yield
        finally:
            client.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def full(server: Redis) -> Iterator[None]:
    with server.client as client:
        client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            client.config_set("maxmemory", 0)


@contextmanager
def broken_disk(server: Redis) -> Iterator[None]:
    in_the_way = server.folder / "dump.rdb"
    (in_the_way / "something").mkdir(parents=True)
    with server.client as client:
        client.config_set("save", "3600 1")
        client.bgsave()
        eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", what="a failed save")
        try:
            yield
        finally:
            client.config_set("save", "")


@contextmanager
def forbidden(server: Redis) -> Iterator[None]:
    with server.client as client:
        client.execute_command("ACL", "SETUSER", "default", "-@write")
        try:
            yield
        finally:
            client.execute_command("ACL", "SETUSER", "default", "+@all")


@contextmanager
def started_anew(server: Redis) -> Iterator[None]:
    """It is full, dies, and is full when it is back."""
    with full(server):
        server.stop(signal.SIGKILL)
        server.start("--maxmemory", "1")
        yield


REFUSALS = {"READONLY": readonly, "OOM": full, "MISCONF": broken_disk, "NOPERM": forbidden, "OOM again": started_anew}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    made = Redis(tmp_path_factory.mktemp("redis")).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def houses(server: Redis, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningApp]]:
    """One on each database, both at the same Redis."""
    urls = sqlite_at(tmp_path_factory.mktemp("house") / "house.sqlite3"), postgres.migrated_database()
    made = [
        RunningApp(url, f"redis://127.0.0.1:{server.port}/{number}", grace=0, sweep=0.05, lease=30)
        for number, url in enumerate(urls)
    ]
    for house in made:
        house.start()
    yield made
    for house in made:
        house.stop()


class Lesson:
    """A class whose moves and texts are on their way when writes are refused, and while they are."""

    def __init__(self, house: RunningApp, judge: FakeJudge, writer: FakeJudge) -> None:
        self.house, self._judge, self._writer = house, judge, writer
        self.class_ = self._new_class()
        self.sent: list[Json] = []
        self.written: list[Class] = []
        eventually(lambda: all(row.bits for row in house.measurements(judge)), what="the round's own measurement")

    def moves(self, class_: Class, count: int) -> None:
        by = class_.join()
        self.sent += [answer(by.submit(class_.round_id, str(number)), 202) for number in range(count)]

    def _new_class(self) -> Class:
        return new_class(self.house, self._judge, passages=[f"Nobody has measured {secrets.token_hex(8)} yet."])

    def while_refused(self) -> None:
        """Moves in the round, in one whose baseline nobody has measured, and texts that are to be written."""
        self.moves(self.class_, 10)
        self.moves(self._new_class(), 10)
        self.written.append(new_class(self.house, self._writer, game=self.house.install_game(WRITTEN)))

    def is_done(self) -> bool:
        return self.states() == {"scored", "open"}

    def states(self) -> set[str]:
        get = self.house.host.get
        rounds = {answer(get(f"/rounds/{each.round_id}"))["state"] for each in self.written}
        return rounds | {answer(get(f"/submissions/{each['id']}"))["state"] for each in self.sent}


@pytest.mark.slow
@pytest.mark.timeout(60 + 2 * len(REFUSALS) * (SECONDS + 20))
def test_what_is_accepted_while_writes_are_refused_is_scored_after(server: Redis, houses: list[RunningApp]) -> None:
    judge, writer = FakeJudge(), FakeJudge()
    with ExitStack() as workers:
        for house in houses:
            workers.enter_context(worker_at_work(house.redis_url, judge))
            workers.enter_context(at_work(house.redis_url, writer))
        for why, refusal in REFUSALS.items():
            refused_and_allowed(server, houses, why, refusal, judge, writer)


def refused_and_allowed(
    server: Redis, houses: list[RunningApp], why: str, refusal: Refusal, judge: FakeJudge, writer: FakeJudge
) -> None:
    for house in houses:
        eventually(partial(both_measurable, house, judge, writer), what="the judges")
    lessons = [Lesson(house, judge, writer) for house in houses]
    with refusal(server):
        end = time.monotonic() + SECONDS
        for lesson in lessons:
            lesson.while_refused()
        unready_and_told(houses[0], lessons[0], why.partition(" ")[0])
        time.sleep(max(0.0, end - time.monotonic()))
        assert {state for lesson in lessons for state in lesson.states()} == {"queued", "preparing"}, why
    began = time.monotonic()
    for lesson in lessons:
        eventually(lesson.is_done, what=f"every score after {why}")
    assert all(house.http.get(f"{house.url}/readyz").status_code == 200 for house in houses)
    log.info("all scored", after=why, refused_for=SECONDS, within=round(time.monotonic() - began, 1))


def unready_and_told(house: RunningApp, lesson: Lesson, word: str) -> None:
    """Whoever watches the server is told, and its host in words."""
    shown = house.http.get(f"{house.url}/readyz")
    assert (shown.status_code, shown.json()["redis"], shown.json()["database"]) == (503, False, True)
    assert [word in each for each in shown.json()["troubles"]] == [True]
    path = f"{house.url}/host/competitions/{lesson.class_.id}"
    page = house.http.get(path, headers=house.host.headers)
    assert page.status_code == 200
    assert f"({word})" in page.text


def both_measurable(house: RunningApp, *judges: FakeJudge) -> bool:
    return all(map(house.measurable, judges))
