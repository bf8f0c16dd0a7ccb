"""A worker over HTTP, and plugs pulled while 200 submissions are in flight: every one is scored, once, the same."""

import random
import signal
import time
from pathlib import Path

import httpx
import pytest

from judge.judge import Judge
from server.arena import worker_tokens
from server.db import upgrade
from tests.support.databases import sqlite_at
from tests.support.scenario.deployment import Deployment, Process, answer
from tests.support.scenario.flight import PATIENCE, Flight
from tests.support.services import Redis, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 * PATIENCE)]

SETTINGS = {"XENTARENA_LEASE": "1.5", "XENTARENA_GRACE": "1", "XENTARENA_SWEEP": "0.5"}


def test_nothing_is_lost_or_doubled_whoever_is_killed(tmp_path: Path) -> None:
    url = sqlite_at(tmp_path / "arena.sqlite3")
    with upgrade.opened(url) as database:
        token, row = database.write(lambda session: worker_tokens.create(session, "a GPU"))
    redis = Redis(tmp_path / "redis").start()
    arena = Deployment(tmp_path, url, redis.url, SETTINGS)
    try:
        api, worker = arena.start_api(), arena.start_lent_worker(token)
        arena.judge_ready()
        flight = Flight(arena, Judge.load("pocket", threads=2), worker)
        flight.take_off()
        pull_each_plug(arena, flight, redis, api, worker)
        flight.land()

        with upgrade.opened(url) as database:
            database.write(lambda session: worker_tokens.revoke(session, row.id))
        eventually(lambda: worker.process.poll() == 1, what="the end of a worker whose token ended")
        log = worker.log.read_text()
        assert "does not let this worker in any more" in log
        assert "Traceback" not in log
        assert "request.defect" not in api.log.read_text()
    finally:
        arena.stop()
        redis.stop()


def pull_each_plug(arena: Deployment, flight: Flight, redis: Redis, api: Process, worker: Process) -> None:
    for _ in range(2):
        in_flight(flight)
        time.sleep(random.uniform(0, 0.3))
        known = workers(arena)
        worker.kill()
        worker.start()
        eventually(lambda known=known: workers(arena) - known, seconds=180, what="the worker")  # type: ignore[misc]
    in_flight(flight)
    api.kill()
    api.start()
    eventually(lambda: answers(arena), what="the API")
    in_flight(flight)
    redis.stop(signal.SIGKILL)
    time.sleep(1)
    redis.start()
    in_flight(flight)
    assert worker.stop() == 0, "it publishes what it has done, and gives back the rest"
    worker.start()


def workers(arena: Deployment) -> set[str]:
    """Their names, a new one after each start: a worker that finds no server when it begins, ends."""
    with arena.client() as host:
        return {each["id"] for each in answer(host.get("/workers"))["items"]}


def in_flight(flight: Flight) -> None:
    """Some more are scored, many are not. A worker that was killed takes a while to load its judge again."""
    before = flight.scored()
    eventually(lambda: flight.scored() >= before + 5, seconds=180, what="another score")
    assert flight.scored() <= flight.count - 10, "the judge was too quick for this test"


def answers(arena: Deployment) -> bool:
    try:
        return httpx.get(f"{arena.url}/healthz", timeout=1).status_code == 200
    except httpx.TransportError:
        return False
