"""Pull the plugs, one after the other, with 100 submissions in flight: every one is scored, once, and the same.

2,000 are in flight where XENTARENA_TEST_EACH is 200, which takes an hour.

Nothing is patched. Where a fault has to strike between two steps, the server that the second step needs is stopped
(SIGSTOP, or a lock held on the rows), so that the process hangs there; then it is killed.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from judge.judge import Judge
from server.db.migrate import migrate
from server.db.session import normalised
from tests.support.scenario.deployment import Deployment, Process, answer, answers
from tests.support.scenario.flight import PATIENCE, Flight, count
from tests.support.services import Postgres, Redis, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 * PATIENCE)]

LEASE = 1.5


@dataclass
class System:
    """An arena that tests harm and leave whole."""

    arena: Deployment
    redis: Redis
    postgres: Postgres | None
    api: Process
    worker: Process


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load("pocket", threads=2)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    postgres: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = postgres.new_database() if postgres else f"sqlite:///{folder / 'arena.sqlite3'}"
    migrate(url)
    redis = Redis(folder / "redis").start()
    settings = {"XENTARENA_LEASE": str(LEASE), "XENTARENA_GRACE": "1", "XENTARENA_SWEEP": "0.5"}
    arena = Deployment(folder, url, redis.url, settings)
    try:
        made = System(arena, redis, postgres, arena.start_api(), arena.start_worker())
        arena.judge_ready()
        yield made
    finally:
        arena.stop()
        redis.stop()


@pytest.fixture
def flight(system: System, judge: Judge) -> Flight:
    return Flight(system.arena, judge, system.worker)


def test_nothing_happens(flight: Flight) -> None:
    flight.take_off()
    flight.land()


def test_the_worker_is_killed_at_random_points(system: System, flight: Flight) -> None:
    flight.take_off()
    for _ in range(3):
        flight.in_flight()
        time.sleep(random.uniform(0, 0.3))
        system.worker.kill()
        system.worker.start()
    flight.land()


def test_the_worker_is_stopped_past_its_lease_and_goes_on(system: System, flight: Flight) -> None:
    second = system.arena.start_worker()
    try:
        second.send(signal.SIGSTOP)  # else it may be through before the last move is sent
        flight.take_off()
        second.send(signal.SIGCONT)
        flight.in_flight(1)
        system.worker.send(signal.SIGSTOP)
        time.sleep(LEASE * 2)
        system.worker.send(signal.SIGCONT)
        flight.land()
    finally:
        second.stop()


def test_redis_is_wiped(system: System, flight: Flight) -> None:
    flight.take_off()
    for _ in range(2):
        flight.in_flight()
        with system.redis.client as client:
            client.flushall()
        time.sleep(0.5)
    flight.land()


def test_redis_is_stopped_and_started(system: System, flight: Flight) -> None:
    flight.take_off()
    flight.in_flight()
    system.redis.stop(signal.SIGKILL)
    time.sleep(2)
    system.redis.start()
    flight.land()


def test_redis_is_away_while_moves_come(system: System, flight: Flight) -> None:
    system.redis.stop()
    flight.take_off()
    system.redis.start()
    flight.land()


@pytest.mark.both_databases
def test_the_database_crashes_while_moves_come(system: System, flight: Flight) -> None:
    """PostgreSQL is restarted in immediate mode. SQLite lives in the API's process, so that one is killed."""
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(flight.take_off)
        for _ in range(2):
            time.sleep(0.5)
            if system.postgres:
                system.postgres.crash_and_restart()
            else:
                system.api.kill()
                restart(system)
        sending.result()
    flight.land()


@pytest.mark.both_databases
def test_the_api_is_killed_between_commit_and_enqueue(system: System, flight: Flight) -> None:
    flight.take_off()
    flight.in_flight(1)
    late = flight.game.join("late")
    system.redis.pause()
    with pytest.raises(httpx.ReadTimeout):  # committed, and hanging at the queue
        late.post(flight.game.submissions, json={"move": "harbour whale"}, timeout=1)
    committed = "SELECT count(*) FROM measurements WHERE prefix LIKE '%harbour whale%'"
    eventually(lambda: count(system.arena, committed) == 1, what="the commit")
    system.api.kill()
    system.redis.go_on()
    restart(system)
    newest = eventually(lambda: scored_moves(late), seconds=180 * PATIENCE, what="the committed move's score")
    assert newest[0]["bits"] is not None
    with system.arena.client() as host:
        answer(host.post(f"/submissions/{newest[0]['id']}:hide"))
        answer(host.post(f"/players/{newest[0]['player']}:remove"))
    expect_all_but(flight, str(newest[0]["id"]))


@pytest.mark.both_databases
def test_the_api_is_killed_between_commit_and_acknowledgement(system: System, flight: Flight) -> None:
    flight.take_off()
    flight.in_flight(1)
    with holding_measurements(system):
        eventually(lambda: claimed_results(system), what="a referee that hangs at the rows")
        system.redis.pause()
    known = "SELECT count(*) FROM measurements WHERE state <> 'pending'"
    before = count(system.arena, known)
    eventually(lambda: count(system.arena, known) > before or None, what="the commit")
    system.api.kill()
    system.redis.go_on()
    restart(system)
    flight.land()


def restart(system: System) -> None:
    system.api.start()
    eventually(lambda: answers(f"{system.arena.url}/healthz"), what="the API")


def claimed_results(system: System) -> bool:
    """Has the referee the same results in hand as a moment ago, when it had some?"""
    claims = []
    for pause in (0.0, 0.5):
        time.sleep(pause)
        with system.redis.client as client:
            claims.append(client.xpending_range("xa:results", "referees", "-", "+", 500))
    before, after = ({claim["message_id"] for claim in each} for each in claims)
    return bool(before & after)


def scored_moves(player: httpx.Client) -> list[dict[str, object]]:
    items = answer(player.get("/me/submissions"))["items"]
    return [item for item in items if item["state"] == "scored"]


def expect_all_but(flight: Flight, extra: str) -> None:
    """As `land`, with one more submission in the round."""
    everything: Callable[[], list[dict[str, object]]] = flight.game.all_submissions
    eventually(
        lambda: all(each["state"] == "scored" for each in everything()), seconds=360 * PATIENCE, what="every score"
    )
    flight.game.all_submissions = lambda: [each for each in everything() if each["id"] != extra]  # type: ignore[method-assign]
    flight.land()


class holding_measurements:
    """The rows of measurements are locked: whoever would change one waits."""

    def __init__(self, system: System) -> None:
        self._engine = create_engine(normalised(system.arena.database_url))
        self._lock = "LOCK TABLE measurements IN EXCLUSIVE MODE" if system.postgres else "BEGIN IMMEDIATE"

    def __enter__(self) -> None:
        self._connection = self._engine.connect()
        self._connection.execute(text(self._lock))

    def __exit__(self, *error: object) -> None:
        self._connection.rollback()
        self._connection.close()
        self._engine.dispose()


@pytest.mark.both_databases
def test_a_fresh_folder_of_logs_has_no_defects(system: System) -> None:
    """Runs in any order: whatever was pulled so far, no process met an error that it did not foresee."""
    logs = "".join(Path(process.log).read_text() for process in system.arena.processes)
    assert "loop.error" not in logs
    assert "request.defect" not in logs
    assert "play.broken" not in logs
